//! `doorcode doctor`: tries everything that the settings name, and says what is wrong and what to do. Nothing is served,
//! sent or changed; each part has its time, so that whatever hangs the whole ends; and what is told is searched once more
//! for what must not be.

mod certificate;
mod collector;
mod data_folder;
pub mod finding;
mod postgres;
mod public_url;
mod redact;
mod redis;
mod signing_keys;
mod smtp;
mod sqlite;
mod tls_files;

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::{
    adapter::{
        bus::memory::MemoryBus,
        limiter::memory::{DEFAULT_ENTRIES, MemoryLimiter},
        system::SystemClock,
    },
    app::{App, Overrides},
    db::{Db, migrate},
    domain::user::manage,
    error::Error,
    http::Tls,
    ports::Clock,
    settings::{self, Mode, ServeFlags, Settings},
};
use finding::{Finding, State};

/// Every part ends within this. All of them run at the same time.
const PART: Duration = Duration::from_secs(13);
/// For what is in a database that was reached a moment ago.
const INSIDE: Duration = Duration::from_secs(4);
/// For a look at files, which take as long only on a network that hangs.
const FILES: Duration = Duration::from_secs(3);

/// Everything that was found, in the order of the settings.
pub async fn examine(flags: ServeFlags) -> Vec<Finding> {
    let mode = flags.mode.clone();
    let looked = Settings::look(flags, settings::environment(), SystemClock.now());
    let settings = match settings::with_env_file(mode.as_deref(), looked) {
        Ok(settings) => settings,
        Err(problems) => return redact::refused(&problems),
    };
    let (place, tls, database, redis, mail, public, traces) = tokio::join!(
        within("data folder", FILES, Box::pin(place(&settings))),
        within("tls files", FILES, Box::pin(tls(&settings))),
        within("database", PART, Box::pin(database(&settings))),
        within("redis", PART, Box::pin(redis(&settings))),
        within("mail server", PART, Box::pin(mail(&settings))),
        within("public url", PART, Box::pin(public(&settings))),
        within("trace collector", PART, Box::pin(traces(&settings))),
    );
    let mut findings = [redact::settings(&settings), place, tls, database, redis, mail, public, traces].concat();
    redact::hide(&settings, &mut findings);
    findings
}

async fn within(check: &'static str, most: Duration, part: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    timeout(most, part).await.unwrap_or_else(|_| {
        let seen = format!("there was no end to it within {} s", most.as_secs());
        vec![Finding::problem(check, seen, "see whether something between here and there swallows what is sent")]
    })
}

async fn place(settings: &Settings) -> Vec<Finding> {
    let (data, file) = (settings.data.clone(), settings.database().file());
    let makes_secret = settings.mode == Mode::Development;
    let looking = tokio::task::spawn_blocking(move || data_folder::examine(&data, file.as_deref(), makes_secret));
    looking.await.unwrap_or_default()
}

/// Whether the public listener could speak TLS with its files, and for how long.
async fn tls(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "tls files";
    let Some(files) = settings.tls.clone() else {
        return vec![Finding::skipped(CHECK, "none: where there is TLS, a proxy speaks it")];
    };
    let looking = tokio::task::spawn_blocking(move || match Tls::open(&files) {
        Ok(_) => {
            let mut findings = vec![Finding::ok(CHECK, "the key is the certificate's")];
            findings.extend(tls_files::examine(&files.certificate, &files.key, SystemClock.now()));
            findings
        }
        Err(error) => {
            let advice = "write the PEM files of one pair, which the user of the server can read: it does not start \
                          without";
            vec![Finding::problem(CHECK, error.to_string(), advice)]
        }
    });
    looking.await.unwrap_or_default()
}

async fn server_or_file(settings: &Settings) -> Vec<Finding> {
    let url = settings.database_url.expose_secret();
    if url.starts_with("sqlite:") {
        sqlite::examine(url, &settings.data).await
    } else {
        postgres::examine(url, settings.database_pool.1, &SystemClock).await
    }
}

