//! PostgreSQL through a few shared connections. Each statement of ours is an atomic step of its own, so callers share
//! a connection and their statements are pipelined; each thread keeps to one connection, which spares wake-ups.

mod connect;
mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use self::connect::Connector;
use self::slot::{Connected, Slot};
use super::value::Columns;
use super::{DEADLINE, Database, DatabaseError, Migrations, OpenError, Row, Value};

pub use self::connect::{PostgresConfigError, PostgresSettings};

/// A PostgreSQL database and the connections to it.
pub struct Postgres {
    connector: Connector,
    slots: Vec<Slot>,
}

impl Postgres {
    /// Connects, brings the schema up to date, and keeps what is needed to connect again.
    pub async fn open(settings: &PostgresSettings, migrations: &Migrations) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(settings).map_err(|error| OpenError::Migration(error.to_string()))?;
        connector.migrate(migrations).await?;
        let slots = (0..settings.max_connections.max(1)).map(|_| Slot::default()).collect();
        Ok(Arc::new(Self { connector, slots }))
    }

    async fn run(&self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let slot = self.slot();
        let connected = slot.connected(&self.connector).await?;
        let answer = query(&connected, sql, parameters).await;
        if let Err(error) = &answer
            && leaves_connection_unusable(error)
        {
            slot.forget(&connected);
        }
        Ok(answer?.into_iter().map(|row| Row(Columns::Postgres(row))).collect())
    }

    async fn run_in_time(&self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match tokio::time::timeout(DEADLINE, self.run(sql, parameters)).await {
            Ok(answer) => answer,
            Err(_) => {
                // A connection that does not answer may be half open; the next caller makes a new one.
                self.slot().forget_any();
                Err(DatabaseError::TimedOut)
            }
        }
    }

    fn slot(&self) -> &Slot {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        let thread = THREAD.with(|thread| *thread);
        &self.slots[thread % self.slots.len()]
    }
}

#[async_trait]
impl Database for Postgres {
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        match self.run_in_time(sql, &parameters).await {
            // A server that restarted closes connections that look well until they are used; a read may be asked again.
            Err(DatabaseError::Postgres(error)) if leaves_connection_unusable(&error) => {
                self.run_in_time(sql, &parameters).await
            }
            answer => answer,
        }
    }

    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.run_in_time(sql, &parameters).await
    }

    async fn check(&self) -> Result<(), DatabaseError> {
        // A standby answers too, and would refuse every change.
        let rows = self.run_in_time("SELECT NOT pg_is_in_recovery()", &[]).await?;
        let is_writable: bool =
            rows.first().ok_or_else(|| DatabaseError::Unconnected("no answer".to_owned()))?.get(0)?;
        if is_writable {
            Ok(())
        } else {
            Err(DatabaseError::Unconnected("the server is a read-only standby".to_owned()))
        }
    }
}

async fn query(
    connected: &Connected,
    sql: &'static str,
    parameters: &[Value],
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let statement = connected.prepared(sql).await?;
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
    connected.client.query(&statement, &parameters).await
}

/// Whether a new connection is needed: this one is closed, leads to a demoted server, or holds stale prepared statements.
fn leaves_connection_unusable(error: &tokio_postgres::Error) -> bool {
    const STALE: [SqlState; 6] = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::INVALID_SQL_STATEMENT_NAME,
        SqlState::FEATURE_NOT_SUPPORTED,
    ];
    error.is_closed() || error.code().is_some_and(|code| STALE.contains(code))
}

/// An error for the log: code and message, without the detail, which quotes what users typed.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refused) => format!("{} {}", refused.code().code(), refused.message()),
        None => {
            use std::error::Error as _;
            error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        }
    }
}
