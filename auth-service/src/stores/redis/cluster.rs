//! Sends each call to the server of a cluster that its key belongs to, and follows the keys when they move.
//!
//! The client library has this too, but either sends a call again whenever an answer was lost, which must never happen to a
//! rotation, or follows no redirection; and one server that hangs would stop the calls to all others.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::cluster_routing::Slot;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::connector::{Connector, Open};
use super::failure;
use super::node::{Node, Way};
use super::script::Call;
use super::servers::Answered;
use super::url::Address;
use crate::stores::StoreError;

/// Slots of a cluster.
const SLOTS: u16 = 16_384;
/// Servers that one call is sent on to.
const REDIRECTIONS: usize = 4;
/// The map is not asked for again sooner.
const MAP_PAUSE: Duration = Duration::from_millis(100);
/// A server that has not told the map by then is not waited for.
const MAP_PATIENCE: Duration = Duration::from_millis(500);

pub(super) struct Cluster {
    connector: Connector,
    seeds: Vec<Address>,
    nodes: std::sync::Mutex<HashMap<Address, Arc<Node>>>,
    map: ArcSwapOption<Map>,
    // The map has led somewhere wrong since it was read.
    is_stale: AtomicBool,
    // Held while reading the map, so that one caller reads it.
    reading: Mutex<Option<Failed>>,
}

/// An attempt to read the map that came to nothing.
struct Failed {
    at: Instant,
    why: String,
}

/// Which master serves what.
struct Map {
    by_slot: HashMap<Slot, Arc<Node>>,
    masters: HashMap<Address, Arc<Node>>,
    read_at: Instant,
}

impl Map {
    fn is_fresh(&self) -> bool {
        self.read_at.elapsed() < MAP_PAUSE
    }
}

/// Where a call is sent next.
enum Target {
    Owner,
    Moved(Arc<Node>),
    Asking(Arc<Node>),
}

impl Cluster {
    pub(super) fn new(connector: Connector, seeds: Vec<Address>) -> Self {
        Self {
            connector,
            seeds,
            nodes: std::sync::Mutex::default(),
            map: ArcSwapOption::empty(),
            is_stale: AtomicBool::new(true),
            reading: Mutex::default(),
        }
    }

    /// Sends a call to where its key is.
    pub(super) async fn run(&self, call: &Call) -> Result<Answered, StoreError> {
        let slot = Slot::for_key(&call.key);
        let mut target = Target::Owner;
        let mut may_repeat = call.is_read;
        for _ in 0..REDIRECTIONS {
            let (node, is_asking) = match target {
                Target::Owner => (self.owner(slot).await?, false),
                Target::Moved(node) => (node, false),
                Target::Asking(node) => (node, true),
            };
            let open = node.open().await.inspect_err(|_| self.doubt_map())?;
            let connection = &mut open.connection.clone();
            let answer = if is_asking { call.send_asking(connection).await } else { call.send(connection).await };
            let error = match answer {
                Ok(value) => return Ok(Answered { value, node, open }),
                Err(error) => error,
            };
            let is_lost = failure::breaks_connection(&error) && !failure::is_elsewhere(&error);
            if is_lost {
                node.forget(&open);
            }
            target = match self.redirection(&error, &open) {
                Some(target) => target,
                None if is_lost && may_repeat && !error.is_timeout() => {
                    may_repeat = false;
                    Target::Owner
                }
                None => return Err(error.into()),
            };
        }
        Err(StoreError::Unconnected("the cluster sends the call from one server to another".to_owned()))
    }

