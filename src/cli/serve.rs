//! `doorcode serve`, also for an application that embeds Doorcode: binds the ports, starts the server, prints its
//! addresses and serves until a signal.

use std::{process::ExitCode, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;

use super::{
    Outcome,
    documents::{self, CheckedDocument},
    load,
    print::{CommandError, say},
    stop::ExitOnSignal,
};
use crate::{
    app::{App, Overrides, Task},
    domain::{Ctx, access::Grant},
    error::Error,
    graphql::Api,
    http::{Tls, WaitingRoom},
    observability,
    settings::{Manifest, Mode, ServeFlags, Settings},
};

/// What a server serves: Doorcode alone, or an application that embeds it.
pub(super) struct Program {
    pub name: &'static str,
    pub api: fn(&Arc<Ctx>) -> Api,
    pub grants: &'static [Grant],
    pub tasks: &'static [Task],
    /// Checks or migrates the database.
    pub prepare: fn(&App) -> BoxFuture<'_, Result<(), Error>>,
}

/// Doorcode alone.
pub(super) const DOORCODE: Program =
    Program { name: "Doorcode", api: Api::new, grants: &[], tasks: &[], prepare: |app| Box::pin(app.prepare()) };

pub(super) async fn serve(flags: ServeFlags, on_signal: ExitOnSignal, program: Program) -> Outcome {
    let settings = load(flags)?;
    let collector = observability::start(&settings.log, settings.traces.as_ref()).await?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    // Opened first, so that a bad certificate prevents the start.
    let tls = settings.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
    let bind = async |address: std::net::SocketAddr, variable: &str| {
        let hint = "Stop the program that uses it, or choose another address.";
        TcpListener::bind(address)
            .await
            .map_err(|error| format!("{variable}: cannot listen on {address} ({error}). {hint}"))
    };
    let public = bind(settings.listen, "DOORCODE_LISTEN").await?;
    let ops = bind(settings.ops_listen, "DOORCODE_OPS_LISTEN").await?;
    if let Some(manifest) = &settings.documents {
        check_documents(manifest)?;
    }
    let banner = banner(program.name, &settings, &public);
    let waiting = WaitingRoom::new(&settings);
    let overrides =
        Overrides { tls: tls.clone(), grants: program.grants, tasks: program.tasks, ..Overrides::default() };
    let start = Box::pin(async {
        let app = App::build(settings, overrides).await?;
        (program.prepare)(&app).await.map(|()| app)
    });
    let stop = on_signal.into_stop()?;
    let starting = waiting.while_starting((&public, tls.as_ref()), &ops, start);
    let mut stopped = stop.clone();
    let app = tokio::select! {
        started = starting => started.map_err(|error| error.to_string())??,
        _ = stopped.wait_for(|stop| *stop) => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");
    match say(&banner) {
        // Serves even if no one reads its output.
        Ok(()) | Err(CommandError::HungUp) => {}
        Err(failed) => return Err(failed),
    }
    let api = (program.api)(&app.ctx);
    let served = app.serve_api(api, public, ops, stop).await;
    collector.finish().await;
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Refuses to start if a document cannot run under any schema. A document that does not match this schema belongs to a
/// newer or older frontend: it is refused when a client sends it, and the others run.
fn check_documents(manifest: &Manifest) -> Result<(), CommandError> {
    let mut unfit = Vec::new();
    for CheckedDocument { id, problems, unfit: is_unfit, .. } in documents::check_all(manifest) {
        let problem = problems.first().map(String::as_str).unwrap_or_default();
        if is_unfit {
            unfit.push(format!("\n  {id}: {problem}"));
        } else if !problems.is_empty() {
            tracing::warn!(id, problem, "a trusted document does not match the schema and will be refused");
        }
    }
    if unfit.is_empty() {
        return Ok(());
    }
    Err(format!("DOORCODE_DOCUMENTS contains documents that cannot run:{}", unfit.concat()).into())
}

/// The addresses of the pages, and what is embedded.
fn banner(name: &str, settings: &Settings, public: &TcpListener) -> String {
    let base = match (settings.mode, public.local_addr()) {
        (Mode::Development, Ok(address)) => {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://localhost:{}", address.port())
        }
        _ => settings.issuer().to_owned(),
    };
    let mut lines = vec![format!("{name} {} is ready.", env!("CARGO_PKG_VERSION")), format!("  Sign in   {base}/")];
    if settings.console {
        lines.push(format!("  Console   {base}/admin"));
    }
    if settings.graphiql {
        lines.push(format!("  GraphiQL  {base}/graphiql"));
    }
    if settings.has_inbox() {
        lines.push(format!("  Inbox     {base}/inbox   (mail stays here; set SMTP_URL to send it)"));
    }
    lines.push(format!("  Health    http://{}/ready", settings.ops_listen));
    let mut embedded = Vec::new();
    if secrecy::ExposeSecret::expose_secret(&settings.database_url).starts_with("sqlite") {
        embedded.push("SQLite database");
    }
    if settings.redis_url.is_none() {
        embedded.push("in-memory rate limits");
    }
    if settings.has_inbox() {
        embedded.push("inbox");
    }
    if !embedded.is_empty() {
        lines.push(format!("  Embedded  {}; data in {}", embedded.join(", "), settings.data.display()));
    }
    lines.join("\n")
}
