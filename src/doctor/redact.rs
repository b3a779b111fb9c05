//! What the settings say of themselves, without asking anybody. It also takes out of what was found whatever is secret.

use humantime::format_duration;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{
    doctor::finding::Finding,
    http::Caps,
    limits::{Limits, Rule},
    settings::{Mode, Odds, Problems, Settings},
};

const SETTINGS: &str = "settings";
/// Shorter texts stand in words of ours by chance.
const SHORTEST_SECRET: usize = 6;

/// Every setting that stops a start, as the start would tell it.
pub(super) fn refused(problems: &Problems) -> Vec<Finding> {
    let problem = |it: &crate::settings::Problem| {
        Finding::problem(SETTINGS, format!("{} {}", it.variable, it.wrong), it.instead.clone())
    };
    let rest = Finding::skipped("everything else", "the settings come first");
    problems.iter().map(problem).chain([rest]).collect()
}

/// What is odd about settings that are right.
pub(super) fn settings(settings: &Settings) -> Vec<Finding> {
    let mode = match settings.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    let mut findings = vec![Finding::ok(SETTINGS, format!("all can be read; {mode}"))];
    findings.extend(settings.warnings.iter().map(|it| {
        let seen = format!("{} {}", it.variable, it.wrong);
        Finding::warning(SETTINGS, seen, it.instead.clone())
    }));
    findings.extend(guessing(&settings.limits));
    findings.extend(loose(settings));
    findings.push(secrets(settings.secrets.len()));
    if !settings.test_codes.is_empty() {
        findings.push(Finding::warning(
            "test codes",
            format!("{} addresses have a code that is always the same", settings.test_codes.len()),
            "take DOORCODE_TEST_CODES out when the test or the review is over",
        ));
    }
    findings.extend(proxies(settings));
    findings.push(connections(Caps::default().in_all));
    findings
}

/// The odds of guessing in numbers. Where they are worse than usual in production, a warning of the settings has them.
fn guessing(limits: &Limits) -> Option<Finding> {
    let (odds, usual) = (Odds::of(limits), Odds::of(&Limits::default()));
    let is_usual = odds.account <= usual.account && odds.instance <= usual.instance;
    is_usual.then(|| Finding::ok("guessing", odds.to_string()))
}

/// Development has loose send limits, which would surprise people who test them.
fn loose(settings: &Settings) -> Option<Finding> {
    let quota = settings.limits.quota(Rule::SendPair);
    let seen =
        format!("loose for development: {} codes for one address in {}", quota.count, format_duration(quota.window));
    let is_loose = settings.mode == Mode::Development && quota != Limits::default().quota(Rule::SendPair);
    is_loose.then(|| Finding::ok("send limits", seen))
}

fn secrets(count: usize) -> Finding {
    const CHECK: &str = "server secret";
    match count {
        0 => Finding::skipped(CHECK, "none yet; the first start makes one"),
        1 => Finding::ok(CHECK, "one"),
        _ => Finding::warning(
            CHECK,
            format!("{count}: a rotation is under way"),
            "take the old one out once every replica has had both for 30 days, see \"Rotating the secret\" in README.md",
        ),
    }
}

/// With a public https URL somebody else ends TLS, so nobody connects from where they are.
fn proxies(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "trusted proxies";
    if settings.mode != Mode::Production {
        return None;
    }
    let named = settings.trusted_proxies.len();
    if named > 0 {
        return Some(Finding::ok(CHECK, format!("{named} named")));
    }
    let has_proxy = settings.tls.is_none() && (settings.listen.ip().is_loopback() || settings.is_https());
    Some(if has_proxy {
        Finding::warning(
            CHECK,
            "none, so everybody who comes through a proxy shares one allowance",
            "DOORCODE_TRUSTED_PROXIES=ADDRESS, from where your proxy connects, such as 127.0.0.1",
        )
    } else {
        Finding::ok(CHECK, "none: whoever connects is the client")
    })
}

fn connections(most: usize) -> Finding {
    const CHECK: &str = "connections";
    let seen = format!("room for {most}, by the open-file limit here");
    if most < Caps::FEW {
        return Finding::warning(CHECK, seen, "ulimit -n 65536, or LimitNOFILE=65536 in the unit of the service");
    }
    Finding::ok(CHECK, seen)
}

