//! The program of an application that embeds Doorcode: it serves, migrates the database, or runs a task.

use std::{process::ExitCode, sync::Arc};

use clap::{
    CommandFactory, FromArgMatches, Parser,
    builder::{PossibleValue, PossibleValuesParser},
};
use futures_util::future::BoxFuture;
use migration::MigratorTrait;

use super::{
    Outcome, finish, load,
    print::say,
    serve::{Program, serve},
    stop::ExitOnSignal,
};
use crate::{
    app::{App, Overrides, Task},
    db::{Db, migrate},
    domain::{Ctx, access::Grant},
    error::Error,
    graphql::Api,
    observability,
    settings::ServeFlags,
};

/// The command that migrates the database.
const MIGRATE: &str = "migrate";

/// An application that embeds Doorcode.
#[derive(Clone, Copy)]
pub struct Application {
    name: &'static str,
    api: fn(&Arc<Ctx>) -> Api,
    grants: &'static [Grant],
    tasks: &'static [Task],
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: ServeFlags,
    /// What to do. Without a command, the program serves.
    command: Option<String>,
}

impl Application {
    /// An application with a name, which is also the default of `DOORCODE_BRAND`: pages and emails show it. `api` builds
    /// its schema, usually with [`Api::merged`].
    pub const fn new(name: &'static str, api: fn(&Arc<Ctx>) -> Api) -> Self {
        Self { name, api, grants: &[], tasks: &[] }
    }

    /// Adds scopes for API keys.
    #[must_use]
    pub const fn with_grants(mut self, grants: &'static [Grant]) -> Self {
        self.grants = grants;
        self
    }

    /// Adds tasks, which the server runs beside its requests. The name of each task is also a command of the program, which
    /// runs only this task.
    #[must_use]
    pub const fn with_tasks(mut self, tasks: &'static [Task]) -> Self {
        self.tasks = tasks;
        self
    }

    /// The `main` function of the application. It has Doorcode's settings as flags and environment variables, and reads
    /// `.env`. Call it before the process starts a thread.
    ///
    /// The server applies Doorcode's migrations and then `M` when it starts in development. In production it refuses to
    /// start until the command `migrate` has applied them.
    pub fn main<M: MigratorTrait + 'static>(&self) -> ExitCode {
        let migrate = PossibleValue::new(MIGRATE).help("Updates the database and exits");
        let tasks = self.tasks.iter().map(|task| PossibleValue::new(task.name).help(task.about));
        let commands = PossibleValuesParser::new([migrate].into_iter().chain(tasks));
        let command = Cli::command().name(self.name).mut_arg("command", |arg| arg.value_parser(commands));
        super::start(async {
            let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
            finish(self.execute::<M>(cli).await)
        })
    }

    async fn execute<M: MigratorTrait + 'static>(&self, mut cli: Cli) -> Outcome {
        cli.settings.brand.get_or_insert_with(|| self.name.to_owned());
        let on_signal = ExitOnSignal::install()?;
        if cli.command.as_deref() == Some(MIGRATE) {
            return migrate_with::<M>(cli.settings).await;
        }
        if let Some(task) = self.tasks.iter().find(|task| cli.command.as_deref() == Some(task.name)) {
            return self.run::<M>(task, cli.settings, on_signal).await;
        }
        let Self { name, api, grants, tasks } = *self;
        serve(cli.settings, on_signal, Program { name, api, grants, tasks, prepare: prepare::<M> }).await
    }

    /// Runs one task until a signal.
    async fn run<M: MigratorTrait + 'static>(
        &self,
        task: &'static Task,
        flags: ServeFlags,
        on_signal: ExitOnSignal,
    ) -> Outcome {
        let settings = load(flags)?;
        let collector = observability::start(&settings.log, settings.traces.as_ref()).await?;
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let app = App::build(settings, Overrides { grants: self.grants, ..Overrides::default() }).await?;
        app.prepare_with::<M>().await?;
        let stop = on_signal.into_stop()?;
        tracing::info!(task = task.name, version = env!("CARGO_PKG_VERSION"), "running");
        let ended = app.run_task(task, stop).await;
        collector.finish().await;
        ended?;
        Ok(ExitCode::SUCCESS)
    }
}

fn prepare<M: MigratorTrait + 'static>(app: &App) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(app.prepare_with::<M>())
}

async fn migrate_with<M: MigratorTrait>(flags: ServeFlags) -> Outcome {
    let db = Db::connect(&load(flags)?.database()).await?;
    migrate::up_with::<M>(&db).await?;
    say("The database is current.")?;
    db.close().await?;
    Ok(ExitCode::SUCCESS)
}
