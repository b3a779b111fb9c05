//! Parsers for the values of settings. An error is the rest of a sentence that starts with the variable, and never
//! repeats the value.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use lettre::message::Mailbox;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{HashCost, Methods, Mode, Notices, SignUp, TokenAlgorithm};
use crate::{db::entity::Role, email_address::canonical_domain, limits::Quota};

/// The value, or the rest of a sentence that starts with the variable.
pub(super) type Parsed<T> = Result<T, String>;

const MAX_QUOTA: u32 = 1_000_000_000;
const MAX_WINDOW: Duration = Duration::from_hours(31 * 24);

/// One of several words, ignoring case.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Parsed<T> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
    Err(format!("is not one of {}", words.join(", ")))
}

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    choice(text, &[("true", true), ("false", false)])
}

/// A list of notices, or `none`.
pub(super) fn notices(text: &str) -> Parsed<Notices> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Notices::default());
    }
    let one = |word: &str| {
        let none = Notices::default();
        let words = [
            ("new-device", Notices { new_device: true, ..none }),
            ("email-change", Notices { email_change: true, ..none }),
            ("role-change", Notices { role_change: true, ..none }),
        ];
        choice(word, &words)
    };
    let all = list(text, one)?.into_iter();
    Ok(all.fold(Notices::default(), |sum, next| Notices {
        new_device: sum.new_device || next.new_device,
        email_change: sum.email_change || next.email_change,
        role_change: sum.role_change || next.role_change,
    }))
}

/// A list of sign-in methods with `code`.
pub(super) fn methods(text: &str) -> Parsed<Methods> {
    let passwords = list(text, |word| choice(word, &[("code", false), ("password", true)]))?;
    if !passwords.contains(&false) {
        return Err("does not have `code`, without which users who forget a password are locked out".to_owned());
    }
    Ok(Methods { password: passwords.contains(&true) })
}

pub(super) fn mode(text: &str) -> Parsed<Mode> {
    choice(text, &[("development", Mode::Development), ("production", Mode::Production)])
}

pub(super) fn number(text: &str, least: u32, most: u32) -> Parsed<u32> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("is not a whole number from {least} to {most}"))
}

/// A duration between two bounds, in whole seconds, the resolution of tokens and `Retry-After`.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Parsed<Duration> {
    let duration =
        humantime::parse_duration(text).map_err(|_| "is not a duration such as 90s, 5m, 12h or 7d".to_owned())?;
    if duration.subsec_nanos() != 0 {
        return Err("is not a whole number of seconds".to_owned());
    }
    if !(least..=most).contains(&duration) {
        let (least, most) = (humantime::format_duration(least), humantime::format_duration(most));
        return Err(format!("is not between {least} and {most}"));
    }
    Ok(duration)
}

/// `count/window`.
pub(super) fn quota(text: &str) -> Parsed<Quota> {
    let (count, window) = text.split_once('/').ok_or("is not a count and a window such as 3/15m")?;
    let count = number(count.trim(), 1, MAX_QUOTA).map_err(|wrong| format!("has a count that {wrong}"))?;
    let window = duration(window.trim(), Duration::from_secs(1), MAX_WINDOW)
        .map_err(|wrong| format!("has a window that {wrong}"))?;
    Ok(Quota { count, window })
}

/// A quota in the form of a setting.
pub(super) fn written(quota: Quota) -> String {
    let window = humantime::format_duration(quota.window).to_string();
    format!("{}/{}", quota.count, window.replace("days", "d").replace("day", "d"))
}

pub(super) fn algorithm(text: &str) -> Parsed<TokenAlgorithm> {
    let algorithms = [
        ("EdDSA", TokenAlgorithm::EdDsa),
        ("ES256", TokenAlgorithm::Es256),
        ("RS256", TokenAlgorithm::Rs256),
        ("HS256", TokenAlgorithm::Hs256),
    ];
    choice(text, &algorithms)
}

