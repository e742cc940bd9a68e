//! Finds the master that Sentinels name, and looks again and again whether it still is: a connection does not follow a fail-over by
//! itself, and a master that was replaced goes on taking writes for a while, which are lost. The Sentinels are asked all at once, for
//! the first of the list is likely to be on the machine that has just failed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{ErrorKind, RedisResult, ServerErrorKind};
use service_kit::line::Line;
use tokio::time::Instant;

use super::connector::{Connector, Open};
use super::url::Address;
use super::{failure, node};

/// A Sentinel that has not answered by then is not waited for.
const PATIENCE: Duration = Duration::from_millis(300);
/// What they said so long ago is confirmed while it is still gone by…
const RECENT: Duration = Duration::from_millis(300);
/// …and what they said so long ago is not gone by any more.
const LONG_AGO: Duration = Duration::from_secs(2);

pub(super) struct Sentinels {
    connector: Connector,
    watchers: Vec<Watcher>,
    master_name: String,
    // When one thread has found another master, all others leave the old one.
    master: ArcSwapOption<Address>,
    asked_at: Mutex<Option<Instant>>,
}

/// One Sentinel, and the connection to it.
struct Watcher {
    address: Address,
    line: Line<Open>,
}

impl Sentinels {
    pub(super) fn new(connector: Connector, addresses: Vec<Address>, master_name: String) -> Arc<Self> {
        let watcher = |address| Watcher { address, line: Line::default() };
        let watchers = addresses.into_iter().map(watcher).collect();
        Arc::new(Self { connector, watchers, master_name, master: ArcSwapOption::empty(), asked_at: Mutex::default() })
    }

    /// Whether the master is there, as far as we have heard.
    pub(super) fn is_master(&self, address: &Address) -> bool {
        self.master.load().as_deref() == Some(address)
    }

    /// Sees to it that what we have heard is not too old.
    pub(super) async fn confirm(self: &Arc<Self>) {
        let age = {
            let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            let age = asked_at.map_or(Duration::ZERO, |moment| moment.elapsed());
            if age < RECENT {
                return;
            }
            // Whoever comes next need not ask as well.
            *asked_at = Some(Instant::now());
            age
        };
        let sentinels = self.clone();
        let confirming = async move {
            if let Some(master) = sentinels.votes().await.0.into_iter().find(|vote| sentinels.is_majority(vote)) {
                sentinels.master.store(Some(Arc::new(master.address)));
            }
        };
        if age < LONG_AGO { drop(tokio::spawn(confirming)) } else { confirming.await }
    }

    /// Connects to the master.
    pub(super) async fn dial(&self, servers: &Connector) -> Result<Open, String> {
        let (votes, mut why) = self.votes().await;
        for Vote { address, .. } in votes {
            match connected_master(servers, &address).await {
                Ok(open) => {
                    *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    self.master.store(Some(Arc::new(address)));
                    return Ok(open);
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// What the Sentinels say, the address that most of them name first, and why one of them said nothing.
    async fn votes(&self) -> (Vec<Vote>, String) {
        let mut asked: FuturesUnordered<_> = self.watchers.iter().map(|watcher| self.ask(watcher)).collect();
        let mut votes: Vec<Vote> = Vec::new();
        let mut why = String::new();
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(address) => match votes.iter_mut().find(|vote| vote.address == address) {
                    Some(vote) => vote.count += 1,
                    None => votes.push(Vote { address, count: 1 }),
                },
                Err(error) => why = error,
            }
            if votes.iter().any(|vote| self.is_majority(vote)) {
                break;
            }
        }
        votes.sort_by_key(|vote| std::cmp::Reverse(vote.count));
        (votes, why)
    }

    fn is_majority(&self, vote: &Vote) -> bool {
        vote.count * 2 > self.watchers.len()
    }

    async fn ask(&self, Watcher { address, line }: &Watcher) -> Result<Address, String> {
        let asked = async {
            let dial = || node::dial(&self.connector, address);
            let open = line.open(Open::is_open, dial).await?;
            let mut command = redis::cmd("SENTINEL");
            command.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master_name);
            let answer: RedisResult<Option<(String, u16)>> = command.query_async(&mut open.connection.clone()).await;
            answer.map_err(|error| {
                if failure::breaks_connection(&error) {
                    line.forget(&open);
                }
                format!("{address}: {}", failure::describe(&error))
            })
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Some((host, port)))) => Ok(Address { host, port }),
            Ok(Ok(None)) => Err(format!("{address}: knows no master of the name {}", self.master_name)),
            Ok(Err(why)) => Err(why),
            Err(_) => {
                line.hang_up();
                Err(format!("{address}: no answer in time"))
            }
        }
    }
}

/// How many Sentinels name this address.
struct Vote {
    address: Address,
    count: usize,
}

/// What a Sentinel says may be a moment old: the server itself has to say that it is a master.
async fn connected_master(servers: &Connector, address: &Address) -> Result<Open, String> {
    let open = node::dial(servers, address).await?;
    let role: RedisResult<Vec<redis::Value>> = redis::cmd("ROLE").query_async(&mut open.connection.clone()).await;
    match role.as_deref() {
        Ok([redis::Value::BulkString(role), ..]) if role == b"master" => Ok(open),
        Ok(_) => Err(format!("{address}: is not the master")),
        // Who may not ask has to believe.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Ok(open),
        Err(error) => Err(format!("{address}: {}", failure::describe(error))),
    }
}
