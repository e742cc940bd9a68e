//! A network that fails when told to: a proxy on the loopback between a client and a server, which delays, throttles, cuts answers off
//! in their middle, lets connections die without a word, refuses them, and heals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the network is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// All passes.
    Fair,
    /// All passes, each piece so much later.
    Slow(Duration),
    /// All passes, so many bytes at a time with a pause of ten milliseconds after each.
    Throttled(usize),
    /// Requests pass; the connection is reset in the middle of each answer.
    CutAnswers,
    /// Nothing passes. What was sent meanwhile arrives when it is over, unless its sender has hung up.
    Stalled,
    /// Nobody is connected, and whoever was is reset.
    Refused,
}

/// The proxy. It ends, with its connections, when this is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    sky: Arc<Sky>,
    accepting: JoinHandle<()>,
}

struct Sky {
    weather: watch::Sender<Weather>,
    // Connections that were made before this many deaths are dead: what comes over them goes nowhere.
    deaths: AtomicU64,
    open: AtomicUsize,
    delivers_late: AtomicBool,
}

impl Proxy {
    /// Listens in front of a server.
    ///
    /// # Panics
    ///
    /// Where no port is free.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let sky = Arc::new(Sky {
            weather: watch::Sender::new(Weather::Fair),
            deaths: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            delivers_late: false.into(),
        });
        let accepting = tokio::spawn(accept(listener, server, sky.clone()));
        Self { address, sky, accepting }
    }

    /// Changes the weather, for connections that are open as well.
    pub fn set(&self, weather: Weather) {
        self.sky.weather.send_replace(weather);
    }

    /// All is well again.
    pub fn heal(&self) {
        self.set(Weather::Fair);
    }

    /// All is well again, and what was held up arrives, though its sender may have given it up long ago.
    pub fn heal_and_deliver(&self) {
        self.sky.delivers_late.store(true, Ordering::SeqCst);
        self.heal();
    }

    /// Every connection that there is now dies without either side being told. New ones work.
    pub fn let_connections_die(&self) {
        self.sky.deaths.fetch_add(1, Ordering::SeqCst);
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.sky.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        // Ends the connections too.
        self.set(Weather::Refused);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, sky: Arc<Sky>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(connect(client, server, sky.clone()));
    }
}

async fn connect(client: TcpStream, server: SocketAddr, sky: Arc<Sky>) {
    if *sky.weather.borrow() == Weather::Refused {
        return reset(&client);
    }
    let Ok(server) = TcpStream::connect(server).await else { return reset(&client) };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a socket of ours");
    }
    sky.open.fetch_add(1, Ordering::SeqCst);
    let born = sky.deaths.load(Ordering::SeqCst);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let there = Pump { from: from_client, to: to_server, sky: sky.clone(), born, is_answering: false };
    let back = Pump { from: from_server, to: to_client, sky: sky.clone(), born, is_answering: true };
    // Where one direction breaks the other goes with it.
    drop(try_join(there.run(), back.run()).await);
    sky.open.fetch_sub(1, Ordering::SeqCst);
}

/// Closes without the courtesies.
fn reset(stream: &TcpStream) {
    // It may be closed already.
    drop(stream.set_zero_linger());
}

/// The connection is no more.
struct Broken;

async fn refused(weather: &mut watch::Receiver<Weather>) {
    drop(weather.wait_for(|weather| *weather == Weather::Refused).await);
}

/// One direction of one connection.
struct Pump {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    sky: Arc<Sky>,
    born: u64,
    is_answering: bool,
}

impl Pump {
    /// Passes on what comes until either side has ended, then tells the other.
    async fn run(mut self) -> Result<(), Broken> {
        let (mut weather, mut refusal) = (self.sky.weather.subscribe(), self.sky.weather.subscribe());
        let mut buffer = vec![0; 16 * 1024];
        loop {
            tokio::select! {
                () = refused(&mut refusal) => {
                    reset(self.to.as_ref());
                    return Err(Broken);
                }
                read = self.from.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(count) => self.pass(&mut weather, &buffer[..count]).await?,
                },
            }
        }
        // An end is a piece of news like any other.
        if !self.is_dead() {
            drop(self.to.shutdown().await);
        }
        Ok(())
    }

    fn is_dead(&self) -> bool {
        self.sky.deaths.load(Ordering::SeqCst) > self.born
    }

    async fn pass(&mut self, weather: &mut watch::Receiver<Weather>, bytes: &[u8]) -> Result<(), Broken> {
        let now = *weather.borrow_and_update();
        if self.is_dead() {
            return Ok(());
        }
        match now {
            Weather::Slow(delay) => tokio::time::sleep(delay).await,
            Weather::Throttled(size) => {
                for piece in bytes.chunks(size) {
                    self.write(piece).await?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                return Ok(());
            }
            Weather::CutAnswers if self.is_answering => {
                self.write(&bytes[..bytes.len() / 2]).await?;
                reset(self.to.as_ref());
                return Err(Broken);
            }
            Weather::Stalled => {
                let over = weather.wait_for(|weather| *weather != Weather::Stalled).await.map(drop);
                over.map_err(|_| Broken)?;
                if self.is_dead() || (self.has_hung_up() && !self.sky.delivers_late.load(Ordering::SeqCst)) {
                    return Err(Broken);
                }
            }
            Weather::Fair | Weather::CutAnswers | Weather::Refused => {}
        }
        self.write(bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.to.write_all(bytes).await.map_err(|_| Broken)
    }

    /// Whether the sender has closed its side, with nothing more to come.
    fn has_hung_up(&mut self) -> bool {
        matches!(self.from.peek(&mut [0]).now_or_never(), Some(Ok(0) | Err(_)))
    }
}
