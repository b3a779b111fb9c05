//! The command line: what can be done without the API, by whoever has a shell on the server. Every command but `health`
//! reads the same settings as `serve`, from flags' variables and `.env`; what it prints goes to standard output, what
//! went wrong to standard error. Exit codes: 0 done, 1 not done, 2 not understood.

mod audit;
mod doctor;
mod documents;
mod health;
mod people;
mod print;
mod serve;
mod sessions;
mod stop;
mod upkeep;
mod user;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio::{sync::watch, time::timeout};

use crate::{
    app::{self, App, Overrides},
    domain::{access::Root, live},
    graphql,
    observability::{self, Log},
    settings::{self, ServeFlags, Settings},
};
pub use print::complain;
use print::{CommandError, say};
use stop::Ending;
pub use stop::stop_signal;

/// A self-hosted sign-in service: an e-mail address, an eight-digit code, signed in.
///
/// Without a command it serves. Every command reads the same variables as the server, from the environment and from
/// `.env` in the current folder (in production only if that says `DOORCODE_MODE=production`); `doorcode serve --help`
/// documents them all.
#[derive(Parser)]
#[command(name = "doorcode", version, about, long_about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the pages (what `doorcode` alone does). `serve --help` documents every setting.
    Serve(Box<ServeFlags>),
    /// Change the database's schema, or look at it.
    Migrate {
        #[command(subcommand)]
        command: upkeep::MigrateCommand,
    },
    /// Print the reference of all settings as Markdown.
    Settings,
    /// Print the GraphQL schema.
    Schema {
        /// With the inbox that only development has.
        #[arg(long)]
        development: bool,
        /// As a subgraph of Apollo Federation 2, for `rover supergraph compose` and the like.
        #[arg(long)]
        federation: bool,
    },
    /// Check a manifest of trusted documents: whether this version would run every document in it. Exit code 1 if not.
    Documents(documents::Check),
    /// Try every dependency and setting, and say what is wrong and what to do. Exit code 1 if something is.
    Doctor(Format),
    /// Make, change and look at people. What is changed is in the audit trail, without an actor.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Ask the server beside this one how it is. Exit code 1 if it cannot serve.
    Health(health::Probe),
    /// Look at the audit trail.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Look at the keys that sign access tokens, or make the next one.
    Keys {
        #[command(subcommand)]
        command: upkeep::KeysCommand,
    },
    /// Make people who do not exist, for trying things out. Not in production.
    Seed {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        users: u64,
        /// The same number makes the same people.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Delete what is over: expired codes, sent mail, old sessions. Also runs by itself every hour.
    Purge(upkeep::PurgeArgs),
}

/// How a command prints.
#[derive(Args, Clone, Copy)]
struct Format {
    /// Print one JSON object a line, for programs.
    ///
    /// Fields are named as in the GraphQL API, an `id` is the one that the API takes, and times are RFC 3339.
    #[arg(long)]
    json: bool,
}

type Outcome = Result<ExitCode, CommandError>;

/// Runs the command that the arguments name.
pub async fn run() -> ExitCode {
    // `doorcode` takes the flags of `doorcode serve`, which documents them.
    let command = Cli::command().mut_args(|flag| flag.hide(true));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let command = cli.command.unwrap_or(Command::Serve(Box::new(cli.serve)));
    match carry_out(command).await {
        Ok(code) => code,
        // A reader that hung up has what it wanted.
        Err(CommandError::HungUp) => ExitCode::SUCCESS,
        Err(CommandError::Failed(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> Outcome {
    let ending = Ending::begin()?;
    match command {
        Command::Serve(flags) => serve::serve(*flags, ending).await,
        Command::Schema { development, federation } => schema(development, federation),
        Command::Documents(check) => documents::check(check),
        Command::Settings => {
            say(settings::reference().trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(format) => doctor::examine(format).await,
        Command::Health(probe) => health::ask(probe).await,
        Command::Migrate { command } => upkeep::migrate(command).await,
        Command::User { command } => user::run(command).await,
        Command::Audit { command: audit::AuditCommand::Tail(which) } => audit::tail(which, ending).await,
        Command::Keys { command } => upkeep::keys(command).await,
        Command::Seed { users, seed } => upkeep::make_people(users, seed).await,
        Command::Purge(arguments) => upkeep::purge(arguments).await,
    }
}

fn schema(development: bool, federation: bool) -> Outcome {
    let sdl = if federation { graphql::subgraph_sdl(development) } else { graphql::sdl(development) };
    say(sdl.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn load(flags: ServeFlags) -> Result<Settings, String> {
    app::load(flags).map_err(|problems| problems.to_string())
}

/// Settings for the commands beside `serve`: from the environment alone.
async fn load_environment() -> Result<Settings, String> {
    let settings = load(flags_of_environment())?;
    let log = Log { filter: "warn".into(), ..settings.log.clone() };
    let no_collector = observability::start(&log, None).await?;
    drop(no_collector);
    Ok(settings)
}

fn flags_of_environment() -> ServeFlags {
    #[derive(Parser)]
    struct FromEnvironment {
        #[command(flatten)]
        flags: ServeFlags,
    }
    FromEnvironment::parse_from(["doorcode"]).flags
}

impl Root for App {}

/// All that a server stands on, without serving.
async fn build() -> Result<App, CommandError> {
    build_with(load_environment().await?).await
}

async fn build_with(settings: Settings) -> Result<App, CommandError> {
    let app = App::build(settings, Overrides::default()).await?;
    app.prepare().await?;
    Ok(app)
}

/// What a command did is told to whoever listens on a server within this, or else found out by them a little later.
const TELLING: Duration = Duration::from_secs(3);

/// Tells running servers what was just committed, as far as they share a bus with this process.
async fn tell(app: &App) {
    let (_, stopped) = watch::channel(true);
    drop(timeout(TELLING, live::run(Arc::clone(&app.ctx), stopped)).await);
}
