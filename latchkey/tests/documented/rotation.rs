//! `docs/rotate-secrets.md`: an operator pastes it into a shell from the top, block by block, while people are signed in.

use std::fs;
use std::vec::IntoIter;

use serde_json::json;
use system_tests::client::{Client, SignedIn};
use system_tests::device::Device;
use system_tests::program::{Program, listening_on};
use system_tests::tokens::parts;
use system_tests::waiting::eventually;
use tempfile::TempDir;

use crate::blocks::{Block, Shell, blocks};

const PAGE: &str = include_str!("../../../docs/rotate-secrets.md");

/// What the page says to wait for.
const TAKEN: &str = "the secrets were read again";

struct Operator {
    shell: Shell,
    blocks: IntoIter<Block>,
    directory: TempDir,
}

impl Operator {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let programs = ["auth-service", "jobs-service"].map(|name| Program::new(name, directory.path(), Vec::new()));
        let programs = programs.each_ref().map(Program::directory);
        let environment = [("LATCHKEY_SERVER__PORT", "0"), ("LATCHKEY_DEMO", "true")];
        let shell = Shell::open(directory.path(), &programs, &environment);
        let blocks: Vec<_> = blocks(PAGE).into_iter().filter(|block| block.language == "sh").collect();
        Self { shell, blocks: blocks.into_iter(), directory }
    }

    /// Pastes the next block of the page, which is known by these words. Answers what it wrote.
    fn pastes(&mut self, words: &str) -> String {
        self.pastes_and_answers(words, "")
    }

    fn pastes_and_answers(&mut self, words: &str, answers: &str) -> String {
        let block = self.blocks.next().expect("the page goes on");
        assert!(block.text.contains(words), "not the block with {words}:\n{}", block.text);
        self.shell.run_and_answer(&block.text, answers)
    }

    /// What a service has logged; a shell that starts it in the background makes the file when it gets to it.
    fn log(&self, service: &str) -> String {
        fs::read_to_string(self.directory.path().join(format!("{service}.log"))).unwrap_or_default()
    }

    async fn client_of(&self, service: &str) -> Client {
        Client::new(eventually("the service listens", async || listening_on(&self.log(service))).await)
    }

    /// Waits until the services have logged so often that they read their secrets again.
    async fn sees_secrets_read(&self, times: [(&str, usize); 2]) {
        for (service, times) in times {
            let is_read = async || (self.log(service).matches(TAKEN).count() >= times).then_some(());
            eventually(&format!("{service} has read its secrets {times} times"), is_read).await;
        }
    }
}

async fn log_in(auth: &Client) -> Device {
    let ada = json!({ "username": "ada", "password": "latchkey-demo-ada" });
    Device::new(auth.try_login(&ada).await.read::<SignedIn>(200).tokens)
}

/// The keys that the tokens of a device are signed with.
fn kids(device: &Device) -> [String; 2] {
    [&device.tokens.access_token, &device.tokens.refresh_token]
        .map(|token| parts(token).0["kid"].as_str().unwrap().to_owned())
}

/// Uses what the device has in both services, refreshes, and uses what it was given.
async fn goes_on(device: &mut Device, auth: &Client, jobs: &Client) {
    for is_refreshed in [false, true] {
        if is_refreshed {
            let refreshed = device.refresh(auth).await.unwrap();
            assert_eq!(refreshed.status, 200, "{refreshed:?}");
        }
        let token = &device.tokens.access_token;
        for answer in [auth.current_user(token).await, jobs.job_list(token).await] {
            assert_eq!(answer.status, 200, "refreshed: {is_refreshed}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_the_page_has_typed_replaces_the_secrets_with_nobody_logged_out() {
    let words = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("`{TAKEN}`")), "the page tells what to wait for");
    let mut operator = Operator::new();
    operator.pastes("mkdir secrets");
    operator.pastes("auth-service > auth.log &");
    let (auth, jobs) = (operator.client_of("auth").await, operator.client_of("jobs").await);
    let (mut ada, left_behind) = (log_in(&auth).await, log_in(&auth).await);
    goes_on(&mut ada, &auth, &jobs).await;
    let old = kids(&ada);

    operator.pastes("new_refresh=$(next REFRESH)");
    operator.sees_secrets_read([("auth", 1), ("jobs", 1)]).await;
    let seen = operator.pastes("grep");
    assert!(["auth.log", "jobs.log"].iter().all(|log| seen.contains(&format!("{log}:"))), "{seen}");
    goes_on(&mut ada, &auth, &jobs).await;
    assert_eq!(kids(&ada), old, "nothing is signed with the new ones yet");

    operator.pastes(r#"echo "$new_refresh" > secrets/refresh"#);
    operator.sees_secrets_read([("auth", 2), ("jobs", 2)]).await;
    goes_on(&mut ada, &auth, &jobs).await;
    let new = kids(&ada);
    assert!(new.iter().all(|kid| !old.contains(kid)), "{old:?} {new:?}");
    let accepted = format!(r#"kid="{}",outcome="accepted""#, old[0]);
    let metrics = jobs.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(&accepted), "there is no {accepted} to look at:\n{metrics}");

    operator.pastes("cp secrets/refresh secrets/accepted-refresh");
    operator.sees_secrets_read([("auth", 3), ("jobs", 3)]).await;
    goes_on(&mut ada, &auth, &jobs).await;
    jobs.job_list(&left_behind.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    auth.current_user(&left_behind.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    auth.refresh(&left_behind.tokens.refresh_token).await.assert_problem(403, "refresh_token_invalid");

    after_a_leak(operator, ada, &auth, &jobs).await;
}

/// The second half of the page: the access secret is replaced at once, and one user's sessions are ended.
async fn after_a_leak(mut operator: Operator, mut ada: Device, auth: &Client, jobs: &Client) {
    let [leaked, kept] = kids(&ada);
    let mut idle = log_in(auth).await;
    operator.pastes("new_access=$(next ACCESS)");
    operator.sees_secrets_read([("auth", 4), ("jobs", 4)]).await;
    goes_on(&mut ada, auth, jobs).await;

    operator.pastes("kill -HUP $auth");
    operator.sees_secrets_read([("auth", 5), ("jobs", 4)]).await;
    // What auth-service signs from now on is good in the service that has not been told yet.
    let refreshed = ada.refresh(auth).await.unwrap();
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    goes_on(&mut ada, auth, jobs).await;
    operator.pastes("kill -HUP $jobs");
    operator.sees_secrets_read([("auth", 5), ("jobs", 5)]).await;
    goes_on(&mut ada, auth, jobs).await;
    assert_ne!(kids(&ada)[0], leaked);
    assert_eq!(kids(&ada)[1], kept);

    // A client that was away: it is refused once, refreshes, and goes on.
    jobs.job_list(&idle.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    auth.current_user(&idle.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    assert_eq!(idle.refresh(auth).await.unwrap().status, 200);
    goes_on(&mut idle, auth, jobs).await;

    operator.pastes_and_answers("auth-service sessions end ada --all", "kelp on the harbour wall\n");
    for mut device in [ada, idle] {
        device.refresh(auth).await.unwrap().assert_session_ended(Some("admin"));
    }
    let unread = operator.blocks.next().map(|block| block.text);
    assert_eq!(unread, None, "the page has a block that nothing runs");
}
