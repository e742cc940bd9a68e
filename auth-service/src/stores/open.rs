//! The one place where a backend is chosen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus::IntCounter;
use secrecy::SecretString;
use service_kit::config::{Key, Rejected};
use service_kit::database::{
    Database, DatabaseUrl, DatabaseUrlError, Migrations, OpenError, Postgres, PostgresSettings, Sqlite, Watched,
};
use service_kit::metrics::Metrics;

use super::measured::{Measured, StepTimes};
use super::{
    AttemptStore, Redis, RedisAttempts, RedisSessions, RedisSettings, SessionStore, SqliteAttempts, SqliteSessions,
    Users, unconfirmed_endings,
};
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
    /// The attempts to guess, where the sessions are.
    pub attempts: Arc<dyn AttemptStore>,
    watched: Arc<Watched>,
    times: StepTimes,
    unconfirmed_endings: IntCounter,
}

impl OpenStores {
    /// Shows how long the calls into each of them take.
    pub fn show_in(&self, metrics: &Metrics) {
        self.watched.show_in(metrics);
        self.times.show_in(metrics);
        metrics.register(self.unconfirmed_endings.clone());
    }
}

/// Why the stores could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoresError {
    /// The database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// A setting of the token store.
    #[error("{} ({}): {}", Key::plain(.0.key).variable(), .0.key, .0.reason)]
    TokenStore(Rejected),
}

/// The schema, and its history in a table of this service's own.
pub const MIGRATIONS: Migrations = Migrations {
    sqlite: sqlite_migrations::migrations::runner,
    postgres: postgres_migrations::migrations::runner,
    table: "auth_service_migrations",
};

/// What becomes of a schema that is not that of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// It is brought up to date, and made where there is none.
    UpToDate,
    /// It stays as it is, and is refused.
    AsItIs,
}

impl Schema {
    fn open_sqlite(self, path: &Path) -> Result<Arc<Sqlite>, OpenError> {
        match self {
            Self::UpToDate => Sqlite::open(path, &MIGRATIONS),
            Self::AsItIs => Sqlite::open_as_it_is(path, &MIGRATIONS),
        }
    }

    async fn open_postgres(self, settings: &PostgresSettings) -> Result<Arc<Postgres>, OpenError> {
        match self {
            Self::UpToDate => Postgres::open(settings, &MIGRATIONS).await,
            Self::AsItIs => Postgres::open_as_it_is(settings, &MIGRATIONS).await,
        }
    }
}

/// Opens what the configuration names and brings its schema up to date.
pub async fn open(config: &Config) -> Result<OpenStores, OpenStoresError> {
    open_with(config, Schema::UpToDate).await
}

/// Opens what the configuration names.
pub async fn open_with(config: &Config, schema: Schema) -> Result<OpenStores, OpenStoresError> {
    let url = config.database().map_err(OpenError::from)?;
    let (database, sqlite): (Arc<dyn Database>, _) = match url {
        DatabaseUrl::Sqlite(path) => {
            let sqlite = schema.open_sqlite(&path)?;
            (sqlite.clone(), Some(sqlite))
        }
        DatabaseUrl::Postgres(url) => {
            (schema.open_postgres(&PostgresSettings::new(url, &config.database)).await?, None)
        }
    };
    let TokenStore { sessions, attempts, unconfirmed_endings } = open_token_store(&config.token_store, sqlite, schema)?;
    let (watched, times) = (Watched::new(&config.server.name, database.clone()), StepTimes::new());
    Ok(OpenStores {
        users: Users::new(watched.clone()),
        database,
        sessions: Arc::new(Measured { store: sessions, times: times.clone() }),
        attempts: Arc::new(Measured { store: attempts, times: times.clone() }),
        watched,
        times,
        unconfirmed_endings,
    })
}

struct TokenStore {
    sessions: Arc<dyn SessionStore>,
    attempts: Arc<dyn AttemptStore>,
    unconfirmed_endings: IntCounter,
}

fn open_token_store(
    config: &TokenStoreConfig,
    database: Option<Arc<Sqlite>>,
    schema: Schema,
) -> Result<TokenStore, OpenStoresError> {
    let rejected = |reason| OpenStoresError::TokenStore(Rejected::new("token_store.url", reason));
    let sqlite = match (&config.url, database) {
        (Some(url), _) if RedisSettings::are_meant_by(url) => return open_redis(url, config),
        (Some(url), _) => schema.open_sqlite(&sqlite_path(url).map_err(rejected)?)?,
        (None, Some(sqlite)) => sqlite,
        (None, None) => return Err(rejected("is required")),
    };
    Ok(TokenStore {
        sessions: Arc::new(SqliteSessions(sqlite.clone())),
        attempts: Arc::new(SqliteAttempts(sqlite)),
        unconfirmed_endings: unconfirmed_endings(),
    })
}

fn open_redis(url: &SecretString, config: &TokenStoreConfig) -> Result<TokenStore, OpenStoresError> {
    let (sentinel_password, ca_file) = (config.sentinel_password.clone(), config.ca_file.clone());
    let settings = RedisSettings { url: url.clone(), sentinel_password, ca_file };
    let redis = Redis::open(&settings).map_err(OpenStoresError::TokenStore)?;
    Ok(TokenStore {
        unconfirmed_endings: redis.unconfirmed_endings(),
        sessions: Arc::new(RedisSessions(redis.clone())),
        attempts: Arc::new(RedisAttempts(redis)),
    })
}

/// Opens sessions in a SQLite file of their own.
pub fn open_sqlite_sessions(path: &Path) -> Result<SqliteSessions, OpenError> {
    Ok(SqliteSessions(Sqlite::open(path, &MIGRATIONS)?))
}

fn sqlite_path(url: &SecretString) -> Result<PathBuf, &'static str> {
    match DatabaseUrl::parse(url) {
        Ok(DatabaseUrl::Sqlite(path)) => Ok(path),
        Ok(DatabaseUrl::Postgres(_)) | Err(DatabaseUrlError) => Err("is neither the URL of a Redis nor `sqlite:PATH`"),
    }
}
