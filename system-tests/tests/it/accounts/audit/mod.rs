//! The audit trail: each event once, with the ids and the address that belong to it and the id of the request that caused it. Read
//! from what the real programs write.

mod changes;
mod signing_in;

use serde_json::{Value, json};
use shared_claims::{Clock, SystemClock};
use system_tests::client::{Answer, Answered, Client, SignedIn, Tokens};
use system_tests::people::Person;
use system_tests::program::{Program, Service};
use system_tests::redis;
use system_tests::site::{Site, Storage};
use uuid::Uuid;

use super::TRUSTED_PROXY;
use super::ground::open_site;

const ADDRESS: &str = "203.0.113.7";
const NEW: &str = "an entirely new password";

struct Scene {
    site: Site,
    service: Service,
    client: Client,
    requests: usize,
    _redis: Option<redis::Server>,
}

impl Scene {
    async fn open(storage: Storage, settings: &[(&str, &str)]) -> Self {
        let (site, redis) = open_site(storage, &[&[TRUSTED_PROXY], settings].concat()).await;
        let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
        let client = service.client();
        Self { site, service, client, requests: 0, _redis: redis }
    }

    /// Goes on with another service over the same storage, with some settings changed.
    async fn restart_with(&mut self, changes: &[(&str, &str)]) {
        let environment = self.site.environment(changes);
        self.service = Program::new("auth-service", self.site.directory(), environment).serve().await;
        self.client = self.service.client();
    }

    async fn person(&self) -> Person {
        self.site.person(SystemClock.now()).await
    }

    /// Sends a request, and gives its answer with the events that it caused.
    async fn watch(&mut self, request: reqwest::RequestBuilder) -> (Answer, Vec<Value>) {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        let answer = request.header("X-Request-Id", &id).header("X-Forwarded-For", ADDRESS).answer().await;
        // A line is written before the answer is sent.
        (answer, events(&self.service.log(), |event| event["span"]["request_id"] == id.as_str()))
    }

    async fn login(&mut self, person: &Person) -> Tokens {
        let (answer, _) = self.watch(self.client.post("/login", &person.credentials())).await;
        answer.read::<SignedIn>(200).tokens
    }

    /// Refreshes, and gives the events.
    async fn refresh(&mut self, token: &str, code: &str) -> Vec<Value> {
        let (answer, events) = self.watch(self.client.post("/refresh-token", &json!({ "refreshToken": token }))).await;
        answer.assert_problem(403, code);
        events
    }
}

/// The audit events in a log that are meant.
fn events(log: &str, is_meant: impl Fn(&Value) -> bool) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line of a log is JSON"));
    lines.filter(|line| line["target"] == "latchkey::audit" && is_meant(line)).collect()
}

/// Asserts that these events were written and no other, each with the address of the request.
#[track_caller]
fn assert_events(events: &[Value], expected: &[Value]) {
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let mut told = event.clone();
            let members = told.as_object_mut().expect("an object");
            members.retain(|name, _| {
                !["service", "timestamp", "level", "target", "span", "address"].contains(&name.as_str())
            });
            told
        })
        .collect();
    assert_eq!(told, expected, "{events:?}");
    assert!(events.iter().all(|event| event["address"] == ADDRESS), "{events:?}");
}

fn event(name: &str, user: Uuid, more: &Value) -> Value {
    let mut event = json!({ "event": name, "user_id": user });
    let members = event.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("members").clone());
    event
}
