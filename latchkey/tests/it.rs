//! The whole process as a new user meets it: one command, then requests; then once more on the same data.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared_claims::generate_secret;
use tempfile::TempDir;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `latchkey` on ports of its own; killed with the test if it was not stopped before.
struct Latchkey {
    process: Child,
    web: String,
    auth: String,
    jobs: String,
    client: Client,
    /// What a person sees first.
    banner: String,
    /// What is said after it.
    log: Receiver<String>,
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.current_dir(directory).env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    for port in ["WEB", "AUTH", "JOBS"] {
        command.env(format!("LATCHKEY_PORTS__{port}"), "0");
    }
    command
}

impl Latchkey {
    fn start(directory: &Path) -> Self {
        Self::start_as(command(directory))
    }

    fn start_as(mut command: Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_before_the_end = |line: &String| line != "Ctrl-C stops it.";
        let banner = lines.by_ref().take_while(is_before_the_end).collect::<Vec<_>>().join("\n");
        // Whoever does not read what a process writes stops it sooner or later.
        let (said, log) = mpsc::channel();
        std::thread::spawn(move || lines.for_each(|line| drop(said.send(line))));
        let mut addresses = banner.lines().filter(|line| line.starts_with("  http://"));
        let mut address = || addresses.next().unwrap().trim().split(' ').next().unwrap().to_owned();
        let (web, auth, jobs) = (address(), address(), address());
        Self { process, web, auth, jobs, client: Client::new(), banner, log }
    }

    /// Sends a signal by its name.
    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Has it read its secrets again, and waits until it has said this of them.
    fn hang_up(&self, expected: &str) {
        self.signal("HUP");
        let said = |line: &str| ["the secrets were read again", "cannot be used"].iter().any(|end| line.contains(end));
        let line = std::iter::from_fn(|| self.log.recv_timeout(PATIENCE).ok()).find(|line| said(line)).unwrap();
        assert!(line.contains(expected), "{line}");
    }

    async fn login(&self) -> Value {
        self.login_as("ada").await
    }

