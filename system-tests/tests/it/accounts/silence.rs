//! No secret is ever logged: every call of both services is made, right and wrong, with secrets where they belong and where they do
//! not, and then all that the real programs wrote is searched for each of them.

use reqwest::{Method, RequestBuilder};
use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared_claims::random;
use system_tests::client::{Answer, Answered, Client};
use system_tests::people::Person;
use system_tests::postgres;
use system_tests::program::{Program, Service};
use system_tests::redis;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::ground::open_site;

/// The services, and every secret that they have been told or have told.
struct Scene {
    auth: Service,
    jobs: Service,
    clients: [Client; 2],
    site: Site,
    redis: Option<redis::Server>,
    secrets: Vec<String>,
    said: Vec<String>,
}

impl Scene {
    async fn open(storage: Storage, log_level: &str) -> Self {
        let settings = [
            ("REGISTRATION__ENABLED", "true"),
            ("RATE_LIMIT__ENABLED", "true"),
            ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "1000"),
            ("RATE_LIMIT__ADDRESS_ATTEMPTS", "1000"),
        ];
        let (site, redis) = open_site(storage, &settings).await;
        let serve = async |name: &str, mut environment: Vec<(String, String)>| {
            environment.push(("RUST_LOG".to_owned(), log_level.to_owned()));
            Program::new(name, site.directory(), environment).serve().await
        };
        let auth = serve("auth-service", site.environment(&[])).await;
        let jobs = serve("jobs-service", site.jobs_environment()).await;
        let secrets = [&site.secrets.access, &site.secrets.refresh].map(|secret| secret.expose_secret().to_owned());
        let mut secrets = Vec::from(secrets);
        secrets.push(postgres::PASSWORD.to_owned());
        let clients = [auth.client(), jobs.client()];
        Self { auth, jobs, clients, site, redis, secrets, said: Vec::new() }
    }

    /// Makes up something that must not be shown.
    fn secret(&mut self, kind: &str) -> String {
        let secret = format!("{kind}-{}", random::uuid().simple());
        self.secrets.push(secret.clone());
        secret
    }

    fn auth(&self) -> &Client {
        &self.clients[0]
    }

    /// Sends a request, and notes the tokens in its answer.
    async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = request.answer().await;
        if let Ok(body) = serde_json::from_str::<Value>(&answer.body) {
            let tokens = ["accessToken", "refreshToken"].into_iter().filter_map(|name| body[name].as_str());
            self.secrets.extend(tokens.map(str::to_owned));
        }
        answer
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send(self.auth().post(path, body)).await
    }

    async fn command(&mut self, arguments: &[&str], input: &str) {
        let program = Program::new("auth-service", self.site.directory(), self.site.environment(&[]));
        let finished = program.run(arguments, input).await;
        self.said.extend([finished.stdout, finished.stderr]);
    }

    /// Searches all that was written. A token is looked for by its signature too, and what is not plain also as it is in a URL and in JSON.
    fn assert_silent(&self) {
        let logs = [self.auth.log(), self.jobs.log()];
        let written: Vec<_> = logs.iter().chain(&self.said).collect();
        assert!(logs.iter().all(|log| log.contains("request finished")), "nothing was logged");
        for secret in &self.secrets {
            let signature = secret.rsplit('.').next().unwrap_or_default();
            let in_url = secret.bytes().fold(String::new(), |url, byte| format!("{url}%{byte:02x}"));
            let in_json = json!(secret).to_string();
            for form in [secret.as_str(), signature, &in_url, &in_url.to_uppercase(), in_json.trim_matches('"')] {
                let line = written.iter().flat_map(|text| text.lines()).find(|line| line.contains(form));
                assert_eq!(line, None, "{secret} is written");
            }
        }
    }
}

/// What was given to somebody who signed in.
#[derive(Clone)]
struct Given {
    access: String,
    refresh: String,
    session: String,
}

impl Given {
    fn of(answer: &Answer) -> Self {
        let body: Value = answer.read(200);
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken"), session: text("sessionId") }
    }
}

