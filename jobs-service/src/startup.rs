//! Puts the service together. `main` and the tests start it here; a process that serves several services mounts it from here.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use service_kit::config::{Rejected, ServerConfig};
use service_kit::database::{Database, DatabaseCheck, DatabaseError, Watched};
use service_kit::health::Health;
use service_kit::metrics::{CountersKeptElsewhere, Metrics};
use service_kit::openapi::Docs;
use service_kit::server::{self, BoundServer};
use service_kit::version;
use shared_claims::{Clock, KeyHandle, Verifier, VerifierSettings};
use utoipa::OpenApi;

use crate::config::Config;
use crate::database::{self, OpenDatabaseError};
use crate::domain::{JobIds, demo_jobs};
use crate::routes::{self, ApiDocument};
use crate::state::State;
use crate::store::Jobs;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] Rejected),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenDatabaseError),
    /// The demo jobs could not be written.
    #[error("cannot seed the demo jobs: {0}")]
    Seed(#[from] DatabaseError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] server::StartError),
}

/// The service without a server: its open database and its verifier. Cloning it gives the same one again.
#[derive(Clone)]
pub struct Service {
    state: Data<State>,
    verifier: Data<Verifier>,
    keys: KeyHandle,
    health: Health,
    metrics: Metrics,
    docs: Docs,
}

impl Service {
    /// Opens the database, brings its schema up to date and, where the configuration says so, seeds the demo jobs.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let service = Self::over(config, database::open(config), clock).await?;
        if config.demo {
            service.state.jobs.seed(&demo_jobs()).await?;
        }
        Ok(service)
    }

    /// Opens the database as it is, for a command that only looks.
    pub async fn open_as_it_is(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::over(config, database::open_as_it_is(config), clock).await
    }

    async fn over(
        config: &Config,
        opening: impl Future<Output = Result<Arc<dyn Database>, OpenDatabaseError>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let keys = KeyHandle::new(config.tokens.key_ring()?);
        let verifier = verifier(config, keys.clone(), clock.clone())?;
        // After the secrets, so that nothing is made where one of them cannot be used.
        let database = opening.await?;
        let watched = Watched::new(&config.server.name, database.clone());
        let metrics = metrics(&config.server.name, &watched, keys.clone());
        let jobs = Jobs::new(watched);
        let health = Health::new(&config.server.name).with_check("database", Arc::new(DatabaseCheck(database)));
        let state = Data::new(State { jobs, ids: JobIds::new(), clock });
        let docs = Docs::new(&ApiDocument::openapi());
        Ok(Self { state, verifier: Data::new(verifier), keys, health, metrics, docs })
    }

    /// Adds the routes and what they need, at the root of an application or within a [`scope`](actix_web::web::scope).
    pub fn configure(&self, app: &mut ServiceConfig) {
        self.metrics.count_requests(app);
        app.app_data(self.verifier.clone()).app_data(self.state.clone()).configure(routes::configure);
        self.docs.routes(app);
    }

    /// Whether the service can do its work: its database is all it needs.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Takes the secrets of a newer configuration, of which nothing else is taken. Answers which keys are taken.
    /// Tokens signed with a secret that is no longer among them are refused from the next request on.
    pub fn replace_secrets(&self, config: &Config) -> Result<String, Rejected> {
        let ring = config.tokens.key_ring()?;
        let in_use = format!("access tokens: kid {}", ring.kids().collect::<Vec<_>>().join(", "));
        self.keys.replace(ring);
        Ok(in_use)
    }

    /// Listens where `server` says; with port 0, on any port that is free. Connections queue from now on.
    pub fn bind(&self, server: &ServerConfig) -> Result<BoundServer, server::StartError> {
        let service = self.clone();
        server::bind(server, self.health(), move |app| {
            service.metrics.routes(&service.health, app);
            service.configure(app);
        })
    }
}

fn verifier(config: &Config, keys: KeyHandle, clock: Arc<dyn Clock>) -> Result<Verifier, Rejected> {
    let settings = VerifierSettings {
        issuer: config.tokens.issuer.clone(),
        audience: config.server.name.clone(),
        leeway: config.tokens.leeway,
    };
    Verifier::new(keys, settings, clock).map_err(|error| Rejected::new("tokens.leeway", error.to_string()))
}

/// What is counted: what every service counts, the calls into the database, and how often each key has verified a token.
fn metrics(service: &str, database: &Watched, keys: KeyHandle) -> Metrics {
    let metrics = Metrics::new(service, version());
    database.show_in(&metrics);
    let (name, labels) = ("latchkey_token_verifications_total", ["token", "kid", "outcome"]);
    let help = "Tokens verified, by the key that signed them and by how it ended.";
    metrics.register(CountersKeptElsewhere::new(name, help, &labels, move |counters| {
        for counted in keys.load().verifications() {
            counters.with_label_values(&["access", counted.kid, counted.outcome]).inc_by(counted.count);
        }
    }));
    metrics
}

/// The service on an address of its own.
pub struct Application {
    server: BoundServer,
    service: Service,
}

impl Application {
    /// Opens the service and binds its address.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let service = Service::open(config, clock).await?;
        Ok(Self { server: service.bind(&config.server)?, service })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The service, to be given new secrets while it runs.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Answers requests until `stop` resolves, then finishes what is in flight.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        self.server.run(stop).await
    }
}
