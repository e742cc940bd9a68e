//! The small service under test, a client for it, and what its answers are asked.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service_kit::config::ServerConfig;
use service_kit::health::Health;
use service_kit::http::ClientAddress;
use service_kit::problem::{JsonBody, PathParams, Problem, QueryParams, resource};
use service_kit::server;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

/// A running service. It ends with the test.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
    /// A permit lets one request to `/gate` through; before that, `entered` gets one for each that waits.
    pub(crate) gate: Arc<Gate>,
}

pub(crate) struct Gate {
    pub(crate) entered: Semaphore,
    pub(crate) open: Semaphore,
}

/// The configuration of a service on a free port of the loopback.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        host: [127, 0, 0, 1].into(),
        port: 0,
        name: "kit".to_owned(),
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
    }
}

pub(crate) fn start() -> Service {
    start_with(&config(), Health::new("kit"))
}

pub(crate) fn start_with(config: &ServerConfig, health: Health) -> Service {
    let gate = Arc::new(Gate { entered: Semaphore::new(0), open: Semaphore::new(0) });
    let data = web::Data::from(Arc::clone(&gate));
    let bound = server::bind(config, health, move |app| {
        app.app_data(data.clone()).configure(routes).service(web::scope("/api/kit").configure(scoped));
    });
    let bound = bound.expect("a free port");
    let address = bound.address();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(bound.run(async move { drop(stopped.await) }));
    Service { address, stop: Some(stop), ended, gate }
}

impl Service {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        client().request(method, self.url(path))
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.request("GET", path)
    }

    /// Posts a body of JSON, whatever it is, to `/echo`.
    pub(crate) async fn echo(&self, body: impl Into<reqwest::Body>) -> Answer {
        let post = self.request("POST", "/echo").header("content-type", "application/json");
        answer(post.body(body)).await
    }

    /// Tells the service to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for its end.
    pub(crate) async fn ended(self) {
        self.ended.await.expect("the service does not panic").expect("the service ends well");
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.expect("a body") }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Asserts that this is a problem of this status and code, complete in every member, and gives its detail.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:latchkey:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        problem["detail"].as_str().expect("a detail").to_owned()
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Echo {
    name: String,
    count: Option<u32>,
    kind: Option<Kind>,
    inner: Option<Inner>,
    password: Option<SecretText>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Small,
    Large,
}

#[derive(Debug, Deserialize, Serialize)]
struct Inner {
    flags: Vec<bool>,
}

/// Refuses with a message that quotes what it read, as careless types do.
#[derive(Debug, Deserialize, Serialize)]
#[serde(try_from = "String")]
struct SecretText(String);

impl TryFrom<String> for SecretText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() < 8 { Err(format!("{text} is too short")) } else { Ok(Self(text)) }
    }
}

#[derive(Deserialize)]
struct Search {
    limit: Option<u32>,
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(resource("/echo", [(Method::GET, web::to(get_nothing)), (Method::POST, web::to(echo))]))
        .service(resource("/items/{id}", [(Method::GET, web::to(item)), (Method::DELETE, web::to(get_nothing))]))
        .service(resource("/search", [(Method::GET, web::to(search))]))
        .service(resource("/address", [(Method::GET, web::to(address))]))
        .service(resource("/panic", [(Method::GET, web::to(panics))]))
        .service(resource("/failing", [(Method::GET, web::to(fails))]))
        .service(resource("/gate", [(Method::GET, web::to(waits))]));
}

/// The same shape as a service mounted a second time below a path.
fn scoped(app: &mut web::ServiceConfig) {
    app.app_data(web::Data::new(SecretString::from("scoped")))
        .service(resource("/address", [(Method::GET, web::to(address))]))
        .service(resource("/data", [(Method::GET, web::to(has_data))]));
}

async fn get_nothing() -> &'static str {
    "nothing"
}

async fn echo(JsonBody(body): JsonBody<Echo>) -> web::Json<Echo> {
    web::Json(body)
}

async fn item(PathParams(id): PathParams<Uuid>) -> String {
    id.to_string()
}

async fn search(QueryParams(search): QueryParams<Search>) -> String {
    search.limit.unwrap_or(100).to_string()
}

async fn address(ClientAddress(address): ClientAddress) -> String {
    address.to_string()
}

async fn has_data(_: web::Data<SecretString>) -> &'static str {
    "here"
}

async fn panics() -> HttpResponse {
    panic!("the panic's own text")
}

async fn fails() -> Problem {
    Problem::unavailable(0)
}

async fn waits(gate: web::Data<Gate>) -> &'static str {
    gate.entered.add_permits(1);
    gate.open.acquire().await.expect("an open gate").forget();
    "through"
}
