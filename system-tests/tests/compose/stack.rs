//! The stack that runs already: where it listens, and what Compose does to it.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use system_tests::client::{Answered, Client};
use system_tests::people::Person;
use system_tests::waiting::eventually;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this by `make test-compose`"))
}

fn at(port: &str) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, variable(port).parse().expect("a port")))
}

/// The gateway itself.
pub(crate) fn site() -> Client {
    Client::new(at("LATCHKEY_PORTS__WEB"))
}

/// auth-service through the gateway.
pub(crate) fn auth() -> Client {
    Client::below(at("LATCHKEY_PORTS__WEB"), "/api/auth")
}

/// jobs-service through the gateway.
pub(crate) fn jobs() -> Client {
    Client::below(at("LATCHKEY_PORTS__WEB"), "/api/jobs")
}

/// auth-service at its own port.
pub(crate) fn auth_alone() -> Client {
    Client::new(at("LATCHKEY_PORTS__AUTH"))
}

/// jobs-service at its own port.
pub(crate) fn jobs_alone() -> Client {
    Client::new(at("LATCHKEY_PORTS__JOBS"))
}

/// Somebody new, who may log in.
pub(crate) async fn person() -> Person {
    let person = Person::invent();
    let answer = auth().register(&person.username, &person.email, &person.password).await;
    let id = answer.read::<Value>(201)["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    Person { id, ..person }
}

/// Gives somebody a job.
pub(crate) async fn add_job(access_token: &str, title: &str) {
    let answer = jobs().post("/jobs", &json!({ "title": title })).bearer_auth(access_token).answer().await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Runs a command of Compose on this stack, whichever Compose brought it up.
pub(crate) async fn compose(arguments: &[&str]) -> String {
    compose_with(arguments, "").await
}

/// The same with something on its standard input.
pub(crate) async fn compose_with(arguments: &[&str], input: &str) -> String {
    let output = try_compose(arguments, input).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The same for a command that may fail.
pub(crate) async fn try_compose(arguments: &[&str], input: &str) -> Output {
    run(&format!("{} {}", variable("COMPOSE"), arguments.join(" ")), input).await
}

/// What the engine tells of the container of a service.
pub(crate) async fn inspect(service: &str) -> Value {
    let id = compose(&["ps", "--all", "--quiet", service]).await;
    let output = run(&format!("docker inspect {id}"), "").await;
    let mut containers: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    containers.pop().unwrap_or_else(|| panic!("{service} has no container"))
}

/// Runs a command of nothing but words at the top of the repository, where the compose files are.
pub(crate) async fn run(command: &str, input: &str) -> Output {
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next().expect("a command"));
    command
        .args(words)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn()?;
        // It may end without reading; what it is given goes when it is written, and says so by its end.
        drop(child.stdin.take().expect("a pipe").write_all(input.as_bytes()));
        child.wait_with_output()
    });
    let ended = tokio::time::timeout(Duration::from_mins(2), running).await.expect("it ends within two minutes");
    ended.expect("no panic").expect("the command is there")
}

/// Waits until every part is ready, seen through the gateway.
pub(crate) async fn all_ready() {
    for client in [site(), auth(), jobs()] {
        eventually("it is ready", async || {
            let answer = client.get("/health/ready").send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}
