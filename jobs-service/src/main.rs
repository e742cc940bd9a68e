//! jobs-service from its start to its end, in the order in which things happen.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use jobs_service::cli::{Cli, Command};
use jobs_service::{Application, Config, database};
use service_kit::{config, probe, server, telemetry};
use shared_claims::SystemClock;

type Outcome = Result<(), Box<dyn std::error::Error>>;

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
    let config = Config::load(cli.config.as_deref(), config::environment()?)?;
    match cli.command.unwrap_or_default() {
        Command::Serve => serve(&config).await,
        Command::Healthcheck => Ok(probe::ready(&config.server).await?),
        Command::Migrate => migrate(&config).await,
    }
}

async fn serve(config: &Config) -> Outcome {
    telemetry::init(&config.server.name);
    let stop = server::stop_signal();
    let application = Application::build(config, Arc::new(SystemClock)).await?;
    tracing::info!(address = %application.address(), version = env!("CARGO_PKG_VERSION"), "jobs-service is listening");
    application.run(stop).await?;
    tracing::info!("jobs-service has stopped");
    Ok(())
}

async fn migrate(config: &Config) -> Outcome {
    database::open(config).await?;
    println!("The database schema is up to date.");
    Ok(())
}