    /// The masters, each of which serves a part.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Node>>, StoreError> {
        Ok(self.map().await?.masters.values().cloned().collect())
    }

    /// For each master a number whose key it serves.
    pub(super) async fn numbers(&self, key: impl Fn(usize) -> String) -> Result<Vec<usize>, StoreError> {
        let map = self.map().await?;
        let mut found: HashMap<&Address, usize> = HashMap::new();
        // A master that serves very little may be missed; it is likely to be on its way out.
        for number in 0..usize::from(SLOTS) {
            if found.len() == map.masters.len() {
                break;
            }
            let owner = map.by_slot.get(&Slot::for_key(key(number))).and_then(|node| node.address());
            if let Some(address) = owner {
                found.entry(address).or_insert(number);
            }
        }
        Ok(found.into_values().collect())
    }

    fn doubt_map(&self) {
        self.is_stale.store(true, Ordering::Relaxed);
    }

    /// Where an answer sends the call on to. Nothing has run where it comes from.
    fn redirection(&self, error: &RedisError, from: &Open) -> Option<Target> {
        let kind = match error.kind() {
            ErrorKind::Server(kind) => Some(kind),
            _ => None,
        };
        let is_moved = kind == Some(ServerErrorKind::Moved);
        if is_moved || kind == Some(ServerErrorKind::ClusterDown) || failure::breaks_connection(error) {
            self.doubt_map();
        }
        // Of anything but a redirection there is no node.
        let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
        // A server that was not told its own name leaves it out.
        let host = if host.is_empty() { &from.address.host } else { host };
        let node = self.node(Address { host: host.to_owned(), port: port.parse().ok()? });
        Some(if is_moved { Target::Moved(node) } else { Target::Asking(node) })
    }

    async fn owner(&self, slot: Slot) -> Result<Arc<Node>, StoreError> {
        let owner = self.map().await?.by_slot.get(&slot).cloned();
        owner.ok_or_else(|| {
            self.doubt_map();
            StoreError::Unconnected("no server of the cluster serves this key".to_owned())
        })
    }

    fn node(&self, address: Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = |address: &Address| Arc::new(Node::new(self.connector.clone(), Way::Member(address.clone())));
        nodes.entry(address).or_insert_with_key(new).clone()
    }

    async fn map(&self) -> Result<Arc<Map>, StoreError> {
        let Some(known) = self.map.load_full() else {
            return self.read_map(self.reading.lock().await).await;
        };
        if !self.is_stale.load(Ordering::Relaxed) {
            return Ok(known);
        }
        // One caller reads it anew; the others go by the old one, which is still right for most of them.
        match self.reading.try_lock() {
            Ok(reading) => self.read_map(reading).await.or(Ok(known)),
            Err(_) => Ok(known),
        }
    }

    async fn read_map(&self, mut last: MutexGuard<'_, Option<Failed>>) -> Result<Arc<Map>, StoreError> {
        if let Some(map) = self.map.load_full().filter(|map| !self.is_stale.load(Ordering::Relaxed) || map.is_fresh()) {
            return Ok(map);
        }
        if let Some(failed) = last.as_ref().filter(|failed| failed.at.elapsed() < MAP_PAUSE) {
            return Err(StoreError::Unconnected(failed.why.clone()));
        }
        // Doubts that come up from now on are about the new map.
        self.is_stale.store(false, Ordering::Relaxed);
        match self.ask_for_map().await {
            Ok(map) => {
                // Who serves nothing is not needed before the next map is read.
                let is_served = |address: &Address, _: &mut Arc<Node>| map.masters.contains_key(address);
                self.nodes.lock().unwrap_or_else(PoisonError::into_inner).retain(is_served);
                let map = Arc::new(map);
                self.map.store(Some(map.clone()));
                *last = None;
                Ok(map)
            }
            Err(error) => {
                self.doubt_map();
                *last = Some(Failed { at: Instant::now(), why: error.to_string() });
                Err(error)
            }
        }
    }

    /// Asks every server that is known, for any of them may be the one that failed. The first answer counts: where it is a moment
    /// old, the server that it leads to says so.
    async fn ask_for_map(&self) -> Result<Map, StoreError> {
        let known = self.map.load_full();
        let masters = known.iter().flat_map(|map| map.masters.keys());
        let addresses: HashSet<&Address> = masters.chain(&self.seeds).collect();
        let mut asked: FuturesUnordered<_> =
            addresses.into_iter().map(|address| self.ask(self.node(address.clone()))).collect();
        let mut why = StoreError::TimedOut;
        let first = async {
            while let Some(answer) = asked.next().await {
                match answer {
                    Ok(map) => return Some(map),
                    Err(error) => why = error,
                }
            }
            None
        };
        match tokio::time::timeout(MAP_PATIENCE, first).await {
            Ok(Some(map)) => Ok(map),
            Ok(None) | Err(_) => Err(why),
        }
    }

    async fn ask(&self, node: Arc<Node>) -> Result<Map, StoreError> {
        let open = node.open().await?;
        let answer: RedisResult<Vec<Vec<Value>>> =
            redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut open.connection.clone()).await;
        let ranges = answer.map_err(|error| {
            if failure::breaks_connection(&error) {
                node.forget(&open);
            }
            StoreError::from(error)
        })?;
        let mut map = Map { by_slot: HashMap::new(), masters: HashMap::new(), read_at: Instant::now() };
        for range in &ranges {
            let Some((first, last, address)) = parsed(range, &open.address) else { continue };
            let node = map.masters.entry(address).or_insert_with_key(|address| self.node(address.clone())).clone();
            for slot in (first..=last).filter_map(Slot::new) {
                map.by_slot.insert(slot, node.clone());
            }
        }
        if map.masters.is_empty() {
            return Err(StoreError::Unconnected(format!("{}: serves no slots, or is no cluster", open.address)));
        }
        Ok(map)
    }
}

/// One line of `CLUSTER SLOTS`: first slot, last slot, the master as host and port and more, then its replicas.
fn parsed(range: &[Value], asked: &Address) -> Option<(u16, u16, Address)> {
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range else { return None };
    let [host, Value::Int(port), ..] = master.as_slice() else { return None };
    let host = match host {
        // A server that was not told its own name means the one it was reached by.
        Value::Nil => asked.host.clone(),
        Value::BulkString(host) if host.is_empty() => asked.host.clone(),
        Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
        Value::SimpleString(host) => host.clone(),
        _ => return None,
    };
    let address = Address { host, port: u16::try_from(*port).ok()? };
    Some((u16::try_from(*first).ok()?, u16::try_from(*last).ok()?, address))
}
