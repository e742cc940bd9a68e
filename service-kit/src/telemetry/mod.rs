//! Logs and spans. On a terminal logs are for a person; otherwise each line is one JSON object. Spans go to a collector where one is
//! named. A request's span never holds its path, its query, its headers or its body: each may hold a secret, or ids.

mod export;
mod lines;
mod traces;

use std::io::IsTerminal;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::{RootSpanBuilder, TracingLogger};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, registry};

pub use lines::json_lines;
pub use traces::trace_headers;

pub(crate) use traces::{step, step_failed};

use crate::http::RequestId;
use crate::stopwatch::Stopwatch;

/// What a service logs where `RUST_LOG` does not say. Libraries tell at start and stop what the service says itself.
const SERVICE_FILTER: &str = "info,actix_server=warn,refinery_core=warn,tokio_postgres=warn";
/// What a command logs: what went wrong, and what it changed. Its answer is on standard output.
const COMMAND_FILTER: &str = "warn,latchkey::audit=info";

/// Keep it for as long as the service runs: when it is dropped, the spans that wait are sent, for a second at the most.
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // What could not be sent in time is lost, as it is when the collector is down.
            drop(provider.shutdown_with_timeout(export::LAST_PATIENCE));
        }
    }
}

/// Starts a service's log on standard output, filtered by `RUST_LOG` (`info` where it is not set, or empty), and sends its spans to
/// the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names. Whoever calls first wins; a later call changes nothing.
pub fn init(service: &str) -> Telemetry {
    let exporting = export::provider(service);
    let provider = exporting.as_ref().ok().and_then(Option::as_ref);
    start(service, SERVICE_FILTER, std::io::stdout().is_terminal(), std::io::stdout, provider);
    if let Err(error) = &exporting {
        tracing::error!(%error, "traces are not sent");
    }
    Telemetry(exporting.ok().flatten())
}

/// Starts the log of a command that answers on standard output, and therefore logs to standard error.
pub fn init_for_command(service: &str) {
    start(service, COMMAND_FILTER, std::io::stderr().is_terminal(), std::io::stderr, None);
}

fn start<W>(service: &str, default_filter: &str, is_terminal: bool, writer: W, traces: Option<&SdkTracerProvider>)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|wanted| !wanted.trim().is_empty());
    let filter = EnvFilter::builder().parse_lossy(wanted.as_deref().unwrap_or(default_filter));
    let started = match (traces, is_terminal) {
        (None, false) => json_lines(service, filter, writer).try_init(),
        (None, true) => registry().with(filter).with(lines::plain(writer)).try_init(),
        // The filter is the log's alone: what is traced does not depend on what is logged.
        (Some(traces), false) => {
            registry().with(lines::json(service, writer).with_filter(filter)).with(traces::layer(traces)).try_init()
        }
        (Some(traces), true) => {
            registry().with(lines::plain(writer).with_filter(filter)).with(traces::layer(traces)).try_init()
        }
    };
    // It fails only where logging has started before.
    drop(started);
}

/// The outermost middleware: a span around each request.
pub(crate) fn spans() -> TracingLogger<RequestSpan> {
    TracingLogger::new()
}

/// The fields of a request's span: method, route as it is declared (never the path, which holds ids), and ids.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::of(request);
        let span = tracing::info_span!(
            "request",
            method = request.method().as_str(),
            route = request.match_pattern().as_deref().unwrap_or("none"),
            request_id = id.as_str(),
            trace_id = Empty,
            otel.kind = "server",
            otel.status_code = Empty,
        );
        traces::join(&span, request.headers());
        span
    }

    /// Everything is recorded by `request_finished`, which also sees what a panic became.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Closes the books on a request: one event tells how it ended and how long it took. A refusal (4xx) is the service doing its work and no
/// error; 5xx is one.
pub(crate) fn request_finished(status: StatusCode, stopwatch: Stopwatch, is_probe: bool) {
    let latency_ms = stopwatch.elapsed_ms();
    traces::finish(&Span::current(), status);
    let status = status.as_u16();
    if is_probe {
        tracing::debug!(status, latency_ms, "request finished");
    } else {
        tracing::info!(status, latency_ms, "request finished");
    }
}
