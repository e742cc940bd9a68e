//! What an operator does with the program beside a service under full load: each command does its work, the service goes on, and
//! sees what was changed at once. What commands print, and their exit codes, is with the accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rstest::rstest;
use serde_json::Value;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::people::Person;
use system_tests::program::{Finished, Program, Service};
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::waiting::eventually;
use tokio::task::JoinSet;

const PASSWORD: &str = "a password for the commands";
const NEW_PASSWORD: &str = "another password for them";

/// A service, twelve devices that refresh as fast as they are answered, and an operator.
struct Scene {
    site: Site,
    service: Service,
    load: Load,
    said: Vec<Finished>,
}

/// Devices that refresh without end, none of which may be refused.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    refreshes: Arc<AtomicUsize>,
    devices: JoinSet<()>,
}

impl Load {
    pub(super) async fn start(site: &Site, client: &Client) -> Self {
        let mut load = Self { is_over: Arc::default(), refreshes: Arc::default(), devices: JoinSet::new() };
        for _ in 0..3 {
            let person = site.person(SystemClock.now()).await;
            for _ in 0..4 {
                let mut device = Device::login(client, &person).await;
                let (client, is_over, refreshes) = (client.clone(), load.is_over.clone(), load.refreshes.clone());
                load.devices.spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        let answer = device.refresh(&client).await.expect("the service answers");
                        assert_eq!(answer.status, 200, "{answer:?}");
                        refreshes.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        }
        load
    }

    pub(super) async fn goes_on(&self) {
        let before = self.refreshes.load(Ordering::Relaxed);
        let more = async || (self.refreshes.load(Ordering::Relaxed) > before + 24).then_some(());
        eventually("the service goes on serving", more).await;
    }

    pub(super) async fn end(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(device) = self.devices.join_next().await {
            device.expect("no device was refused");
        }
    }
}

impl Scene {
    async fn open(storage: Storage) -> Self {
        let site = Site::open(storage, &[]).await;
        let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
        let load = Load::start(&site, &service.client()).await;
        Self { site, service, load, said: Vec::new() }
    }

    /// Runs a command under load.
    async fn command(&mut self, arguments: &[&str], input: &str) -> &Finished {
        let port = self.service.address.port().to_string();
        let environment = self.site.environment(&[("SERVER__PORT", &port)]);
        let finished = Program::new("auth-service", self.site.directory(), environment).run(arguments, input).await;
        self.load.goes_on().await;
        self.said.push(finished);
        &self.said[self.said.len() - 1]
    }

    /// Runs a command that has to succeed, and gives what it answers.
    async fn succeed(&mut self, arguments: &[&str], input: &str) -> String {
        let finished = self.command(arguments, input).await;
        assert_eq!(finished.status.code(), Some(0), "{arguments:?}: {finished:?}");
        finished.stdout.clone()
    }

