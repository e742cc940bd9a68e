//! A collector of traces: takes what OTLP/HTTP brings (`POST /v1/traces`, protobuf) and keeps it to be looked at.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::waiting::eventually;

/// A collector on a port of its own. It stops when it is dropped.
pub struct Collector {
    address: SocketAddr,
    received: Data<Received>,
    server: ServerHandle,
}

#[derive(Default)]
struct Received {
    spans: Mutex<Vec<Traced>>,
    refuses: AtomicBool,
    refused: AtomicUsize,
}

/// A span, as the collector got it.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The span.
    pub span: Span,
    /// The `service.name` of what sent it.
    pub service: String,
}

impl Collector {
    /// Starts one that takes everything.
    ///
    /// # Panics
    ///
    /// Where it cannot listen.
    pub fn start() -> Self {
        let received = Data::new(Received::default());
        let shared = received.clone();
        let (told, started) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let app = move || App::new().app_data(shared.clone()).route("/v1/traces", web::post().to(receive));
            let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
            actix_web::rt::System::new().block_on(async move {
                let address = server.addrs()[0];
                let server = server.run();
                told.send((address, server.handle())).expect("somebody waits for it");
                server.await.expect("the collector ends well");
            });
        });
        let (address, server) = started.recv().expect("the collector starts");
        Self { address, received, server }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` has to say.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers 503 from now on, or no more.
    pub fn refuse(&self, refuses: bool) {
        self.received.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Waits until it has refused something.
    pub async fn has_refused(&self) {
        let refused = || self.received.refused.load(Ordering::SeqCst);
        eventually("the collector refuses", async || (refused() > 0).then_some(())).await;
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Traced> {
        self.received.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a span of this name in a trace.
    pub async fn span(&self, trace_id: &str, name: &str) -> Traced {
        let is_it = |traced: &Traced| traced.trace_id() == trace_id && traced.span.name == name;
        eventually(&format!("{name} arrives"), async || self.spans().into_iter().find(is_it)).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Traced {
    /// The trace that it belongs to, in hexadecimal.
    pub fn trace_id(&self) -> String {
        hexadecimal(&self.span.trace_id)
    }

    /// Its own id, in hexadecimal.
    pub fn id(&self) -> String {
        hexadecimal(&self.span.span_id)
    }

    /// The id of the span that it is a part of, in hexadecimal.
    pub fn parent(&self) -> String {
        hexadecimal(&self.span.parent_span_id)
    }

    /// Its attributes as text, in alphabetical order.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let mut attributes: Vec<_> = self.span.attributes.iter().map(|one| (one.key.clone(), text(one))).collect();
        attributes.sort();
        attributes
    }
}

async fn receive(request: HttpRequest, body: Bytes, received: Data<Received>) -> HttpResponse {
    let media_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    assert_eq!(media_type, Some("application/x-protobuf"));
    if received.refuses.load(Ordering::SeqCst) {
        received.refused.fetch_add(1, Ordering::SeqCst);
        return HttpResponse::ServiceUnavailable().finish();
    }
    let request = ExportTraceServiceRequest::decode(body).expect("an export");
    let mut spans = received.spans.lock().unwrap_or_else(PoisonError::into_inner);
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let service = attributes.iter().find(|one| one.key == "service.name").map(text).unwrap_or_default();
        let of_resource = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(of_resource.map(|span| Traced { span, service: service.clone() }));
    }
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

fn text(attribute: &KeyValue) -> String {
    match &attribute.value {
        Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => text.clone(),
        Some(AnyValue { value: Some(any_value::Value::IntValue(number)) }) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
