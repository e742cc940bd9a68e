//! `users …` and `sessions …` with the real program: what each command does and prints, and by which exit code a script knows.

mod exit_codes;
mod prompt;
mod users_and_sessions;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use system_tests::client::Client;
use system_tests::people::Person;
use system_tests::program::{Finished, Program, Service};
use system_tests::redis;
use system_tests::site::{Site, Storage};

use super::ground::open_site;

const PASSWORD: &str = "a password on standard input";
const NEW_PASSWORD: &str = "another one, set by an operator";

/// Exit codes.
const DONE: i32 = 0;
const WRONG_USAGE: i32 = 2;
const NOT_FOUND: i32 = 3;
const REFUSED: i32 = 4;

/// A running service, and its program for commands.
struct Scene {
    site: Site,
    service: Service,
    program: Program,
    _redis: Option<redis::Server>,
}

impl Scene {
    async fn open(storage: Storage) -> Self {
        let (site, redis) = open_site(storage, &[]).await;
        let program = Program::new("auth-service", site.directory(), site.environment(&[]));
        let service = program.serve().await;
        Self { site, service, program, _redis: redis }
    }

    fn client(&self) -> Client {
        self.service.client()
    }

    /// Runs a command that has to end with this code. What it says never has a password in it, and it either answers or complains.
    async fn run(&self, code: i32, arguments: &[&str], input: &str) -> Finished {
        let finished = self.program.run(arguments, input).await;
        assert_eq!(finished.status.code(), Some(code), "{arguments:?}: {finished:?}");
        for said in [&finished.stdout, &finished.stderr] {
            assert!(!said.contains(PASSWORD) && !said.contains(NEW_PASSWORD), "a password is shown: {finished:?}");
        }
        let complains =
            finished.stderr.lines().any(|line| line.starts_with("auth-service: ") || line.starts_with("error: "));
        assert_eq!(complains, code != DONE, "{finished:?}");
        assert!(code == DONE || finished.stdout.is_empty(), "{finished:?}");
        finished
    }

    /// Runs a command that has to print JSON and nothing else.
    async fn json(&self, arguments: &[&str], input: &str) -> Value {
        let finished = self.run(DONE, arguments, input).await;
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    }

    async fn add(&self) -> Person {
        let mut person = Person::invent();
        let added =
            self.json(&["users", "add", &person.username, &person.email, "--json"], &format!("{PASSWORD}\n")).await;
        person.id = added["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        PASSWORD.clone_into(&mut person.password);
        person
    }

    async fn login(&self, person: &Person, password: &str) -> u16 {
        let credentials = json!({ "username": person.username, "password": password });
        self.client().try_login(&credentials).await.status
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}
