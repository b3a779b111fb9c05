//! The collector of traces, for `doorcode doctor`: whether its name resolves and its port is open. Nothing is sent.

use super::{
    Findings,
    public_url::{self, Unreached},
};
use crate::{doctor::finding::Finding, observability::Traces};

const COLLECTOR: &str = "trace collector";

/// Connects and hangs up. Without a collector nothing but traces is lost.
pub(super) async fn examine(traces: &Traces) -> Findings {
    let (host, port) = public_url::authority(&traces.endpoint);
    public_url::reach(&host, port).await.map_err(|unreached| match unreached {
        Unreached::Name(why) => Finding::warning(
            COLLECTOR,
            format!("{host} has no address here ({why})"),
            "correct OTEL_EXPORTER_OTLP_ENDPOINT: until then traces are lost, and nothing else is",
        ),
        Unreached::Port(why) => Finding::warning(
            COLLECTOR,
            format!("{host} takes no connection on port {port} from here ({why})"),
            "start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP, usually port 4318): until then \
             traces are lost, and nothing else is",
        ),
    })?;
    Ok(vec![Finding::ok(COLLECTOR, format!("{host} takes connections on port {port}; nothing was sent"))])
}
