//! Signs in, then lists jobs and adds some for a while, however short the access token lives:
//!
//! ```sh
//! LATCHKEY_TOKENS__ACCESS_TTL=2s make run    # in another terminal
//! JOBS_PASSWORD=latchkey-demo-ada cargo run -p latchkey-client --example jobs -- --username ada --for 1m
//! ```
//!
//! With `--token-file` it stays signed in, goes on with that session when it is started again, and shares it with others that run
//! meanwhile. The log tells when the token is renewed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use latchkey_client::{BuildError, Client, Error, FileStorage, Job, JobDraft, Jobs, Login, SessionState};
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

/// The password comes from `JOBS_PASSWORD`, or is asked for.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, env = "JOBS_AUTH_URL", default_value = "http://127.0.0.1:8081")]
    auth_url: String,
    #[arg(long, env = "JOBS_URL", default_value = "http://127.0.0.1:8082")]
    jobs_url: String,
    /// Username or e-mail address.
    #[arg(long, env = "JOBS_USERNAME")]
    username: String,
    /// Where the session is kept. Without it, it ends with this program.
    #[arg(long, env = "JOBS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// How long to go on.
    #[arg(long = "for", default_value = "10s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// The pause between two lists.
    #[arg(long, default_value = "500ms", value_parser = humantime::parse_duration)]
    pause: Duration,
}

/// What has come of it.
#[derive(Debug, Default)]
struct Tally {
    lists: u32,
    added: Vec<Job>,
    /// Calls that have to wait for a server that cannot answer now.
    delays: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_env_filter("latchkey_client=debug").with_writer(std::io::stderr).init();
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(because) = cause {
                eprintln!("  because: {because}");
                cause = because.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let client = client(arguments)?;
    let jobs = client.jobs(&arguments.jobs_url)?;
    sign_in(&client, arguments).await?;

    let mut tally = Tally::default();
    work(&jobs, arguments, &mut tally).await?;
    for job in &tally.added {
        jobs.delete(job.id).await?;
    }
    println!("{} lists, {} jobs added and deleted, {} delays", tally.lists, tally.added.len(), tally.delays);
    if arguments.token_file.is_none() {
        client.logout().await?;
    }
    Ok(())
}

fn client(arguments: &Arguments) -> Result<Client, BuildError> {
    let builder = Client::builder(&arguments.auth_url).service(&arguments.jobs_url);
    match &arguments.token_file {
        Some(path) => builder.storage(FileStorage::new(path)).build(),
        None => builder.build(),
    }
}

async fn sign_in(client: &Client, arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    match client.session().await? {
        SessionState::SignedIn { user, .. } => {
            println!("going on as {}", user.username);
            return Ok(());
        }
        SessionState::SignedOut { because: Some(reason) } => println!("You were signed out: {reason}."),
        _ => {}
    }
    let login = Login::new(&arguments.username, password()?).on_device("the jobs example");
    let signed_in = client.login(&login).await?;
    println!("signed in as {}", signed_in.user.username);
    for ended in signed_in.ended_sessions {
        println!("which ended the session on {}", ended.device_name.as_deref().unwrap_or("a device"));
    }
    Ok(())
}

fn password() -> std::io::Result<SecretString> {
    match std::env::var("JOBS_PASSWORD") {
        Ok(password) => Ok(password.into()),
        Err(_) => rpassword::prompt_password("Password: ").map(Into::into),
    }
}

async fn work(jobs: &Jobs, arguments: &Arguments, tally: &mut Tally) -> Result<(), Error> {
    let end = Instant::now() + arguments.duration;
    while Instant::now() < end {
        let pause = match round(jobs, tally).await {
            Ok(()) => arguments.pause,
            Err(error) if error.is_temporary() => {
                tally.delays += 1;
                error.retry_after().unwrap_or(arguments.pause)
            }
            Err(error) => return Err(error),
        };
        sleep(pause).await;
    }
    Ok(())
}

/// Lists the jobs, and every tenth time adds one.
async fn round(jobs: &Jobs, tally: &mut Tally) -> Result<(), Error> {
    jobs.list(Some(20)).await?;
    tally.lists += 1;
    if tally.lists % 10 == 1 {
        tally.added.push(jobs.create(&JobDraft::new(format!("Round {}", tally.lists))).await?);
    }
    Ok(())
}
