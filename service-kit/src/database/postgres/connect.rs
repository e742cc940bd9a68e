//! How a connection to PostgreSQL is made: address, time-outs, TLS; and what a failure to make one says to the operator.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::hosts;
use super::refusal::Refusal;
use crate::config::{DatabaseConfig, Rejected};
use crate::database::DEADLINE;

/// Where PostgreSQL is and how it is used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// `postgres://USER:PASSWORD@HOST/DATABASE`; several hosts with `target_session_attrs=read-write` follow a fail-over.
    pub url: SecretString,
    /// Certificates (PEM) to trust instead of the public ones. With it TLS is required.
    pub ca_file: Option<PathBuf>,
    /// Shared connections; 1 or more.
    pub max_connections: usize,
    /// How long a call may take, with everything that it needs; [`DEADLINE`] at most.
    pub timeout: Duration,
    /// How long of that it may take to connect, all hosts together.
    pub connect_timeout: Duration,
}

impl PostgresSettings {
    /// The server at `url`, used as the configuration says.
    pub fn new(url: SecretString, config: &DatabaseConfig) -> Self {
        Self {
            url,
            ca_file: config.ca_file.clone(),
            max_connections: config.max_connections,
            timeout: config.timeout,
            connect_timeout: config.connect_timeout,
        }
    }
}

/// Makes connections.
pub(super) struct Connector {
    hosts: Vec<Config>,
    /// How long it may take to connect to one of the hosts.
    time_per_host: Duration,
    tls: Option<MakeRustlsConnect>,
    has_ca_file: bool,
    /// How long a call may take, with everything that it needs.
    pub(super) timeout: Duration,
}

impl Connector {
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, Rejected> {
        let mut config = Config::from_str(settings.url.expose_secret()).map_err(|_| unreadable_url())?;
        let timeout = settings.timeout.min(DEADLINE);
        if config.get_application_name().is_none() {
            config.application_name("latchkey");
        }
        // TLS where it was asked for, and then always verified; never half-heartedly, as `prefer` would have it.
        let wants_tls = settings.ca_file.is_some() || config.get_ssl_mode() == SslMode::Require;
        config.ssl_mode(if wants_tls { SslMode::Require } else { SslMode::Disable });
        let tls = if wants_tls { Some(tls(settings.ca_file.as_ref())?) } else { None };
        let mut hosts = hosts::each(&config);
        let time_per_host = settings.connect_timeout.min(timeout) / u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        for host in &mut hosts {
            // A name may stand for an address of each kind, one of which leads nowhere.
            host.connect_timeout(time_per_host / 2).tcp_user_timeout(timeout).keepalives_idle(Duration::from_secs(15));
        }
        Ok(Self { hosts, time_per_host, tls, has_ca_file: settings.ca_file.is_some(), timeout })
    }

    /// Connects for the statements of requests. None of them works on after its caller has given up, and none waits long for a
    /// lock that somebody holds, for others wait behind it.
    pub(super) async fn session(&self) -> Result<(Client, AbortHandle), Refusal> {
        let (statement, lock) = ((self.timeout * 5 / 6).as_millis(), (self.timeout / 3).as_millis());
        self.connect(&format!("SET statement_timeout = {statement}; SET lock_timeout = {lock}")).await
    }

    /// Connects and runs `setup`. The connection works in a task of its own, which ends with the server, with the client, or when
    /// it is aborted.
    pub(super) async fn connect(&self, setup: &str) -> Result<(Client, AbortHandle), Refusal> {
        let mut refusal = Refusal::timed_out();
        for host in &self.hosts {
            refusal = match tokio::time::timeout(self.time_per_host, self.connect_to(host, setup)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => Refusal::new(&error, self.has_ca_file),
                Err(_) => Refusal::timed_out(),
            };
        }
        Err(refusal)
    }

    async fn connect_to(&self, host: &Config, setup: &str) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        let (client, task) = match self.tls.clone() {
            Some(tls) => open(host, tls).await?,
            None => open(host, NoTls).await?,
        };
        client.batch_execute(setup).await?;
        Ok((client, task))
    }
}

async fn open<T>(host: &Config, tls: T) -> Result<(Client, AbortHandle), tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let (client, connection) = host.connect(tls).await?;
    Ok((client, tokio::spawn(connection).abort_handle()))
}

fn unreadable_url() -> Rejected {
    let form = "cannot be read as postgres://USER:PASSWORD@HOST:PORT/DATABASE: special characters are percent-encoded, \
                and after a `?` only PostgreSQL's own options are understood, such as sslmode=require";
    Rejected::new("database.url", form)
}

fn tls(ca_file: Option<&PathBuf>) -> Result<MakeRustlsConnect, Rejected> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable = |why: String| {
                let reason = format!("no certificate could be read from {}: {why}", path.display());
                Rejected::new("database.ca_file", reason)
            };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds none".to_owned()));
            }
        }
    }
    Ok(MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
