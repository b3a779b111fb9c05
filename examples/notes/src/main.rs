//! The program: Doorcode's settings, pages and loops, with the schema of this application. `notes migrate` brings both
//! schemas up to date; development does so by itself.

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
    /// `migrate` changes the database and ends.
    #[arg(value_parser = ["migrate"])]
    command: Option<String>,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    // Before any thread exists, for it changes the environment.
    doorcode::settings::read_dotenv().map_err(|problems| problems.to_string())?;
    tokio::runtime::Runtime::new()?.block_on(run(Cli::parse()))
}

async fn run(arguments: Cli) -> Outcome {
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
    // Traces that are not sent yet.
    collector.finish().await;
    Ok(served?)
}
