//! Logs and spans. On a terminal they are for a person; otherwise each line is one JSON object. A request's span never holds its query,
//! its headers or its body: each may hold a secret.

use std::fmt;
use std::io::IsTerminal;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use tracing::field::Empty;
use tracing::{Event, Span, Subscriber};
use tracing_actix_web::{RootSpanBuilder, TracingLogger};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::http::RequestId;
use crate::stopwatch::Stopwatch;

/// What a service logs where `RUST_LOG` does not say. Libraries tell at start and stop what the service says itself.
const SERVICE_FILTER: &str = "info,actix_server=warn,refinery_core=warn,tokio_postgres=warn";
/// What a command logs: what went wrong, and what it changed. Its answer is on standard output.
const COMMAND_FILTER: &str = "warn,latchkey::audit=info";

/// Starts a service's log on standard output, filtered by `RUST_LOG` (`info` where it is not set, or empty). Whoever calls first
/// wins; a later call changes nothing.
pub fn init(service: &str) {
    start(service, SERVICE_FILTER, std::io::stdout().is_terminal(), std::io::stdout);
}

/// Starts the log of a command that answers on standard output, and therefore logs to standard error.
pub fn init_for_command(service: &str) {
    start(service, COMMAND_FILTER, std::io::stderr().is_terminal(), std::io::stderr);
}

fn start<W>(service: &str, default_filter: &str, is_terminal: bool, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|wanted| !wanted.trim().is_empty());
    let filter = EnvFilter::builder().parse_lossy(wanted.as_deref().unwrap_or(default_filter));
    let started = if is_terminal {
        tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(writer).finish().try_init()
    } else {
        json_lines(service, filter, writer).try_init()
    };
    // It fails only where logging has started before.
    drop(started);
}

/// A subscriber that writes each event as one line of JSON with the name of the service in it.
pub fn json_lines<W>(service: &str, filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let json = tracing_subscriber::fmt::format().json().flatten_event(true).with_span_list(false);
    let named = NamedLines { service: serde_json::Value::from(service).to_string(), json };
    tracing_subscriber::fmt()
        .json()
        .event_format(named)
        .fmt_fields(JsonFields::new())
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

/// Puts the name of the service first in each line.
struct NamedLines {
    service: String,
    json: Format<Json>,
}

impl<S, N> FormatEvent<S, N> for NamedLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.json.format_event(context, Writer::new(&mut line), event)?;
        let members = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, "{{\"service\":{},{members}", self.service)
    }
}

/// The outermost middleware: a span around each request.
pub(crate) fn spans() -> TracingLogger<RequestSpan> {
    TracingLogger::new()
}

/// The fields of a request's span: method, route as it is declared (never the path, which holds ids), id, status and latency.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::of(request);
        tracing::info_span!(
            "request",
            method = %request.method(),
            route = request.match_pattern().as_deref().unwrap_or("none"),
            request_id = id.as_str(),
            status = Empty,
            latency_ms = Empty,
            otel.kind = "server",
            otel.status_code = Empty,
        )
    }

    /// Everything is recorded by `request_finished`, which also sees what a panic became.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Closes the books on a request: its span gets status and latency, and one event tells that it ended. A refusal (4xx) is the service
/// doing its work and no error; 5xx is one.
pub(crate) fn request_finished(status: StatusCode, stopwatch: Stopwatch, is_probe: bool) {
    let latency_ms = stopwatch.elapsed_ms();
    let span = Span::current();
    span.record("status", status.as_u16());
    span.record("latency_ms", latency_ms);
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    if is_probe {
        tracing::debug!("request finished");
    } else {
        tracing::info!("request finished");
    }
}
