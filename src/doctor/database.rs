//! The database: first the server or file, then its schema, keys and administrators.

use std::{sync::Arc, time::Duration};

use super::{
    Findings,
    finding::{Finding, State},
    postgres, search, signing_keys, sqlite, within,
};
use crate::{
    adapter::{
        bus::memory::MemoryBus,
        limiter::memory::{DEFAULT_ENTRIES, MemoryLimiter},
    },
    app::{App, Overrides},
    db::{Db, migrate},
    domain::user::manage,
    error::Error,
    settings::{Mode, Settings},
};

const SCHEMA: &str = "schema";
/// Time limit for the checks inside the database.
const CONTENT_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) async fn examine(settings: &Settings) -> Findings {
    let is_sqlite = settings.database().is_sqlite();
    let found = if is_sqlite { sqlite::examine(settings).await } else { postgres::examine(settings).await };
    let mut findings = found.unwrap_or_else(|only| vec![only]);
    match (findings.first().map(|finding| finding.state), settings.mode) {
        (Some(State::Ok | State::Warning), _) => {
            let content = async {
                let refused = |error: Error| Finding::problem(SCHEMA, error.to_string(), "see the log of the database");
                check_content(settings).await.map_err(refused)
            };
            findings.extend(within(SCHEMA, CONTENT_TIMEOUT, Box::pin(content)).await);
        }
        (Some(State::Skipped), Mode::Production) => {
            findings.push(Finding::problem(SCHEMA, "no schema yet", "doorcode migrate up"));
        }
        (Some(State::Skipped), Mode::Development) => {
            findings.push(Finding::skipped(SCHEMA, "the first start creates it"));
        }
        _ => findings.push(Finding::skipped(SCHEMA, "the database is not available")),
    }
    Ok(findings)
}

async fn check_content(settings: &Settings) -> Result<Vec<Finding>, Error> {
    let db = Db::look(&settings.database()).await?;
    let steps = migrate::status(&db).await?;
    let pending = steps.iter().filter(|(_, applied)| !applied).count();
    let (all, is_production) = (steps.len(), settings.mode == Mode::Production);
    let mut findings = vec![finding!(SCHEMA, ok "current, {all} migrations",
        problem if pending > 0 && is_production => "{pending} of {all} migrations are pending"
            => "doorcode migrate up; until then, the server does not start",
        warning if pending > 0 => "{pending} of {all} migrations are pending"
            => "the next start applies them, or doorcode migrate up",
    )];
    if pending > 0 {
        return Ok(findings);
    }
    findings.push(search::examine(&db).await?);
    if settings.secrets.is_empty() {
        findings.push(Finding::skipped("signing keys", "no secret yet; the first start creates one"));
        return Ok(findings);
    }
    let overrides = Overrides {
        db: Some(db),
        limiter: Some(Arc::new(MemoryLimiter::new(DEFAULT_ENTRIES))),
        bus: Some(Arc::new(MemoryBus::default())),
        ..Overrides::default()
    };
    // The list has a check of its own.
    let settings = Settings { breached_passwords: None, ..settings.clone() };
    let app = App::build(settings, overrides).await?;
    findings.extend(signing_keys::examine(&app.ctx).await?);
    let has_admin = manage::has_active_admin(&app.ctx).await?;
    findings.push(finding!("administrator", ok "at least one is active",
        warning if !has_admin => "no active administrator" => "doorcode user role you@example.com admin",
    ));
    app.ctx.db.clone().close().await?;
    Ok(findings)
}
