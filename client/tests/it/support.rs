//! A stand-in for auth-service, whose tokens are numbered, and a client that is signed in there with the first pair.

use latchkey_client::{Client, ClientBuilder, Error, Login, MemoryStorage, TokenStorage};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Match, Mock, MockBuilder, MockServer, Request, ResponseTemplate};

pub(crate) const SESSION: &str = "bd879151-8eb5-4944-9b10-36397de086cc";

/// A server of odd answers, and somebody signed in.
pub(crate) struct Bench {
    pub(crate) auth: MockServer,
    pub(crate) storage: MemoryStorage,
    pub(crate) client: Client,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let auth = MockServer::start().await;
        let storage = MemoryStorage::new();
        let client = change(builder(&auth.uri()).storage(storage.clone())).build().unwrap();
        post("/login").respond_with(ok(&login_answer())).mount(&auth).await;
        client.login(&Login::new("ada", "engine-secret".into())).await.unwrap();
        Self { auth, storage, client }
    }

    /// `GET /current-user` takes this access token and says of every other that it has expired.
    pub(crate) async fn accept_only(&self, access_token: u32) {
        let good = header("authorization", format!("Bearer access-{access_token}"));
        get("/current-user").and(good).respond_with(ok(&user())).with_priority(1).mount(&self.auth).await;
        get("/current-user")
            .respond_with(problem(401, "access_token_expired"))
            .with_priority(9)
            .mount(&self.auth)
            .await;
    }

    pub(crate) async fn calls(&self, called: &str) -> Vec<Request> {
        calls(&self.auth, called).await
    }

    /// The refreshes that arrived, each as its token and its key.
    pub(crate) async fn refreshes(&self) -> Vec<(String, String)> {
        let of = |request: &Request| {
            let body: Value = request.body_json().unwrap();
            let key = request.headers["idempotency-key"].to_str().unwrap();
            (body["refreshToken"].as_str().unwrap().to_owned(), key.to_owned())
        };
        self.calls("/refresh-token").await.iter().map(of).collect()
    }

    pub(crate) async fn stored(&self) -> Value {
        let text = self.storage.load().await.unwrap().expect("something is stored");
        serde_json::from_str(text.expose_secret()).unwrap()
    }

    /// Asserts that the session stands as the login brought it.
    pub(crate) async fn assert_untouched(&self) {
        assert_eq!(self.stored().await["session"]["refreshToken"], "refresh-1");
    }
}

/// A client that reads no certificates and knows no proxy.
pub(crate) fn builder(auth_url: &str) -> ClientBuilder {
    Client::builder(auth_url).http(reqwest::Client::builder().no_proxy().tls_certs_only([]))
}

pub(crate) async fn calls(server: &MockServer, called: &str) -> Vec<Request> {
    let requests = server.received_requests().await.expect("requests are recorded");
    requests.into_iter().filter(|request| request.url.path() == called).collect()
}

pub(crate) fn post(called: &str) -> MockBuilder {
    Mock::given(method("POST")).and(path(called))
}

pub(crate) fn get(called: &str) -> MockBuilder {
    Mock::given(method("GET")).and(path(called))
}

pub(crate) fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub(crate) fn problem(status: u16, code: &str) -> ResponseTemplate {
    problem_with(status, &json!({ "code": code, "detail": "A sentence." }))
}

pub(crate) fn problem_with(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}

/// What a refresh answers.
pub(crate) fn pair(number: u32) -> Value {
    json!({
        "accessToken": format!("access-{number}"),
        "refreshToken": format!("refresh-{number}"),
        "tokenType": "Bearer",
        "expiresIn": 900,
        "refreshExpiresIn": 2_592_000,
        "sessionId": SESSION,
    })
}

pub(crate) fn user() -> Value {
    json!({
        "id": "10000000-0000-4000-8000-000000000001",
        "email": "ada@example.test",
        "username": "ada",
        "createdAt": "2026-11-23T09:15:00.000Z",
    })
}

pub(crate) fn login_answer() -> Value {
    let mut answer = pair(1);
    answer["user"] = user();
    answer["endedSessions"] = json!([{ "id": SESSION, "deviceName": "an old one" }]);
    answer
}

/// Matches a request without `Authorization`.
pub(crate) struct NoToken;

impl Match for NoToken {
    fn matches(&self, request: &Request) -> bool {
        !request.headers.contains_key("authorization")
    }
}

/// Everything that an error says, with all that brought it about.
pub(crate) fn told(error: &Error) -> String {
    let mut told = vec![format!("{error} {error:?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        told.push(format!("{because} {because:?}"));
        cause = because.source();
    }
    told.join(" ")
}