async fn database(settings: &Settings) -> Vec<Finding> {
    const SCHEMA: &str = "schema";
    let mut findings = server_or_file(settings).await;
    let inside = Box::pin(async {
        look_inside(settings).await.unwrap_or_else(|error| {
            let advice = "see in the database's log what it refused";
            vec![Finding::problem(SCHEMA, error.to_string(), advice)]
        })
    });
    match (findings.first().map(|finding| finding.state), settings.mode) {
        (Some(State::Ok | State::Warning), _) => findings.extend(within(SCHEMA, INSIDE, inside).await),
        (Some(State::Skipped), Mode::Production) => {
            findings.push(Finding::problem(SCHEMA, "there is none yet", "doorcode migrate up"));
        }
        (Some(State::Skipped), Mode::Development) => {
            findings.push(Finding::skipped(SCHEMA, "the first start makes it"));
        }
        _ => findings.push(Finding::skipped(SCHEMA, "the database could not be asked")),
    }
    findings
}

/// What is in the database: the schema, and once that is right the keys and whoever administers.
async fn look_inside(settings: &Settings) -> Result<Vec<Finding>, Error> {
    const SCHEMA: &str = "schema";
    const KEYS: &str = "signing keys";
    const ADMIN: &str = "administrator";
    let db = Db::look(&settings.database()).await?;
    let steps = migrate::status(&db).await?;
    let pending = steps.iter().filter(|(_, applied)| !applied).count();
    if pending > 0 {
        let seen = format!("{pending} of {} steps are pending", steps.len());
        return Ok(vec![match settings.mode {
            Mode::Production => Finding::problem(
                SCHEMA,
                seen,
                "doorcode migrate up, before the server starts: it refuses to until then",
            ),
            Mode::Development => {
                Finding::warning(SCHEMA, seen, "the next start takes them, as does doorcode migrate up")
            }
        }]);
    }
    let mut findings = vec![Finding::ok(SCHEMA, format!("current, {} steps", steps.len()))];
    if settings.secrets.is_empty() {
        findings.push(Finding::skipped(KEYS, "there is no secret yet; the first start makes one"));
        return Ok(findings);
    }
    let overrides = Overrides {
        db: Some(db),
        limiter: Some(Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES))),
        bus: Some(Arc::new(MemoryBus::default())),
        ..Overrides::default()
    };
    let app = App::build(settings.clone(), overrides).await?;
    findings.extend(signing_keys::examine(&app.ctx).await?);
    findings.push(if manage::has_active_admin(&app.ctx).await? {
        Finding::ok(ADMIN, "there is an active one")
    } else {
        Finding::warning(ADMIN, "there is none who is active", "doorcode user role you@example.com admin")
    });
    app.ctx.db.clone().close().await?;
    Ok(findings)
}

async fn redis(settings: &Settings) -> Vec<Finding> {
    match &settings.redis_url {
        Some(url) => redis::examine(url, &SystemClock).await,
        None => vec![Finding::skipped("redis", "limits are counted in this process")],
    }
}

async fn mail(settings: &Settings) -> Vec<Finding> {
    let Some(url) = &settings.smtp_url else {
        return vec![Finding::skipped("mail server", "mail goes to the built-in inbox")];
    };
    let production = settings.mode == Mode::Production;
    let mut findings = smtp::examine(url, &settings.mail_from, production, SystemClock.now()).await;
    findings.extend(redact::sender(settings));
    findings
}

async fn public(settings: &Settings) -> Vec<Finding> {
    match settings.mode {
        Mode::Production => public_url::examine(&settings.public_url, SystemClock.now()).await,
        Mode::Development => vec![Finding::skipped("public url", "development is for this machine")],
    }
}

async fn traces(settings: &Settings) -> Vec<Finding> {
    vec![match &settings.traces {
        Some(traces) => collector::examine(&traces.endpoint).await,
        None => Finding::skipped("trace collector", "none: no traces are made"),
    }]
}
