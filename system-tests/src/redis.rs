//! Real Redis servers for the tests, each in a directory of its own and on a free port of the loopback: alone, behind Sentinels, in a
//! cluster. They go with the process that started them, however that ends. What is kept in them is the tests' own.

mod cluster;
mod keeper;
mod sentinels;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use redis::{
    Client, Cmd, Connection, ConnectionAddr, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
};
use rustix::process::{Pid, Signal, kill_process};

pub use self::cluster::Cluster;
use self::keeper::Keeper;
pub use self::sentinels::Sentinels;
use crate::postgres::Authority;

/// Where the servers listen, and what certificates are made out to.
pub const HOST: &str = "127.0.0.1";

/// How often a server that is starting is looked at before it is given up, and the time between two looks.
const LOOKS: u32 = 4_000;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A server that is not frozen answers its test in this time, or the test has failed.
const ANSWER: Duration = Duration::from_secs(10);

/// A server that most tests of this process share. It is never stopped or bent, and each test has users of its own.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

/// A Redis server of its own. It goes, with all that is in it, when this is dropped.
pub struct Server {
    directory: PathBuf,
    port: u16,
    password: Option<String>,
    is_sentinel: bool,
    child: Mutex<Option<Child>>,
    control: Mutex<Option<Connection>>,
    _keeper: Keeper,
}

impl Server {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these settings of `redis.conf`.
    ///
    /// # Panics
    ///
    /// Where Redis is not installed or does not start, with what it says.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        Self::make(port, directory(), false, &[&[("port", port.to_string().as_str())], settings].concat())
    }

    /// Starts a server that speaks TLS alone, with a certificate by `authority` for this host.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_with_tls(authority: &Authority) -> Self {
        let (port, directory) = (free_port(), directory());
        let settings = listening(port, &directory, Some(authority));
        Self::make(port, directory, false, &borrowed(&settings))
    }

    fn make(port: u16, directory: PathBuf, is_sentinel: bool, settings: &[(&str, &str)]) -> Self {
        let keeper = Keeper::of(&directory);
        let place = directory.to_str().expect("paths of temporary files are text").to_owned();
        let own = [("dir", place.as_str()), ("pidfile", "pid"), ("unixsocket", "socket"), ("bind", HOST)];
        let forgetful: &[_] = if is_sentinel { &[] } else { &[("save", "")] };
        let mut text = String::new();
        for (name, value) in own.iter().chain(forgetful).chain(settings) {
            // Some directives take several words; none of those has a blank in a word.
            let words: Vec<String> = match value.split(' ').collect::<Vec<_>>().as_slice() {
                [] | [""] => vec!["\"\"".to_owned()],
                words => words.iter().map(|word| format!("\"{word}\"")).collect(),
            };
            writeln!(text, "{name} {}", words.join(" ")).expect("a text grows");
        }
        fs::write(directory.join("conf"), text).expect("the directory is ours");
        let password = settings.iter().find(|(name, _)| *name == "requirepass").map(|(_, value)| (*value).to_owned());
        let (child, control) = (Mutex::default(), Mutex::default());
        let server = Self { directory, port, password, is_sentinel, child, control, _keeper: keeper };
        server.start_again();
        server
    }

    /// Starts the stopped server on the port it had, and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where it does not start, with what it says.
    pub fn start_again(&self) {
        let log = || File::options().create(true).append(true).open(self.directory.join("log")).expect("a file");
        let mut command = Command::new("redis-server");
        command.arg(self.directory.join("conf")).current_dir(&self.directory);
        if self.is_sentinel {
            command.arg("--sentinel");
        }
        command.stdin(Stdio::null()).stdout(log()).stderr(log());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("redis-server cannot be run ({error}): install the Debian package redis-server")
        });
        for _ in 0..LOOKS {
            if let Some(status) = child.try_wait().expect("the process can be asked") {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                panic!("redis-server does not start ({status}): {log}");
            }
            if self.try_ask::<String>(&redis::cmd("PING")).is_ok() {
                *self.child() = Some(child);
                return;
            }
            sleep(LOOK_AGAIN);
        }
        drop(child.kill());
        panic!("redis-server does not answer");
    }

    /// Runs a command, past all limits on clients of the network.
    ///
    /// # Panics
    ///
    /// Where Redis refuses it, or does not answer.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        self.try_ask(command).unwrap_or_else(|error| panic!("Redis on {}: {error}", self.port))
    }

    /// The same, where an error is expected. A connection that the server has closed meanwhile is made anew.
    pub fn try_ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = control.as_mut() {
            match command.query(connection) {
                Err(error) if error.is_connection_dropped() => {}
                answer => return answer,
            }
        }
        let connection = control.insert(self.connect()?);
        command.query(connection)
    }

    fn connect(&self) -> RedisResult<Connection> {
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        let socket = ConnectionAddr::Unix(self.directory.join("socket"));
        let client = Client::open(socket.into_connection_info()?.set_redis_settings(login))?;
        let connection = client.get_connection_with_timeout(ANSWER)?;
        connection.set_read_timeout(Some(ANSWER))?;
        Ok(connection)
    }

    /// A number that `INFO` tells.
    ///
    /// # Panics
    ///
    /// Where there is none of this name.
    pub fn info(&self, name: &str) -> u64 {
        let info: String = self.ask(redis::cmd("INFO").arg("everything"));
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("INFO tells no {name}"))
    }

    /// Ends the server at once and without a word (SIGKILL), and waits until it is gone.
    pub fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
        *self.control.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Kills it and starts it again: what was not on disk is gone.
    pub fn restart(&self) {
        self.kill();
        self.start_again();
    }

    /// Freezes the server (`kill -STOP`): connections stay open and nothing answers.
    pub fn freeze(&self) -> Frozen<'_> {
        self.signal(Signal::STOP);
        Frozen(self)
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = self.child().as_ref() {
            let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("the id of a process");
            kill_process(id, signal).expect("the process is ours and has not been waited for");
        }
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host and port it listens on, for a URL.
    pub fn address(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    /// The URL of this server alone, without a password.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps what it keeps.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server that is frozen until this is dropped.
pub struct Frozen<'a>(&'a Server);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

