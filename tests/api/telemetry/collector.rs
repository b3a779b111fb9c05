//! A test collector for OTLP over HTTP. Records the spans and headers that an exporter posts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;

/// All spans received so far, and the headers of each request.
#[derive(Clone, Default)]
pub(super) struct Collector {
    spans: Arc<Mutex<Vec<Collected>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
    bodies: Arc<Mutex<Vec<u8>>>,
    pub(super) port: u16,
}

#[derive(Clone, Debug)]
pub(super) struct Collected {
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) attributes: HashMap<String, String>,
    /// Trace ids of the linked spans.
    pub(super) links: Vec<String>,
    pub(super) kind: i32,
    pub(super) service: String,
    pub(super) nanos: u64,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        collector
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn spans(&self) -> Vec<Collected> {
        self.spans.lock().unwrap().clone()
    }

    /// Everything received so far, as it was sent: with events, links and resources.
    pub(super) fn received(&self) -> Vec<u8> {
        self.bodies.lock().unwrap().clone()
    }

    /// Returns the only span with this name in a trace. Panics if there is none or more than one.
    pub(super) fn one(&self, trace: &str, name: &str) -> Collected {
        let found: Vec<_> = self.spans().into_iter().filter(|span| span.trace == trace && span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: {:#?}", self.names(trace));
        found[0].clone()
    }

    pub(super) fn names(&self, trace: &str) -> Vec<String> {
        self.spans().into_iter().filter(|span| span.trace == trace).map(|span| span.name).collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let all = self.headers.lock().unwrap();
        all.first()?.get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    collector.bodies.lock().unwrap().extend_from_slice(&body);
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| read(&resource.attributes)).unwrap_or_default();
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let spans = spans.map(|span| Collected::of(&span, &service));
        collector.spans.lock().unwrap().extend(spans);
    }
    collector.headers.lock().unwrap().push(headers);
    ExportTraceServiceResponse::default().encode_to_vec()
}

impl Collected {
    fn of(span: &Span, service: &str) -> Self {
        Self {
            name: span.name.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            attributes: read(&span.attributes),
            links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
            kind: span.kind,
            service: service.to_owned(),
            nanos: span.end_time_unix_nano - span.start_time_unix_nano,
        }
    }
}

fn read(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Option<Value>| match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pair =
        |pair: &KeyValue| (pair.key.clone(), pair.value.as_ref().map(|value| text(&value.value)).unwrap_or_default());
    attributes.iter().map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
