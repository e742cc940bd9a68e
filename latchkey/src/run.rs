//! Starts everything, shows where it is, and stops everything together.

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::try_join3;
use service_kit::config::ServerConfig;
use service_kit::health::Health;
use service_kit::{reload, server, telemetry};
use shared_claims::SystemClock;

use crate::banner::Banner;
use crate::config::{Config, ServiceConfigs};
use crate::secrets;
use crate::web::{Offers, Site};

type Failed = Box<dyn std::error::Error>;

pub(crate) async fn run(file: Option<&Path>) -> Result<(), Failed> {
    let _telemetry = telemetry::init("latchkey");
    let stop = server::stop_signal().shared();
    let (config, services) = load(file)?;

    let clock = Arc::new(SystemClock);
    let auth = auth_service::Service::open(&services.auth, clock.clone()).await?;
    let jobs = jobs_service::Service::open(&services.jobs, clock).await?;
    let auth_server = auth.bind(&services.auth.server)?;
    let jobs_server = jobs.bind(&services.jobs.server)?;
    let reload = reload::on_hangup({
        let (auth, jobs) = (auth.clone(), jobs.clone());
        move || {
            let (_, services) = load(file)?;
            jobs.replace_secrets(&services.jobs)?;
            Ok::<_, Failed>(auth.replace_secrets(&services.auth)?)
        }
    });
    let offers = Offers { registration: services.auth.registration.enabled, demo: config.demo };
    let site = Site { auth, jobs, web_dir: config.web_dir.clone(), offers };
    let web_config = ServerConfig { port: config.ports.web, name: "web".to_owned(), ..services.auth.server.clone() };
    let has_web_client = site.has_web_client();
    let web_server = server::bind(&web_config, Health::new("web"), move |app| site.configure(app))?;

    let (auth, jobs, web) = (auth_server.address(), jobs_server.address(), web_server.address());
    print!("{}", Banner { auth, jobs, web, has_web_client, has_demo_users: config.demo });
    if config.demo && !config.server.host.is_loopback() {
        tracing::warn!(
            "others can reach this address, and the demo users' passwords are public: set LATCHKEY_DEMO=false"
        );
    }
    tokio::select! {
        ended = try_join3(auth_server.run(stop.clone()), jobs_server.run(stop.clone()), web_server.run(stop)) => ended.map(drop)?,
        () = reload => {}
    }
    Ok(())
}

/// Reads the configuration as it is now: at start, and again when a file that it names was replaced.
fn load(file: Option<&Path>) -> Result<(Config, ServiceConfigs), Failed> {
    let environment = service_kit::config::environment()?;
    let config = Config::load(file, environment.clone())?;
    let made = if config.has_secrets() { None } else { Some(secrets::read_or_make(&config.data_dir)?) };
    let services = config.services(file, environment, made.as_ref())?;
    Ok((config, services))
}
