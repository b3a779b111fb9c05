//! The composition root: the only place that chooses what stands behind the ports. Nothing here is a rule of sign-in.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    adapter::{
        inbox::InboxTransport,
        memory_limiter::{DEFAULT_ENTRIES, MemoryLimiter},
        redis_limiter::RedisLimiter,
        smtp::Smtp,
        system::{SystemClock, SystemEntropy},
    },
    config::{self, Mode, ServeFlags, Settings},
    db::{Db, migrate},
    domain::{
        Ctx, Error, housekeeping,
        mail::{delivery, inbox::Inbox},
        token,
        vault::Vault,
    },
    http::{self, Caps, Server},
    ports::{Clock, Entropy, Limiter, MailTransport},
};

/// How long a stop may take: requests under way first, then the letter being sent.
const GRACE: Duration = Duration::from_secs(25);

/// Reads the settings, by the system's clock.
pub fn load(flags: ServeFlags) -> Result<Settings, config::Problems> {
    Settings::load(flags, config::environment(), SystemClock.now(), &SystemEntropy)
}

/// The domain and the way its mail leaves.
pub struct App {
    /// The domain.
    pub ctx: Arc<Ctx>,
    /// The way out.
    pub transport: Arc<dyn MailTransport>,
}

/// What a test puts in place of the system; `Default` is the system itself.
#[derive(Default)]
pub struct Overrides {
    /// A clock that can be moved.
    pub clock: Option<Arc<dyn Clock>>,
    /// Randomness that repeats.
    pub entropy: Option<Arc<dyn Entropy>>,
    /// Called with every statement, to count them.
    pub on_statement: Option<crate::db::OnStatement>,
    /// A limiter that counts its calls, or breaks.
    pub limiter: Option<Arc<dyn Limiter>>,
}

impl App {
    /// Connects everything that the settings ask for.
    pub async fn build(settings: Settings, overrides: Overrides) -> Result<Self, Error> {
        let clock = overrides.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let entropy = overrides.entropy.unwrap_or_else(|| Arc::new(SystemEntropy));
        let limiter = match overrides.limiter {
            Some(limiter) => limiter,
            None => limiter(&settings)?,
        };
        let inbox = settings.has_inbox().then(|| Arc::new(Inbox::new()));
        let transport = transport(&settings, inbox.as_ref(), &clock)?;
        let vault = Vault::new(&settings.secrets)?;
        let db = Db::connect_with(&settings, overrides.on_statement).await?;
        let ctx = Ctx {
            settings,
            db,
            clock,
            entropy,
            limiter,
            local_limiter: Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES)),
            vault,
            keyring: token::Keyring::default(),
            outbox_filled: tokio::sync::Notify::new(),
            last_tick: AtomicU64::new(0),
            inbox,
        };
        Ok(Self { ctx: Arc::new(ctx), transport })
    }

    /// Brings the schema up to date in development; in production a stale schema stops the start.
    pub async fn prepare(&self) -> Result<(), Error> {
        if self.ctx.settings.mode == Mode::Development {
            migrate::up(&self.ctx.db).await?;
        } else if !migrate::is_current(&self.ctx.db).await? {
            return Err(Error::Invalid {
                field: "DATABASE_URL",
                message: "the database's schema is not current: run `doorcode migrate up` first".into(),
            });
        }
        token::prepare(&self.ctx).await
    }

    /// Starts the loops that run beside the requests.
    fn start_loops(&self, stop: &watch::Receiver<bool>) -> [JoinHandle<()>; 2] {
        [
            tokio::spawn(delivery::run(Arc::clone(&self.ctx), Arc::clone(&self.transport), stop.clone())),
            tokio::spawn(housekeeping::run(Arc::clone(&self.ctx), stop.clone())),
        ]
    }

    /// Serves until `stop` says so, then finishes what is under way, within the grace.
    pub async fn serve(self, public: TcpListener, ops: TcpListener, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let loops = self.start_loops(&stop);
        let server = Server::new(Arc::clone(&self.ctx));
        let mut told = stop.clone();
        let serving = http::serve(Caps::default(), server, public, ops, stop);
        let too_long = async {
            drop(told.wait_for(|stop| *stop).await);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = serving => {}
            () = too_long => tracing::warn!("some requests did not end in time and were cut off"),
        }
        for running in loops {
            if tokio::time::timeout(Duration::from_secs(5), running).await.is_err() {
                tracing::warn!("a loop did not end in time; what it was sending will be looked at by the next process");
            }
        }
        self.ctx.db.clone().close().await
    }
}

fn limiter(settings: &Settings) -> Result<Arc<dyn Limiter>, Error> {
    match &settings.redis_url {
        Some(url) => {
            let limiter = RedisLimiter::new(url).map_err(|message| Error::Invalid { field: "REDIS_URL", message })?;
            Ok(Arc::new(limiter))
        }
        None => Ok(Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES))),
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
    let missing = || Error::Invalid { field: "SMTP_URL", message: "there is no mail server to send with".into() };
    let url = settings.smtp_url.as_ref().ok_or_else(missing)?;
    let smtp = Smtp::new(url, &settings.mail_from, settings.mode == Mode::Production);
    Ok(Arc::new(smtp.map_err(|message| Error::Invalid { field: "SMTP_URL", message })?))
}
