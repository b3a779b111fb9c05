//! The command line, for operators with a shell on the server. Commands read the same settings as `serve`, from the
//! environment and `.env`. Results go to standard output, errors to standard error. Exit codes: 0 success, 1 failure,
//! 2 usage error.

mod api_key;
mod application;
mod audit;
mod breached;
mod client;
mod doctor;
mod documents;
mod health;
mod moving;
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
pub use application::Application;
pub use print::complain;
use print::{CommandError, say};
use stop::ExitOnSignal;
pub use stop::stop_signal;

/// A self-hosted sign-in service: users sign in with a code by email or a password.
///
/// Without a command, `doorcode` runs the server. All commands read the same settings as the server, from environment
/// variables and a `.env` file in the current folder. In production, the file is ignored unless it contains
/// `DOORCODE_MODE=production`. `doorcode serve --help` lists all settings.
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
    /// Run the server (the default). `serve --help` lists all settings.
    Serve(Box<ServeFlags>),
    /// Apply, undo or list database migrations.
    Migrate {
        #[command(subcommand)]
        command: upkeep::MigrateCommand,
    },
    /// Print all settings as a Markdown page.
    Settings,
    /// Print the GraphQL schema.
    Schema {
        /// Include the inbox, which exists in development only.
        #[arg(long)]
        development: bool,
        /// Print an Apollo Federation 2 subgraph, for example for `rover supergraph compose`.
        #[arg(long)]
        federation: bool,
    },
    /// Check that this version can run every document in a manifest of trusted documents. Exit code 1 if not.
    Documents(documents::Check),
    /// Check all settings and dependencies, and print how to fix problems. Exit code 1 if there are problems.
    Doctor(Format),
    /// Create, change and list users. Changes appear in the audit trail without an actor.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Build a list of breached passwords that users cannot choose.
    Breached {
        #[command(subcommand)]
        command: breached::BreachedCommand,
    },
    /// Check the health of the server on this machine. Exit code 1 if it is not ready.
    Health(health::Probe),
    /// Read the audit trail.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Create, list, rotate and revoke the API keys of users.
    ApiKey {
        #[command(subcommand)]
        command: api_key::ApiKeyCommand,
    },
    /// Register, list and remove applications that users can sign in to.
    Client {
        #[command(subcommand)]
        command: client::ClientCommand,
    },
    /// List or rotate the keys that sign access tokens.
    Keys {
        #[command(subcommand)]
        command: upkeep::KeysCommand,
    },
    /// Create fictional users to try things out. Refused in production.
    Seed {
        /// Number of users.
        #[arg(long, default_value_t = 1_000)]
        users: u64,
        /// Random seed: the same seed creates the same users.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Delete expired data: codes, sent mail, old sessions, deleted users. The server also does this every hour.
    Purge(upkeep::PurgeArgs),
}

/// Output format of a command.
#[derive(Args, Clone, Copy)]
struct Format {
    /// Print one JSON object per line.
    ///
    /// Field names and ids are those of the GraphQL API. Times are in RFC 3339 format.
    #[arg(long)]
    json: bool,
}

type Outcome = Result<ExitCode, CommandError>;

/// Runs the command that the arguments name.
pub async fn run() -> ExitCode {
    // `doorcode` accepts the flags of `doorcode serve`, but does not list them.
    let command = Cli::command().mut_args(|flag| flag.hide(true));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let command = cli.command.unwrap_or(Command::Serve(Box::new(cli.serve)));
    finish(execute(command).await)
}

/// Runs a program: protects its memory, reads `.env`, and starts the threads for `run`.
pub fn start(run: impl Future<Output = ExitCode>) -> ExitCode {
    app::keep_memory_private();
    app::raise_file_limit();
    // Reading `.env` changes the environment, which is only safe before the process starts a thread.
    if let Err(problems) = settings::read_dotenv() {
        complain(&problems.to_string());
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(run);
            // Wait at most a second for threads that are blocked, for example in a DNS lookup.
            runtime.shutdown_timeout(Duration::from_secs(1));
            code
        }
        Err(error) => {
            complain(&format!("cannot start threads: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints the error of a command, and returns the exit code.
fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code,
        // The reader, such as `head`, closed the pipe.
        Err(CommandError::HungUp) => ExitCode::SUCCESS,
        Err(CommandError::Failed(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> Outcome {
    let on_signal = ExitOnSignal::install()?;
    match command {
        Command::Serve(flags) => serve::serve(*flags, on_signal, serve::DOORCODE).await,
        Command::Schema { development, federation } => schema(development, federation),
        Command::Documents(check) => documents::check(check),
        Command::Settings => {
            say(settings::reference().trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(format) => doctor::examine(format).await,
        Command::Health(probe) => health::check(probe).await,
        Command::Migrate { command } => upkeep::migrate(command).await,
        Command::User { command } => user::run(command, on_signal).await,
        Command::Audit { command: audit::AuditCommand::Tail(arguments) } => audit::tail(arguments, on_signal).await,
        Command::Breached { command: breached::BreachedCommand::Build(files) } => breached::build(files),
        Command::ApiKey { command } => api_key::run(command).await,
        Command::Client { command } => client::run(command).await,
        Command::Keys { command } => upkeep::keys(command).await,
        Command::Seed { users, seed } => upkeep::seed(users, seed).await,
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

/// Settings for commands other than `serve`, from the environment only.
async fn load_environment() -> Result<Settings, String> {
    let mut settings = load(flags_of_environment())?;
    // No command sets a password, so they all work without the list.
    settings.breached_passwords = None;
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

/// Connects everything that a server uses, without serving.
async fn build() -> Result<App, CommandError> {
    build_with(load_environment().await?).await
}

async fn build_with(settings: Settings) -> Result<App, CommandError> {
    let app = App::build(settings, Overrides::default()).await?;
    app.prepare().await?;
    Ok(app)
}

/// Time limit for publishing events. Servers that miss them find the changes in the database a little later.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(3);

/// Publishes committed events to running servers that share a bus with this process.
async fn publish_events(app: &App) {
    let (_, stopped) = watch::channel(true);
    drop(timeout(PUBLISH_TIMEOUT, live::run(Arc::clone(&app.ctx), stopped)).await);
}