    async fn login_as(&self, name: &str) -> Value {
        let body = json!({"username": name, "password": format!("latchkey-demo-{name}")});
        let response = self.client.post(format!("{}/login", self.auth)).json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    async fn refresh(&self, tokens: &Value) -> Response {
        let body = json!({"refreshToken": tokens["refreshToken"]});
        self.client.post(format!("{}/refresh-token", self.auth)).json(&body).send().await.unwrap()
    }

    async fn jobs(&self, base: &str, tokens: &Value) -> Value {
        let token = tokens["accessToken"].as_str().unwrap();
        let response = self.client.get(format!("{base}/job-list")).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    fn stop(mut self) -> bool {
        self.signal("TERM");
        self.process.wait().unwrap().success()
    }
}

impl Drop for Latchkey {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn the_story_of_the_readme_works_as_told() {
    let directory = directory();
    let latchkey = Latchkey::start(directory.path());
    let first = latchkey.login().await;
    let jobs = latchkey.jobs(&latchkey.jobs, &first).await;
    assert!(jobs.as_array().unwrap().len() >= 3, "{jobs}");
    let second: Value = latchkey.refresh(&first).await.json().await.unwrap();
    assert_eq!(latchkey.jobs(&latchkey.jobs, &second).await, jobs);
    let refused = latchkey.refresh(&first).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "refresh_token_reused");
}

#[tokio::test]
async fn what_the_banner_says_is_so() {
    let directory = directory();
    let latchkey = Latchkey::start(directory.path());
    let banner = &latchkey.banner;
    assert!(banner.contains("ada, grace and linus, each with the password latchkey-demo-NAME"), "{banner}");
    for name in ["ada", "grace", "linus"] {
        assert_eq!(latchkey.login_as(name).await["user"]["username"], name);
    }
    let curl = banner.split_once("  curl ").map(|(_, rest)| format!("curl {rest}")).unwrap();
    let output = Command::new("bash").args(["-c", &curl]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["user"]["username"], &answer["tokenType"]), (&json!("ada"), &json!("Bearer")));
}

#[tokio::test]
async fn sessions_secrets_and_jobs_survive_a_restart() {
    let directory = directory();
    let latchkey = Latchkey::start(directory.path());
    let tokens = latchkey.login().await;
    let jobs = latchkey.jobs(&latchkey.jobs, &tokens).await;
    assert!(latchkey.stop(), "it ends well when it is told to");
    let latchkey = Latchkey::start(directory.path());
    assert_eq!(latchkey.jobs(&latchkey.jobs, &tokens).await, jobs);
    assert_eq!(latchkey.refresh(&tokens).await.status(), StatusCode::OK);
}

/// Writes a secret for each kind of token, and one that is accepted, each into a file.
fn write_secrets(directory: &Path, signing: &[String; 2], accepted: &[String; 2]) {
    for (number, kind) in ["access", "refresh"].into_iter().enumerate() {
        std::fs::write(directory.join(kind), &signing[number]).unwrap();
        std::fs::write(directory.join(format!("accepted-{kind}")), &accepted[number]).unwrap();
    }
}

#[tokio::test]
async fn at_sighup_both_services_take_new_secrets_and_sign_nobody_out() {
    let directory = directory();
    let generate = || generate_secret().expose_secret().to_owned();
    let (old, new) = ([generate(), generate()], [generate(), generate()]);
    write_secrets(directory.path(), &old, &old);
    let mut command = command(directory.path());
    for (name, file) in [
        ("ACCESS_SECRET", "access"),
        ("REFRESH_SECRET", "refresh"),
        ("ACCEPTED_ACCESS_SECRETS", "accepted-access"),
        ("ACCEPTED_REFRESH_SECRETS", "accepted-refresh"),
    ] {
        command.env(format!("LATCHKEY_TOKENS__{name}_FILE"), file);
    }
    let latchkey = Latchkey::start_as(command);
    let before = latchkey.login().await;

    write_secrets(directory.path(), &new, &old);
    latchkey.hang_up("were read again");
    latchkey.jobs(&latchkey.jobs, &before).await;
    let renewed: Value = latchkey.refresh(&before).await.json().await.unwrap();
    latchkey.jobs(&latchkey.jobs, &renewed).await;

    write_secrets(directory.path(), &["too short".to_owned(), "as well".to_owned()], &new);
    latchkey.hang_up("cannot be used");
    latchkey.jobs(&latchkey.jobs, &before).await;

    // The old ones are retired: what they signed is refused, what the new ones signed is not.
    write_secrets(directory.path(), &new, &new);
    latchkey.hang_up("were read again");
    latchkey.jobs(&latchkey.jobs, &renewed).await;
    let list = latchkey.client.get(format!("{}/job-list", latchkey.jobs));
    let refused = list.bearer_auth(before["accessToken"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(latchkey.refresh(&before).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(latchkey.refresh(&renewed).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn each_service_describes_itself_wherever_it_is_mounted() {
    let directory = directory();
    let latchkey = Latchkey::start(directory.path());
    let get = async |url: String| latchkey.client.get(url).send().await.unwrap();
    for (own, mounted, title) in
        [(&latchkey.auth, "/api/auth", "auth-service"), (&latchkey.jobs, "/api/jobs", "jobs-service")]
    {
        for base in [own.clone(), format!("{}{mounted}", latchkey.web)] {
            let document: Value = get(format!("{base}/openapi.json")).await.json().await.unwrap();
            assert_eq!((&document["info"]["title"], &document["servers"][0]["url"]), (&json!(title), &json!(".")));
            for path in ["/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"] {
                assert_eq!(get(format!("{base}{path}")).await.status(), StatusCode::OK, "{base}{path}");
            }
        }
    }
}

#[tokio::test]
async fn one_origin_has_the_page_and_both_services() {
    let directory = directory();
    let latchkey = Latchkey::start(directory.path());
    let get = async |path: &str| latchkey.client.get(format!("{}{path}", latchkey.web)).send().await.unwrap();
    let page = get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(page.text().await.unwrap().contains("Latchkey is running"));
    for (path, status) in [
        ("/api/auth/current-user", StatusCode::UNAUTHORIZED),
        ("/api/jobs/job-list", StatusCode::UNAUTHORIZED),
        ("/api/auth/login", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/auth/nothing", StatusCode::NOT_FOUND),
        ("/api/nothing", StatusCode::NOT_FOUND),
        ("/api/auth/metrics", StatusCode::NOT_FOUND),
        ("/metrics", StatusCode::NOT_FOUND),
        ("/nothing.js", StatusCode::NOT_FOUND),
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
    }
    let tokens = latchkey.login().await;
    let through_the_page = latchkey.jobs(&format!("{}/api/jobs", latchkey.web), &tokens).await;
    assert_eq!(through_the_page, latchkey.jobs(&latchkey.jobs, &tokens).await);
}

#[tokio::test]
async fn a_built_web_client_is_served_with_the_right_caching() {
    let directory = directory();
    std::fs::create_dir(directory.path().join("site")).unwrap();
    for (name, content) in [("index.html", "<p>the client</p>"), ("main-A1B2C3D4.js", "1"), ("favicon.ico", "2")] {
        std::fs::write(directory.path().join("site").join(name), content).unwrap();
    }
    let mut command = command(directory.path());
    command.env("LATCHKEY_WEB_DIR", "site").env("LATCHKEY_REGISTRATION__ENABLED", "true");
    let latchkey = Latchkey::start_as(command);
    for (path, content, caching) in [
        ("/", "<p>the client</p>", "no-cache"),
        ("/profile", "<p>the client</p>", "no-cache"),
        ("/main-A1B2C3D4.js", "1", "public, max-age=31536000, immutable"),
        ("/favicon.ico", "2", "no-cache"),
        ("/config.json", r#"{"registration":true,"demo":true}"#, "no-cache"),
    ] {
        let response = latchkey.client.get(format!("{}{path}", latchkey.web)).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], caching, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.text().await.unwrap(), content, "{path}");
    }
    let missing = latchkey.client.get(format!("{}/main-00000000.js", latchkey.web)).send().await.unwrap();
    assert_eq!(
        (missing.status(), &missing.headers()["cache-control"]),
        (StatusCode::NOT_FOUND, &"no-cache".parse().unwrap())
    );
}

#[tokio::test]
async fn without_the_demo_there_are_no_users() {
    let directory = directory();
    let mut command = command(directory.path());
    command.env("LATCHKEY_DEMO", "false");
    let latchkey = Latchkey::start_as(command);
    assert!(!latchkey.banner.contains("latchkey-demo"), "{}", latchkey.banner);
    let body = json!({"username": "ada", "password": "latchkey-demo-ada"});
    let response = latchkey.client.post(format!("{}/login", latchkey.auth)).json(&body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

fn refuses_to_start(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[test]
fn what_keeps_it_from_starting_is_said() {
    let directory = directory();
    let mut taken = command(directory.path());
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    taken.env("LATCHKEY_PORTS__AUTH", &port);
    let said = refuses_to_start(taken);
    assert!(said.contains(&port) && said.contains("in use"), "{said}");

    std::fs::write(directory.path().join("file"), "").unwrap();
    let mut unwritable = command(directory.path());
    unwritable.env("LATCHKEY_DATA_DIR", "file/data");
    assert!(refuses_to_start(unwritable).contains("file/data"));

    let mut half = command(directory.path());
    half.env("LATCHKEY_TOKENS__ACCESS_SECRET", "only-one-of-the-two-secrets-that-are-needed");
    assert!(refuses_to_start(half).contains("tokens.refresh_secret"));

    let mut unknown = command(directory.path());
    unknown.env("LATCHKEY_PORTS__WEBB", "1");
    let said = refuses_to_start(unknown);
    assert!(said.contains("LATCHKEY_PORTS__WEBB") && said.contains("LATCHKEY_PORTS__WEB"), "{said}");
}

#[test]
fn it_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_latchkey")).arg("--version").output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim(), format!("latchkey {}", env!("CARGO_PKG_VERSION")));
}
