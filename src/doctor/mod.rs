//! `doorcode doctor`: checks the settings and all dependencies. It sends no mail and changes no data. Each check has a
//! time limit, and secrets are removed from the findings at the end.

#[macro_use]
pub mod finding;
mod breached;
mod certificate;
mod collector;
mod data_folder;
mod database;
mod postgres;
mod public_url;
mod redact;
mod redis;
mod search;
mod settings;
mod signing_keys;
mod smtp;
mod sqlite;
mod tls_files;

use std::{future::ready, time::Duration};

use futures_util::future::{LocalBoxFuture, join_all};
use tokio::{task::spawn_blocking, time::timeout};
use url::Url;

use crate::{
    adapter::system::SystemClock,
    ports::Clock,
    settings::{Mode, ServeFlags, Settings, environment, with_env_file},
};
use finding::Finding;

/// The findings of a check. `Err` is the finding that ended it early.
type Findings = Result<Vec<Finding>, Finding>;

/// Time limit for files. Only a hanging network file system takes longer.
const FILES: Duration = Duration::from_secs(3);
/// Time limit for servers. Checks run concurrently, so this bounds the whole command.
const SERVER: Duration = Duration::from_secs(13);

/// Runs all checks and returns their findings.
pub async fn examine(flags: ServeFlags) -> Vec<Finding> {
    let mode = flags.mode.clone();
    let loaded = Settings::look(flags, environment(), SystemClock.now());
    let settings = match with_env_file(mode.as_deref(), loaded) {
        Ok(settings) => settings,
        Err(problems) => return settings::refused(&problems),
    };
    let s = &settings;
    // Name, time limit, the settings that it needs (or why it is skipped), and the check.
    let checks = [
        row("settings", FILES, Ok(s), |s| ready(Ok(settings::examine(s)))),
        row("data folder", FILES, Ok(s.clone()), |s| blocking(move || Ok(data_folder::examine(&s)))),
        row("tls files", FILES, s.tls.clone().ok_or("not set; a proxy terminates TLS"), |pair| {
            blocking(move || tls_files::examine(&pair))
        }),
        row(
            "breached passwords",
            FILES,
            s.breached_passwords.clone().ok_or("not set; only common passwords are refused"),
            |list| blocking(move || breached::examine(&list)),
        ),
        row("database", SERVER, Ok(s), database::examine),
        row("redis", SERVER, s.redis_url.as_ref().ok_or("not set; limits are counted in memory"), redis::examine),
        row("mail server", SERVER, s.smtp_url.as_ref().ok_or("not set; mail goes to the built-in inbox"), |url| {
            smtp::examine(url, s)
        }),
        row("public url", SERVER, production(s).ok_or("checked in production only"), public_url::examine),
        row("trace collector", SERVER, s.traces.as_ref().ok_or("not set; no traces"), collector::examine),
    ];
    let mut findings = join_all(checks).await.concat();
    redact::hide(&settings, &mut findings);
    findings
}

fn row<'a, T: 'a, Run: Future<Output = Findings> + 'a>(
    name: &'static str,
    limit: Duration,
    needs: Result<T, &'static str>,
    check: impl FnOnce(T) -> Run + 'a,
) -> LocalBoxFuture<'a, Vec<Finding>> {
    Box::pin(async move {
        match needs {
            Ok(needs) => within(name, limit, check(needs)).await,
            Err(why) => vec![Finding::skipped(name, why)],
        }
    })
}

fn production(settings: &Settings) -> Option<&Url> {
    (settings.mode == Mode::Production).then_some(&settings.public_url)
}

/// Runs a check with a time limit. Exceeding it is a problem.
async fn within(check: &'static str, limit: Duration, run: impl Future<Output = Findings>) -> Vec<Finding> {
    let found = timeout(limit, run).await.unwrap_or_else(|_| {
        let seen = format!("not finished after {} s", limit.as_secs());
        Err(Finding::problem(check, seen, "check for a firewall that drops packets"))
    });
    found.unwrap_or_else(|only| vec![only])
}

/// Runs a check of files on a blocking thread, so that its time limit works.
async fn blocking(check: impl FnOnce() -> Findings + Send + 'static) -> Findings {
    let stopped = |error| Err(Finding::problem("files", format!("a check crashed: {error}"), "report this as a bug"));
    spawn_blocking(check).await.unwrap_or_else(stopped)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use finding::State;

    #[tokio::test]
    async fn a_check_that_hangs_is_a_problem() {
        let findings = within("redis", Duration::from_millis(1), pending()).await;
        assert_eq!(findings.iter().map(|it| (it.check, it.state)).collect::<Vec<_>>(), [("redis", State::Problem)]);
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_problem() {
        let finding = blocking(|| panic!("in a check")).await.unwrap_err();
        assert_eq!(finding.state, State::Problem);
    }
}
