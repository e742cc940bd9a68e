//! Puts auth-service together: opens what it keeps, makes what it needs, binds, runs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use actix_web::web::{Data, ServiceConfig};
use async_trait::async_trait;
use service_kit::config::{Rejected, ServerConfig};
use service_kit::database::DatabaseCheck;
use service_kit::health::{Check, CheckFailed, Health};
use service_kit::metrics::Metrics;
use service_kit::openapi::Docs;
use service_kit::server::{self, BoundServer};
use service_kit::version;
use shared_claims::{
    Clock, KeyRing, Minter, MinterSettings, RefreshVerifier, SettingsError, Verifier, VerifierSettings,
};
use utoipa::OpenApi;

use crate::config::{Config, Keys};
use crate::domain::guard::Guard;
use crate::domain::pace::Pace;
use crate::domain::password::PasswordHasher;
use crate::metrics::{Counts, show_verifications};
use crate::routes::{self, ApiDocument};
use crate::state::State;
use crate::stores::{self, OpenStores, OpenStoresError, Schema, SessionStore};

mod demo;

/// Why auth-service could not start; each message says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that only shows to be wrong when it is used.
    #[error(transparent)]
    Config(#[from] Rejected),
    /// A setting that the verifier refuses.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What it keeps could not be opened.
    #[error(transparent)]
    Stores(#[from] OpenStoresError),
    /// The demo users could not be made.
    #[error("cannot seed the demo users: {0}")]
    Demo(crate::domain::Failure),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] server::StartError),
}

/// The service itself, wherever it is mounted.
#[derive(Clone)]
pub struct Service {
    state: Data<State>,
    verifier: Data<Verifier>,
    keys: Keys,
    health: Health,
    metrics: Metrics,
    docs: Docs,
}

impl Service {
    /// Opens the stores, brings their schema up to date, makes the parts and, where the configuration says so, the demo users.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let service = Self::open_with(config, Schema::UpToDate, clock).await?;
        if config.demo {
            demo::seed(&service.state).await.map_err(StartError::Demo)?;
        }
        Ok(service)
    }

    /// The same for a command, which seeds nothing.
    pub(crate) async fn open_with(config: &Config, schema: Schema, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let keys = config.tokens.keys()?;
        let opened = stores::open_with(config, schema).await?;
        Self::assemble(keys, opened, config, clock)
    }

    fn assemble(keys: Keys, opened: OpenStores, config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let (metrics, counts) = (Metrics::new(&config.server.name, version()), Counts::new());
        opened.show_in(&metrics);
        counts.show_in(&metrics);
        show_verifications(&keys, &metrics);
        let verifier = verifier(config, &keys, clock.clone())?;
        let health = Health::new(&config.server.name)
            .with_check("tokenStore", Arc::new(TokenStoreCheck(opened.sessions.clone())))
            .with_check("database", Arc::new(DatabaseCheck(opened.database)));
        let state = State {
            users: opened.users,
            sessions: opened.sessions,
            rules: config.rules(),
            guard: Guard::new(opened.attempts, config.rate_limit.guesses(), counts.limits_hit.clone()),
            pace: Pace::new(config.rate_limit.refreshes_per_minute()),
            registration_is_enabled: config.registration.enabled,
            passwords: PasswordHasher::new(available_parallelism().map_or(1, usize::from)),
            minter: minter(config, &keys),
            refresh_verifier: refresh_verifier(config, &keys, clock.clone())?,
            clock,
            counts,
        };
        state.passwords.show_in(&metrics);
        let docs = Docs::new(&ApiDocument::openapi());
        Ok(Self { state: Data::new(state), verifier: Data::new(verifier), keys, health, metrics, docs })
    }

    /// Adds the routes, at the root of an application or within a scope of it.
    pub fn configure(&self, app: &mut ServiceConfig) {
        self.metrics.count_requests(app);
        app.app_data(self.state.clone()).app_data(self.verifier.clone()).configure(routes::configure);
        self.docs.routes(app);
    }

    /// How the service tells whether it is ready.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// What every request may need; for the commands, which are no requests.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes the secrets of a newer configuration, of which nothing else is taken. Answers which keys sign from now on.
    /// Tokens signed with a secret that is no longer among them are refused from the next request on.
    pub fn replace_secrets(&self, config: &Config) -> Result<String, Rejected> {
        let (access, refresh) = config.tokens.rings()?;
        let in_use = format!("access tokens: {}; refresh tokens: {}", told(&access), told(&refresh));
        self.keys.access.replace(access);
        self.keys.refresh.replace(refresh);
        Ok(in_use)
    }

    /// Listens where the configuration says. Meanwhile the log is told once what an operator should mend; nothing waits for it.
    pub fn bind(&self, server: &ServerConfig) -> Result<BoundServer, server::StartError> {
        let (service, state) = (self.clone(), self.state.clone());
        tokio::spawn(async move { stores::warn_of_findings(state.sessions.as_ref(), state.clock.as_ref()).await });
        server::bind(server, self.health(), move |app| {
            service.metrics.routes(&service.health, app);
            service.configure(app);
        })
    }
}

/// auth-service with a server of its own.
pub struct Application {
    server: BoundServer,
    service: Service,
}

impl Application {
    /// Opens everything and binds; port 0 takes any port that is free.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let service = Service::open(config, clock).await?;
        Ok(Self { server: service.bind(&config.server)?, service })
    }

    /// The same over stores that are open already, whatever keeps them: how the tests put in one that is broken.
    #[cfg(feature = "conformance")]
    pub fn over(opened: OpenStores, config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let service = Service::assemble(config.tokens.keys()?, opened, config, clock)?;
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

    /// Serves until told to stop, then finishes what is in flight.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        self.server.run(stop).await
    }
}

fn verifier(config: &Config, keys: &Keys, clock: Arc<dyn Clock>) -> Result<Verifier, SettingsError> {
    let settings = VerifierSettings {
        issuer: config.tokens.issuer.clone(),
        audience: config.server.name.clone(),
        leeway: config.tokens.leeway,
    };
    Verifier::new(keys.access.clone(), settings, clock)
}

fn refresh_verifier(config: &Config, keys: &Keys, clock: Arc<dyn Clock>) -> Result<RefreshVerifier, SettingsError> {
    RefreshVerifier::new(keys.refresh.clone(), config.tokens.issuer.clone(), config.tokens.leeway, clock)
}

fn minter(config: &Config, keys: &Keys) -> Minter {
    Minter::new(MinterSettings {
        access_keys: keys.access.clone(),
        refresh_keys: keys.refresh.clone(),
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
        access_ttl: config.tokens.access_ttl,
        refresh_ttl: config.tokens.refresh_ttl,
    })
}

/// The keys of a ring, for the log: that which signs, and all that are taken.
fn told(ring: &KeyRing) -> String {
    format!("kid {} signs, of {}", ring.signing_kid(), ring.kids().collect::<Vec<_>>().join(", "))
}

struct TokenStoreCheck(Arc<dyn SessionStore>);

#[async_trait]
impl Check for TokenStoreCheck {
    async fn check(&self) -> Result<(), CheckFailed> {
        self.0.check().await.map_err(CheckFailed::new)
    }
}
