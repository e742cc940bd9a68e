//! A real PostgreSQL for the tests: made with `initdb` in a directory of its own, on a free port of the loopback, run by a user who
//! is not root, stopped and cleared away with the process that started it, however that ends. What is kept in it is the tests' own.

mod authority;
mod backup;
mod keeper;
mod programs;

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, kill_process};

pub use self::authority::Authority;
use self::keeper::Keeper;
use self::programs::Programs;

/// The service's role: it owns its databases and is no superuser.
pub const ROLE: &str = "latchkey";
/// The role's password, with what has to be percent-encoded in a URL, and easy to find where it must not be.
pub const PASSWORD: &str = "dont/show:me@100%?#&=";
const PASSWORD_IN_URL: &str = "dont%2Fshow%3Ame%40100%25%3F%23%26%3D";

/// A disk that forgets is good enough for a test, and several times as fast; so is a small server.
const LIGHT: [(&str, &str); 6] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("shared_buffers", "32MB"),
    ("autovacuum", "off"),
    ("log_line_prefix", "%d "),
];

static SHARED: OnceLock<Arc<Server>> = OnceLock::new();

/// The server that most tests of this process share, each in a database of its own. It is never stopped or bent.
pub fn shared() -> Arc<Server> {
    SHARED.get_or_init(|| Server::start_with(&[("max_connections", "300")])).clone()
}

/// A PostgreSQL server of its own. It goes, with all that is in it, when the last handle to it is dropped.
pub struct Server {
    directory: PathBuf,
    port: u16,
    programs: Programs,
    _keeper: Keeper,
}

impl Server {
    /// Starts a server as it comes.
    pub fn start() -> Arc<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with these settings of `postgresql.conf`.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed or does not start, with what it says.
    pub fn start_with(settings: &[(&str, &str)]) -> Arc<Self> {
        Self::make(settings, None)
    }

    /// Starts a server that also speaks TLS, with a certificate by `authority` for the host `localhost`.
    pub fn start_with_tls(authority: &Authority) -> Arc<Self> {
        Self::make(&[("ssl", "on")], Some(authority))
    }

    fn make(settings: &[(&str, &str)], authority: Option<&Authority>) -> Arc<Self> {
        let programs = Programs::find();
        let (directory, keeper) = kept_directory(&programs);
        let data = directory.join("data");
        copy(&template().0, &data);
        if let Some(authority) = authority {
            let (certificate, key) = authority.certify("localhost");
            programs.write_private(&data.join("server.crt"), &certificate);
            programs.write_private(&data.join("server.key"), &key);
        }
        let server = Arc::new(Self { directory, port: free_port(), programs, _keeper: keeper });
        server.configure(settings);
        server.start_again();
        server.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"));
        server
    }

    /// Adds settings to `postgresql.conf`; they hold from the next start.
    pub fn configure(&self, settings: &[(&str, &str)]) {
        let file = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&file).expect("initdb has written it");
        let (port, directory) = (self.port.to_string(), path(&self.directory));
        let place = [("listen_addresses", "127.0.0.1"), ("port", &port), ("unix_socket_directories", directory)];
        for (name, value) in place.iter().chain(&LIGHT).chain(settings) {
            writeln!(text, "{name} = '{value}'").expect("a text grows");
        }
        fs::write(file, text).expect("the directory is ours");
    }

    /// A new, empty database, gone with its handle or with the server.
    pub fn database(self: &Arc<Self>) -> TestDatabase {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {ROLE}"));
        TestDatabase { server: self.clone(), name }
    }

    /// Runs SQL as the superuser through the Unix socket, and answers its rows: a line each, `|` between the columns.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL refuses it.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql(database, sql).unwrap_or_else(|complaint| panic!("{sql}: {complaint}"))
    }

    fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let port = self.port.to_string();
        let place = ["--host", path(&self.directory), "--port", &port, "--username=postgres", "--dbname", database];
        let form = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command", sql];
        let rows = self.programs.try_run("psql", &self.directory, &[&place[..], &form].concat())?;
        Ok(rows.trim_end().to_owned())
    }

    /// Stops the server as an operator does: its clients are told.
    pub fn stop(&self) {
        self.pg_ctl(&["stop", "--mode=fast"]);
    }

    /// Stops the server at once, as if it had crashed: nothing is told or tidied.
    pub fn crash(&self) {
        self.pg_ctl(&["stop", "--mode=immediate"]);
    }

    /// Starts the stopped server on the port it had, and waits until it takes connections.
    pub fn start_again(&self) {
        self.pg_ctl(&["start", "--log", path(&self.directory.join("log"))]);
    }

    /// Stops the server and starts it again.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// Freezes every process of the server (`kill -STOP`): connections stay open and nothing answers.
    pub fn freeze(&self) -> Frozen {
        // The first one first, for it makes the others.
        let first = self.postmaster();
        signal(&[first], Signal::STOP);
        let mut processes = self.children();
        processes.push(first);
        Frozen::new(processes)
    }

    /// Freezes the one process that serves a connection.
    ///
    /// # Panics
    ///
    /// Where `backend` is no process of this server.
    pub fn freeze_backend(&self, backend: i64) -> Frozen {
        let process = pid(&backend.to_string());
        assert!(self.children().contains(&process), "{backend} is none of the server's");
        Frozen::new(vec![process])
    }

    /// What the server has logged, each line after the name of its database.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).expect("the server has started")
    }

    /// The URL of one of its databases for the service's role.
    pub fn url(&self, database: &str) -> String {
        self.url_on("127.0.0.1", database)
    }

    fn url_on(&self, host: &str, database: &str) -> String {
        format!("postgres://{ROLE}:{PASSWORD_IN_URL}@{host}:{}/{database}", self.port)
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its data.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn pg_ctl(&self, command: &[&str]) {
        let data = self.data();
        let place = ["--pgdata", path(&data), "--wait", "--timeout=60", "--silent"];
        self.programs.run("pg_ctl", &self.directory, &[command, &place].concat());
    }

    fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).expect("the server runs");
        pid(text.lines().next().unwrap_or_default())
    }

    fn children(&self) -> Vec<Pid> {
        let id = self.postmaster().as_raw_nonzero();
        let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("the server runs");
        text.split_whitespace().map(pid).collect()
    }
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // One that has ended meanwhile needs no signal.
        let _ = kill_process(*process, signal);
    }
}

