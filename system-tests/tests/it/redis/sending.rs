//! A step that may have reached Redis is never sent twice: who does not know whether it was done is told so, and may ask again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_service::domain::session::Rotation;
use auth_service::stores::StoreError;
use redis::cmd;
use system_tests::redis::{Cluster, Server};
use system_tests::waiting::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::{User, open, presented, settings};

/// Stands between a store and its server, and loses answers when told to: the request gets there, and the connection breaks.
struct Lossy {
    address: SocketAddr,
    losses: Arc<AtomicUsize>,
}

impl Lossy {
    async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, server) = (listener.local_addr().expect("it listens"), server.address());
        let losses = Arc::<AtomicUsize>::default();
        let to_lose = losses.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, server.clone(), to_lose.clone()));
            }
        });
        Self { address, losses }
    }

    /// Loses the next answer.
    fn lose_one(&self) {
        self.losses.fetch_add(1, Ordering::SeqCst);
    }
}

async fn pass_on(mut client: TcpStream, server: String, losses: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let answers = async {
        let mut answer = vec![0; 64 * 1024];
        loop {
            let read = from_server.read(&mut answer).await?;
            let one_less = |losses: usize| losses.checked_sub(1);
            if read == 0 || losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                return Ok(());
            }
            to_client.write_all(&answer[..read]).await?;
        }
    };
    tokio::select! {
        ended = copy(&mut from_client, &mut to_server) => ended.map(drop),
        ended = answers => ended,
    }
}

/// How often this server has run a script.
fn runs(server: &Server) -> u64 {
    let stats: String = server.ask(cmd("INFO").arg("commandstats"));
    let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok();
    stats.lines().filter(|line| line.starts_with("cmdstat_eval")).filter_map(calls).sum()
}

#[tokio::test]
async fn a_rotation_whose_answer_is_lost_has_happened_once_and_its_key_is_good_for_the_answer() {
    let server = Server::start();
    let lossy = Lossy::before(&server).await;
    let store = open(&settings(format!("redis://{}", lossy.address)));
    let user = User::new(&store);
    let session = user.start().await;
    user.rotate(&presented(&user.start().await)).await;
    let before = runs(&server);
    lossy.lose_one();
    let answer = user.try_rotate(&presented(&session)).await;
    assert!(matches!(answer, Err(StoreError::Lost(_))), "{answer:?}");
    assert_eq!(runs(&server) - before, 1);
    let again = user.rotate(&presented(&session)).await;
    assert!(matches!(again, Rotation::Replayed(successor) if successor.generation == 1), "{again:?}");
}

#[tokio::test]
async fn a_login_whose_answer_is_lost_has_happened_once() {
    let server = Server::start();
    let lossy = Lossy::before(&server).await;
    let store = open(&settings(format!("redis://{}", lossy.address)));
    let user = User::new(&store);
    user.start().await;
    lossy.lose_one();
    assert!(matches!(user.try_start().await, Err(StoreError::Lost(_))));
    assert_eq!(user.list().await.len(), 2);
}

#[tokio::test]
async fn a_list_whose_answer_is_lost_is_asked_for_again() {
    let server = Server::start();
    let lossy = Lossy::before(&server).await;
    let store = open(&settings(format!("redis://{}", lossy.address)));
    let user = User::new(&store);
    user.start().await;
    lossy.lose_one();
    assert_eq!(user.list().await.len(), 1);
}

/// The rotation waits within the paused server when its connection is cut; it must not come by another.
async fn is_not_sent_again(url: String, servers: &[Server]) {
    let store = open(&settings(url));
    let user = User::new(&store);
    let session = user.start().await;
    user.rotate(&presented(&user.start().await)).await;
    for server in servers {
        server.ask::<()>(cmd("CLIENT").arg("PAUSE").arg(60_000).arg("WRITE"));
    }
    let is_waiting = |server: &Server| {
        let clients: String = server.ask(cmd("CLIENT").arg("LIST").arg("TYPE").arg("normal"));
        clients.lines().any(|client| client.contains(" flags=b ") && client.contains(" cmd=eval"))
    };
    let request = presented(&session);
    let (answer, ()) = tokio::join!(user.try_rotate(&request), async {
        let holder = async || servers.iter().find(|server| is_waiting(server));
        let holder = eventually("the rotation waits in a server", holder).await;
        holder.ask::<()>(cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes"));
    });
    assert!(matches!(answer, Err(StoreError::Lost(_))), "{answer:?}");
    for server in servers {
        assert!(!is_waiting(server), "it was sent again");
        server.ask::<()>(cmd("CLIENT").arg("UNPAUSE"));
    }
    let listed = user.list().await;
    assert_eq!(listed.iter().find(|live| live.id == session.id).map(|live| live.generation), Some(0));
    assert!(matches!(user.rotate(&request).await, Rotation::Rotated(_)));
}

#[tokio::test]
async fn a_rotation_whose_connection_breaks_is_not_sent_again() {
    let server = Server::start();
    is_not_sent_again(server.url(), &[server]).await;
}

#[tokio::test]
async fn nor_is_it_in_a_cluster() {
    let Cluster { masters, .. } = &Cluster::start();
    let url = format!("redis-cluster://{}", masters[0].address());
    is_not_sent_again(url, masters).await;
}
