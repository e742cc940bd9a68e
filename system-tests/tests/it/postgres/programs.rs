//! A service as an operator starts it, over a PostgreSQL that is late, or that its settings do not fit.

use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;
use shared_claims::generate_secret;
use system_tests::postgres::{Authority, PASSWORD, Server, shared};
use system_tests::program::Program;
use system_tests::waiting::eventually;
use tempfile::TempDir;

/// A name in the environment, without `LATCHKEY_`, and its value.
type Setting<'a> = (&'a str, &'a str);

/// jobs-service over this database, with some more settings.
fn jobs_service(directory: &TempDir, url: &str, settings: &[Setting]) -> Program {
    let secret = generate_secret();
    let own = [("TOKENS__ACCESS_SECRET", secret.expose_secret()), ("SERVER__PORT", "0"), ("DATABASE__URL", url)];
    let environment = own.iter().chain(settings).map(|(name, value)| (format!("LATCHKEY_{name}"), (*value).to_owned()));
    Program::new("jobs-service", directory.path(), environment.collect())
}

/// Everything that programs have written in this directory so far.
fn written(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { written(&path) } else { fs::read_to_string(path).unwrap() }).collect()
}

#[tokio::test]
async fn a_service_that_is_started_before_its_database_waits_for_it_and_serves() {
    let (server, directory) = (Server::start(), tempfile::tempdir().unwrap());
    let place = server.database();
    server.stop();
    let program = jobs_service(&directory, &place.url(), &[]);
    let start = async {
        let waits = async || written(directory.path()).contains("waiting up to 30s for the database").then_some(());
        eventually("it waits", waits).await;
        tokio::task::spawn_blocking(move || server.start_again()).await.unwrap();
    };
    let (service, ()) = tokio::join!(program.serve(), start);
    assert_eq!(service.client().readiness().await.status, 200);
    assert_eq!(service.log().matches("waiting").count(), 1);
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named_and_no_secret_is_shown() {
    let (place, directory) = (shared().database(), tempfile::tempdir().unwrap());
    let ca_file = directory.path().join("ca.pem");
    fs::write(&ca_file, Authority::new().pem()).unwrap();
    let ca_file = [("DATABASE__CA_FILE", ca_file.to_str().unwrap())];
    let url = place.url();
    let unreadable = format!("{url}?sslmode=verify-full");
    let wrong_password = url.replace("100%25", "99%25");
    let cases: [(&str, &[Setting], &str); 6] = [
        (&unreadable, &[], "database.url"),
        (&wrong_password, &[], "password authentication failed"),
        (&url, &ca_file, "server does not support TLS"),
        (&url, &[("DATABASE__CA_FILE", "/nowhere.pem")], "database.ca_file"),
        (&url, &[("DATABASE__TIMEOUT", "2s")], "LATCHKEY_DATABASE__TIMEOUT"),
        (&url, &[("DATABASE__CONNECT_TIMEOUT", "99ms")], "LATCHKEY_DATABASE__CONNECT_TIMEOUT"),
    ];
    for (url, settings, said) in cases {
        let finished = jobs_service(&directory, url, settings).run(&["serve"], "").await;
        assert!(!finished.status.success(), "{said}");
        assert!(finished.stderr.contains(said), "{said}: {}", finished.stderr);
        let text = finished.stdout + &finished.stderr;
        assert!(!text.contains(PASSWORD) && !text.contains("show%3Ame") && !text.contains("@127"), "{text}");
    }
}