    /// Adds a user by command.
    async fn add(&mut self) -> Person {
        let mut person = Person::invent();
        PASSWORD.clone_into(&mut person.password);
        let input = format!("{PASSWORD}\n");
        let added = self.succeed(&["users", "add", &person.username, &person.email, "--json"], &input).await;
        let added: Value = serde_json::from_str(&added).expect("JSON");
        person.id = added["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        person
    }

    /// Ends the load and asserts what holds for all that was said meanwhile.
    async fn close(self) {
        self.load.end().await;
        let log = self.service.log();
        let said = self.said.iter().flat_map(|finished| [&finished.stdout, &finished.stderr]);
        for text in said.chain([&log]) {
            for word in ["database is locked", "panicked", PASSWORD, NEW_PASSWORD] {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn users_are_added_listed_and_deleted(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage).await;
    let client = scene.service.client();
    let person = scene.add().await;
    let tokens = client.login(&person).await;

    assert!(scene.succeed(&["users", "list"], "").await.contains(&person.email));

    scene.succeed(&["users", "delete", &person.username], "").await;
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");
    client.current_user(&tokens.access_token).await.assert_problem(401, "access_token_revoked");
    assert!(!scene.succeed(&["users", "list"], "").await.contains(&person.username));
    scene.close().await;
}

#[rstest]
#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_may_be_enabled_again(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage).await;
    let client = scene.service.client();
    let person = scene.site.person(SystemClock.now()).await;
    let tokens = client.login(&person).await;
    scene.succeed(&["users", "disable", &person.email.to_lowercase()], "").await;
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");

    scene.succeed(&["users", "enable", &person.id.to_string()], "").await;
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    assert_eq!(client.try_login(&person.credentials()).await.status, 200);
    scene.close().await;
}

#[rstest]
#[tokio::test]
async fn another_password_ends_the_sessions_of_the_old_one(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage).await;
    let client = scene.service.client();
    let mut person = scene.site.person(SystemClock.now()).await;
    let tokens = client.login(&person).await;
    scene.succeed(&["users", "set-password", &person.username], &format!("{NEW_PASSWORD}\r\n")).await;
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("password_changed"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");
    NEW_PASSWORD.clone_into(&mut person.password);
    assert_eq!(client.try_login(&person.credentials()).await.status, 200);
    scene.close().await;
}

#[rstest]
#[tokio::test]
async fn sessions_are_listed_and_ended(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage).await;
    let client = scene.service.client();
    let person = scene.site.person(SystemClock.now()).await;
    let (phone, laptop) =
        (client.login_on(&person, "phone").await.tokens, client.login_on(&person, "laptop").await.tokens);
    let listed = scene.succeed(&["sessions", "list", &person.username], "").await;
    assert!(listed.contains("phone") && listed.contains("laptop"), "{listed}");
    scene.succeed(&["sessions", "end", &person.username, &phone.session_id.to_string()], "").await;
    client.refresh(&phone.refresh_token).await.assert_session_ended(Some("admin"));
    let laptop = client.refresh(&laptop.refresh_token).await.tokens();
    scene.succeed(&["sessions", "end", &person.username, "--all"], "").await;
    client.refresh(&laptop.refresh_token).await.assert_session_ended(Some("admin"));
    assert_eq!(scene.succeed(&["sessions", "list", &person.username, "--json"], "").await.trim(), "[]");
    scene.close().await;
}

#[rstest]
#[tokio::test]
async fn keygen_migrate_and_healthcheck_work_beside_a_service(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage).await;
    let printed = scene.succeed(&["keygen"], "").await;
    let secrets: Vec<_> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    let names: Vec<_> = secrets.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["LATCHKEY_TOKENS__ACCESS_SECRET", "LATCHKEY_TOKENS__REFRESH_SECRET"]);
    assert!(secrets[0].1 != secrets[1].1 && secrets.iter().all(|(_, secret)| secret.len() >= 32), "{secrets:?}");
    assert_ne!(scene.succeed(&["keygen"], "").await, printed);

    scene.succeed(&["migrate"], "").await;
    scene.succeed(&["healthcheck"], "").await;
    scene.close().await;
}

#[rstest]
#[tokio::test]
async fn migrate_seeds_the_demo_users_once_where_it_is_told_to(#[values(Embedded, Distributed)] storage: Storage) {
    let site = Site::open(storage, &[]).await;
    let program = |changes: &[(&str, &str)]| Program::new("auth-service", site.directory(), site.environment(changes));
    for (changes, users) in [
        (&[][..], &[][..]),
        (&[("DEMO", "true")], &["ada", "grace", "linus"]),
        (&[("DEMO", "true")], &["ada", "grace", "linus"]),
    ] {
        let finished = program(changes).run(&["migrate"], "").await;
        assert_eq!(finished.status.code(), Some(0), "{finished:?}");
        let mut listed: Vec<_> = site.stores.users.list().await.expect("the database works");
        listed.sort_by(|one, other| one.username.cmp(&other.username));
        assert_eq!(listed.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), users);
    }
}

#[tokio::test]
async fn healthcheck_fails_where_nothing_answers() {
    let site = Site::open(Embedded, &[]).await;
    let program = Program::new("auth-service", site.directory(), site.environment(&[]));
    let mut service = program.serve().await;
    let port = service.address.port().to_string();
    service.kill().await;
    let asking = Program::new("auth-service", site.directory(), site.environment(&[("SERVER__PORT", &port)]));
    let finished = asking.run(&["healthcheck"], "").await;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.contains(&port), "{finished:?}");
}