/// A range of connections, `min-max`.
pub(super) fn pool(text: &str) -> Parsed<(u32, u32)> {
    let (min, max) = text.split_once('-').ok_or("is not a range such as 5-20")?;
    let min = number(min.trim(), 1, 1000).map_err(|wrong| format!("has a first number that {wrong}"))?;
    let max = number(max.trim(), 1, 1000).map_err(|wrong| format!("has a second number that {wrong}"))?;
    if min > max {
        return Err("has the larger number first".to_owned());
    }
    Ok((min, max))
}

/// A comma-separated list. Errors give the position of a bad entry, never its text.
pub(super) fn list<T>(text: &str, mut parse: impl FnMut(&str) -> Parsed<T>) -> Parsed<Vec<T>> {
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for (index, entry) in text.split(',').map(str::trim).enumerate() {
        match if entry.is_empty() { Err("is empty".to_owned()) } else { parse(entry) } {
            Ok(value) => values.push(value),
            Err(wrong) => errors.push(format!("entry {} that {wrong}", index + 1)),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(format!("has {}", errors.join("; and "))) }
}

/// A folder, which need not exist yet.
pub(super) fn folder(text: &str) -> Parsed<PathBuf> {
    printable(text, 1024).map(PathBuf::from)
}

/// An IP address or `localhost`, and a port.
pub(super) fn socket(text: &str) -> Parsed<SocketAddr> {
    let local = text.strip_prefix("localhost:").and_then(|port| Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()));
    local
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "is not an address and a port such as 0.0.0.0:4000 or localhost:4000".to_owned())
}

/// A network or a single address. Refuses networks of prefix 0, which would trust every forwarding header.
pub(super) fn network(text: &str) -> Parsed<IpNet> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| "is neither a network such as 10.0.0.0/8 nor an IP address")?;
    if network.prefix_len() == 0 {
        return Err("trusts every address, so clients could choose the address that they are counted under".to_owned());
    }
    Ok(network.trunc())
}

/// Whether the host of a URL is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::from(address).to_canonical().is_loopback(),
        None => false,
    }
}

pub(super) fn public_url(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("does not start with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("contains a user name or password, which every link in an email would show".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment, but paths are appended to it".to_owned());
    }
    Ok(url)
}

/// `scheme://host[:port]`, normalized to what browsers send.
pub(super) fn origin(text: &str) -> Parsed<String> {
    if text == "*" {
        return Err("is `*`, which would let every web page call this API".to_owned());
    }
    if text.eq_ignore_ascii_case("null") {
        return Err("is `null`, which any sandboxed page can claim to be".to_owned());
    }
    let wrong = "is not an origin: scheme://host, an optional :port and nothing else";
    let url = Url::parse(text).map_err(|_| wrong.to_owned())?;
    let bare = text.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '\\', '?', '#', '@', '*']));
    let host = url.host_str().filter(|host| bare && !host.is_empty() && url.scheme() != "file").ok_or(wrong)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{host}{port}", url.scheme()))
}

pub(super) fn database_url(text: &str) -> Parsed<SecretString> {
    if text.starts_with("sqlite:") {
        return Ok(text.into());
    }
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("does not start with sqlite:, postgres:// or postgresql://".to_owned());
    }
    if Url::parse(text).is_err() {
        return Err("is not a URL (percent-encode special characters in the password, such as @ as %40)".to_owned());
    }
    Ok(text.into())
}

