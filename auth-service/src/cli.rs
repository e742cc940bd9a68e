//! The command line: serve, and what an operator does beside it. Answers go to standard output, what is wrong to
//! standard error, and the exit code says which: 0 done, 1 failed, 2 wrong usage, 3 no such user or session, 4 refused.

mod doctor;
mod keygen;
mod sessions;
mod users;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};
use service_kit::config::{ConfigError, environment};
use service_kit::{probe, reload, server, telemetry, version};
use shared_claims::SystemClock;

use crate::config::Config;
use crate::startup::{Application, Service};
use crate::stores::Schema;

#[derive(Parser)]
#[command(name = "auth-service", version = version(), about = "Signs users in and keeps their sessions.")]
struct Arguments {
    /// A TOML file with settings; the environment (LATCHKEY_…) wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves requests until it is told to stop (the default).
    Serve,
    /// Asks the running service whether it is ready; exits with 0 if so.
    Healthcheck,
    /// Brings the database schema up to date, seeds the demo users where `LATCHKEY_DEMO` says so, and exits.
    Migrate,
    /// Checks configuration, database and token store, and says what to mend.
    Doctor,
    /// Prints a new pair of secrets.
    Keygen,
    /// Manages users.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Lists and ends sessions.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
}

/// What a command failed with: an exit code for scripts, and an error that is shown to the operator as it is.
#[derive(Debug)]
struct Failed {
    code: u8,
    error: Box<dyn Error>,
}

impl Failed {
    /// What was looked at is not as it should be.
    fn unwell() -> Self {
        Self { code: 1, error: "something must be mended".into() }
    }

    /// There is no such user or session.
    fn not_found(what: impl Into<Box<dyn Error>>) -> Self {
        Self { code: 3, error: what.into() }
    }

    /// What was asked for cannot be: a name is taken, a password is too easy to guess.
    fn refused(why: impl Into<Box<dyn Error>>) -> Self {
        Self { code: 4, error: why.into() }
    }
}

impl<E: Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { code: 1, error: error.into() }
    }
}

/// The command line as it is declared, for whoever writes it down.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Reads the arguments and does what they say.
pub async fn main() -> ExitCode {
    // Two TLS providers in one program and rustls could not choose; the first to ask is told.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { code, error }) => {
            eprintln!("auth-service: {error}");
            ExitCode::from(code)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failed> {
    let file = arguments.config.as_deref();
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Keygen => {
            keygen::print();
            Ok(())
        }
        Command::Serve => serve(file).await,
        Command::Healthcheck => Ok(probe::ready(&load(file)?.server).await?),
        Command::Migrate => {
            let config = load(file)?;
            Service::open(&config, Arc::new(SystemClock)).await?;
            println!("the database schema is up to date");
            if config.demo {
                println!("unless it had users before, the demo users are in it: their passwords are public");
            }
            Ok(())
        }
        Command::Doctor => doctor::run(&service(file, Schema::AsItIs).await?).await,
        Command::Users(command) => {
            let service = service(file, command.schema()).await?;
            users::run(command, &service).await
        }
        Command::Sessions(command) => {
            let service = service(file, command.schema()).await?;
            sessions::run(command, &service).await
        }
    }
}

async fn serve(file: Option<&Path>) -> Result<(), Failed> {
    let config = load(file)?;
    let _telemetry = telemetry::init(&config.server.name);
    let stop = server::stop_signal();
    let application = Application::build(&config, Arc::new(SystemClock)).await?;
    tracing::info!(address = %application.address(), version = version(), "auth-service is listening");
    let service = application.service().clone();
    let reload = reload::on_hangup(|| Ok::<_, Box<dyn Error>>(service.replace_secrets(&load(file)?)?));
    tokio::select! {
        ended = application.run(stop) => ended?,
        () = reload => {}
    }
    tracing::info!("auth-service has stopped");
    Ok(())
}

fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    Config::load(file, environment()?)
}

/// The same stores and rules as the running service has, without a server. Commands that only look leave the schema as it is.
async fn service(file: Option<&Path>, schema: Schema) -> Result<Service, Failed> {
    let config = load(file)?;
    telemetry::init_for_command(&config.server.name);
    Ok(Service::open_with(&config, schema, Arc::new(SystemClock)).await?)
}
