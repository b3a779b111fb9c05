//! Builds the application and serves it. Only this module chooses an adapter for each port.

mod tasks;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use futures_util::future::BoxFuture;
use migration::MigratorTrait;
use sea_orm::DbBackend;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    adapter::{
        bus::{memory::MemoryBus, redis::RedisBus},
        cache::{memory::MemoryCache, redis::RedisCache},
        limiter::{
            measured::Measured,
            memory::{DEFAULT_ENTRIES, MemoryLimiter},
            redis::RedisLimiter,
        },
        mail::{inbox::InboxTransport, smtp::Smtp},
        system::{SystemClock, SystemEntropy},
    },
    db::{Db, OnStatement, migrate},
    domain::{
        Ctx,
        access::Grant,
        audit,
        credential::password::{hasher::Hasher, policy::breached::BreachedPasswords},
        housekeeping, live,
        mail::{delivery, inbox::Inbox},
        session::reader::Reader,
        token,
        vault::Vault,
    },
    error::Error,
    graphql::Api,
    http::{self, Caps, Server, Tls},
    observability::{metrics::Metrics, spans},
    ports::{Bus, Cache, Clock, Entropy, Limiter, MailTransport},
    settings::{self, Mode, ServeFlags, Settings},
};

pub use crate::adapter::system::{keep_memory_private, raise_file_limit};
pub use tasks::Task;

/// How long shutdown waits for requests in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(25);

/// Loads the settings from the flags and the environment, with warnings about the `.env` file.
///
/// # Errors
/// All problems in the settings.
pub fn load(flags: ServeFlags) -> Result<Settings, settings::Problems> {
    let mode = flags.mode.clone();
    let loaded = Settings::load(flags, settings::environment(), SystemClock.now(), &SystemEntropy);
    settings::with_env_file(mode.as_deref(), loaded)
}

/// An application that is ready to be prepared and served.
pub struct App {
    /// What domain functions depend on: settings, database, clock, limiter and so on.
    pub ctx: Arc<Ctx>,
    /// Delivers the emails in the outbox.
    pub transport: Arc<dyn MailTransport>,
    /// The certificate and key that startup already loaded. `None`: [`App::serve_api`] loads them.
    tls: Option<Arc<Tls>>,
    tasks: &'static [Task],
}

/// Dependencies that replace the real ones, for tests and the doctor. With `None`, [`App::build`] creates the real one.
#[derive(Default)]
pub struct Overrides {
    /// A clock whose time a test can set.
    pub clock: Option<Arc<dyn Clock>>,
    /// A source of predictable bytes.
    pub entropy: Option<Arc<dyn Entropy>>,
    /// Called after every database statement.
    pub on_statement: Option<crate::db::OnStatement>,
    /// A limiter that a test can inspect or make fail.
    pub limiter: Option<Arc<dyn Limiter>>,
    /// A bus that several applications in one test share.
    pub bus: Option<Arc<dyn Bus>>,
    /// A database that is already connected.
    pub db: Option<Db>,
    /// The scopes that an application adds for API keys.
    pub grants: &'static [Grant],
    /// Tasks of an application that run while the server runs.
    pub tasks: &'static [Task],
    /// The certificate and key, if the startup listener already loaded them.
    pub tls: Option<Arc<Tls>>,
}

