//! Events as lines: for a person on a terminal, one JSON object each elsewhere.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
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

/// Lines for a machine.
pub(super) fn json<S, W>(service: &str, writer: W) -> impl Layer<S> + Send + Sync + use<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let json = tracing_subscriber::fmt::format().json().flatten_event(true).with_span_list(false);
    let named = NamedLines { service: serde_json::Value::from(service).to_string(), json };
    tracing_subscriber::fmt::layer().json().event_format(named).fmt_fields(JsonFields::new()).with_writer(writer)
}

/// A subscriber that writes each event as one line of JSON with the name of the service in it.
pub fn json_lines<W>(service: &str, filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    registry().with(filter).with(json(service, writer))
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
