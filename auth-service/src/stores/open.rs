//! The one place where a backend is chosen.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use service_kit::database::{
    Database, DatabaseUrl, DatabaseUrlError, Migrations, OpenError, Postgres, PostgresSettings, Sqlite,
};

use super::{SessionStore, SqliteSessions, Users};
use crate::config::{Config, TokenStoreConfig};

mod sqlite_migrations {
    refinery::embed_migrations!("migrations/sqlite");
}
mod postgres_migrations {
    refinery::embed_migrations!("migrations/postgres");
}

/// Everything that is kept, opened and up to date.
pub struct OpenStores {
    /// The database itself, for its health.
    pub database: Arc<dyn Database>,
    /// The users in it.
    pub users: Users,
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
}

/// Why the stores could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoresError {
    /// The database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The token store.
    #[error("LATCHKEY_TOKEN_STORE__URL: {0}")]
    TokenStore(String),
}

fn migrations() -> Migrations {
    Migrations {
        sqlite: sqlite_migrations::migrations::runner,
        postgres: postgres_migrations::migrations::runner,
        table: "auth_service_migrations",
    }
}

/// Opens what the configuration names and brings its schema up to date.
pub async fn open(config: &Config) -> Result<OpenStores, OpenStoresError> {
    let url = config.database().map_err(|rejected| OpenError::Migration(rejected.reason))?;
    let (database, sqlite): (Arc<dyn Database>, _) = match url {
        DatabaseUrl::Sqlite(path) => {
            let sqlite = Sqlite::open(&path, &migrations())?;
            (sqlite.clone(), Some(sqlite))
        }
        DatabaseUrl::Postgres(url) => {
            let ca_file = config.database.ca_file.clone();
            let settings = PostgresSettings { url, ca_file, max_connections: config.database.max_connections };
            (Postgres::open(&settings, &migrations()).await?, None)
        }
    };
    let sessions = open_sessions(&config.token_store, sqlite)?;
    Ok(OpenStores { users: Users::new(database.clone()), database, sessions })
}

fn open_sessions(
    config: &TokenStoreConfig,
    database: Option<Arc<Sqlite>>,
) -> Result<Arc<dyn SessionStore>, OpenStoresError> {
    match (&config.url, database) {
        (None, Some(sqlite)) => Ok(Arc::new(SqliteSessions(sqlite))),
        (None, None) => Err(OpenStoresError::TokenStore("is required".to_owned())),
        (Some(url), _) => Ok(Arc::new(open_sqlite_sessions(&sqlite_path(url)?)?)),
    }
}

/// Opens sessions in a SQLite file of their own.
pub fn open_sqlite_sessions(path: &Path) -> Result<SqliteSessions, OpenError> {
    Ok(SqliteSessions(Sqlite::open(path, &migrations())?))
}

fn sqlite_path(url: &SecretString) -> Result<std::path::PathBuf, OpenStoresError> {
    match DatabaseUrl::parse(url) {
        Ok(DatabaseUrl::Sqlite(path)) => Ok(path),
        Ok(DatabaseUrl::Postgres(_)) | Err(DatabaseUrlError) => {
            Err(OpenStoresError::TokenStore("is not a URL of a token store".to_owned()))
        }
    }
}
