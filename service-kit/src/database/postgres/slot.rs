//! One place for a connection: made when it is first needed, made again when it broke, with a growing pause between failures.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::connect::Connector;
use crate::database::{DatabaseError, Value};

/// After a first failure to connect, callers are refused at once for so long…
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// …doubling to this, so that a server that is starting is not stormed and is found again soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An open connection with the statements prepared on it.
pub(super) struct Connected {
    client: Client,
    task: AbortHandle,
    since: Instant,
    statements: RwLock<HashMap<&'static str, Arc<OnceCell<Statement>>>>,
}

impl Connected {
    fn new(client: Client, task: AbortHandle) -> Self {
        Self { client, task, since: Instant::now(), statements: RwLock::default() }
    }

    pub(super) async fn query(
        &self,
        sql: &'static str,
        parameters: &[Value],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let prepared = self.prepared(sql);
        let statement = prepared.get_or_try_init(|| self.client.prepare(sql)).await?;
        let parameters: Vec<_> = parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.client.query(statement, &parameters).await
    }

    /// The place of a statement; callers that come together wait for one to prepare it.
    fn prepared(&self, sql: &'static str) -> Arc<OnceCell<Statement>> {
        let known = self.statements.read().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        known.unwrap_or_else(|| {
            self.statements.write().unwrap_or_else(PoisonError::into_inner).entry(sql).or_default().clone()
        })
    }

    /// Whether it is so young that a new one would most likely meet the same server in the same state.
    pub(super) fn is_new(&self) -> bool {
        self.since.elapsed() < LONGEST_PAUSE
    }
}

impl Drop for Connected {
    // Nobody waits for an answer any more. Left to itself, a connection to a server that is frozen would wait for ever.
    fn drop(&mut self) {
        self.task.abort();
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
    last: Option<Failure>,
}

struct Failure {
    not_before: Instant,
    why: String,
}

impl Failures {
    fn note(&mut self, why: String) -> DatabaseError {
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.last = Some(Failure { not_before: Instant::now() + self.pause, why: why.clone() });
        DatabaseError::Unconnected(why)
    }
}

impl Slot {
    pub(super) async fn connected(&self, connector: &Connector) -> Result<Arc<Connected>, DatabaseError> {
        if let Some(connected) = self.open_connection() {
            return Ok(connected);
        }
        let asked = Instant::now();
        let mut failures = self.connecting.lock().await;
        if let Some(connected) = self.open_connection() {
            return Ok(connected);
        }
        // Whoever waited for an attempt shares its outcome; whoever comes soon after it is told the same.
        if let Some(last) = failures.last.as_ref().filter(|last| asked < last.not_before) {
            return Err(DatabaseError::Unconnected(last.why.clone()));
        }
        match connector.session().await {
            Ok((client, task)) => {
                *failures = Failures::default();
                let connected = Arc::new(Connected::new(client, task));
                self.current.store(Some(connected.clone()));
                Ok(connected)
            }
            Err(refusal) => Err(failures.note(refusal.why)),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open_connection().is_some()
    }

    fn open_connection(&self) -> Option<Arc<Connected>> {
        self.current.load_full().filter(|connected| !connected.client.is_closed())
    }

    /// Lets go of this connection, unless another has taken its place already.
    pub(super) fn forget(&self, connected: &Arc<Connected>) {
        self.current.compare_and_swap(connected, None);
    }
}
