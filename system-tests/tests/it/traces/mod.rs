//! Traces over OTLP/HTTP, as a collector gets them from the real programs: which spans there are, what they tell and what not, and that a
//! collector which is slow, down or not there slows nothing.

mod collector_down;
mod settings;
mod spans;

use shared_claims::random;
use system_tests::collector::Collector;
use system_tests::people::Person;
use system_tests::program::{Program, Service};
use system_tests::site::{Site, Storage};

/// An auth-service that sends its spans to a collector, and somebody who may log in.
struct Traced {
    service: Service,
    person: Person,
    _site: Site,
}

/// Starts auth-service with these variables beside its settings.
async fn start(variables: &[(&str, &str)]) -> Traced {
    let site = Site::open(Storage::Embedded, &[]).await;
    let person = site.person(now()).await;
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = site.environment(&[]).into_iter().chain(variables).collect();
    let service = Program::new("auth-service", site.directory(), environment).serve().await;
    Traced { service, person, _site: site }
}

/// Starts auth-service, which sends what it has within 50 ms.
async fn start_with(collector: &Collector) -> Traced {
    start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()), ("OTEL_BSP_SCHEDULE_DELAY", "50")]).await
}

fn now() -> chrono::DateTime<chrono::Utc> {
    use shared_claims::Clock;
    shared_claims::SystemClock.now()
}

/// The id of a new trace.
fn trace_id() -> String {
    random::uuid().simple().to_string()
}

/// The span that a caller is in, in every test.
const CALLER: &str = "00f067aa0ba902b7";

/// `traceparent` (W3C Trace Context §3.2) of a caller whose trace is recorded.
fn sampled(trace_id: &str) -> String {
    format!("00-{trace_id}-{CALLER}-01")
}
