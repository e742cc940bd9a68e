//! Finds the master that Sentinels name. A connection does not follow a fail-over by itself: whenever one is made, they are asked
//! anew, all at once, for the first of the list is likely to be on the machine that has just failed.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{ErrorKind, RedisResult, ServerErrorKind};

use super::connector::{Connector, Open};
use super::url::Address;
use super::{failure, node};

/// A Sentinel that has not answered by then is not waited for.
const PATIENCE: Duration = Duration::from_millis(300);

pub(super) struct Sentinels {
    connector: Connector,
    addresses: Vec<Address>,
    master_name: String,
    // Of the last connection that was made: when one thread has found another master, all others leave the old one.
    master: ArcSwapOption<Address>,
}

impl Sentinels {
    pub(super) fn new(connector: Connector, addresses: Vec<Address>, master_name: String) -> Self {
        Self { connector, addresses, master_name, master: ArcSwapOption::empty() }
    }

    /// Whether the master is there, as far as we have heard.
    pub(super) fn is_master(&self, address: &Address) -> bool {
        self.master.load().as_deref() == Some(address)
    }

    /// Connects to the master.
    pub(super) async fn dial(&self, servers: &Connector) -> Result<Open, String> {
        let mut why = String::new();
        for address in self.candidates().await? {
            match connected_master(servers, &address).await {
                Ok(open) => {
                    self.master.store(Some(Arc::new(address)));
                    return Ok(open);
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// What the Sentinels say, the address that most of them name first.
    async fn candidates(&self) -> Result<Vec<Address>, String> {
        let mut asked: FuturesUnordered<_> = self.addresses.iter().map(|sentinel| self.ask(sentinel)).collect();
        let mut votes: Vec<(Address, usize)> = Vec::new();
        let mut why = String::new();
        while let Some(answer) = asked.next().await {
            let address = match answer {
                Ok(address) => address,
                Err(error) => {
                    why = error;
                    continue;
                }
            };
            match votes.iter_mut().find(|(named, _)| *named == address) {
                Some((_, count)) => *count += 1,
                None => votes.push((address, 1)),
            }
            if votes.iter().any(|(_, count)| *count * 2 > self.addresses.len()) {
                break;
            }
        }
        if votes.is_empty() {
            return Err(why);
        }
        votes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(votes.into_iter().map(|(address, _)| address).collect())
    }

    async fn ask(&self, sentinel: &Address) -> Result<Address, String> {
        let asked = async {
            let mut connection = node::dial(&self.connector, sentinel).await?.connection;
            let mut command = redis::cmd("SENTINEL");
            command.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master_name);
            let answer: RedisResult<Option<(String, u16)>> = command.query_async(&mut connection).await;
            answer.map_err(|error| format!("{sentinel}: {}", failure::describe(&error)))
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        match answer.unwrap_or_else(|_| Err(format!("{sentinel}: no answer in time"))) {
            Ok(Some((host, port))) => Ok(Address { host, port }),
            Ok(None) => Err(format!("{sentinel}: knows no master of the name {}", self.master_name)),
            Err(why) => Err(format!("Sentinel {why}")),
        }
    }
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
