//! `make bench`: measures the services as they are shipped beside what they are compared with, both sides of each comparison interleaved
//! in one run, and writes the table of docs/performance.md.

mod askers;
mod comparisons;
mod connection;
mod express;
mod ground;
mod load;
mod machine;
mod seed;
mod serve;
mod table;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use service_kit::server::stop_signal;
use tokio::task::LocalSet;

use comparisons::Name;
use ground::Ground;
use table::Row;

/// Measures the services beside what they are compared with.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Measures these alone, and writes no table.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Name>,
    /// Rounds of each comparison.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each side has in each round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the baselines; for the measurements themselves.
    Serve,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Some(Command::Serve) => LocalSet::new().run_until(serve::serve()).await,
        None => measure(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whatever ends it, everything that was started goes with what is dropped here.
async fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    tokio::select! {
        rows = run(arguments) => {
            let (machine, rows) = rows?;
            if arguments.only.is_empty() {
                let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
                table::write(&page, &machine, &method(arguments), &rows)?;
            }
            Ok(())
        }
        () = stop_signal() => Err("it was interrupted; nothing was written".into()),
    }
}

async fn run(arguments: &Arguments) -> Result<(String, Vec<Row>), Box<dyn Error>> {
    let ground = Ground::prepare(arguments.rounds, Duration::from_secs_f64(arguments.seconds));
    let machine = machine::describe(express::node().to_str().unwrap_or_default());
    println!("{machine}\n{}\n\n{}", method(arguments), table::HEAD);
    let mut rows = Vec::new();
    for name in Name::all().filter(|name| arguments.only.is_empty() || arguments.only.contains(name)) {
        for row in name.measure(&ground).await? {
            row.print();
            rows.push(row);
        }
    }
    Ok((machine, rows))
}

fn method(arguments: &Arguments) -> String {
    let Arguments { rounds, seconds, .. } = arguments;
    format!("{rounds} rounds of {seconds} s for each side, interleaved; 32 connections but where a row says otherwise.")
}
