//! A client of both services. It holds each answer to the rules that all answers have (contract of headers and of errors); what an
//! answer says is for the tests.

use std::net::SocketAddr;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::Person;

/// A client of the service at one address.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// What a refresh answers, and a login too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// For resource services.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Seconds that the refresh token lives.
    pub refresh_expires_in: u64,
    /// The session.
    pub session_id: Uuid,
}

/// What a login answers beside the user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The first pair.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// What had to end for it.
    pub ended_sessions: Vec<EndedSession>,
}

/// A session that a login ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndedSession {
    /// Its `sid`.
    pub id: Uuid,
    /// What the list of devices called it.
    pub device_name: String,
}

/// No TLS is spoken, and reading the system's certificates for each test would take longer than most of them.
fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

fn started(http: reqwest::ClientBuilder) -> reqwest::Client {
    http.build().expect("an HTTP client starts")
}

impl Client {
    /// A client with connections of its own.
    ///
    /// # Panics
    ///
    /// Where the HTTP library cannot start.
    pub fn new(address: SocketAddr) -> Self {
        Self::below(address, "")
    }

    /// The same for a service that is below a path, which begins with `/`, of the site at this address.
    ///
    /// # Panics
    ///
    /// Where the HTTP library cannot start.
    pub fn below(address: SocketAddr, path: &str) -> Self {
        Self { http: started(http()), base: format!("http://{address}{path}") }
    }

    /// One that keeps no more than so many connections for later requests.
    ///
    /// # Panics
    ///
    /// Where the HTTP library cannot start.
    pub fn that_keeps(connections: usize, address: SocketAddr) -> Self {
        Self { http: started(http().pool_max_idle_per_host(connections)), base: format!("http://{address}") }
    }

    /// Any request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A request with a body of JSON.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    /// A request that may carry an access token.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// `POST /login` with any body.
    pub async fn try_login(&self, body: &Value) -> Answer {
        self.post("/login", body).answer().await
    }

    /// Logs somebody in who can.
    pub async fn login(&self, person: &Person) -> Tokens {
        self.try_login(&person.credentials()).await.read::<SignedIn>(200).tokens
    }

    /// Logs somebody in who can, on a device of this name.
    pub async fn login_on(&self, person: &Person, device_name: &str) -> SignedIn {
        self.try_login(&person.credentials_on(device_name)).await.read(200)
    }

    /// `POST /refresh-token` with nothing but the token.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/refresh-token", &json!({ "refreshToken": refresh_token })).answer().await
    }

    /// The same with an `Idempotency-Key`.
    pub async fn refresh_keyed(&self, refresh_token: &str, key: &str) -> Answer {
        let request = self.post("/refresh-token", &json!({ "refreshToken": refresh_token }));
        request.header("Idempotency-Key", key).answer().await
    }

    /// The same with a fingerprint.
    pub async fn refresh_from(&self, refresh_token: &str, fingerprint: &str) -> Answer {
        let body = json!({ "refreshToken": refresh_token, "fingerprint": fingerprint });
        self.post("/refresh-token", &body).answer().await
    }

    /// `POST /logout`
    pub async fn logout(&self, refresh_token: &str) -> Answer {
        self.post("/logout", &json!({ "refreshToken": refresh_token })).answer().await
    }

    /// `GET /current-user`
    pub async fn current_user(&self, access_token: &str) -> Answer {
        self.get("/current-user").bearer_auth(access_token).answer().await
    }

    /// `GET /job-list`
    pub async fn job_list(&self, access_token: &str) -> Answer {
        self.get("/job-list").bearer_auth(access_token).answer().await
    }

    /// `GET /health/ready`
    pub async fn readiness(&self) -> Answer {
        self.get("/health/ready").answer().await
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All of them.
    pub headers: HeaderMap,
    /// As text.
    pub body: String,
}

/// Sends a request and takes its answer.
pub trait Answered {
    /// The answer, which keeps the rules that all answers have.
    fn answer(self) -> impl Future<Output = Answer> + Send;

    /// The answer; or why there is none, for a service that may be killed meanwhile.
    fn try_answer(self) -> impl Future<Output = Result<Answer, reqwest::Error>> + Send;
}

impl Answered for RequestBuilder {
    async fn answer(self) -> Answer {
        self.try_answer().await.expect("the service answers")
    }

    async fn try_answer(self) -> Result<Answer, reqwest::Error> {
        let response = self.send().await?;
        let path = response.url().path().to_owned();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().await? };
        answer.assert_house_rules(&path);
        Ok(answer)
    }
}

impl Answer {
    /// A header that is there once, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().expect("a header of text"));
        assert!(values.next().is_none(), "{name} comes twice: {self:?}");
        first
    }

    /// The body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The body of an answer that has to have this status.
    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The tokens of a refresh that has to be granted.
    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        self.read(200)
    }

    /// Asserts that this is a problem of this status and code, and gives its detail.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        problem["detail"].as_str().expect("a detail").to_owned()
    }

    /// Asserts that the session has ended, for this reason where one is kept.
    #[track_caller]
    pub fn assert_session_ended(&self, reason: Option<&str>) {
        self.assert_problem(403, "session_ended");
        assert_eq!(self.json().get("reason"), reason.map(Value::from).as_ref(), "{self:?}");
    }

    /// The same where it is not sure which of these reasons came first.
    #[track_caller]
    pub fn assert_session_ended_by_any(&self, reasons: &[Option<&str>]) {
        self.assert_problem(403, "session_ended");
        let reason = self.json().get("reason").cloned();
        assert!(reasons.iter().any(|expected| reason == expected.map(Value::from)), "{self:?}");
    }

    /// Asserts what a part that is down answers: 503, with when to ask again, and nothing that tells a client to log in anew.
    #[track_caller]
    pub fn assert_unavailable(&self) {
        self.assert_problem(503, "unavailable");
        let seconds: u64 =
            self.header("retry-after").and_then(|text| text.parse().ok()).expect("Retry-After in seconds");
        assert!((1..=60).contains(&seconds), "{self:?}");
    }

    fn assert_house_rules(&self, path: &str) {
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "no request id: {self:?}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        if ["/login", "/refresh-token"].contains(&path) {
            assert_eq!(self.header(CACHE_CONTROL.as_str()), Some("no-store"), "{self:?}");
        }
        if self.status >= 400 && !path.starts_with("/health/") && !self.body.is_empty() {
            self.assert_problem_by_rfc_9457();
        }
    }

    fn assert_problem_by_rfc_9457(&self) {
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        let code = problem["code"].as_str().expect("a code");
        assert_eq!(problem["type"], format!("urn:latchkey:problem:{code}"), "{self:?}");
        assert_eq!(problem["status"], self.status, "{self:?}");
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {self:?}");
        }
    }
}
