//! One place for a connection: made when it is first needed, made again when it broke, with a growing pause between failures.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_postgres::{Client, Statement};

use super::connect::Connector;
use crate::database::DatabaseError;

/// After a first failure to connect, callers are refused at once for so long…
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// …doubling to this, so that a server that is starting is not stormed and is found again soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An open connection with the statements prepared on it.
pub(super) struct Connected {
    pub(super) client: Client,
    statements: RwLock<HashMap<&'static str, Statement>>,
}

impl Connected {
    pub(super) fn new(client: Client) -> Self {
        Self { client, statements: RwLock::default() }
    }

    pub(super) async fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.statements.read().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.write().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }
}

#[derive(Default)]
pub(super) struct Slot {
    current: ArcSwapOption<Connected>,
    // Held while connecting, so that one caller connects and the others wait for it.
    connecting: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    pause: Duration,
    not_before: Option<Instant>,
    last: String,
}

impl Slot {
    pub(super) async fn connected(&self, connector: &Connector) -> Result<Arc<Connected>, DatabaseError> {
        if let Some(connected) = self.open_connection() {
            return Ok(connected);
        }
        let mut failures = self.connecting.lock().await;
        if let Some(connected) = self.open_connection() {
            return Ok(connected);
        }
        if failures.not_before.is_some_and(|moment| Instant::now() < moment) {
            return Err(DatabaseError::Unconnected(failures.last.clone()));
        }
        match connector.connect().await {
            Ok(client) => {
                *failures = Failures::default();
                let connected = Arc::new(Connected::new(client));
                self.current.store(Some(connected.clone()));
                Ok(connected)
            }
            Err(why) => {
                failures.pause = (failures.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                failures.not_before = Some(Instant::now() + failures.pause);
                failures.last.clone_from(&why);
                Err(DatabaseError::Unconnected(why))
            }
        }
    }

    fn open_connection(&self) -> Option<Arc<Connected>> {
        self.current.load_full().filter(|connected| !connected.client.is_closed())
    }

    /// Lets go of this connection, unless another has taken its place already.
    pub(super) fn forget(&self, connected: &Arc<Connected>) {
        let current = self.current.load();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connected)) {
            self.current.store(None);
        }
    }

    /// Lets go of whatever connection is here.
    pub(super) fn forget_any(&self) {
        self.current.store(None);
    }
}
