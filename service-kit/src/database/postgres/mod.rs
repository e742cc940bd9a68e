//! PostgreSQL through a few shared connections. Each statement of ours is an atomic step of its own, so callers share
//! a connection and their statements are pipelined; each thread keeps to one connection, which spares wake-ups.

mod connect;
mod connected;
mod hosts;
mod migrate;
mod refusal;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use self::connect::Connector;
use self::connected::Connected;
use super::value::Columns;
use super::{Connections, Database, DatabaseError, Migrations, OpenError, Row, Value};
use crate::line::{Line, Lines};

pub use self::connect::PostgresSettings;
pub(super) use self::refusal::describe;

/// A PostgreSQL database and the connections to it.
pub struct Postgres {
    connector: Connector,
    lines: Lines<Connected>,
}

impl Postgres {
    /// Brings the schema up to date and keeps what is needed to connect. A server that is still starting is waited for,
    /// for up to 30 s; one that refuses us is not.
    pub async fn open(settings: &PostgresSettings, migrations: &Migrations) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(settings)?;
        migrate::migrate(&connector, migrations).await?;
        Ok(Self::over(connector, settings))
    }

    /// Opens the database as it is, for whoever only looks: another schema is an error.
    pub async fn open_as_it_is(settings: &PostgresSettings, migrations: &Migrations) -> Result<Arc<Self>, OpenError> {
        let connector = Connector::new(settings)?;
        migrate::check_schema(&connector, migrations).await?;
        Ok(Self::over(connector, settings))
    }

    fn over(connector: Connector, settings: &PostgresSettings) -> Arc<Self> {
        Arc::new(Self { connector, lines: Lines::new(settings.max_connections) })
    }

    async fn run(&self, deadline: Instant, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let line = self.lines.of_this_thread();
        let connected = timeout_at(deadline, line.open(Connected::is_open, || self.dial())).await;
        let connected = connected.map_err(|_| DatabaseError::TimedOut)?.map_err(DatabaseError::Unconnected)?;
        let Ok(answer) = timeout_at(deadline, connected.query(sql, parameters)).await else {
            // The server gives up before we do, so it is the connection that is stuck.
            line.forget(&connected);
            return Err(DatabaseError::TimedOut);
        };
        if let Err(error) = &answer
            && (refusal::ends_connection(error) || refusal::is_read_only(error) && !connected.is_new())
        {
            line.forget(&connected);
        }
        Ok(answer?.into_iter().map(|row| Row(Columns::Postgres(row))).collect())
    }

    async fn dial(&self) -> Result<Connected, String> {
        let session = self.connector.session().await;
        session.map(|(client, task)| Connected::new(client, task)).map_err(|refusal| refusal.why)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.connector.timeout
    }
}

#[async_trait]
impl Database for Postgres {
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        let deadline = self.deadline();
        match self.run(deadline, sql, &parameters).await {
            // A server that restarted closes connections that look well until they are used; a read may be asked again.
            Err(DatabaseError::Postgres(error)) if refusal::ends_connection(&error) => {
                self.run(deadline, sql, &parameters).await
            }
            answer => answer,
        }
    }

    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.run(self.deadline(), sql, &parameters).await
    }

    async fn check(&self) -> Result<(), DatabaseError> {
        // True on a standby, and where an operator has closed the server to changes.
        let rows = self.read("SELECT current_setting('transaction_read_only') = 'on'", Vec::new()).await?;
        match rows.first().map(|row| row.get(0)).transpose()? {
            Some(false) => Ok(()),
            _ => Err(DatabaseError::ReadOnly),
        }
    }

    fn connections(&self) -> Option<Connections> {
        let is_open = |line: &&Line<Connected>| line.current().is_some_and(|connected| connected.is_open());
        let lines = self.lines.all();
        Some(Connections { open: lines.iter().filter(is_open).count(), most: lines.len() })
    }
}
