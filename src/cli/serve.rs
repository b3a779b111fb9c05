//! `doorcode serve`: binds, says where everything is, and serves until told to stop.

use std::{process::ExitCode, sync::Arc};

use tokio::net::TcpListener;

use super::{
    Outcome,
    documents::{self, Looked},
    load,
    print::{CommandError, say},
    stop::Ending,
};
use crate::{
    app::{App, Overrides},
    http::{Tls, WaitingRoom},
    observability,
    settings::{Manifest, Mode, ServeFlags, Settings},
};

pub(super) async fn serve(flags: ServeFlags, ending: Ending) -> Outcome {
    let settings = load(flags)?;
    let collector = observability::start(&settings.log, settings.traces.as_ref()).await?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    // Before anything is touched.
    let tls = settings.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
    let bind = async |address: std::net::SocketAddr, variable: &str| {
        let hint = "another program may have it: stop that one, or choose another address";
        TcpListener::bind(address)
            .await
            .map_err(|error| format!("{variable}: cannot listen on {address} ({error}); {hint}"))
    };
    let public = bind(settings.listen, "DOORCODE_LISTEN").await?;
    let ops = bind(settings.ops_listen, "DOORCODE_OPS_LISTEN").await?;
    if let Some(manifest) = &settings.documents {
        check_documents(manifest)?;
    }
    let banner = banner(&settings, &public);
    let waiting = WaitingRoom::new(&settings);
    let overrides = Overrides { tls: tls.clone(), ..Overrides::default() };
    let start = Box::pin(async {
        let app = App::build(settings, overrides).await?;
        app.prepare().await.map(|()| app)
    });
    let stop = ending.take_over()?;
    let starting = waiting.while_starting((&public, tls.as_ref()), &ops, start);
    let mut told = stop.clone();
    let app = tokio::select! {
        started = starting => started.map_err(|error| error.to_string())??,
        _ = told.wait_for(|stop| *stop) => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");
    match say(&banner) {
        // It serves also where nobody reads what it says.
        Ok(()) | Err(CommandError::HungUp) => {}
        Err(failed) => return Err(failed),
    }
    let served = app.serve(public, ops, stop).await;
    collector.finish().await;
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// A document that could run nowhere stops the start. One that does not fit the schema is of a frontend newer or older
/// than this version: it is refused when somebody sends it, and the others run.
fn check_documents(manifest: &Manifest) -> Result<(), CommandError> {
    let mut unfit = Vec::new();
    for Looked { id, problems, unfit: is_unfit, .. } in documents::look(manifest) {
        let problem = problems.first().map(String::as_str).unwrap_or_default();
        if is_unfit {
            unfit.push(format!("\n  {id}: {problem}"));
        } else if !problems.is_empty() {
            tracing::warn!(id, problem, "a trusted document does not fit the schema and will be refused");
        }
    }
    if unfit.is_empty() {
        return Ok(());
    }
    Err(format!("DOORCODE_DOCUMENTS has documents that cannot run:{}", unfit.concat()).into())
}

/// Where everything is, in a few lines.
fn banner(settings: &Settings, public: &TcpListener) -> String {
    let here = match (settings.mode, public.local_addr()) {
        (Mode::Development, Ok(address)) => {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://localhost:{}", address.port())
        }
        _ => settings.issuer().to_owned(),
    };
    let mut lines = vec![format!("Doorcode {} is ready.", env!("CARGO_PKG_VERSION")), format!("  Sign in   {here}/")];
    if settings.graphiql {
        lines.push(format!("  GraphiQL  {here}/graphiql"));
    }
    if settings.has_inbox() {
        lines.push(format!("  Inbox     {here}/inbox   (mail stays here; set SMTP_URL to send it)"));
    }
    lines.push(format!("  Health    http://{}/ready", settings.ops_listen));
    let mut embedded = Vec::new();
    if secrecy::ExposeSecret::expose_secret(&settings.database_url).starts_with("sqlite") {
        embedded.push("SQLite database");
    }
    if settings.redis_url.is_none() {
        embedded.push("in-process limiter");
    }
    if settings.has_inbox() {
        embedded.push("inbox");
    }
    if !embedded.is_empty() {
        lines.push(format!("  Embedded  {}; data in {}", embedded.join(", "), settings.data.display()));
    }
    lines.join("\n")
}
