//! `doorcode doctor`: checks everything that the settings name, and says what is wrong and what to do. It serves, sends and
//! changes nothing. Each check has a time limit, and a last step removes secrets from the findings.

#[macro_use]
pub mod finding;
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

/// The findings of a check; `Err` is the one that ended it.
type Findings = Result<Vec<Finding>, Finding>;

/// For files, which take longer only on a network file system that hangs.
const FILES: Duration = Duration::from_secs(3);
/// For a server. All checks run at the same time, so this bounds the whole command.
const SERVER: Duration = Duration::from_secs(13);

/// Runs all checks and returns their findings.
pub async fn examine(flags: ServeFlags) -> Vec<Finding> {
    let mode = flags.mode.clone();
    let looked = Settings::look(flags, environment(), SystemClock.now());
    let settings = match with_env_file(mode.as_deref(), looked) {
        Ok(settings) => settings,
        Err(problems) => return settings::refused(&problems),
    };
    let s = &settings;
    // Name, time limit, the settings that it needs (or why it is skipped without them), and the check itself.
    let checks = [
        row("settings", FILES, Ok(s), |s| ready(Ok(settings::examine(s)))),
        row("data folder", FILES, Ok(s.clone()), |s| blocking(move || Ok(data_folder::examine(&s)))),
        row("tls files", FILES, s.tls.clone().ok_or("none: where there is TLS, a proxy speaks it"), |pair| {
            blocking(move || tls_files::examine(&pair))
        }),
        row("database", SERVER, Ok(s), database::examine),
        row("redis", SERVER, s.redis_url.as_ref().ok_or("limits are counted in this process"), redis::examine),
        row("mail server", SERVER, s.smtp_url.as_ref().ok_or("mail goes to the built-in inbox"), |url| {
            smtp::examine(url, s)
        }),
        row("public url", SERVER, production(s).ok_or("development is for this machine"), public_url::examine),
        row("trace collector", SERVER, s.traces.as_ref().ok_or("none: no traces are made"), collector::examine),
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

/// Ends a check at its time limit, which is a finding too.
async fn within(check: &'static str, limit: Duration, run: impl Future<Output = Findings>) -> Vec<Finding> {
    let found = timeout(limit, run).await.unwrap_or_else(|_| {
        let seen = format!("there was no end to it within {} s", limit.as_secs());
        Err(Finding::problem(check, seen, "see whether something between here and there swallows what is sent"))
    });
    found.unwrap_or_else(|only| vec![only])
}

/// Runs a check of files on a thread of its own, so that its time limit holds.
async fn blocking(check: impl FnOnce() -> Findings + Send + 'static) -> Findings {
    let stopped = |error| Err(Finding::problem("files", format!("a check stopped: {error}"), "report this as a bug"));
    spawn_blocking(check).await.unwrap_or_else(stopped)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use finding::State;

    #[tokio::test]
    async fn a_check_that_hangs_ends_at_its_limit_with_a_problem() {
        let findings = within("redis", Duration::from_millis(1), pending()).await;
        assert_eq!(findings.iter().map(|it| (it.check, it.state)).collect::<Vec<_>>(), [("redis", State::Problem)]);
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_problem_and_not_silence() {
        let finding = blocking(|| panic!("in a check")).await.unwrap_err();
        assert_eq!(finding.state, State::Problem);
    }
}
