//! Latchkey in one process: auth-service, jobs-service and the web client on embedded storage. To try it, and for one machine.

mod banner;
mod config;
mod run;
mod secrets;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "latchkey", version = service_kit::version(), about)]
struct Arguments {
    /// A TOML file with settings; the environment (LATCHKEY_…) wins over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Two TLS providers in one program and rustls could not choose; the first to ask is told.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match run::run(Arguments::parse().config.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latchkey: {error}");
            ExitCode::FAILURE
        }
    }
}
