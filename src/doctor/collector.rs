//! The trace collector: whether its name resolves and its port is open. Sends nothing.

use super::{
    Findings,
    public_url::{self, Unreached},
};
use crate::{doctor::finding::Finding, observability::Traces};

const COLLECTOR: &str = "trace collector";

/// Connects and disconnects. Without a collector, only traces are lost, so failures are warnings.
pub(super) async fn examine(traces: &Traces) -> Findings {
    let (host, port) = public_url::authority(&traces.endpoint);
    public_url::reach(&host, port).await.map_err(|unreached| match unreached {
        Unreached::Name(why) => Finding::warning(
            COLLECTOR,
            format!("cannot resolve {host} ({why})"),
            "correct OTEL_EXPORTER_OTLP_ENDPOINT; until then, traces are lost",
        ),
        Unreached::Port(why) => Finding::warning(
            COLLECTOR,
            format!("cannot connect to {host} on port {port} ({why})"),
            "start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT (OTLP/HTTP, usually port 4318); until then, \
             traces are lost",
        ),
    })?;
    Ok(vec![Finding::ok(COLLECTOR, format!("{host} accepts connections on port {port}; nothing was sent"))])
}
