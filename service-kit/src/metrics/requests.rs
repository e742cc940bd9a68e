//! Requests as they are counted: by the route as it is declared, never by the path, which holds ids; by method and status. The envelope
//! around every request begins and ends the counting.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{HistogramVec, IntCounterVec, IntGauge, Opts};

use super::WELL_FORMED;
use super::families::durations_by;

/// What stands for the route where none took the request: an unknown path, a preflight, a handler that panicked.
const NO_ROUTE: &str = "none";

/// The path of a resource as it is declared, among the resource's data.
pub(crate) struct RoutePattern(pub(crate) String);

/// The requests that the routes of one service took.
#[derive(Clone)]
pub(super) struct Requests {
    answered: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
}

impl Requests {
    pub(super) fn new() -> Self {
        let answered = Opts::new("latchkey_http_requests_total", "Requests answered, by route, method and status.");
        let answered = IntCounterVec::new(answered, &["route", "method", "status"]).expect(WELL_FORMED);
        let help = "Time from a request's head to its answer, by route, method and class of status.";
        let durations = durations_by("latchkey_http_request_duration_seconds", help, &["route", "method", "class"]);
        let help = "Requests on the service's own port that are being answered, this scrape among them.";
        let in_flight = IntGauge::new("latchkey_http_requests_in_flight", help).expect(WELL_FORMED);
        Self { answered, durations, in_flight }
    }

    fn count(&self, route: &str, method: &str, status: StatusCode, took: Duration) {
        self.answered.with_label_values(&[route, method, status.as_str()]).inc();
        self.durations.with_label_values(&[route, method, class(status)]).observe(took.as_secs_f64());
    }
}

impl Collector for Requests {
    fn desc(&self) -> Vec<&Desc> {
        [self.answered.desc(), self.durations.desc(), self.in_flight.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        [self.answered.collect(), self.durations.collect(), self.in_flight.collect()].concat()
    }
}

/// One request while it is being answered.
pub(crate) struct Observed {
    method: &'static str,
    /// Those of the service whose port it came to; where several are mounted it belongs to none before a route takes it.
    requests: Option<Data<Requests>>,
}

impl Observed {
    pub(crate) fn begin(request: &ServiceRequest) -> Self {
        let requests = request.app_data::<Data<Requests>>().cloned();
        if let Some(requests) = &requests {
            requests.in_flight.inc();
        }
        Self { method: method(request.method()), requests }
    }

    /// Counts the request with the service whose route took it.
    pub(crate) fn answered(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        let route = request.app_data::<RoutePattern>().map_or(NO_ROUTE, |route| &route.0);
        if let Some(requests) = request.app_data::<Data<Requests>>() {
            requests.count(route, self.method, status, took);
        }
    }

    /// Counts a request that was lost on the way and is answered all the same.
    pub(crate) fn lost(&self, status: StatusCode, took: Duration) {
        if let Some(requests) = &self.requests {
            requests.count(NO_ROUTE, self.method, status, took);
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(requests) = &self.requests {
            requests.in_flight.dec();
        }
    }
}

/// Anybody can send a method of their own making.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}
