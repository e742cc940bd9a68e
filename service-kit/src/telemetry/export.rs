//! Sends spans to a collector over OTLP/HTTP, from a thread of its own: a collector that is slow or down slows nothing. What it could not
//! take is kept for the next time, up to a limit. The variables are those of the OpenTelemetry specification.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use reqwest::blocking::Client;

/// How long the end of a service waits for its last spans to be sent. With the time that requests in flight get it stays below ten
/// seconds.
pub(super) const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// How long a batch may take to be sent, where `OTEL_EXPORTER_OTLP_TIMEOUT` does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// Spans that are kept while the collector is down, beside the 2,048 that wait for their first try.
const KEPT: usize = 4_096;

/// Why there are no traces though a collector is named. It never quotes what was set, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error("OTEL_EXPORTER_OTLP_TIMEOUT is not a number of milliseconds")]
    Timeout,
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[source] reqwest::Error),
    #[error("the settings OTEL_EXPORTER_OTLP_… cannot be used: is the endpoint an http or https URL?")]
    Settings,
}

/// What sends the spans of this process; none where no collector is named.
pub(super) fn provider(service: &str) -> Result<Option<SdkTracerProvider>, ExportError> {
    let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|name| name == "none");
    let Some(endpoint) = endpoint().filter(|_| !is_off) else { return Ok(None) };
    if !["http://", "https://"].iter().any(|scheme| endpoint.starts_with(scheme)) {
        return Err(ExportError::Settings);
    }
    let patience = match of_traces("TIMEOUT") {
        Some(milliseconds) => Duration::from_millis(milliseconds.parse().map_err(|_| ExportError::Timeout)?),
        None => PATIENCE,
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        // Where it is given no endpoint it would take one that is wrong for none, and send to its default.
        .with_endpoint(&endpoint)
        .with_http_client(client(&endpoint, patience)?)
        .build()
        .map_err(|_| ExportError::Settings)?;
    let exporter = Exporter { otlp: exporter, kept: Mutex::default(), is_up: AtomicBool::new(true) };
    Ok(Some(SdkTracerProvider::builder().with_resource(resource(service)).with_batch_exporter(exporter).build()))
}

/// A variable that is set and not empty, as the specification has it.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Where traces go: the endpoint for traces as it is, or else below the one for everything.
fn endpoint() -> Option<String> {
    let below = |base: String| format!("{}/v1/traces", base.trim_end_matches('/'));
    variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(below))
}

/// A variable for traces, or else the one for everything that is exported.
fn of_traces(name: &str) -> Option<String> {
    variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}")).or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
}

fn client(endpoint: &str, patience: Duration) -> Result<Client, ExportError> {
    let builder = Client::builder().timeout(patience).redirect(reqwest::redirect::Policy::none());
    // To look for the system's certificates fails in an image that has none.
    let builder = if endpoint.starts_with("https:") { builder } else { builder.tls_certs_only([]) };
    // It waits for a runtime of its own, which must not be within ours.
    thread::spawn(|| builder.build()).join().expect("to make a client does not panic").map_err(ExportError::Client)
}

/// Which service this is, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` says so.
fn resource(service: &str) -> Resource {
    let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = variable("OTEL_SERVICE_NAME").is_some() || attributes.contains("service.name=");
    let resource = Resource::builder();
    let resource = if is_named { resource } else { resource.with_service_name(service.to_owned()) };
    resource.with_attribute(KeyValue::new("service.version", crate::version())).build()
}

#[derive(Debug)]
struct Exporter {
    otlp: opentelemetry_otlp::SpanExporter,
    kept: Mutex<Vec<SpanData>>,
    is_up: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let batch: Vec<_> = batch.into_iter().filter_map(told).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let sent = self.otlp.export(batch.clone()).await;
        self.note(sent.is_ok());
        if sent.is_err() {
            self.keep(batch);
            return sent;
        }
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        // Tried once more and no oftener: what a collector does not take for its content must not stand in the way of the rest.
        if kept.is_empty() { sent } else { self.otlp.export(kept).await }
    }

    fn shutdown_with_timeout(&self, patience: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(patience)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

impl Exporter {
    fn keep(&self, batch: Vec<SpanData>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(batch);
        let too_many = kept.len().saturating_sub(KEPT);
        kept.drain(..too_many);
    }

    /// One line for each change.
    fn note(&self, is_up: bool) {
        match (self.is_up.swap(is_up, Ordering::Relaxed), is_up) {
            (true, false) => tracing::warn!("traces cannot be sent: does the collector answer?"),
            (false, true) => tracing::info!("traces can be sent again"),
            _ => {}
        }
    }
}

/// The span as a collector knows it, by the names of OpenTelemetry's conventions; none if it would tell nothing: probes come every few
/// seconds, and a step outside of a request is one of many that nobody waits for.
fn told(mut span: SpanData) -> Option<SpanData> {
    if span.span_kind != SpanKind::Server {
        return (span.parent_span_id != SpanId::INVALID).then_some(span);
    }
    let text = |name: &'static str| {
        let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
        attribute.map(|attribute| attribute.value.as_str().into_owned()).unwrap_or_default()
    };
    let (method, route) = (text("method"), text("route"));
    if route.starts_with("/health/") || route == "/metrics" {
        return None;
    }
    span.name = format!("{method} {route}").into();
    // The trace has it.
    span.attributes.retain(|attribute| attribute.key.as_str() != "trace_id");
    for attribute in &mut span.attributes {
        let name = match attribute.key.as_str() {
            "method" => "http.request.method",
            "route" => "http.route",
            _ => continue,
        };
        attribute.key = Key::from_static_str(name);
    }
    Some(span)
}
