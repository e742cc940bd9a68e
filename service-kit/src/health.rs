//! Tells whether the process lives and whether it can do its work now. What has to work for that is for the service to list.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, web};
use async_trait::async_trait;
use futures_util::future::join_all;
use serde::Serialize;

use crate::problem::resource;
use crate::stopwatch::Stopwatch;

/// A check that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Seconds after which it is worth asking again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Something that has to work for the service to be ready, such as its database.
#[async_trait]
pub trait Check: Send + Sync {
    /// Looks whether it works now. One second at most; it may be called many times at once.
    async fn check(&self) -> Result<(), CheckFailed>;
}

/// Why a check failed, for the log alone.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CheckFailed(#[source] Box<dyn Error + Send + Sync>);

impl CheckFailed {
    /// Failed for this cause. It must hold no secret.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// The health of one service, shared by all its workers. Cloning it gives the same one again.
#[derive(Clone)]
pub struct Health {
    service: Arc<str>,
    parts: Vec<Arc<Part>>,
    is_stopping: Arc<AtomicBool>,
}

struct Part {
    name: &'static str,
    check: Arc<dyn Check>,
    is_up: AtomicBool,
}

impl Health {
    /// The health of a service that depends on nothing yet.
    pub fn new(service: &str) -> Self {
        Self { service: service.into(), parts: Vec::new(), is_stopping: Arc::default() }
    }

    /// Makes readiness depend on this check as well.
    #[must_use]
    pub fn with_check(mut self, name: &'static str, check: Arc<dyn Check>) -> Self {
        self.parts.push(Arc::new(Part { name, check, is_up: AtomicBool::new(true) }));
        self
    }

    /// From now on the service is not ready, whatever its checks say.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Runs all checks at once.
    pub async fn readiness(&self) -> Readiness {
        let checks = join_all(self.parts.iter().map(|part| part.look(&self.service))).await;
        let checks: BTreeMap<_, _> = checks.into_iter().collect();
        let status = if self.is_stopping.load(Ordering::Relaxed) {
            ReadinessStatus::Stopping
        } else if checks.values().all(|check| check.status == CheckStatus::Up) {
            ReadinessStatus::Ready
        } else {
            ReadinessStatus::Unready
        };
        Readiness { status, checks }
    }

    /// `GET /health/live` and `GET /health/ready`.
    pub(crate) fn routes(&self, config: &mut web::ServiceConfig) {
        let health = self.clone();
        let ready = move || {
            let health = health.clone();
            async move { health.readiness().await.into_response() }
        };
        config.service(resource("/health/live", [(Method::GET, web::to(live))]));
        config.service(resource("/health/ready", [(Method::GET, web::to(ready))]));
    }
}

impl Part {
    async fn look(&self, service: &str) -> (&'static str, CheckResult) {
        let stopwatch = Stopwatch::start();
        let outcome = tokio::time::timeout(PATIENCE, self.check.check()).await;
        let outcome = outcome.unwrap_or_else(|_| Err(CheckFailed::new("no answer within a second")));
        let latency_ms = stopwatch.elapsed_ms();
        self.note(service, &outcome);
        let status = if outcome.is_ok() { CheckStatus::Up } else { CheckStatus::Down };
        (self.name, CheckResult { status, latency_ms })
    }

    /// Probes come every few seconds; only a change is worth a line.
    fn note(&self, service: &str, outcome: &Result<(), CheckFailed>) {
        let was_up = self.is_up.swap(outcome.is_ok(), Ordering::Relaxed);
        match outcome {
            Ok(()) if !was_up => tracing::info!(service, check = self.name, "a health check works again"),
            Err(cause) if was_up => tracing::warn!(service, check = self.name, %cause, "a health check fails"),
            _ => {}
        }
    }
}

/// Whether a service can do its work, and what each of its checks said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readiness {
    /// The sum of it.
    pub status: ReadinessStatus,
    /// Each check by its name.
    pub checks: BTreeMap<&'static str, CheckResult>,
}

/// Whether a service can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadinessStatus {
    /// It can.
    Ready,
    /// Something it needs is down.
    Unready,
    /// It is about to end.
    Stopping,
}

/// What one check said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Whether it worked.
    pub status: CheckStatus,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
}

/// Whether one check worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// It did.
    Up,
    /// It did not, or not in time.
    Down,
}

impl Readiness {
    fn into_response(self) -> HttpResponse {
        let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == ReadinessStatus::Ready {
            return HttpResponse::Ok().insert_header(no_store).json(self);
        }
        let mut response = HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE);
        response.insert_header(no_store).insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS)).json(self)
    }
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(serde_json::json!({ "status": "live" }))
}
