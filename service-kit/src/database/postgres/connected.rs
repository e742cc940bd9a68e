//! An open connection, and the statements that are prepared on it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::database::Value;

/// A connection is new for so long.
const NEW: Duration = Duration::from_secs(1);

/// An open connection with the statements prepared on it.
pub(super) struct Connected {
    client: Client,
    task: AbortHandle,
    since: Instant,
    statements: RwLock<HashMap<&'static str, Arc<OnceCell<Statement>>>>,
}

impl Connected {
    pub(super) fn new(client: Client, task: AbortHandle) -> Self {
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

    /// Whether nothing is known against it.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Whether it is so young that a new one would most likely meet the same server in the same state.
    pub(super) fn is_new(&self) -> bool {
        self.since.elapsed() < NEW
    }
}

impl Drop for Connected {
    // Nobody waits for an answer any more. Left to itself, a connection to a server that is frozen would wait for ever.
    fn drop(&mut self) {
        self.task.abort();
    }
}
