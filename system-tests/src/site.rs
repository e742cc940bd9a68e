//! Where one installation keeps things, and its secrets: what services and commands of it have in common. Starting them is the
//! `stack`'s and the `program`'s.

use std::path::Path;

use auth_service::stores::{self, OpenStores};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::people::Person;
use crate::postgres::{self, TestDatabase};
use crate::redis;
use crate::tokens::Secrets;

/// What an installation keeps its users and sessions in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// SQLite, in a directory of its own.
    Embedded,
    /// Sessions in Redis, users and jobs in one database of PostgreSQL. Both servers are shared with other sites.
    Distributed,
}

/// Storage, secrets and settings of one installation. They go when it is dropped.
pub struct Site {
    /// What its tokens are signed with.
    pub secrets: Secrets,
    /// What it keeps, opened beside the services as an operator's command does.
    pub stores: OpenStores,
    settings: Vec<(String, String)>,
    directory: TempDir,
    database: Option<TestDatabase>,
}

impl Site {
    /// Makes empty storage and new secrets. `settings` are changes to the defaults, by their names in the environment without
    /// `LATCHKEY_`. Limits on logins are off.
    ///
    /// # Panics
    ///
    /// Where the storage cannot be opened.
    pub async fn open(storage: Storage, settings: &[(&str, &str)]) -> Self {
        match storage {
            Storage::Embedded => {
                let directory = tempfile::tempdir().expect("a directory of its own");
                let url = format!("sqlite:{}", directory.path().join("auth.db").display());
                Self::make(directory, None, &[("DATABASE__URL", &url)], settings).await
            }
            Storage::Distributed => Self::over(&redis::shared().url(), postgres::shared().database(), settings).await,
        }
    }

    /// The same with sessions in the Redis of this URL, and users and jobs in this database.
    ///
    /// # Panics
    ///
    /// Where they cannot be opened.
    pub async fn over(redis_url: &str, database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory of its own");
        let urls = [("TOKEN_STORE__URL", redis_url), ("DATABASE__URL", &database.url())];
        Self::make(directory, Some(database), &urls, settings).await
    }

    async fn make(
        directory: TempDir,
        database: Option<TestDatabase>,
        urls: &[(&str, &str)],
        settings: &[(&str, &str)],
    ) -> Self {
        let secrets = Secrets::generate();
        let defaults = [
            ("SERVER__PORT", "0"),
            ("TOKENS__ACCESS_SECRET", secrets.access.expose_secret()),
            ("TOKENS__REFRESH_SECRET", secrets.refresh.expose_secret()),
            ("RATE_LIMIT__ENABLED", "false"),
        ];
        let settings = changed(&[], &[&defaults, urls, settings].concat());
        let stores = stores::open(&auth_config(&settings)).await.expect("the storage can be opened");
        Self { secrets, stores, settings, directory, database }
    }

    /// Adds somebody who may log in.
    pub async fn person(&self, created_at: DateTime<Utc>) -> Person {
        Person::add(&self.stores.users, created_at).await
    }

    /// The settings with some of them changed, as an environment.
    pub fn environment(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        changed(&self.settings, changes)
    }

    /// The settings of a jobs-service beside this auth-service: the same, but that each has a SQLite file of its own.
    pub fn jobs_environment(&self) -> Vec<(String, String)> {
        let mut settings = self.settings.clone();
        for (_, value) in settings.iter_mut().filter(|(name, _)| name == "LATCHKEY_DATABASE__URL") {
            *value = value.replace("/auth.db", "/jobs.db");
        }
        settings
    }

    /// Runs SQL in its database, as PostgreSQL's own superuser.
    ///
    /// # Panics
    ///
    /// Where that is no PostgreSQL, or refuses it.
    pub fn sql(&self, sql: &str) -> String {
        self.database.as_ref().expect("a database of PostgreSQL").sql(sql)
    }

    /// A new database with what its own has now; see [`TestDatabase::back_up`].
    ///
    /// # Panics
    ///
    /// Where that is no PostgreSQL.
    pub fn back_up(&self) -> TestDatabase {
        self.database.as_ref().expect("a database of PostgreSQL").back_up()
    }

    /// A directory that goes with this site.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn changed(settings: &[(String, String)], changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut settings = settings.to_vec();
    for (name, value) in changes {
        let name = format!("LATCHKEY_{name}");
        settings.retain(|(other, _)| *other != name);
        settings.push((name, (*value).to_owned()));
    }
    settings
}

pub(crate) fn auth_config(environment: &[(String, String)]) -> auth_service::Config {
    auth_service::Config::load(None, environment.to_vec()).expect("a configuration that holds")
}
