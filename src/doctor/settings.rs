//! The settings, for `doorcode doctor`: what is odd in them, without any connection.

use humantime::format_duration;

use crate::{
    doctor::finding::Finding,
    http::Caps,
    limits::{Limits, Rule},
    settings::{Mode, Odds, Problem, Problems, Settings},
};

const SETTINGS: &str = "settings";

/// Every setting that stops a start, in the words of the start.
pub(super) fn refused(problems: &Problems) -> Vec<Finding> {
    let problem =
        |it: &Problem| Finding::problem(SETTINGS, format!("{} {}", it.variable, it.wrong), it.instead.clone());
    let rest = Finding::skipped("everything else", "the settings come first");
    problems.iter().map(problem).chain([rest]).collect()
}

/// What is odd about valid settings.
pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let mode = match settings.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    let mut findings = vec![Finding::ok(SETTINGS, format!("all can be read; {mode}"))];
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
        let seen = format!("{codes} addresses have a code that is always the same");
        Finding::warning("test codes", seen, "take DOORCODE_TEST_CODES out when the test or the review is over")
    }));
    findings.extend((settings.mode == Mode::Production).then(|| proxies(settings)));
    findings.push(connections(Caps::default().in_all));
    findings
}

/// The odds of guessing in numbers, and the loose send limits of development, which would surprise people who test them.
/// Where the odds are worse than usual in production, a warning of the settings has them.
fn limits(settings: &Settings) -> impl Iterator<Item = Finding> {
    let (odds, usual) = (Odds::of(&settings.limits), Odds::of(&Limits::default()));
    let is_usual = odds.account <= usual.account && odds.instance <= usual.instance;
    let quota = settings.limits.quota(Rule::SendPair);
    let seen =
        format!("loose for development: {} codes for one address in {}", quota.count, format_duration(quota.window));
    let is_loose = settings.mode == Mode::Development && quota != Limits::default().quota(Rule::SendPair);
    let guessing = is_usual.then(|| Finding::ok("guessing", odds.to_string()));
    guessing.into_iter().chain(is_loose.then(|| Finding::ok("send limits", seen)))
}

fn secrets(count: usize) -> Finding {
    const CHECK: &str = "server secret";
    if count == 0 {
        return Finding::skipped(CHECK, "none yet; the first start makes one");
    }
    finding!(CHECK, ok "one",
        warning if count > 1 => "{count}: a rotation is under way"
            => "take the old one out once every replica has had both for 30 days, see \"Rotating the secret\" in README.md",
    )
}

/// With a public https URL and no TLS here, a proxy ends TLS, and every connection comes from it.
fn proxies(settings: &Settings) -> Finding {
    let named = settings.trusted_proxies.len();
    let has_proxy = settings.tls.is_none() && (settings.listen.ip().is_loopback() || settings.is_https());
    let seen = if named > 0 { format!("{named} named") } else { "none: whoever connects is the client".to_owned() };
    finding!("trusted proxies", ok "{seen}",
        warning if named == 0 && has_proxy => "none, so everybody who comes through a proxy shares one allowance"
            => "DOORCODE_TRUSTED_PROXIES=ADDRESS, from where your proxy connects, such as 127.0.0.1",
    )
}

fn connections(most: usize) -> Finding {
    finding!("connections", ok "room for {most}, by the open-file limit here",
        warning if most < Caps::FEW => "room for {most}, by the open-file limit here"
            => "ulimit -n 65536, or LimitNOFILE=65536 in the unit of the service",
    )
}