/// Whether mail comes from where the page is. What DNS says of the sender nobody here can ask.
pub(super) fn sender(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "mail sender";
    let domain = settings.mail_from.trim_end_matches('>').rsplit_once('@').map(|(_, domain)| domain)?;
    let domain = domain.to_ascii_lowercase();
    let host = settings.public_url.host_str()?;
    let asks = "not looked at: whether SPF, DKIM and DMARC let the mail server send for it";
    if settings.mode != Mode::Production || is_related(&domain, host) {
        return Some(Finding::ok(CHECK, format!("{domain}; {asks}")));
    }
    Some(Finding::warning(
        CHECK,
        format!("mail comes from {domain}, and the page is at {host}; {asks}"),
        "write an address in the domain of DOORCODE_PUBLIC_URL into DOORCODE_MAIL_FROM: people are told to trust nothing \
         else",
    ))
}

/// Whether one is within the other, or both are siblings below more than a top-level domain.
fn is_related(domain: &str, host: &str) -> bool {
    let within =
        |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|it| it.is_empty() || it.ends_with('.'));
    let above =
        |name: &str| name.split_once('.').map(|(_, above)| above.to_owned()).filter(|above| above.contains('.'));
    within(domain, host) || within(host, domain) || above(host).is_some_and(|above| within(domain, &above))
}

/// The last gate: whatever was told, no secret of ours is in it.
pub(super) fn hide(settings: &Settings, findings: &mut [Finding]) {
    let Settings { database_url, redis_url, smtp_url, .. } = settings;
    let urls = [Some(database_url), redis_url.as_ref(), smtp_url.as_ref()];
    let mut secrets: Vec<Zeroizing<String>> = urls.into_iter().flatten().flat_map(passwords).collect();
    let whole = settings.secrets.iter().chain(settings.test_codes.iter().map(|code| &code.code));
    let whole = whole.chain(settings.traces.iter().flat_map(|traces| traces.headers.iter().map(|(_, value)| value)));
    secrets.extend(whole.map(|secret| Zeroizing::new(secret.expose_secret().to_owned())));
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    for finding in findings {
        for secret in &secrets {
            finding.seen = finding.seen.replace(secret.as_str(), "[hidden]");
        }
    }
}

/// The passwords of a URL, as they are written and as they are meant.
fn passwords(url: &SecretString) -> Vec<Zeroizing<String>> {
    let text = url.expose_secret();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let userinfo = rest.rsplit_once('@').map_or("", |(userinfo, _)| userinfo);
    let mut found = vec![userinfo.split_once(':').map_or("", |(_, password)| password).to_owned()];
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name.contains("password"));
    found.extend(pairs.map(|(_, value)| value.into_owned()));
    let decoded = percent_decode_str(&found[0]).decode_utf8_lossy().into_owned();
    found.push(decoded);
    found.into_iter().map(Zeroizing::new).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::settings::ServeFlags;

    #[test]
    fn a_sender_beside_the_page_is_related_to_it_and_one_elsewhere_is_not() {
        for (domain, host) in [
            ("example.com", "login.example.com"),
            ("login.example.com", "example.com"),
            ("mail.example.com", "login.example.com"),
            ("example.com", "example.com"),
        ] {
            assert!(is_related(domain, host), "{domain} {host}");
        }
        for (domain, host) in [("example.org", "example.com"), ("badexample.com", "example.com"), ("a.com", "b.com")] {
            assert!(!is_related(domain, host), "{domain} {host}");
        }
    }

    #[test]
    fn passwords_are_found_as_they_are_written_and_as_they_are_meant() {
        let found = |url: &str| passwords(&SecretString::from(url)).iter().map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(found("smtps://u:p%40ss:w@h?ca=x"), ["p%40ss:w", "p@ss:w"]);
        assert!(found("redis+sentinel://a:1,b:2/s?sentinel_password=hunter22").contains(&"hunter22".to_owned()));
        assert!(found("postgres://h/db?password=hunter23").contains(&"hunter23".to_owned()));
    }

    #[test]
    fn no_secret_of_a_setting_is_left_in_what_was_seen() {
        let flags = ServeFlags {
            database_url: Some("postgres://u:canary-1@db/x".into()),
            redis_url: Some("redis://:canary-3@cache".into()),
            smtp_url: Some("smtps://u:canary-4@mail".into()),
            otel_exporter_otlp_endpoint: Some("http://collector:4318".into()),
            otel_exporter_otlp_headers: Some("authorization=canary-5".into()),
            ..ServeFlags::default()
        };
        let settings = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH).unwrap();
        let seen = "canary-1 canary-3 canary-4 canary-5 stay";
        let mut findings = [Finding::ok(SETTINGS, seen)];
        hide(&settings, &mut findings);
        assert_eq!(findings[0].seen, "[hidden] [hidden] [hidden] [hidden] stay");
    }
}
