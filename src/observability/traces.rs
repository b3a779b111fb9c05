//! Exports spans to the collector, and decides which requests are traced (sampling). If the collector is unavailable,
//! spans are lost and a line is logged; requests are not affected.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use opentelemetry::{
    Context, KeyValue, global,
    trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{
        IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
    },
};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs::default_provider};
use secrecy::ExposeSecret;
use tokio::task::spawn_blocking;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use super::{Traces, spans};

/// Time limit for one export.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the last export, at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The connection to the collector, if there is one.
#[must_use]
pub struct Collector(Option<SdkTracerProvider>);

impl Collector {
    /// Prepares the exporter. Does not connect yet, so the collector may start later.
    pub(super) async fn connect(traces: Option<&Traces>) -> Result<Self, String> {
        let Some(traces) = traces.cloned() else { return Ok(Self(None)) };
        // The exporter uses a blocking HTTP client, which cannot be created or dropped on an async thread.
        let provider = spawn_blocking(move || provider(&traces)).await.map_err(|error| error.to_string())??;
        global::set_tracer_provider(provider.clone());
        spans::turn_on();
        Ok(Self(Some(provider)))
    }

    /// Returns the layer that exports the spans from [`spans`] and no library's spans. `None` without a collector.
    pub(super) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let provider = self.0.as_ref()?;
        let ours = FilterFn::new(|metadata| metadata.target() == spans::TARGET).with_max_level_hint(LevelFilter::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("doorcode"));
        // Leave out source locations and threads, which do not help to read a trace.
        Some(
            layer
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(ours),
        )
    }

    /// Sends the remaining spans.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        match spawn_blocking(move || provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last traces did not reach the collector"),
            Err(error) => tracing::error!(%error, "cannot shut down traces"),
        }
    }
}

fn provider(traces: &Traces) -> Result<SdkTracerProvider, String> {
    let Traces { endpoint, headers, service, ratio } = traces;
    let headers: HashMap<_, _> =
        headers.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
    let client = client().map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {error}"))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .with_headers(headers)
        .with_timeout(EXPORT_TIMEOUT)
        .with_http_client(client)
        .build()
        .map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {error}"))?;
    let resource = Resource::builder()
        .with_service_name(service.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(*ratio)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Share { ratio: *ratio, within: sampler })
        .with_resource(resource)
        .build())
}

/// Creates an HTTP client. It follows no redirects, because a redirect could send the secret headers to another host.
/// Root certificates are built in, because a container may not contain any.
fn client() -> Result<reqwest::blocking::Client, Box<dyn Error>> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::blocking::Client::builder().tls_backend_preconfigured(tls);
    Ok(client.redirect(Policy::none()).timeout(EXPORT_TIMEOUT).build()?)
}

/// A sampler that traces a share of requests. A client whose `traceparent` is not sampled opts out of tracing. A client
/// whose `traceparent` is sampled cannot force tracing: the ratio applies to its requests too.
#[derive(Clone, Debug)]
struct Share {
    ratio: f64,
    within: Sampler,
}

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let from_outside = parent.map(|parent| parent.span().span_context().clone()).filter(SpanContext::is_remote);
        match from_outside {
            Some(outside) if outside.is_sampled() => {
                // Decide by a random ID of our own, because a client could choose a trace ID that is always sampled.
                let drawn = RandomIdGenerator::default().new_trace_id();
                Sampler::TraceIdRatioBased(self.ratio).should_sample(None, drawn, name, kind, attributes, links)
            }
            Some(_) => SamplingResult {
                decision: SamplingDecision::Drop,
                attributes: Vec::new(),
                trace_state: TraceState::default(),
            },
            None => self.within.should_sample(parent, id, name, kind, attributes, links),
        }
    }
}
