//! A database that fails: 503 for the caller, one line for the operator, and nothing is lost.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use service_kit::telemetry;
use shared_claims::random;
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::{Answer, DATABASE, TestApp, Tokens, User, answer, start, start_with};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static CAPTURE: Once = Once::new();

struct Written;

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From here on the log of the whole test run is kept; a test knows its own lines by the name of its service.
fn capture_log() {
    CAPTURE.call_once(|| {
        telemetry::json_lines("tests", EnvFilter::new("info"), || Written).try_init().expect("the first subscriber");
    });
}

fn logged() -> String {
    String::from_utf8(WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
}

/// What an operator may do to the file while the service runs.
fn run_sql(app: &TestApp, sql: &str) -> Connection {
    let connection = Connection::open(app.database()).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

async fn every_call(user: &User<'_>, path: &str) -> Vec<Answer> {
    let body = json!({ "title": "x" });
    vec![
        user.get("/job-list").await,
        user.post(&body).await,
        user.get(path).await,
        user.put(path, &body).await,
        user.delete(path).await,
    ]
}

#[actix_web::test]
async fn a_failure_of_the_database_is_503_for_every_call_and_tells_no_cause() {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Still here afterwards").await;
    run_sql(&app, "ALTER TABLE jobs RENAME TO jobs_hidden");
    for answer in every_call(&user, &path).await {
        let problem = answer.expect_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "2");
        assert_eq!(problem["detail"], "The service cannot answer this right now. Please try again.");
        assert_eq!(problem.as_object().unwrap().len(), 5, "{problem}");
    }
    run_sql(&app, "ALTER TABLE jobs_hidden RENAME TO jobs");
    assert_eq!(user.jobs().await, [job]);
}

#[actix_web::test]
async fn a_caller_without_a_token_is_refused_as_ever_while_the_database_is_down() {
    let app = start().await;
    run_sql(&app, "DROP TABLE jobs");
    answer(app.request(Method::GET, "/job-list")).await.expect_problem(401, "access_token_missing");
}

#[actix_web::test]
async fn an_outage_is_logged_with_its_cause_when_it_begins_and_when_it_ends() {
    capture_log();
    let name = "jobs-in-an-outage";
    let app = start_with(&[("LATCHKEY_SERVER__NAME", name)]).await;
    let tokens = Tokens { audience: vec![name.to_owned()], ..Tokens::default() };
    let id = random::uuid();
    let user = User { app: &app, id, token: tokens.mint(&app.secret, id, &app.clock) };
    let (path, _) = user.make("Nothing for a log").await;
    for table in ["jobs RENAME TO jobs_hidden", "jobs_hidden RENAME TO jobs"] {
        run_sql(&app, &format!("ALTER TABLE {table}"));
        for _ in 0..3 {
            user.get(&path).await;
            user.put(&path, &json!({ "title": "Nothing for a log" })).await;
        }
    }
    let log = logged();
    let lines: Vec<Value> =
        log.lines().filter(|line| line.contains(name)).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["message"], &line["work"])).collect();
    let [down, up] = ["the database fails", "the database works again"].map(Value::from);
    let [reading, writing] = ["reading", "writing"].map(Value::from);
    assert_eq!(told, [(&down, &reading), (&down, &writing), (&up, &reading), (&up, &writing)]);
    assert!(lines[0]["cause"].as_str().unwrap().contains("no such table: jobs"), "{lines:?}");
    assert!(!log.contains("Nothing for a log") && !log.contains(&user.token), "{lines:?}");
}

#[actix_web::test]
async fn a_file_that_another_program_keeps_locked_can_still_be_read() {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Readable").await;
    let lock = run_sql(&app, "BEGIN IMMEDIATE");
    let started = Instant::now();
    user.put(&path, &json!({ "title": "Not written" })).await.expect_problem(503, "unavailable");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(user.get(&path).await.expect(200), job);
    let ready = answer(app.request(Method::GET, "/health/ready")).await.expect(503);
    assert_eq!((&ready["status"], &ready["checks"]["database"]["status"]), (&json!("unready"), &json!("down")));
    lock.execute_batch("ROLLBACK").unwrap();
    assert_eq!(user.put(&path, &json!({ "title": "Written" })).await.expect(200)["title"], "Written");
    answer(app.request(Method::GET, "/health/ready")).await.expect(200);
}

#[actix_web::test]
async fn a_restart_loses_nothing() {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Kept").await;
    let database = format!("sqlite:{}", app.database().display());
    let again = start_with(&[(DATABASE, &database)]).await;
    assert_eq!(again.user_with_id(user.id).get(&path).await.expect(200), job);
}
