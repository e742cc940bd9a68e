//! Opens the database that the configuration names: the one place where a backend is chosen. What is in it is the store's.

use std::sync::Arc;

use service_kit::config::Rejected;
use service_kit::database::{Database, DatabaseUrl, Migrations, OpenError, Postgres, PostgresSettings, Sqlite};

use crate::config::Config;

mod sqlite_migrations {
    refinery::embed_migrations!("migrations/sqlite");
}
mod postgres_migrations {
    refinery::embed_migrations!("migrations/postgres");
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenDatabaseError {
    /// The configuration names none.
    #[error("{}: {}", .0.key, .0.reason)]
    Config(Rejected),
    /// It is named, and cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Rejected> for OpenDatabaseError {
    fn from(rejected: Rejected) -> Self {
        Self::Config(rejected)
    }
}

/// The schema, and its history in a table of this service's own.
pub const MIGRATIONS: Migrations = Migrations {
    sqlite: sqlite_migrations::migrations::runner,
    postgres: postgres_migrations::migrations::runner,
    table: "jobs_service_migrations",
};

/// Opens the database and brings its schema up to date.
pub async fn open(config: &Config) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    match config.database()? {
        DatabaseUrl::Sqlite(path) => Ok(Sqlite::open(&path, &MIGRATIONS)?),
        DatabaseUrl::Postgres(url) => {
            let settings = PostgresSettings::new(url, &config.database);
            Ok(Postgres::open(&settings, &MIGRATIONS).await?)
        }
    }
}

/// Opens the database as it is, for a command that only looks: one that is not there, or has another schema, is an error.
pub async fn open_as_it_is(config: &Config) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    match config.database()? {
        DatabaseUrl::Sqlite(path) => Ok(Sqlite::open_as_it_is(&path, &MIGRATIONS)?),
        DatabaseUrl::Postgres(url) => {
            let settings = PostgresSettings::new(url, &config.database);
            Ok(Postgres::open_as_it_is(&settings, &MIGRATIONS).await?)
        }
    }
}
