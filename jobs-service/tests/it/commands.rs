//! The program itself: its commands, what they print, and how they end.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use secrecy::ExposeSecret;
use serde_json::Value;
use shared_claims::generate_secret;
use tempfile::TempDir;

use crate::support::{SECRET, client, start};

/// The program with nothing in its environment but what is named, in a directory of its own.
fn program(directory: &TempDir, settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobs-service"));
    command.env_clear().envs(settings.iter().copied()).args(arguments).current_dir(directory);
    command
}

fn run(settings: &[(&str, &str)], arguments: &[&str]) -> (TempDir, Output) {
    let directory = tempfile::tempdir().unwrap();
    let output = program(&directory, settings, arguments).output().unwrap();
    (directory, output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ends with the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails only where the program has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_version_is_told_without_any_configuration() {
    let (_, output) = run(&[], &["--version"]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(0), format!("jobs-service {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn the_service_does_not_start_without_a_secret_and_says_how_to_get_one() {
    for command in [&[][..], &["serve"], &["migrate"], &["healthcheck"]] {
        let (_, output) = run(&[], command);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(error.starts_with("jobs-service: ") && error.contains("auth-service keygen"), "{error}");
    }
}

#[test]
fn a_command_that_is_not_known_is_wrong_usage() {
    assert_eq!(run(&[], &["dance"]).1.status.code(), Some(2));
}

#[test]
fn migrate_makes_the_schema_and_may_be_repeated() {
    let secret = generate_secret();
    let settings = [(SECRET, secret.expose_secret())];
    let (directory, first) = run(&settings, &["migrate"]);
    let again = program(&directory, &settings, &["migrate"]).output().unwrap();
    for output in [first, again] {
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(0), "The database schema is up to date.\n".to_owned())
        );
    }
    let database = Connection::open(directory.path().join("data/jobs.db")).unwrap();
    let jobs: i64 = database.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 0);
}

#[test]
fn doctor_looks_and_makes_nothing() {
    let secret = generate_secret();
    let settings = [(SECRET, secret.expose_secret())];
    let (directory, output) = run(&settings, &["doctor"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("data/jobs.db") && error.contains("`migrate`"), "{error}");
    assert!(!directory.path().join("data").exists());

    program(&directory, &settings, &["migrate"]).output().unwrap();
    let well = program(&directory, &settings, &["doctor"]).output().unwrap();
    assert_eq!(well.status.code(), Some(0), "{well:?}");
    assert!(text(&well.stdout).contains("ok       database answers in"), "{well:?}");

    let database = Connection::open(directory.path().join("data/jobs.db")).unwrap();
    database.execute("DELETE FROM jobs_service_migrations", []).unwrap();
    let outdated = program(&directory, &settings, &["doctor"]).output().unwrap();
    assert_eq!(outdated.status.code(), Some(1), "{outdated:?}");
    assert!(text(&outdated.stderr).contains("`migrate`"), "{outdated:?}");
    let applied: i64 =
        database.query_row("SELECT count(*) FROM jobs_service_migrations", [], |row| row.get(0)).unwrap();
    assert_eq!(applied, 0);
}

#[test]
fn migrate_seeds_the_demo_jobs_once_where_it_is_told_to() {
    let secret = generate_secret();
    let settings = [(SECRET, secret.expose_secret()), ("LATCHKEY_DEMO", "true")];
    let (directory, first) = run(&settings, &["migrate"]);
    let count = || -> i64 {
        let database = Connection::open(directory.path().join("data/jobs.db")).unwrap();
        database.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0)).unwrap()
    };
    let seeded = count();
    assert!(seeded >= 9, "three jobs for each of three users: {seeded}");
    let again = program(&directory, &settings, &["migrate"]).output().unwrap();
    assert_eq!((first.status.code(), again.status.code(), count()), (Some(0), Some(0), seeded));
}

#[actix_web::test]
async fn healthcheck_tells_a_ready_service_from_one_that_is_not_there() {
    let secret = generate_secret();
    let app = start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (port, code) in [(app.address.port(), 0), (free.port(), 1)] {
        let port = port.to_string();
        let settings = [(SECRET, secret.expose_secret()), ("LATCHKEY_SERVER__PORT", port.as_str())];
        let directory = tempfile::tempdir().unwrap();
        let mut command = program(&directory, &settings, &["healthcheck"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    }
}

#[actix_web::test]
async fn serve_reads_the_file_it_is_given_and_ends_with_0_when_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("jobs.toml"), "[server]\nport = 0\n[database]\nurl = \"sqlite:here.db\"\n")
        .unwrap();
    let secret = generate_secret();
    let settings = [(SECRET, secret.expose_secret())];
    let mut command = program(&directory, &settings, &["--config", "jobs.toml"]);
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut log = BufReader::new(running.0.stdout.take().unwrap()).lines();

    let line = log.by_ref().map(Result::unwrap).find(|line| line.contains("jobs-service is listening")).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["service"], "jobs-service");
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(client().get(format!("http://{address}/health/ready")).send().await.unwrap().status(), 200);
    assert!(directory.path().join("here.db").exists());

    assert!(Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    let last: Value = serde_json::from_str(&log.last().unwrap().unwrap()).unwrap();
    assert_eq!(last["message"], "jobs-service has stopped");
}
