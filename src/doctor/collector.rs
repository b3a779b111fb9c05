//! The collector of traces, for `doorcode doctor`: whether it has a name and an open port. It is told nothing.

use url::Url;

use super::public_url::{self, Unreached};
use crate::doctor::finding::Finding;

const COLLECTOR: &str = "trace collector";

/// Connects to it, and hangs up. Nothing but traces is lost without it.
pub(super) async fn examine(endpoint: &Url) -> Finding {
    let (host, port) = public_url::place(endpoint);
    match public_url::reach(&host, port).await {
        Ok(_) => Finding::ok(COLLECTOR, format!("{host} takes connections on port {port}; nothing was sent")),
        Err(Unreached::Name(why)) => Finding::warning(
            COLLECTOR,
            format!("{host} has no address here ({why})"),
            "correct OTEL_EXPORTER_OTLP_ENDPOINT: until then traces are lost, and nothing else is",
        ),
        Err(Unreached::Port(why)) => Finding::warning(
            COLLECTOR,
            format!("{host} takes no connection on port {port} from here ({why})"),
            "start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP, usually port 4318): until then \
             traces are lost, and nothing else is",
        ),
    }
}