/// Everything that an account goes through, and a few slips.
async fn live(scene: &mut Scene) -> Given {
    let (person, password, new) = (Person::invent(), scene.secret("password"), scene.secret("password"));
    let (wrong, fingerprint, key) = (scene.secret("wrong"), scene.secret("fingerprint"), scene.secret("key"));
    let registration = json!({ "username": person.username, "email": person.email, "password": password });
    assert_eq!(scene.post("/register", &registration).await.status, 201);
    assert_eq!(scene.post("/register", &registration).await.status, 409);
    scene.post("/register", &json!({ "username": "a b", "email": "nowhere", "password": wrong })).await;

    let login = json!({ "username": person.username, "password": password, "fingerprint": fingerprint });
    let here = Given::of(&scene.post("/login", &login).await);
    let other = Given::of(&scene.post("/login", &login).await);
    for (username, password) in [(&person.username, &wrong), (&wrong, &wrong), (&password, &password)] {
        let body = json!({ "username": username, "password": password });
        scene.post("/login", &body).await.assert_problem(401, "invalid_credentials");
    }

    let mut current = here.clone();
    for _ in 0..2 {
        let body = json!({ "refreshToken": current.refresh, "fingerprint": fingerprint });
        let keyed = scene.auth().post("/refresh-token", &body).header("Idempotency-Key", &key);
        let replayed = scene.auth().post("/refresh-token", &body).header("Idempotency-Key", &key);
        current = Given::of(&scene.send(keyed).await);
        Given::of(&scene.send(replayed).await);
    }
    let body = json!({ "refreshToken": current.refresh, "fingerprint": wrong });
    scene.post("/refresh-token", &body).await.assert_problem(403, "fingerprint_mismatch");

    for (current_password, status) in [(&wrong, 422), (&password, 204)] {
        let request = scene.auth().password_change(&current.access, current_password, &new);
        assert_eq!(scene.send(request).await.status, status);
    }
    let body = json!({ "refreshToken": other.refresh, "fingerprint": fingerprint });
    scene.post("/refresh-token", &body).await.assert_problem(403, "session_ended");
    let body = json!({ "refreshToken": here.refresh, "fingerprint": fingerprint });
    scene.post("/refresh-token", &body).await.assert_problem(403, "refresh_token_reused");
    let login = json!({ "username": person.email, "password": new, "deviceName": password });
    let here = Given::of(&scene.post("/login", &login).await);
    assert_eq!(scene.post("/logout", &json!({ "refreshToken": here.refresh })).await.status, 204);
    Given::of(&scene.post("/login", &login).await)
}

const PATHS: [(Method, &str); 14] = [
    (Method::POST, "/login"),
    (Method::POST, "/refresh-token"),
    (Method::POST, "/logout"),
    (Method::POST, "/register"),
    (Method::GET, "/current-user"),
    (Method::PUT, "/current-user/password"),
    (Method::GET, "/sessions"),
    (Method::DELETE, "/sessions/none"),
    (Method::GET, "/job-list"),
    (Method::POST, "/jobs"),
    (Method::PUT, "/jobs/none"),
    (Method::DELETE, "/jobs/none"),
    (Method::GET, "/health/ready"),
    (Method::PATCH, "/nowhere"),
];

/// Requests with a secret in every place where it does not belong.
fn misplaced(request: &dyn Fn(&str) -> RequestBuilder, secret: &str) -> Vec<RequestBuilder> {
    let body = |body: String| request("").header("content-type", "application/json").body(body);
    vec![
        request(&format!("?access_token={secret}&token={secret}&others={secret}&limit={secret}")),
        request(&format!("/{secret}")),
        request("").header("cookie", format!("session={secret}")),
        request("").header("x-access-token", secret),
        request("").header("user-agent", format!("{secret}/1.0")),
        request("").header("X-Forwarded-For", secret).header("Idempotency-Key", secret),
        request("").header("Idempotency-Key", format!("{secret} with a blank")).bearer_auth(secret),
        request("").basic_auth(secret, Some(secret)),
        request("").header("authorization", secret),
        request("").header("content-type", secret).body(secret.to_owned()),
        body(format!("\"{secret}\"")),
        body(format!("{{\"{secret}\": ")),
        body(format!("{{\"username\": [\"{secret}\"], \"password\": {{\"{secret}\": 1}}, \"refreshToken\": [\"{secret}\"]}}")),
        body(json!({ "username": secret, "email": secret, "password": secret, "title": [secret], "status": secret }).to_string()),
        body(json!({ "refreshToken": secret, "fingerprint": secret.repeat(20), "currentPassword": secret, "newPassword": 1 }).to_string()),
        body(json!({ "username": "somebody", "password": secret, "fingerprint": secret, "deviceName": secret }).to_string()),
        body(format!("{{\"password\": \"{}\"}}", secret.repeat(1_000))),
    ]
}

