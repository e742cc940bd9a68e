//! Numbers for Prometheus. Each service has a registry of its own, shown at `GET /metrics` on its own port, so that several services in
//! one process never show each other's. What a service counts beside its requests, its database and its health is its own business.

mod families;
mod requests;

use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};

pub use families::{Counters, CountersKeptElsewhere, Label, Timings, durations};

pub(crate) use requests::{Observed, RoutePattern};

use crate::health::{CheckStatus, Health};
use crate::problem::{Problem, resource};
use requests::Requests;

/// What a name, a label or a bucket is written as in the code; it holds or fails at the first start.
pub(crate) const WELL_FORMED: &str = "names are well-formed and unique";

/// The text format that Prometheus has read from its first release on.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds to wait after a scrape that failed.
const RETRY_AFTER: u64 = 1;

/// The metrics of one service. Cloning it gives the same ones again.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: Data<Requests>,
    checks: IntGaugeVec,
}

impl Metrics {
    /// What every service shows: which it is, its requests, its health, and the process that it is part of.
    pub fn new(service: &str, version: &str) -> Self {
        let build = Opts::new("latchkey_build_info", "Always 1; which service this is, and its version.");
        let build = IntGaugeVec::new(build, &["service", "version"]).expect(WELL_FORMED);
        build.with_label_values(&[service, version]).set(1);
        let checks = Opts::new("latchkey_health_check_up", "Whether a part works, looked at for each scrape: 1 or 0.");
        let checks = IntGaugeVec::new(checks, &["check"]).expect(WELL_FORMED);
        let metrics = Self { registry: Registry::new(), requests: Data::new(Requests::new()), checks: checks.clone() };
        metrics.register(build);
        metrics.register(checks);
        metrics.register(metrics.requests.as_ref().clone());
        metrics.register(ProcessCollector::for_self());
        metrics
    }

    /// Shows these as well.
    ///
    /// # Panics
    ///
    /// Where a name is taken: names are part of the code.
    pub fn register(&self, collector: impl Collector + 'static) {
        self.registry.register(Box::new(collector)).expect(WELL_FORMED);
    }

    /// Counts the requests of an application, or of a scope in one: those that this service's routes take there.
    pub fn count_requests(&self, app: &mut ServiceConfig) {
        app.app_data(self.requests.clone());
    }

    /// `GET /metrics`, on the service's own port: it is for no client and must not be where clients are.
    pub fn routes(&self, health: &Health, app: &mut ServiceConfig) {
        let (metrics, health) = (self.clone(), health.clone());
        let scrape = move || {
            let (metrics, health) = (metrics.clone(), health.clone());
            async move { metrics.scrape(&health).await }
        };
        app.service(resource("/metrics", [(Method::GET, web::to(scrape))]));
    }

    async fn scrape(&self, health: &Health) -> Result<impl Responder + use<>, Problem> {
        for (name, check) in health.readiness().await.checks {
            self.checks.with_label_values(&[name]).set(i64::from(check.status == CheckStatus::Up));
        }
        let text = self.text().map_err(|error| {
            tracing::error!(%error, "the metrics cannot be shown");
            Problem::unavailable(RETRY_AFTER)
        })?;
        Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).insert_header((CACHE_CONTROL, "no-store")).body(text))
    }

    /// All of it as Prometheus reads it, with the health as the last scrape found it.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests;
