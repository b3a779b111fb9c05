//! The server: Doorcode's settings, pages and background tasks, with the schema of this application. `notes migrate`
//! updates both database schemas. Development servers migrate at startup.

use clap::Parser;
use doorcode::{
    app::{self, App, Overrides},
    cli,
    db::migrate,
    observability,
    settings::ServeFlags,
};
use notes::{graphql, migration::Migrator};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: ServeFlags,
    /// `migrate` updates the database and exits.
    #[arg(value_parser = ["migrate"])]
    command: Option<String>,
}

type Exit = Result<(), Box<dyn std::error::Error>>;

fn main() -> Exit {
    // Must run before any thread starts, because it changes the environment.
    doorcode::settings::read_dotenv().map_err(|problems| problems.to_string())?;
    tokio::runtime::Runtime::new()?.block_on(run(Cli::parse()))
}

async fn run(arguments: Cli) -> Exit {
    let settings = app::load(arguments.settings).map_err(|problems| problems.to_string())?;
    let collector = observability::start(&settings.log, settings.traces.as_ref()).await?;
    let (public, ops) = (settings.listen, settings.ops_listen);
    let app = App::build(settings, Overrides::default()).await?;
    if arguments.command.is_some() {
        return Ok(migrate::up_with::<Migrator>(&app.ctx.db).await?);
    }
    app.prepare_with::<Migrator>().await?;
    let api = graphql::api(&app.ctx);
    let (public, ops) = (TcpListener::bind(public).await?, TcpListener::bind(ops).await?);
    let served = app.serve_api(api, public, ops, cli::stop_signal()?).await;
    // Send the remaining traces.
    collector.finish().await;
    Ok(served?)
}