/// Processes that are frozen until this is dropped.
pub struct Frozen(Vec<Pid>);

impl Frozen {
    fn new(processes: Vec<Pid>) -> Self {
        signal(&processes, Signal::STOP);
        Self(processes)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal(&self.0, Signal::CONT);
    }
}

/// An empty database of its own.
pub struct TestDatabase {
    server: Arc<Server>,
    /// What it is called.
    pub name: String,
}

impl TestDatabase {
    /// The URL that a service is given.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// The same with another name of the host.
    pub fn url_on(&self, host: &str) -> String {
        self.server.url_on(host, &self.name)
    }

    /// The server it is on.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Runs SQL in it as the superuser; see [`Server::sql`].
    pub fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.name, sql)
    }

    /// How many connections there are to it as the service's role.
    pub fn connections(&self) -> usize {
        let condition = format!("datname = '{}' AND usename = '{ROLE}'", self.name);
        let count = self.server.sql("postgres", &format!("SELECT count(*) FROM pg_stat_activity WHERE {condition}"));
        count.parse().expect("a number")
    }
}

impl Drop for TestDatabase {
    // A server of a test's own takes its databases with it; it may also have been left in no state to drop one.
    fn drop(&mut self) {
        if SHARED.get().is_some_and(|shared| Arc::ptr_eq(shared, &self.server)) {
            drop(self.server.try_sql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
        }
    }
}

/// A directory that goes with its keeper, and with it the server in it.
fn kept_directory(programs: &Programs) -> (PathBuf, Keeper) {
    let directory = tempfile::Builder::new().prefix("latchkey-postgres-").tempdir().expect("a directory").keep();
    programs.give(&directory);
    let keeper = Keeper::of(&directory);
    (directory, keeper)
}

/// The data of a server that was never started, made once: to copy it takes a tenth of the time.
fn template() -> &'static (PathBuf, Keeper) {
    static TEMPLATE: OnceLock<(PathBuf, Keeper)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let programs = Programs::find();
        let (directory, keeper) = kept_directory(&programs);
        let data = directory.join("data");
        // The order of texts by a language differs from their order by bytes, which a service must not notice.
        let order = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
        let access = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"];
        programs.run("initdb", &directory, &[&["--pgdata", path(&data)], &order[..], &access[..]].concat());
        (data, keeper)
    })
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["-a", "--reflink=auto"]).args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is not copied", from.display());
}

/// A port that nobody listens on, from below those that the system gives to outgoing connections: a server that is stopped
/// finds its port free again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).expect("a small number");
    for _ in 0..1_000 {
        let port = 15_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("a thousand ports are taken");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("paths of temporary files are text")
}

fn pid(text: &str) -> Pid {
    text.parse().ok().and_then(Pid::from_raw).unwrap_or_else(|| panic!("no process: {text:?}"))
}
