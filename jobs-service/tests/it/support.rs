//! A running jobs-service, users with access tokens for it, and answers that are easy to look at.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jobs_service::{Application, Config};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_claims::{
    KeyHandle, KeyRing, ManualClock, Minter, MinterSettings, RefreshGrant, SessionRandom, UserClaims, generate_secret,
    random,
};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const SECRET: &str = "LATCHKEY_TOKENS__ACCESS_SECRET";
pub(crate) const DATABASE: &str = "LATCHKEY_DATABASE__URL";

/// A jobs-service that runs until the test ends, on a clock that moves only when told to.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) secret: SecretString,
    http: Client,
    directory: TempDir,
}

/// Starts one with the default settings.
pub(crate) async fn start() -> TestApp {
    start_with(&[]).await
}

/// Starts one with these settings, in the form of the environment.
pub(crate) async fn start_with(settings: &[(&str, &str)]) -> TestApp {
    let (directory, secret, clock) = (tempfile::tempdir().unwrap(), generate_secret(), clock());
    let database = format!("sqlite:{}", directory.path().join("jobs.db").display());
    let good = [(SECRET, secret.expose_secret()), (DATABASE, &database)];
    let config = Config::load(None, environment(&[&good, settings].concat())).unwrap();
    let application = Application::build(&config, Arc::new(clock.clone())).await.unwrap();
    let address = application.address();
    tokio::spawn(application.run(pending()));
    TestApp { address, clock, secret, http: client(), directory }
}

/// These settings, and a free port where they name none; of those that are there twice the last one counts.
pub(crate) fn environment(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let port = [("LATCHKEY_SERVER__PORT", "0")];
    port.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(time("2026-11-23T12:00:00Z"))
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A client that looks for neither proxies nor the system's certificates.
pub(crate) fn client() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(20)).build().unwrap()
}

impl TestApp {
    /// A request without an access token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// A user nobody has met yet, with an access token that this service takes.
    pub(crate) fn user(&self) -> User<'_> {
        self.user_with_id(random::uuid())
    }

    pub(crate) fn user_with_id(&self, id: Uuid) -> User<'_> {
        User { app: self, id, token: Tokens::default().mint(&self.secret, id, &self.clock) }
    }

    /// Where its database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("jobs.db")
    }
}

/// A caller with an access token.
pub(crate) struct User<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) id: Uuid,
    pub(crate) token: String,
}

impl User<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, body: &Value) -> Answer {
        answer(self.request(Method::POST, "/jobs").json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// Makes a job with this title; answers where it is and what it is.
    pub(crate) async fn make(&self, title: &str) -> (String, Value) {
        let job = self.post(&json!({ "title": title })).await.expect(201);
        (format!("/jobs/{}", job["id"].as_str().unwrap()), job)
    }

    /// Every job of the user in one page.
    pub(crate) async fn jobs(&self) -> Vec<Value> {
        let list = self.get("/job-list?limit=500").await.expect(200);
        list.as_array().unwrap().clone()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Its JSON, if this is its status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Its problem, if it is this one and well-formed.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json");
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{problem}");
        assert_eq!(problem["type"], format!("urn:latchkey:problem:{code}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

/// How an access token is minted; the default is as auth-service does it.
pub(crate) struct Tokens {
    pub(crate) issuer: &'static str,
    pub(crate) audience: Vec<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { issuer: "latchkey", audience: vec!["auth-service".to_owned(), "jobs-service".to_owned()] }
    }
}

impl Tokens {
    pub(crate) fn mint(&self, secret: &SecretString, id: Uuid, clock: &ManualClock) -> String {
        let user = UserClaims { id, email: format!("{id}@example.test"), username: id.to_string() };
        self.minter(secret).mint_access(&user, random::uuid(), shared_claims::Clock::now(clock))
    }

    /// A refresh token, signed with the secret of access tokens, which no minter of ours would do.
    pub(crate) fn mint_refresh(&self, secret: &SecretString, id: Uuid, clock: &ManualClock) -> String {
        self.minter(secret).mint_refresh(&RefreshGrant {
            user_id: id,
            session_id: random::uuid(),
            generation: 0,
            random: SessionRandom::generate(),
            rotated_at: shared_claims::Clock::now(clock),
        })
    }

    fn minter(&self, secret: &SecretString) -> Minter {
        let keys = KeyHandle::new(KeyRing::new(secret, &[]).unwrap());
        Minter::new(MinterSettings {
            access_keys: keys.clone(),
            refresh_keys: keys,
            issuer: self.issuer.to_owned(),
            audience: self.audience.clone(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(720),
        })
    }
}
