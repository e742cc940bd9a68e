//! A master with replicas, and three Sentinels that watch it and put a replica in its place when it fails.

use std::thread::sleep;

use redis::cmd;

use super::{HOST, LOOK_AGAIN, LOOKS, Server, borrowed, directory, free_port, listening};
use crate::postgres::Authority;

/// What the Sentinels call the master.
const MASTER: &str = "the-sessions";
/// What a Sentinel is told of a master at `10.0.0.1 6379`, so that a test need not wait long.
const QUICK: &str = "sentinel monitor mymaster 10.0.0.1 6379 2
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 2000";

/// Servers behind Sentinels. They go, with all that is in them, when this is dropped.
pub struct Sentinels {
    /// The master as it was made, then its replicas.
    pub servers: Vec<Server>,
    /// Those that watch.
    pub sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts a master with two replicas, and three Sentinels.
    pub fn start() -> Self {
        Self::make(None, None, None, QUICK)
    }

    /// The same with Sentinels that are told these lines of a `mymaster` at `10.0.0.1 6379`.
    pub fn start_told(lines: &str) -> Self {
        Self::make(None, None, None, lines)
    }

    /// The same, with a password for the servers and another for the Sentinels.
    pub fn start_with(password: Option<&str>, sentinel_password: Option<&str>) -> Self {
        Self::make(password, sentinel_password, None, QUICK)
    }

    /// The same, with TLS by this authority between all of them.
    pub fn start_with_tls(authority: &Authority) -> Self {
        Self::make(None, None, Some(authority), QUICK)
    }

    fn make(
        password: Option<&str>,
        sentinel_password: Option<&str>,
        authority: Option<&Authority>,
        lines: &str,
    ) -> Self {
        let master = server(None, password, authority);
        let replicas = (0..2).map(|_| server(Some(master.port()), password, authority)).collect::<Vec<_>>();
        let servers: Vec<Server> = std::iter::once(master).chain(replicas).collect();
        wait_until("the replicas follow the master", || {
            let info: String = servers[0].ask(cmd("INFO").arg("replication"));
            info.matches("state=online").count() == 2
        });
        let lines =
            lines.replace("mymaster", MASTER).replace("10.0.0.1 6379", &format!("{HOST} {}", servers[0].port()));
        let sentinels = (0..3).map(|_| sentinel(&lines, password, sentinel_password, authority)).collect();
        let all = Self { servers, sentinels };
        wait_until("the Sentinels know each other and the replicas", || {
            all.sentinels.iter().all(|sentinel| {
                let facts: Vec<String> = sentinel.ask(cmd("SENTINEL").arg("MASTER").arg(MASTER));
                let is = |name: &str, value: &str| facts.chunks(2).any(|fact| fact == [name, value]);
                is("num-other-sentinels", "2") && is("num-slaves", "2") && is("flags", "master")
            })
        });
        all
    }

    /// The URL, by the Sentinels.
    pub fn url(&self) -> String {
        self.url_with("")
    }

    /// The URL with a user and a password, each followed by what belongs there: `USER:PASSWORD@`.
    pub fn url_with(&self, credentials: &str) -> String {
        let addresses: Vec<String> = self.sentinels.iter().map(Server::address).collect();
        format!("redis-sentinel://{credentials}{}/{MASTER}", addresses.join(","))
    }

    /// The server that this Sentinel takes for the master.
    ///
    /// # Panics
    ///
    /// Where the Sentinel names a server that is none of these.
    pub fn master_by(&self, sentinel: &Server) -> &Server {
        let answer: (String, u16) = sentinel.ask(cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(MASTER));
        self.servers.iter().find(|server| server.port() == answer.1).expect("one of the servers")
    }

    /// The server that has come in the place of this one, once every Sentinel says so and it says so itself.
    pub fn successor_of(&self, former: &Server) -> Option<&Server> {
        let master = self.master_by(&self.sentinels[0]);
        let is_agreed = self.sentinels.iter().all(|sentinel| self.master_by(sentinel).port() == master.port());
        let is_another = master.port() != former.port();
        let info = || master.ask::<String>(cmd("INFO").arg("replication"));
        (is_agreed && is_another && info().contains("role:master")).then_some(master)
    }
}

fn server(master: Option<u16>, password: Option<&str>, authority: Option<&Authority>) -> Server {
    let (port, directory) = (free_port(), directory());
    let mut settings = listening(port, &directory, authority);
    settings.push(("repl-diskless-sync-delay", "0".to_owned()));
    if let Some(master) = master {
        settings.push(("replicaof", format!("{HOST} {master}")));
    }
    if let Some(password) = password {
        settings.extend([("requirepass", password.to_owned()), ("masterauth", password.to_owned())]);
    }
    Server::make(port, directory, false, &borrowed(&settings))
}

fn sentinel(lines: &str, password: Option<&str>, own: Option<&str>, authority: Option<&Authority>) -> Server {
    let (port, directory) = (free_port(), directory());
    let mut settings = listening(port, &directory, authority);
    settings.extend(lines.lines().map(|line| {
        let directive = line.strip_prefix("sentinel ").expect("a line of a Sentinel");
        ("sentinel", directive.to_owned())
    }));
    settings.extend(password.map(|password| ("sentinel auth-pass", format!("{MASTER} {password}"))));
    settings.extend(own.map(|password| ("requirepass", password.to_owned())));
    settings.extend(own.map(|password| ("sentinel sentinel-pass", password.to_owned())));
    Server::make(port, directory, true, &borrowed(&settings))
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        sleep(LOOK_AGAIN);
    }
    panic!("never: {what}");
}
