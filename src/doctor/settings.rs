//! The settings: errors, warnings, and values worth knowing. Connects to nothing.

use humantime::format_duration;

use crate::{
    doctor::finding::Finding,
    http::Caps,
    limits::{Limits, Rule},
    settings::{Mode, Odds, Problem, Problems, Settings},
};

const SETTINGS: &str = "settings";

/// Every setting that prevents the start, with the messages of the start.
pub(super) fn refused(problems: &Problems) -> Vec<Finding> {
    let problem =
        |it: &Problem| Finding::problem(SETTINGS, format!("{} {}", it.variable, it.wrong), it.instead.clone());
    let rest = Finding::skipped("everything else", "fix the settings first");
    problems.iter().map(problem).chain([rest]).collect()
}

/// Warnings and facts about valid settings.
pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let mode = match settings.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    let mut findings = vec![Finding::ok(SETTINGS, format!("valid; mode {mode}"))];
    findings.extend(
        settings
            .warnings
            .iter()
            .map(|it| Finding::warning(SETTINGS, format!("{} {}", it.variable, it.wrong), it.instead.clone())),
    );
    findings.extend(limits(settings));
    findings.push(secrets(settings.secrets.len()));
    let codes = settings.test_codes.len();
    findings.extend((codes > 0).then(|| {
        let seen = format!("{codes} with a fixed code");
        Finding::warning("test codes", seen, "remove DOORCODE_TEST_CODES when the test or review is over")
    }));
    findings.extend((settings.mode == Mode::Production).then(|| proxies(settings)));
    findings.push(connections(Caps::default().in_all));
    findings
}

/// The odds of guessing, and the loose send limits of development, which would surprise people who test them. If the
/// odds are worse than the defaults, production warns about them instead.
fn limits(settings: &Settings) -> impl Iterator<Item = Finding> {
    let (odds, usual) = (Odds::of(&settings.limits), Odds::of(&Limits::default()));
    let is_usual = odds.account <= usual.account && odds.instance <= usual.instance;
    let quota = settings.limits.quota(Rule::SendPair);
    let seen =
        format!("raised for development: {} codes per address in {}", quota.count, format_duration(quota.window));
    let is_loose = settings.mode == Mode::Development && quota != Limits::default().quota(Rule::SendPair);
    let guessing = is_usual.then(|| Finding::ok("guessing", odds.to_string()));
    guessing.into_iter().chain(is_loose.then(|| Finding::ok("send limits", seen)))
}

fn secrets(count: usize) -> Finding {
    const CHECK: &str = "server secret";
    if count == 0 {
        return Finding::skipped(CHECK, "none yet; the first start creates one");
    }
    finding!(CHECK, ok "set",
        warning if count > 1 => "{count}: a rotation is in progress"
            => "remove the old one when all replicas have had both for 30 days, see docs/operate/runbooks.md, \
                \"Rotate the server secret\"",
    )
}

/// With a public https URL and no TLS here, all connections come from a proxy.
fn proxies(settings: &Settings) -> Finding {
    let named = settings.trusted_proxies.len();
    let has_proxy = settings.tls.is_none() && (settings.listen.ip().is_loopback() || settings.is_https());
    let seen = if named > 0 { format!("{named} set") } else { "none; the connecting address is the client".to_owned() };
    finding!("trusted proxies", ok "{seen}",
        warning if named == 0 && has_proxy => "none, so all clients behind a proxy share one rate limit"
            => "set DOORCODE_TRUSTED_PROXIES to the address that your proxy connects from, such as 127.0.0.1",
    )
}

fn connections(most: usize) -> Finding {
    finding!("connections", ok "up to {most}, by the open-file limit here",
        warning if most < Caps::FEW => "up to {most}, by the open-file limit here"
            => "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit",
    )
}
