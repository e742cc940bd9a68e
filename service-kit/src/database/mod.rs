//! One relational database, SQLite or PostgreSQL, behind one small trait: a text of SQL, its parameters, its rows.
//! The stores of each service are written once over it. What the statements mean is the services' business.

mod postgres;
mod schema;
mod sqlite;
mod url;
mod value;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use postgres::{Postgres, PostgresSettings};
pub use sqlite::{Sqlite, StepError};
pub use url::{DatabaseUrl, DatabaseUrlError};
pub use value::{FromColumn, Row, Value};
pub use watched::Watched;

use crate::config::Rejected;
use crate::health::{Check, CheckFailed};

/// No call into a database takes longer than this; past it the caller gets [`DatabaseError::TimedOut`].
pub const DEADLINE: Duration = Duration::from_millis(1_800);

/// A database that runs one statement at a time, each an atomic step of its own.
///
/// Statements are written once for both backends: parameters are `$1`, `$2`, … and each first appears in that order.
#[async_trait]
pub trait Database: Send + Sync {
    /// Runs a statement that changes nothing.
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError>;

    /// Runs a statement that changes something; when it returns the change is durable. The rows are those of `RETURNING`.
    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError>;

    /// Asks whether the database can be read from and written to.
    async fn check(&self) -> Result<(), DatabaseError>;

    /// The connections that are shared, where there are any.
    fn connections(&self) -> Option<Connections> {
        None
    }
}

/// The shared connections to a database, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Those that are open.
    pub open: usize,
    /// As many as there may be.
    pub most: usize,
}

/// The database itself failed. Absence of a row is never an error; every variant is a 503.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite refused or failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A whole batch of changes could not be committed.
    #[error("SQLite could not commit: {0}")]
    Commit(Arc<rusqlite::Error>),
    /// PostgreSQL refused or failed.
    #[error("PostgreSQL: {}", postgres::describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// There is no connection to the database at the moment.
    #[error("no connection to the database: {0}")]
    Unconnected(String),
    /// It answers, and takes no changes.
    #[error("the database is read-only: a standby, or closed to changes by its operator")]
    ReadOnly,
    /// No answer within [`DEADLINE`]. A change may have been made all the same.
    #[error("no answer from the database in time")]
    TimedOut,
    /// More changes wait than can be made in time; this one was not made.
    #[error("too many changes wait for the database")]
    Overloaded,
    /// The step itself failed, and nothing of it was kept.
    #[error("a step in the database failed: {0}")]
    Step(String),
}

/// The migrations of one service, for each backend, and the table that remembers which of them were applied.
pub struct Migrations {
    /// For SQLite.
    pub sqlite: fn() -> refinery::Runner,
    /// For PostgreSQL.
    pub postgres: fn() -> refinery::Runner,
    /// Each service keeps a history of its own, so that two may share a database.
    pub table: &'static str,
}

/// Why a database could not be opened at start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting that only shows to be wrong when it is used.
    #[error("{}: {}", .0.key, .0.reason)]
    Rejected(Rejected),
    /// The directory of the file cannot be made or written.
    #[error("cannot write to {path}: {source}; check that the directory exists and belongs to this user")]
    Unwritable {
        /// The file of the database.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is there and is not a usable SQLite database.
    #[error(
        "{path} is not a usable SQLite database: {source}; restore it from a backup, or move it away to start with an empty one"
    )]
    Corrupt {
        /// The file of the database.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// There is no such file, and whoever only looks makes none.
    #[error("there is no database {path}: run the command `migrate` to make it, or start the service")]
    Missing {
        /// The file of the database.
        path: String,
    },
    /// Migrations are missing, and whoever only looks applies none.
    #[error("the database schema is older than this program: run the command `migrate`, or start the service")]
    OlderSchema,
    /// Migrations were applied that this program does not know.
    #[error("the database schema is newer than this program: use the program that it was made by, or a newer one")]
    NewerSchema,
    /// The schema could not be brought up to date.
    #[error("cannot bring the database schema up to date: {0}")]
    Migration(String),
    /// The database does not answer.
    #[error("cannot open the database: {0}")]
    Unavailable(#[from] DatabaseError),
}

impl From<Rejected> for OpenError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// Readiness asks the database whether it can be read and written.
pub struct DatabaseCheck(pub Arc<dyn Database>);

#[async_trait]
impl Check for DatabaseCheck {
    async fn check(&self) -> Result<(), CheckFailed> {
        self.0.check().await.map_err(CheckFailed::new)
    }
}
