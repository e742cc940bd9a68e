use std::io::Write;
use std::sync::Arc;

use serde_json::Value as Json;
use tracing_subscriber::EnvFilter;

use super::*;
use crate::telemetry;

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

/// The messages that are logged while `act` runs, each with its cause.
async fn logged(act: impl AsyncFnOnce(&Outage)) -> Vec<(String, Option<String>)> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = telemetry::json_lines("test", EnvFilter::new("info"), move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    act(&Outage::new("the token store")).await;
    drop(guard);
    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = |line: &str| {
        let line: Json = serde_json::from_str(line).unwrap();
        (line["message"].as_str().unwrap().to_owned(), line["cause"].as_str().map(str::to_owned))
    };
    lines.lines().map(line).collect()
}

const WORKS: Result<(), &str> = Ok(());
const FAILS: Result<(), &str> = Err("connection refused");

fn down() -> (String, Option<String>) {
    ("the token store fails".to_owned(), Some("connection refused".to_owned()))
}

fn up() -> (String, Option<String>) {
    ("the token store works again".to_owned(), None)
}

#[tokio::test(start_paused = true)]
async fn each_change_is_one_line() {
    let lines = logged(async |outage| {
        for outcome in [WORKS, WORKS, FAILS, FAILS, FAILS] {
            outage.observe(&outcome);
        }
        tokio::time::advance(QUIET).await;
        for outcome in [WORKS, WORKS, FAILS] {
            outage.observe(&outcome);
        }
    });
    assert_eq!(lines.await, [down(), up(), down()]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_every_other_time_is_down_all_the_time() {
    let lines = logged(async |outage| {
        for _ in 0..100 {
            outage.observe(&FAILS);
            outage.observe(&WORKS);
            tokio::time::advance(QUIET / 2).await;
            outage.observe(&WORKS);
        }
        tokio::time::advance(QUIET).await;
        outage.observe(&WORKS);
    });
    assert_eq!(lines.await, [down(), up()]);
}

#[tokio::test(start_paused = true)]
async fn what_always_works_is_not_worth_a_line() {
    assert_eq!(logged(async |outage| outage.observe(&WORKS)).await, []);
}
