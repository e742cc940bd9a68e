//! The start of a service: a server that is not there yet is waited for, one that refuses us is not, and both are said clearly.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use service_kit::database::{Database, OpenError, Postgres};
use service_kit::telemetry;
use system_tests::postgres::{PASSWORD, Server, shared};
use system_tests::waiting::eventually;
use tokio::time::Instant;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::EnvFilter;

use super::{MIGRATIONS, refusal, settings};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What this thread logs while the guard lives comes here.
    fn keep(&self) -> DefaultGuard {
        let log = self.clone();
        set_default(telemetry::json_lines("jobs-service", EnvFilter::new("info"), move || log.clone()))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_server_that_starts_later_than_the_service_is_waited_for() {
    let server = Server::start();
    let place = server.database();
    server.stop();
    let log = Log::default();
    let _guard = log.keep();
    let url = place.url();
    let settings = settings(&url, 1);
    let start = async {
        eventually("it waits", async || log.text().contains("waiting").then_some(())).await;
        tokio::task::spawn_blocking(move || server.start_again()).await.unwrap();
    };
    let (opened, ()) = tokio::join!(Postgres::open(&settings, &MIGRATIONS), start);
    opened.unwrap().check().await.unwrap();
    assert_eq!(log.text().lines().filter(|line| line.contains("waiting up to 30s for the database")).count(), 1);
}

// Time stands still but for what the code itself waits for.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_come_is_given_up_after_half_a_minute() {
    let server = Server::start();
    let place = server.database();
    server.stop();
    let log = Log::default();
    let _guard = log.keep();
    let begin = Instant::now();
    let error = Postgres::open(&settings(&place.url(), 1), &MIGRATIONS).await.err().unwrap();
    assert!((28..=32).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert!(matches!(error, OpenError::Unavailable(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("cannot open the database: no connection to the database: "), "{text}");
    assert!(!text.contains(PASSWORD) && !text.contains("://"), "{text}");
    assert_eq!(log.text().lines().count(), 1, "{}", log.text());
    assert!(log.text().contains("\"level\":\"WARN\"") && !log.text().contains(PASSWORD));
}

#[tokio::test]
async fn a_server_that_refuses_us_is_not_asked_again() {
    let place = shared().database();
    let wrong_password = place.url().replace("dont", "do");
    let no_such_database = place.url().replace(&place.name, "nowhere");
    let no_such_user = place.url().replace("latchkey:", "nobody:");
    let no_password = format!("postgres://latchkey@127.0.0.1:{}/{}", shared().port(), place.name);
    let said = ["28P01", "3D000", "28P01", "password missing"];
    for (url, said) in [wrong_password, no_such_database, no_such_user, no_password].iter().zip(said) {
        let text = refusal(&settings(url, 1)).await.to_string();
        assert!(text.contains(said), "{text}");
        assert!(!text.contains(PASSWORD) && !text.contains("dont%2F") && !text.contains("://"), "{text}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_named_and_not_shown() {
    for url in [
        "postgres://latchkey:very-secret@host:port/x",
        "postgres://latchkey:very-secret@host/x?sslmode=verify-full",
        "postgres://latchkey:very-secret@host/x?very-secret=1",
        "postgres://latchkey:very-secret@host/x?port=very-secret",
    ] {
        let error = refusal(&settings(url, 1)).await;
        let OpenError::Rejected(rejected) = &error else { panic!("{error:?}") };
        assert_eq!(rejected.key, "database.url");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("secret") && !text.contains("latchkey:"), "{text}");
    }
}

#[tokio::test]
async fn a_host_that_is_gone_leaves_time_for_the_next_one() {
    let place = shared().database();
    // Nothing listens on the first, and nothing ever answers on the second (RFC 5737).
    let hosts = format!("127.0.0.1:1,192.0.2.1:5432,127.0.0.1:{}", shared().port());
    let url = place.url().replace(&format!("127.0.0.1:{}", shared().port()), &hosts);
    let settings = settings(&(url + "?target_session_attrs=read-write"), 1);
    let database = tokio::time::timeout(Duration::from_secs(10), Postgres::open(&settings, &MIGRATIONS)).await;
    database.unwrap().unwrap().check().await.unwrap();
}