impl App {
    /// Connects to the database and creates all other dependencies. Redis and the mail server are connected on first
    /// use. The future is boxed because it is large.
    ///
    /// # Errors
    /// If a setting cannot be used, or the database cannot be reached.
    pub fn build(settings: Settings, overrides: Overrides) -> BoxFuture<'static, Result<Self, Error>> {
        Box::pin(Self::assemble(settings, overrides))
    }

    async fn assemble(settings: Settings, overrides: Overrides) -> Result<Self, Error> {
        let clock = overrides.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let entropy = overrides.entropy.unwrap_or_else(|| Arc::new(SystemEntropy));
        let metrics = Metrics::default();
        let limiter = match overrides.limiter {
            Some(limiter) => limiter,
            None => limiter(&settings)?,
        };
        let store = if settings.redis_url.is_some() { "redis" } else { "memory" };
        let limiter: Arc<dyn Limiter> = Arc::new(Measured::new(limiter, store, metrics.clone()));
        let bus = match overrides.bus {
            Some(bus) => bus,
            None => bus(&settings, &*entropy)?,
        };
        let cache = cache(&settings)?;
        let inbox = settings.has_inbox().then(|| Arc::new(Inbox::new()));
        let transport = transport(&settings, inbox.as_ref(), &clock)?;
        let vault = Vault::new(&settings.secrets)?;
        let hasher = Hasher::new(settings.password_cost, &*entropy)?;
        let breached = settings.breached_passwords.as_deref().map(BreachedPasswords::open).transpose();
        let breached = breached.map_err(|wrong| {
            let instead = "Build it again with `doorcode breached build`, or remove the variable";
            Error::setting("DOORCODE_BREACHED_PASSWORDS", format!("{wrong}. {instead}"))
        })?;
        let db = match overrides.db {
            Some(db) => db,
            None => {
                Db::connect_with(&settings.database(), Some(watch_statements(&metrics, overrides.on_statement))).await?
            }
        };
        let ctx = Ctx {
            settings,
            sessions: Reader::new(db.clone()),
            db,
            clock,
            entropy,
            limiter,
            local_limiter: Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES)),
            cache,
            vault,
            grants: overrides.grants,
            hasher,
            breached: breached.map(Arc::new),
            keyring: token::Keyring::new(&metrics),
            live: live::Live::new(bus, metrics.clone()),
            metrics,
            refusals: audit::refusals::Refusals::default(),
            outbox_filled: tokio::sync::Notify::new(),
            last_tick: AtomicU64::new(0),
            inbox,
        };
        Ok(Self { ctx: Arc::new(ctx), transport, tls: overrides.tls, tasks: overrides.tasks })
    }

    /// Checks the database schema and prepares the signing keys. In development, applies pending migrations first.
    ///
    /// # Errors
    /// If migrations are pending in production, or the database fails.
    pub async fn prepare(&self) -> Result<(), Error> {
        if self.ctx.settings.mode == Mode::Development {
            migrate::up(&self.ctx.db).await?;
        } else if !migrate::is_current(&self.ctx.db).await? {
            let wrong = "the database schema is not current: run `doorcode migrate up` first";
            return Err(Error::Startup(wrong.to_owned()));
        }
        token::prepare(&self.ctx).await
    }

    /// Does the same as [`App::prepare`], then applies or checks the migrations `M` of an application that embeds
    /// Doorcode. Those migrations have their own migration table.
    pub async fn prepare_with<M: MigratorTrait>(&self) -> Result<(), Error> {
        self.prepare().await?;
        if self.ctx.settings.mode == Mode::Development {
            migrate::up_with::<M>(&self.ctx.db).await
        } else if migrate::is_current_with::<M>(&self.ctx.db).await? {
            Ok(())
        } else {
            let wrong = "the application's schema is not current: apply its migrations first";
            Err(Error::Startup(wrong.to_owned()))
        }
    }

    fn start_loops(&self, stop: &watch::Receiver<bool>) -> [JoinHandle<()>; 2] {
        [
            tokio::spawn(delivery::run(Arc::clone(&self.ctx), Arc::clone(&self.transport), stop.clone())),
            tokio::spawn(housekeeping::run(Arc::clone(&self.ctx), stop.clone())),
        ]
    }

    /// Serves `api` until `stop` is true, then finishes requests in progress for at most 25 seconds.
    pub async fn serve_api(
        self,
        api: Api,
        public: TcpListener,
        ops: TcpListener,
        stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let tls = match self.tls.clone() {
            Some(tls) => Some(tls),
            None => self.ctx.settings.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new),
        };
        let caps = Caps::default();
        if let Some(few) = caps.are_few() {
            tracing::warn!("{few}");
        }
        let (stop, tasks) = tasks::run_beside(&self.ctx, self.tasks, stop);
        let loops = self.start_loops(&stop);
        // The live event loop stops only after the last request, so that it also publishes that request's events.
        let (served, when_served) = watch::channel(false);
        let live = tokio::spawn(live::run(Arc::clone(&self.ctx), when_served));
        let server = Server::of(Arc::clone(&self.ctx), api);
        let mut stopped = stop.clone();
        let serving = http::serve(caps, tls, server, public, ops, stop);
        let too_long = async {
            drop(stopped.wait_for(|stop| *stop).await);
            tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
        };
        tokio::select! {
            () = serving => {}
            () = too_long => tracing::warn!("some requests did not finish in time and were cut off"),
        }
        served.send_replace(true);
        for running in loops.into_iter().chain([live]) {
            if tokio::time::timeout(Duration::from_secs(5), running).await.is_err() {
                tracing::warn!("a background loop did not stop in time; the next process continues its work");
            }
        }
        let failed = tasks.finish().await;
        housekeeping::finish(&self.ctx).await;
        self.ctx.db.clone().close().await?;
        failed
    }

    /// Runs one task until `stop` is true, without serving.
    pub async fn run_task(self, task: &'static Task, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let failed = tasks::run_alone(&self.ctx, task, stop).await;
        self.ctx.db.clone().close().await?;
        failed
    }
}

