//! A cluster of Redis servers: masters that share the slots evenly, each with a replica where one is wanted.

use std::thread::sleep;

use redis::cmd;

use super::{HOST, LOOK_AGAIN, LOOKS, Server, borrowed, directory, free_port, listening};
use crate::postgres::Authority;

const SLOTS: usize = 16_384;

/// A cluster of its own. It goes, with all that is in it, when this is dropped.
pub struct Cluster {
    /// The masters, as it was made.
    pub masters: Vec<Server>,
    /// The replica of each master, in the same order, or none at all.
    pub replicas: Vec<Server>,
}

impl Cluster {
    /// Starts three masters.
    pub fn start() -> Self {
        Self::make(false, None, None)
    }

    /// The same with a password, or with TLS by this authority, or both.
    pub fn start_with(password: Option<&str>, authority: Option<&Authority>) -> Self {
        Self::make(false, password, authority)
    }

    /// Starts three masters with a replica each, which take over soon after a master has failed.
    pub fn start_with_replicas() -> Self {
        Self::make(true, None, None)
    }

    fn make(has_replicas: bool, password: Option<&str>, authority: Option<&Authority>) -> Self {
        let servers = || (0..3).map(|_| node(password, authority)).collect::<Vec<_>>();
        let cluster = Self { masters: servers(), replicas: if has_replicas { servers() } else { Vec::new() } };
        let per_master = SLOTS.div_ceil(cluster.masters.len());
        for (number, master) in cluster.masters.iter().enumerate() {
            // One by one, for Redis 6 knows no ranges of them.
            let slots: Vec<_> = (number * per_master..((number + 1) * per_master).min(SLOTS)).collect();
            master.ask::<()>(cmd("CLUSTER").arg("ADDSLOTS").arg(slots));
            master.ask::<()>(cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(number + 1));
        }
        let (first, others) = cluster.masters.split_first().expect("there are three");
        for server in others.iter().chain(&cluster.replicas) {
            first.ask::<()>(cmd("CLUSTER").arg("MEET").arg(HOST).arg(server.port()));
        }
        let count = cluster.servers().count();
        cluster.wait_until("all servers know each other", |server| {
            fact(server, "cluster_known_nodes") == count.to_string()
        });
        for (replica, master) in cluster.replicas.iter().zip(&cluster.masters) {
            let id: String = master.ask(cmd("CLUSTER").arg("MYID"));
            replica.ask::<()>(cmd("CLUSTER").arg("REPLICATE").arg(id));
        }
        cluster.wait_until("the cluster is up", |server| fact(server, "cluster_state") == "ok");
        let is_linked = |server: &Server| {
            let info: String = server.ask(cmd("INFO").arg("replication"));
            info.contains("role:master") || info.contains("master_link_status:up")
        };
        cluster.wait_until("the replicas follow their masters", is_linked);
        cluster
    }

    /// The URL of the cluster, by its first masters.
    pub fn url(&self) -> String {
        self.url_with("")
    }

    /// The URL with a user and a password, each followed by what belongs there: `USER:PASSWORD@`.
    pub fn url_with(&self, credentials: &str) -> String {
        let addresses: Vec<String> = self.masters.iter().map(Server::address).collect();
        format!("redis-cluster://{credentials}{}", addresses.join(","))
    }

    /// All servers of it.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.masters.iter().chain(&self.replicas)
    }

    /// The number of the master that serves a key, as the cluster was made.
    ///
    /// # Panics
    ///
    /// Where the first master does not answer.
    pub fn owner(&self, key: &str) -> usize {
        let slot: usize = self.masters[0].ask(cmd("CLUSTER").arg("KEYSLOT").arg(key));
        slot / SLOTS.div_ceil(self.masters.len())
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Server) -> bool) {
        for _ in 0..LOOKS {
            if self.servers().all(&is_so) {
                return;
            }
            sleep(LOOK_AGAIN);
        }
        panic!("never: {what}");
    }
}

fn node(password: Option<&str>, authority: Option<&Authority>) -> Server {
    let (port, directory) = (free_port(), directory());
    let mut settings = listening(port, &directory, authority);
    settings.extend([
        ("cluster-enabled", "yes".to_owned()),
        ("cluster-config-file", "nodes".to_owned()),
        ("cluster-node-timeout", "1000".to_owned()),
        // Without a fail-over for a while, so that tests of failing servers see them fail.
        ("cluster-replica-validity-factor", "0".to_owned()),
        ("repl-diskless-sync-delay", "0".to_owned()),
    ]);
    settings.extend(authority.map(|_| ("tls-cluster", "yes".to_owned())));
    if let Some(password) = password {
        settings.extend([("requirepass", password.to_owned()), ("masterauth", password.to_owned())]);
    }
    Server::make(port, directory, false, &borrowed(&settings))
}

/// A line of `CLUSTER INFO`.
fn fact(server: &Server, name: &str) -> String {
    let info: String = server.ask(cmd("CLUSTER").arg("INFO"));
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}
