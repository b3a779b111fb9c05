//! The command line: what can be done without the API. Every command reads the same settings as `serve`, from flags'
//! variables and `.env`; what it prints goes to standard output, what went wrong to standard error.

use std::{io::Write, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    app::{self, App, Overrides},
    config::{Mode, ServeFlags, Settings},
    db::{
        Db,
        entity::{Role, UserStatus},
        migrate,
    },
    domain::{email_address::EmailAddress, housekeeping, keys, user},
    graphql, telemetry,
};

/// A self-hosted sign-in service: an e-mail address, an eight-digit code, signed in.
#[derive(Parser)]
#[command(name = "doorcode", version, about, args_conflicts_with_subcommands = true)]
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
        command: MigrateCommand,
    },
    /// Print the GraphQL schema.
    Schema {
        /// With the inbox that only development has.
        #[arg(long)]
        development: bool,
    },
    /// Make and change people.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// The keys that sign access tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Delete what is over: expired codes, sent mail, old sessions. Also runs by itself every hour.
    Purge,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Bring the schema up to date.
    Up,
    /// Undo the latest migrations. Their data is lost.
    Down(DownArgs),
    /// List the migrations; exit code 1 when some are pending.
    Status,
}

#[derive(Args)]
struct DownArgs {
    /// How many to undo.
    #[arg(long, default_value_t = 1)]
    steps: u32,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make an account.
    Create {
        /// The address to sign in with.
        email: String,
        /// What the person may do.
        #[arg(long, value_enum, default_value_t = RoleName::User)]
        role: RoleName,
    },
    /// Change what a person may do, such as `doorcode user role you@example.com admin`. Makes the account if there is none.
    Role {
        /// Whose.
        email: String,
        /// From now on.
        role: RoleName,
    },
    /// Keep a person out, at once.
    Suspend {
        /// Whom.
        email: String,
    },
    /// Let a suspended person in again.
    Restore {
        /// Whom.
        email: String,
    },
    /// The newest accounts.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        most: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Guest,
    User,
    Manager,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Guest => Self::Guest,
            RoleName::User => Self::User,
            RoleName::Manager => Self::Manager,
            RoleName::Admin => Self::Admin,
        }
    }
}

#[derive(Subcommand)]
enum KeysCommand {
    /// The keys there are, newest first.
    List,
    /// Make the next key. It is published now and signs in ten minutes; the one before retires when its tokens are dead.
    Rotate,
}

type Outcome = Result<ExitCode, String>;

/// Runs the command that the arguments name.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(Box::new(cli.serve))) {
        Command::Schema { development } => say(graphql::sdl(development).trim_end()),
        Command::Serve(flags) => serve(*flags).await,
        Command::Migrate { command } => migrate_command(command).await,
        Command::User { command } => user_command(command).await,
        Command::Keys { command } => keys_command(command).await,
        Command::Purge => purge().await,
    };
    outcome.unwrap_or_else(|message| {
        complain(&message);
        ExitCode::FAILURE
    })
}

/// Prints to standard output. A reader that hung up is no failure of ours.
fn say(text: &str) -> Outcome {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Prints to standard error. When even that fails there is nobody left to tell.
pub fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "doorcode: {text}"));
}

fn load(flags: ServeFlags) -> Result<Settings, String> {
    app::load(flags).map_err(|problems| problems.to_string())
}

/// Settings for the commands beside `serve`: from the environment alone.
fn load_environment() -> Result<Settings, String> {
    #[derive(Parser)]
    struct FromEnvironment {
        #[command(flatten)]
        flags: ServeFlags,
    }
    let settings = load(FromEnvironment::parse_from(["doorcode"]).flags)?;
    telemetry::start(&Settings { log: "warn".into(), ..settings.clone() })?;
    Ok(settings)
}

async fn serve(flags: ServeFlags) -> Outcome {
    let settings = load(flags)?;
    telemetry::start(&settings)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let bind = async |address: std::net::SocketAddr, variable: &str| {
        let hint = "another program may have it: stop that one, or choose another address";
        TcpListener::bind(address)
            .await
            .map_err(|error| format!("{variable}: cannot listen on {address} ({error}); {hint}"))
    };
    let public = bind(settings.listen, "DOORCODE_LISTEN").await?;
    let ops = bind(settings.ops_listen, "DOORCODE_OPS_LISTEN").await?;
    let banner = banner(&settings, &public);
    let app = App::build(settings, Overrides::default()).await.map_err(|error| error.to_string())?;
    app.prepare().await.map_err(|error| error.to_string())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");
    say(&banner)?;
    app.serve(public, ops, stop_signal()?).await.map_err(|error| error.to_string())?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Where everything is, in a few lines.
fn banner(settings: &Settings, public: &TcpListener) -> String {
    let here = match (settings.mode, public.local_addr()) {
        (Mode::Development, Ok(address)) => format!("http://localhost:{}", address.port()),
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

/// Turns true at SIGTERM or Ctrl-C.
fn stop_signal() -> Result<watch::Receiver<bool>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what is under way");
        sender.send_replace(true);
    });
    Ok(receiver)
}