/// Settings by which a server listens: in the clear, or by TLS alone with a certificate by this authority. With TLS it also speaks to
/// other servers so.
fn listening(port: u16, directory: &Path, authority: Option<&Authority>) -> Vec<(&'static str, String)> {
    let Some(authority) = authority else { return vec![("port", port.to_string())] };
    let (certificate, key) = authority.certify(HOST);
    for (name, text) in [("server.crt", certificate), ("server.key", key), ("authority.crt", authority.pem())] {
        fs::write(directory.join(name), text).expect("the directory is ours");
    }
    let settings = [
        ("port", "0"),
        ("tls-port", &port.to_string()),
        ("tls-auth-clients", "no"),
        ("tls-replication", "yes"),
        ("tls-cert-file", "server.crt"),
        ("tls-key-file", "server.key"),
        ("tls-ca-cert-file", "authority.crt"),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).into()
}

fn borrowed<'a>(settings: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn directory() -> PathBuf {
    tempfile::Builder::new().prefix("latchkey-redis-").tempdir().expect("a directory").keep()
}

/// A port that nobody listens on, nor on the one above it by 10,000, where servers of a cluster talk to each other. Both are below
/// those that the system gives to outgoing connections: a server that is stopped finds its port free again.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id().wrapping_mul(37) % 5_000).expect("a small number");
    for _ in 0..1_000 {
        let port = 10_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 5_000;
        if TcpListener::bind((HOST, port)).is_ok() && TcpListener::bind((HOST, port + 10_000)).is_ok() {
            return port;
        }
    }
    panic!("a thousand ports are taken");
}
