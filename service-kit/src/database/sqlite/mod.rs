//! SQLite in this process: one writer thread that owns the only writing connection and commits what waits together,
//! and read-only connections beside it (WAL). Durable (`synchronous = FULL`) and fast, because commits are shared.

mod open;
mod readers;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params_from_iter};

use self::readers::Readers;
use self::writer::Writer;
use super::value::Columns;
use super::{DEADLINE, Database, DatabaseError, Migrations, OpenError, Row, Value};

/// A SQLite database, open for this process.
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
}

/// A step that failed; nothing it did is kept.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// SQLite refused or failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What is stored cannot be understood.
    #[error("{0}")]
    Unreadable(String),
}

impl From<StepError> for DatabaseError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Sqlite(error) => Self::Sqlite(error),
            StepError::Unreadable(why) => Self::Step(why),
        }
    }
}

impl Sqlite {
    /// Opens the database, makes it where there is none (readable by its owner alone), and brings its schema up to date.
    pub fn open(path: &Path, migrations: &Migrations) -> Result<Arc<Self>, OpenError> {
        let mut connection = open::writable(path)?;
        open::migrate(&mut connection, migrations)?;
        Ok(Self::over(connection, path))
    }

    /// Opens the database as it is, for whoever only looks: one that is not there, or has another schema, is an error.
    pub fn open_as_it_is(path: &Path, migrations: &Migrations) -> Result<Arc<Self>, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing { path: path.display().to_string() });
        }
        let mut connection = open::writable(path)?;
        open::check_schema(&mut connection, migrations)?;
        Ok(Self::over(connection, path))
    }

    fn over(connection: Connection, path: &Path) -> Arc<Self> {
        Arc::new(Self { writer: Writer::start(connection), readers: Readers::new(path.to_owned()) })
    }

    /// Runs `step` in a transaction on the writer and answers when what it did is durable.
    ///
    /// If the caller stops waiting before its turn has come, the step is not run.
    pub async fn step<T, F>(&self, step: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StepError> + Send + 'static,
    {
        tokio::time::timeout(DEADLINE, self.writer.run(step)?).await.map_err(|_| DatabaseError::TimedOut)?
    }

    /// Runs `look` on a read-only connection, in this thread: reads here take some 20 µs, less than a hand-over.
    pub fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StepError>) -> Result<T, DatabaseError> {
        self.readers.with(look)
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.look(|connection| run(connection, sql, parameters))
    }

    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.step(move |connection| run(connection, sql, parameters)).await
    }

    async fn check(&self) -> Result<(), DatabaseError> {
        self.look(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?))?;
        self.step(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }
}

fn run(connection: &Connection, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, StepError> {
    let mut statement = connection.prepare_cached(sql)?;
    let width = statement.column_count();
    let rows = statement.query_map(params_from_iter(parameters), |row| {
        let values = (0..width).map(|column| row.get(column)).collect::<Result<_, _>>()?;
        Ok(Row(Columns::Sqlite(values)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