/// Returns a callback that records every database statement in metrics and traces, then calls `then`.
fn watch_statements(metrics: &Metrics, then: Option<OnStatement>) -> OnStatement {
    let metrics = metrics.clone();
    Arc::new(move |info| {
        metrics.stated(info.elapsed, info.failed);
        let system = if info.statement.db_backend == DbBackend::Postgres { "postgresql" } else { "sqlite" };
        spans::statement(&info.statement.sql, system, info.elapsed, info.failed);
        if let Some(then) = &then {
            then(info);
        }
    })
}

fn limiter(settings: &Settings) -> Result<Arc<dyn Limiter>, Error> {
    match &settings.redis_url {
        Some(url) => {
            let limiter = RedisLimiter::new(url).map_err(Error::Startup)?;
            Ok(Arc::new(limiter))
        }
        None => Ok(Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES))),
    }
}

/// Creates the bus. The Redis channel name contains the public URL, so that two Doorcode services can share one Redis
/// server.
fn bus(settings: &Settings, entropy: &dyn Entropy) -> Result<Arc<dyn Bus>, Error> {
    match &settings.redis_url {
        Some(url) => {
            let bus = RedisBus::new(url, settings.issuer(), entropy);
            Ok(Arc::new(bus.map_err(Error::Startup)?))
        }
        None => Ok(Arc::new(MemoryBus::default())),
    }
}

/// Creates the cache. Keys in Redis contain the public URL, like the channel of the bus.
fn cache(settings: &Settings) -> Result<Arc<dyn Cache>, Error> {
    match &settings.redis_url {
        Some(url) => Ok(Arc::new(RedisCache::new(url, settings.issuer()).map_err(Error::Startup)?)),
        None => Ok(Arc::new(MemoryCache::default())),
    }
}

fn transport(
    settings: &Settings,
    inbox: Option<&Arc<Inbox>>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn MailTransport>, Error> {
    if let Some(inbox) = inbox {
        return Ok(Arc::new(InboxTransport::new(Arc::clone(inbox), Arc::clone(clock))));
    }
    let missing = || Error::setting("SMTP_URL", "is missing, but sending mail requires it");
    let url = settings.smtp_url.as_ref().ok_or_else(missing)?;
    let smtp = Smtp::new(url, &settings.mail_from, settings.mode == Mode::Production);
    Ok(Arc::new(smtp.map_err(Error::Startup)?))
}
