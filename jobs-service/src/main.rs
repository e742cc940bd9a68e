//! jobs-service from its start to its end, in the order in which things happen.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use jobs_service::cli::{Cli, Command};
use jobs_service::{Application, Config, Service};
use service_kit::config::{self, ConfigError};
use service_kit::health::{CheckStatus, ReadinessStatus};
use service_kit::{probe, reload, server, telemetry, version};
use shared_claims::SystemClock;

type Outcome = Result<(), Box<dyn Error>>;

#[actix_web::main]
async fn main() -> ExitCode {
    // There must be one provider of cryptography in the process before anything asks for TLS.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobs-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Outcome {
    let load = || -> Result<Config, ConfigError> { Config::load(cli.config.as_deref(), config::environment()?) };
    let config = load()?;
    match cli.command.unwrap_or_default() {
        Command::Serve => serve(&config, load).await,
        Command::Healthcheck => Ok(probe::ready(&config.server).await?),
        Command::Migrate => migrate(&config).await,
        Command::Doctor => doctor(&config).await,
    }
}

async fn serve(config: &Config, load: impl Fn() -> Result<Config, ConfigError>) -> Outcome {
    let _telemetry = telemetry::init(&config.server.name);
    let stop = server::stop_signal();
    let application = Application::build(config, Arc::new(SystemClock)).await?;
    tracing::info!(address = %application.address(), version = version(), "jobs-service is listening");
    let service = application.service().clone();
    let reload = reload::on_hangup(|| Ok::<_, Box<dyn Error>>(service.replace_secrets(&load()?)?));
    tokio::select! {
        ended = application.run(stop) => ended?,
        () = reload => {}
    }
    tracing::info!("jobs-service has stopped");
    Ok(())
}

async fn doctor(config: &Config) -> Outcome {
    let service = Service::open_as_it_is(config, Arc::new(SystemClock)).await?;
    println!("ok       the configuration can be used, and the database schema is up to date");
    let readiness = service.health().readiness().await;
    for (name, check) in &readiness.checks {
        match check.status {
            CheckStatus::Up => println!("ok       {name} answers in {:.1} ms", check.latency_ms),
            CheckStatus::Down => println!("problem  {name} does not answer"),
        }
    }
    let is_ready = readiness.status == ReadinessStatus::Ready;
    is_ready.then_some(()).ok_or_else(|| "something must be mended".into())
}

async fn migrate(config: &Config) -> Outcome {
    Service::open(config, Arc::new(SystemClock)).await?;
    println!("The database schema is up to date.");
    if config.demo {
        println!("Unless it had jobs before, the demo users' jobs are in it.");
    }
    Ok(())
}