async fn migrate_command(command: MigrateCommand) -> Outcome {
    let settings = load_environment()?;
    let db = Db::connect(&settings).await.map_err(|error| error.to_string())?;
    let only_looking = matches!(command, MigrateCommand::Status);
    match command {
        MigrateCommand::Up => migrate::up(&db).await,
        MigrateCommand::Down(DownArgs { steps }) => migrate::down(&db, steps).await,
        MigrateCommand::Status => Ok(()),
    }
    .map_err(|error| error.to_string())?;
    let status = migrate::status(&db).await.map_err(|error| error.to_string())?;
    let lines: Vec<_> = status
        .iter()
        .map(|(name, applied)| format!("{}  {name}", if *applied { "applied" } else { "pending" }))
        .collect();
    say(&lines.join("\n"))?;
    let stale = only_looking && status.iter().any(|(_, applied)| !applied);
    Ok(if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn build() -> Result<App, String> {
    let app = App::build(load_environment()?, Overrides::default()).await.map_err(|error| error.to_string())?;
    app.prepare().await.map_err(|error| error.to_string())?;
    Ok(app)
}

async fn user_command(command: UserCommand) -> Outcome {
    let app = build().await?;
    let ctx = &app.ctx;
    let parse = |email: &str| EmailAddress::parse(email).map_err(|error| error.to_string());
    let changed = match command {
        UserCommand::Create { email, role } => user::create(ctx, &parse(&email)?, role.into()).await,
        UserCommand::Role { email, role } => {
            let email = parse(&email)?;
            match user::change(ctx, &email, Some(role.into()), None).await {
                Err(crate::domain::Error::NotFound) => user::create(ctx, &email, role.into()).await,
                changed => changed,
            }
        }
        UserCommand::Suspend { email } => user::change(ctx, &parse(&email)?, None, Some(UserStatus::Suspended)).await,
        UserCommand::Restore { email } => user::change(ctx, &parse(&email)?, None, Some(UserStatus::Active)).await,
        UserCommand::List { most } => {
            let people = user::newest(ctx, most).await.map_err(|error| error.to_string())?;
            return say(&people.iter().map(describe).collect::<Vec<_>>().join("\n"));
        }
    };
    match changed {
        Ok(person) => say(&describe(&person)),
        Err(crate::domain::Error::NotFound) => Err("nobody has this address".into()),
        Err(crate::domain::Error::Conflict) => Err("somebody has this address already".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn describe(person: &crate::db::entity::users::Model) -> String {
    let (role, status) = (user::role_name(person.role), user::status_name(person.status));
    format!("{:<9} {:<8} {}  {}", status, role, person.created_at.format("%Y-%m-%d"), person.email)
}

async fn keys_command(command: KeysCommand) -> Outcome {
    let app = build().await?;
    if matches!(command, KeysCommand::Rotate) {
        keys::rotate(&app.ctx).await.map_err(|error| error.to_string())?;
    }
    let now = app.ctx.now();
    let keys = keys::list(&app.ctx).await.map_err(|error| error.to_string())?;
    let lines: Vec<_> = keys
        .iter()
        .map(|key| {
            let state = match key.retires_at {
                _ if key.signs_from > now => format!("signs from {}", key.signs_from.format("%F %T UTC")),
                Some(at) if at <= now => "retired".to_owned(),
                Some(at) => format!("retires at {}", at.format("%F %T UTC")),
                None => "signs".to_owned(),
            };
            format!("{}  {:<6} {state}", key.id, key.algorithm)
        })
        .collect();
    say(&lines.join("\n"))
}

async fn purge() -> Outcome {
    let app = build().await?;
    let purged = housekeeping::purge(&app.ctx).await.map_err(|error| error.to_string())?;
    say(&format!(
        "purged {} challenges, {} links, {} mails, {} sessions, {} devices",
        purged.challenges, purged.links, purged.mails, purged.sessions, purged.devices
    ))
}
