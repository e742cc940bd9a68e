//! A whole installation in this process: auth-service, and jobs-service where it is wanted, on free ports, on a clock that moves when
//! told to. It stops when it is dropped.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::{io, thread};

use auth_service::stores::{self, OpenStores, SessionStore};
use chrono::{DateTime, TimeDelta, Utc};
use shared_claims::{Clock, ManualClock};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::people::Person;
use crate::site::{Site, Storage, auth_config};
use crate::waiting::eventually;

/// One installation with its auth-service.
pub struct Stack {
    auth: Running,
    /// The time, for every service of this installation.
    pub clock: ManualClock,
    /// Where it keeps things.
    pub site: Site,
}

impl Stack {
    /// Starts auth-service with the settings it has by default, but for the limits on logins.
    pub async fn start(storage: Storage) -> Self {
        Self::start_with(storage, &[]).await
    }

    /// Starts auth-service with some settings changed, by their names in the environment without `LATCHKEY_`.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub async fn start_with(storage: Storage, settings: &[(&str, &str)]) -> Self {
        Self::on(Site::open(storage, settings).await).await
    }

    /// Starts auth-service on a site.
    pub async fn on(site: Site) -> Self {
        let clock = ManualClock::new(start_of_time());
        let auth = Running::auth(&site, &[], &clock).await;
        Self { auth, clock, site }
    }

    /// A client of auth-service.
    pub fn client(&self) -> Client {
        self.auth.client()
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
        Running::auth(&self.site, changes, &self.clock).await
    }

    /// The same with a clock of its own.
    pub async fn instance_at(&self, clock: &ManualClock) -> Running {
        Running::auth(&self.site, &[], clock).await
    }

    /// Another auth-service with the same users and secrets, whose sessions this store keeps.
    pub async fn instance_over(&self, sessions: Arc<dyn SessionStore>) -> Running {
        let config = auth_config(&self.site.environment(&[]));
        let mut opened = stores::open(&config).await.expect("the storage can be opened");
        opened.sessions = sessions;
        Running::auth_over(opened, config, &self.clock).await
    }

    /// A jobs-service that takes the tokens of this auth-service and knows nothing else of it.
    pub async fn jobs_service(&self) -> Running {
        Running::jobs(&self.site, &self.clock).await
    }

    /// Stops auth-service and keeps what it had. Answers when nothing listens any more.
    pub async fn stop(self) -> Site {
        let Self { auth, site, .. } = self;
        let address = auth.address;
        drop(auth);
        eventually("auth-service refuses connections", async || TcpStream::connect(address).await.err()).await;
        site
    }

    /// Somebody new, who may log in.
    pub async fn person(&self) -> Person {
        self.site.person(self.clock.now()).await
    }

    /// Moves the time on.
    pub fn advance(&self, step: TimeDelta) {
        self.clock.advance(step);
    }
}

/// When every stack begins: not at a whole second, for tokens count in seconds and stores in milliseconds.
fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_900_000_000_250).expect("a moment")
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

    async fn auth(site: &Site, changes: &[(&str, &str)], clock: &ManualClock) -> Self {
        let (config, clock) = (auth_config(&site.environment(changes)), Arc::new(clock.clone()));
        Self::start("auth-service", async move |stop| {
            let service = auth_service::Application::build(&config, clock).await.map_err(|error| error.to_string())?;
            Ok((service.address(), Box::pin(service.run(stop)) as Serving))
        })
        .await
    }

    async fn auth_over(opened: OpenStores, config: auth_service::Config, clock: &ManualClock) -> Self {
        let clock = Arc::new(clock.clone());
        Self::start("auth-service", async move |stop| {
            let service = auth_service::Application::over(opened, &config, clock);
            let service = service.map_err(|error| error.to_string())?;
            Ok((service.address(), Box::pin(service.run(stop)) as Serving))
        })
        .await
    }

    async fn jobs(site: &Site, clock: &ManualClock) -> Self {
        let config = jobs_service::Config::load(None, site.jobs_environment()).expect("a configuration that holds");
        let clock = Arc::new(clock.clone());
        Self::start("jobs-service", async move |stop| {
            let service = jobs_service::Application::build(&config, clock).await.map_err(|error| error.to_string())?;
            Ok((service.address(), Box::pin(service.run(stop)) as Serving))
        })
        .await
    }

    async fn start(name: &str, build: impl Build) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(serve(build, stopped, started));
        });
        let started = starting.await.unwrap_or_else(|_| Err("it panicked".to_owned()));
        let address = started.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { address, _stop: stop }
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