async fn misplace_everywhere(scene: &mut Scene, given: &Given) {
    let (password, access, refresh) = (scene.secret("password"), given.access.clone(), given.refresh.clone());
    for client in scene.clients.clone() {
        for (method, path) in PATHS {
            let request = |more: &str| client.request(method.clone(), &format!("{path}{more}"));
            for secret in [&password, &access, &refresh] {
                for request in misplaced(&request, secret) {
                    // Some are closed in the middle of a body that is too long; each answer is as good as another here.
                    drop(request.send().await);
                }
            }
        }
    }
}

async fn work(scene: &mut Scene, given: &Given) {
    let jobs = scene.clients[1].clone();
    let job = jobs.post("/jobs", &json!({ "title": "a job" })).bearer_auth(&given.access);
    assert_eq!(scene.send(job).await.status, 201);
    assert_eq!(scene.send(jobs.get("/job-list").bearer_auth(&given.access)).await.status, 200);
    scene.send(jobs.get("/job-list").bearer_auth(&given.refresh)).await.assert_problem(401, "access_token_invalid");
    let auth = scene.auth().clone();
    for path in ["/sessions", "/current-user"] {
        assert_eq!(scene.send(auth.get(path).bearer_auth(&given.access)).await.status, 200);
    }
    auth.end_session(&given.access, &given.refresh).await.assert_problem(404, "not_found");
    assert_eq!(auth.end_sessions(&given.access, "?others=true").await.status, 204);
}

async fn operate(scene: &mut Scene) {
    let (person, password, wrong) = (Person::invent(), scene.secret("password"), scene.secret("pw"));
    let (name, email) = (person.username.as_str(), person.email.as_str());
    scene.command(&["users", "add", name, email], &format!("{password}\n")).await;
    scene.command(&["users", "add", name, email], &format!("{wrong}\n")).await;
    scene.command(&["users", "set-password", name], &format!("{wrong}\n")).await;
    let body = json!({ "username": name, "password": wrong });
    Given::of(&scene.post("/login", &body).await);
    for arguments in [
        &["users", "list", "--json"][..],
        &["sessions", "list", name, "--json"],
        &["sessions", "end", name, "--all"],
        &["users", "delete", name],
        &["doctor"],
    ] {
        scene.command(arguments, "").await;
    }
}

/// What is logged of a store that fails.
async fn fail(scene: &mut Scene, given: &Given) {
    let id = given.session.clone();
    match scene.redis.take() {
        Some(redis) => redis.kill(),
        None => {
            let database = &scene.site.stores.database;
            database.write("UPDATE sessions SET record = '{' || record", vec![]).await.expect("the database works");
        }
    }
    let body = json!({ "refreshToken": given.refresh });
    for path in ["/refresh-token", "/logout"] {
        scene.post(path, &body).await.assert_unavailable();
    }
    let auth = scene.auth().clone();
    auth.end_session(&given.access, id).await.assert_unavailable();
    auth.sessions(&given.access).await.assert_unavailable();
}

#[rstest]
#[tokio::test]
async fn nothing_that_the_programs_write_has_a_secret_in_it(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values("", "debug")] log_level: &str,
) {
    let mut scene = Scene::open(storage, log_level).await;
    let given = live(&mut scene).await;
    work(&mut scene, &given).await;
    misplace_everywhere(&mut scene, &given).await;
    operate(&mut scene).await;
    fail(&mut scene, &given).await;
    assert!(scene.secrets.len() > 20, "there was something to find");
    scene.assert_silent();
}
