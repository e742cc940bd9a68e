//! Events as lines: for a person on a terminal, one JSON object each elsewhere.

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, registry};

/// Lines for a person.
pub(super) fn plain<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().with_target(false).with_writer(writer)
}

/// Lines for a machine, with the name of the service in each.
pub(super) fn json<S, W>(service: &str, writer: W) -> impl Layer<S> + Send + Sync + use<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = json_subscriber::fmt::layer().flatten_event(true).with_span_list(false);
    let mut lines = lines.with_writer(writer);
    lines.inner_layer_mut().add_static_field("service", service.into());
    lines
}

/// A subscriber that writes each event as one line of JSON with the name of the service in it.
pub fn json_lines<W>(service: &str, filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    registry().with(filter).with(json(service, writer))
}
