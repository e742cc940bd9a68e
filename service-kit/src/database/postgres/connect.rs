//! How a connection to PostgreSQL is made: address, time-outs, TLS, and the migrations before the first use.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::{DEADLINE, DatabaseError, Migrations, OpenError};

/// To connect may take this long, of the [`DEADLINE`] of the call that needs the connection.
const CONNECT: Duration = Duration::from_millis(1_200);
/// Any number will do, as long as every instance takes the same: it queues those that would migrate at once.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;

/// Where PostgreSQL is and how it is used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// `postgres://USER:PASSWORD@HOST/DATABASE`; several hosts with `target_session_attrs=read-write` follow a fail-over.
    pub url: SecretString,
    /// Certificates (PEM) to trust instead of the public ones. With it TLS is required.
    pub ca_file: Option<PathBuf>,
    /// Shared connections; 1 or more.
    pub max_connections: usize,
}

/// Why the settings cannot be used. Never shows the URL.
#[derive(Debug, thiserror::Error)]
pub enum PostgresConfigError {
    /// The URL cannot be read.
    #[error("the database URL cannot be read as postgres://USER:PASSWORD@HOST/DATABASE")]
    Url,
    /// The file of certificates cannot be read or has none.
    #[error("no certificate could be read from {path}: {why}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What was wrong with it.
        why: String,
    },
}

pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, PostgresConfigError> {
        let mut config = Config::from_str(settings.url.expose_secret()).map_err(|_| PostgresConfigError::Url)?;
        config.connect_timeout(CONNECT).tcp_user_timeout(DEADLINE).keepalives_idle(Duration::from_secs(15));
        if config.get_application_name().is_none() {
            config.application_name("latchkey");
        }
        // TLS where it was asked for, and then always verified; never half-heartedly, as `prefer` would have it.
        let wants_tls = settings.ca_file.is_some() || config.get_ssl_mode() == SslMode::Require;
        config.ssl_mode(if wants_tls { SslMode::Require } else { SslMode::Disable });
        let tls = if wants_tls { Some(tls(settings.ca_file.as_ref())?) } else { None };
        Ok(Self { config, tls })
    }

    pub(super) async fn connect(&self) -> Result<Client, String> {
        let attempt = tokio::time::timeout(CONNECT, self.open());
        let client = attempt.await.map_err(|_| "it took too long to connect".to_owned())?;
        client.map_err(|error| super::describe(&error))
    }

    async fn open(&self) -> Result<Client, tokio_postgres::Error> {
        // The connection lives in a task of its own and ends with its client or with the server.
        match self.tls.clone() {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }

    /// Applies the migrations that this database has not had yet; of instances that start together one does it.
    pub(super) async fn migrate(&self, migrations: &Migrations) -> Result<(), OpenError> {
        let mut client = self.connect().await.map_err(DatabaseError::Unconnected)?;
        let lock = "SELECT pg_advisory_lock($1)";
        client.execute(lock, &[&MIGRATION_LOCK]).await.map_err(DatabaseError::from)?;
        // In one transaction with their history: a process that is killed in between leaves nothing half done.
        let mut runner = (migrations.postgres)().set_grouped(true);
        runner.set_migration_table_name(migrations.table);
        // The lock goes with the connection, at the end of this function, whatever happens.
        runner.run_async(&mut client).await.map_err(|error| OpenError::Migration(error.to_string()))?;
        Ok(())
    }
}

fn tls(ca_file: Option<&PathBuf>) -> Result<MakeRustlsConnect, PostgresConfigError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable = |why: String| PostgresConfigError::Certificates { path: path.clone(), why };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
        }
    }
    Ok(MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