/// A single server, Sentinel or a cluster. The adapter parses lists of hosts.
pub(super) fn redis_url(text: &str) -> Parsed<SecretString> {
    const SCHEMES: [&str; 6] =
        ["redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];
    let known = text.split_once("://").filter(|(scheme, _)| SCHEMES.contains(scheme));
    let (_, rest) = known.ok_or_else(|| format!("does not start with one of {}://", SCHEMES.join("://, ")))?;
    if rest.is_empty() || rest.starts_with('/') || rest.contains(char::is_whitespace) {
        return Err("has no host after the scheme".to_owned());
    }
    Ok(text.into())
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpSecurity {
    /// TLS from the first byte, or STARTTLS required.
    Tls,
    /// Plain text, or opportunistic TLS that an attacker can strip.
    MaybePlain,
}

/// `smtps://…` or `smtp://…`, interpreted as the mail library does.
pub(super) fn smtp_url(text: &str) -> Parsed<(SecretString, SmtpSecurity)> {
    let url = Url::parse(text)
        .map_err(|_| "is not a URL (percent-encode special characters in the password, such as @ as %40)".to_owned())?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("has no host".to_owned());
    }
    let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    let security = match (url.scheme(), tls.as_deref()) {
        ("smtps", _) | ("smtp", Some("required")) => SmtpSecurity::Tls,
        ("smtp", None | Some("opportunistic")) => SmtpSecurity::MaybePlain,
        ("smtp", Some(_)) => return Err("has a tls= that is neither `required` nor `opportunistic`".to_owned()),
        _ => return Err("does not start with smtps:// or smtp://".to_owned()),
    };
    Ok((text.into(), security))
}

pub(super) fn signup(text: &str) -> Parsed<SignUp> {
    if let Some(domains) = text.strip_prefix("domains:") {
        return list(domains, |domain| canonical_domain(domain).map_err(|_| "is not a domain".to_owned()))
            .map(SignUp::Domains);
    }
    match text {
        "open" => Ok(SignUp::Open),
        "closed" => Ok(SignUp::Closed),
        _ => Err("is not `open`, `closed` or `domains:` followed by a list".to_owned()),
    }
}

/// A cost in the notation of PHC strings, such as `m=19456,t=2,p=1`.
pub(super) fn hash_cost(text: &str) -> Parsed<HashCost> {
    let part = |name: &str| text.split(',').find_map(|part| part.trim().strip_prefix(name)?.parse::<u32>().ok());
    let (Some(memory), Some(passes), Some(lanes), 3) = (part("m="), part("t="), part("p="), text.split(',').count())
    else {
        return Err("is not a cost such as `m=19456,t=2,p=1`: memory in KiB, passes and lanes".to_owned());
    };
    let is_possible = (8 * lanes..=1 << 20).contains(&memory) && (1..=16).contains(&passes) && (1..=4).contains(&lanes);
    if is_possible {
        Ok(HashCost { memory, passes, lanes })
    } else {
        Err("is out of range: m is 8 to 1048576, t is 1 to 16 and p is 1 to 4".to_owned())
    }
}

/// The role of new users. Refuses roles with power over others: only administrators grant those.
pub(super) fn default_role(text: &str) -> Parsed<Role> {
    let role = [("USER", Role::User), ("GUEST", Role::Guest), ("MANAGER", Role::Manager), ("ADMIN", Role::Admin)];
    match choice(text, &role) {
        Ok(role @ (Role::User | Role::Guest)) => Ok(role),
        Ok(_) => Err("would give everyone who signs in power over other users".to_owned()),
        Err(_) => Err("is not one of `USER`, `GUEST`".to_owned()),
    }
}

/// A short text without control characters, which could break out of a header or a line.
pub(super) fn printable(text: &str, most: usize) -> Parsed<String> {
    if text.chars().any(|sign| sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}')) {
        return Err("contains a control character or a line break".to_owned());
    }
    if text.chars().count() > most {
        return Err(format!("is longer than {most} characters"));
    }
    Ok(text.to_owned())
}

/// A mailbox: the whole text, and the address in it.
pub(super) fn mailbox(text: &str) -> Parsed<(String, String)> {
    let text = printable(text, 320)?;
    let wrong = || "is not a mailbox such as Example <no-reply@example.com>".to_owned();
    let mailbox: Mailbox = text.parse().map_err(|_| wrong())?;
    let address = mailbox.email.to_string();
    // The library ignores text after the mailbox.
    if !text.ends_with(&format!("<{address}>")) && text != address {
        return Err(wrong());
    }
    Ok((text, address))
}

pub(super) fn log_filter(text: &str) -> Parsed<String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log filter".to_owned()),
    }
}

/// Whether a text repeats one block, such as `abcabcabc` or `1111`.
pub(super) fn is_repetition(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(one, other)| one == other))
}
