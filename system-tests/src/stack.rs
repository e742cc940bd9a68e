//! A whole installation in this process: auth-service, and jobs-service where it is wanted, on free ports, over storage and with
//! secrets of their own, on a clock that moves when told to. It stops when it is dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::{io, thread};

use auth_service::stores::{self, OpenStores};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use shared_claims::{Clock, ManualClock};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::people::Person;
use crate::tokens::Secrets;

/// What an installation keeps its users and sessions in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// SQLite, in a directory of its own.
    Embedded,
}

/// One installation.
pub struct Stack {
    auth: Running,
    /// The time, for every service of this installation.
    pub clock: ManualClock,
    /// What its tokens are signed with.
    pub secrets: Secrets,
    /// What it keeps, opened beside the services as an operator's command does.
    pub stores: OpenStores,
    settings: Vec<(String, String)>,
    directory: TempDir,
}

impl Stack {
    /// Starts auth-service with the settings it has by default, but for the limits on logins.
    pub async fn start(storage: Storage) -> Self {
        Self::start_with(storage, &[]).await
    }

    /// Starts auth-service with these settings beside the defaults, by their names in the environment without `LATCHKEY_`.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub async fn start_with(storage: Storage, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory of its own");
        let secrets = Secrets::generate();
        let mut all = defaults(storage, &secrets, directory.path());
        all.extend(settings.iter().map(|(name, value)| (format!("LATCHKEY_{name}"), (*value).to_owned())));
        let clock = ManualClock::new(start_of_time());
        let config = auth_config(&all);
        let auth = Running::auth(config.clone(), &clock).await;
        let stores = stores::open(&config).await.expect("the stores open a second time");
        Self { auth, clock, secrets, stores, settings: all, directory }
    }

    /// A client of auth-service.
    pub fn client(&self) -> Client {
        Client::new(self.auth.address)
    }

    /// Where auth-service listens.
    pub fn address(&self) -> SocketAddr {
        self.auth.address
    }

    /// Another auth-service over the same storage, with the same secrets and clock.
    pub async fn second_instance(&self) -> Running {
        self.instance_with(&[]).await
    }

    /// The same with some settings changed.
    pub async fn instance_with(&self, changes: &[(&str, &str)]) -> Running {
        let mut settings = self.settings.clone();
        for (name, value) in changes {
            let name = format!("LATCHKEY_{name}");
            settings.retain(|(other, _)| *other != name);
            settings.push((name, (*value).to_owned()));
        }
        Running::auth(auth_config(&settings), &self.clock).await
    }

    /// A jobs-service that takes the tokens of this auth-service and knows nothing else of it.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub async fn jobs_service(&self) -> Running {
        let mut settings = self.settings.clone();
        for (name, value) in &mut settings {
            if name == "LATCHKEY_DATABASE__URL" {
                *value = value.replace("/auth.db", "/jobs.db");
            }
        }
        let config = jobs_service::Config::load(None, settings).expect("a configuration that holds");
        let clock = Arc::new(self.clock.clone());
        let build = async move |stop| {
            let service = jobs_service::Application::build(&config, clock).await.map_err(|error| error.to_string())?;
            Ok((service.address(), Box::pin(service.run(stop)) as Serving))
        };
        Running::start(build).await.unwrap_or_else(|error| panic!("jobs-service does not start: {error}"))
    }

    /// Somebody new, who may log in.
    pub async fn person(&self) -> Person {
        Person::add(&self.stores.users, self.clock.now()).await
    }

    /// The settings of this installation, as an environment. The port is 0.
    pub fn environment(&self) -> &[(String, String)] {
        &self.settings
    }

    /// The directory of this installation, which goes with it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Moves the time on.
    pub fn advance(&self, step: chrono::TimeDelta) {
        self.clock.advance(step);
    }
}

/// When every stack begins: not at a whole second, for tokens count in seconds and stores in milliseconds.
pub fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_900_000_000_250).expect("a moment")
}

/// The settings of an installation that keeps everything in `directory`, as an environment.
pub fn defaults(storage: Storage, secrets: &Secrets, directory: &Path) -> Vec<(String, String)> {
    let database = match storage {
        Storage::Embedded => format!("sqlite:{}", directory.join("auth.db").display()),
    };
    let settings = [
        ("LATCHKEY_SERVER__PORT", "0"),
        ("LATCHKEY_TOKENS__ACCESS_SECRET", secrets.access.expose_secret()),
        ("LATCHKEY_TOKENS__REFRESH_SECRET", secrets.refresh.expose_secret()),
        ("LATCHKEY_RATE_LIMIT__ENABLED", "false"),
        ("LATCHKEY_DATABASE__URL", &database),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn auth_config(settings: &[(String, String)]) -> auth_service::Config {
    auth_service::Config::load(None, settings.to_vec()).expect("a configuration that holds")
}

type Serving = Pin<Box<dyn Future<Output = io::Result<()>>>>;
type Stop = Pin<Box<dyn Future<Output = ()>>>;

/// A service on a thread of its own. It is told to stop when this is dropped, and finishes what is in flight.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Running {
    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    async fn auth(config: auth_service::Config, clock: &ManualClock) -> Self {
        let clock = Arc::new(clock.clone());
        let build = async move |stop| {
            let service = auth_service::Application::build(&config, clock).await.map_err(|error| error.to_string())?;
            Ok((service.address(), Box::pin(service.run(stop)) as Serving))
        };
        Self::start(build).await.unwrap_or_else(|error| panic!("auth-service does not start: {error}"))
    }

    async fn start(build: impl Build) -> Result<Self, String> {
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(serve(build, stopped, started));
        });
        let address = starting.await.map_err(|_| "it panicked".to_owned())??;
        Ok(Self { address, _stop: stop })
    }
}

/// Makes a service that serves until the future it is given resolves.
trait Build: AsyncFnOnce(Stop) -> Result<(SocketAddr, Serving), String> + Send + 'static {}

impl<F: AsyncFnOnce(Stop) -> Result<(SocketAddr, Serving), String> + Send + 'static> Build for F {}

async fn serve(
    build: impl Build,
    stopped: oneshot::Receiver<()>,
    started: oneshot::Sender<Result<SocketAddr, String>>,
) {
    match build(Box::pin(async { drop(stopped.await) })).await {
        Ok((address, serving)) => {
            drop(started.send(Ok(address)));
            serving.await.expect("the service ends well");
        }
        Err(error) => drop(started.send(Err(error))),
    }
}
