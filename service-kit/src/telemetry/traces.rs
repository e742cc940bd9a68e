//! Which spans are traced, and how a trace goes on from one service to the next (W3C Trace Context).

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Empty;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// The target of spans that are for traces and no log.
const STEP: &str = "latchkey::step";

/// That of a request's span.
const REQUEST: &str = "service_kit::telemetry";

/// Gives spans to the exporter: those of requests and of store steps, and no events, for an event may name a user.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let is_traced = |metadata: &Metadata<'_>| metadata.is_span() && ([STEP, REQUEST].contains(&metadata.target()));
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("latchkey"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_traced))
}

/// A step of a store, within the span of the request that needs it. Without a collector it costs nothing.
pub(crate) fn step(store: &'static str, operation: &'static str) -> Span {
    tracing::trace_span!(
        target: STEP,
        "step",
        otel.name = format!("{store} {operation}"),
        otel.status_code = Empty,
        store,
        operation,
    )
}

/// Marks a step that failed.
pub(crate) fn step_failed(step: &Span) {
    step.record("otel.status_code", "ERROR");
}

/// Makes a request's span part of the trace that its `traceparent` names, or the first of a new one, and tells the log which that is.
pub(super) fn join(span: &Span, headers: &HeaderMap) {
    let caller = TraceContextPropagator::new().extract(&Headers(headers));
    // It fails where nothing is traced.
    if span.set_parent(caller).is_ok() {
        let trace_id = span.context().span().span_context().trace_id();
        span.record("trace_id", tracing::field::display(trace_id));
    }
}

/// Tells the trace how a request ended. The status is no field of the span, for a field that is recorded late has the span's text for
/// the log written anew.
pub(super) fn finish(span: &Span, status: StatusCode) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The headers by which a call to another service becomes part of the current request's trace: `traceparent`, and `tracestate` where
/// the caller sent one. None where nothing is traced.
pub fn trace_headers() -> impl Iterator<Item = (String, String)> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut headers);
    headers.into_iter().filter(|(_, value)| !value.is_empty())
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// What a handler would send on while it answers a request with these headers.
    fn sent_on(headers: &[(&'static str, &'static str)]) -> HashMap<String, String> {
        let provider = SdkTracerProvider::builder().build();
        tracing::subscriber::with_default(registry().with(layer(&provider)), || {
            let mut received = HeaderMap::new();
            for (name, value) in headers {
                received.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let request = tracing::info_span!(target: REQUEST, "request", trace_id = Empty);
            join(&request, &received);
            request.in_scope(|| trace_headers().collect())
        })
    }

    #[test]
    fn a_call_to_another_service_goes_on_with_the_callers_trace() {
        let sent = sent_on(&[("traceparent", CALLER), ("tracestate", "vendor=1")]);
        assert_eq!(sent["tracestate"], "vendor=1");
        let traceparent: Vec<_> = sent["traceparent"].split('-').collect();
        assert_eq!((traceparent[1], traceparent[3]), ("0af7651916cd43dd8448eb211c80319c", "01"));
        assert_ne!(traceparent[2], "b7ad6b7169203331", "the parent is this request");
    }

    #[test]
    fn a_caller_that_is_not_sampled_stays_so() {
        let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(sent_on(&[("traceparent", unsampled)])["traceparent"].ends_with("-00"));
    }

    #[test]
    fn what_is_no_traceparent_begins_a_new_trace() {
        for nonsense in ["", "00-xyz", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
            let sent = sent_on(&[("traceparent", nonsense)]);
            assert_eq!(sent["traceparent"].len(), CALLER.len(), "{nonsense}: {sent:?}");
        }
    }

    #[test]
    fn nothing_is_sent_on_where_nothing_is_traced() {
        assert_eq!(trace_headers().count(), 0);
    }
}
