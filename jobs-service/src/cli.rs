//! The command line: which command, and which configuration file. What each command does is in `main.rs`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Keeps each user's jobs, for whoever shows an access token.
#[derive(Debug, Parser)]
#[command(name = "jobs-service", version = service_kit::version())]
pub struct Cli {
    /// A TOML file of settings, between the built-in defaults and the environment (LATCHKEY_…).
    #[arg(long, value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub enum Command {
    /// Bring the database schema up to date, then answer requests until SIGTERM (the default).
    #[default]
    Serve,
    /// Ask the running service whether it is ready: exit code 0 if it is.
    Healthcheck,
    /// Bring the database schema up to date, seed the demo jobs where `LATCHKEY_DEMO` says so, and exit.
    Migrate,
    /// Check configuration and database, and say what to mend.
    Doctor,
}
