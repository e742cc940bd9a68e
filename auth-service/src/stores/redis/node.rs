//! A server and the connections to it. Each thread keeps to one of these, which spares wake-ups.

use std::sync::Arc;
use std::thread::available_parallelism;

use service_kit::line::Lines;
use tokio::time::timeout;
use uuid::Uuid;

use super::connector::{CONNECT, Connector, Open};
use super::replicas::{self, Replicas};
use super::sentinel::Sentinels;
use super::url::Address;
use super::{failure, keys};
use crate::stores::StoreError;

/// How the server is found.
pub(super) enum Way {
    /// It is there, and has to be the master.
    Master(Address),
    /// It is there; the cluster says what it serves.
    Member(Address),
    /// It is the one that the Sentinels name.
    Named(Arc<Sentinels>),
}

pub(super) struct Node {
    connector: Connector,
    way: Way,
    lines: Lines<Open>,
    replicas: Replicas,
}

impl Node {
    pub(super) fn new(connector: Connector, way: Way) -> Self {
        // The thread that starts the service asks as well. Were its connection a worker's too, the worker would have to wake it each time.
        let threads = available_parallelism().map_or(1, usize::from) + 1;
        let lines = Lines::new(threads);
        // Who has Sentinels has replicas.
        let replicas = Replicas::new(matches!(way, Way::Named(_)));
        Self { connector, way, lines, replicas }
    }

    /// This thread's connection.
    pub(super) async fn open(&self) -> Result<Arc<Open>, StoreError> {
        if let Way::Named(sentinels) = &self.way {
            sentinels.confirm().await;
        }
        let is_right = |open: &Open| match &self.way {
            Way::Named(sentinels) => sentinels.is_master(&open.address),
            Way::Master(_) | Way::Member(_) => true,
        };
        let is_good = |open: &Open| open.is_open() && is_right(open);
        self.lines.of_this_thread().open(is_good, || self.dial()).await.map_err(StoreError::Unconnected)
    }

    async fn dial(&self) -> Result<Open, String> {
        let dialling = async {
            match &self.way {
                Way::Named(sentinels) => sentinels.dial(&self.connector).await,
                Way::Master(address) => writable(dial(&self.connector, address).await?).await,
                Way::Member(address) => dial(&self.connector, address).await,
            }
        };
        timeout(CONNECT, dialling).await.unwrap_or_else(|_| Err("it took too long to connect".to_owned()))
    }

    /// Waits until a replica has what this user's master was told over the connection, or for as long as is worth it. The error is in
    /// words for the log.
    pub(super) async fn confirm(self: &Arc<Self>, told: &Open, user_id: Uuid) -> Result<(), String> {
        let (node, master) = (self.clone(), told.address.clone());
        // It goes on when nobody waits for it any more, so that a slow connection is made for the next one.
        let asked = tokio::spawn(async move { node.replicas.confirm(&master, user_id, || node.dial()).await });
        match timeout(replicas::PATIENCE, asked).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(format!("no replica of {} has answered in time", told.address)),
        }
    }

    /// Lets go of a connection that no longer serves. Its thread may be another by now.
    pub(super) fn forget(&self, open: &Arc<Open>) {
        for line in self.lines.all() {
            line.forget(open);
        }
    }

    /// Where it is, as far as this is known without asking.
    pub(super) fn address(&self) -> Option<&Address> {
        match &self.way {
            Way::Master(address) | Way::Member(address) => Some(address),
            Way::Named(_) => None,
        }
    }
}

pub(super) async fn dial(connector: &Connector, address: &Address) -> Result<Open, String> {
    connector.connect(address).await.map_err(|error| format!("{address}: {}", failure::describe(&error)))
}

/// A connection to a server that could be written to, as far as its role goes: a replica that is asked in place of its master would
/// refuse each step anew.
async fn writable(open: Open) -> Result<Open, String> {
    let mut connection = open.connection.clone();
    let touched = redis::cmd("SETRANGE").arg(keys::check(0)).arg(0).arg("").exec_async(&mut connection).await;
    match touched {
        Err(error) if failure::breaks_connection(&error) => {
            Err(format!("{}: {}", open.address, failure::describe(&error)))
        }
        Ok(()) | Err(_) => Ok(open),
    }
}
