//! Settings that make attacks easy: guessable codes, ineffective limits, overly broad proxies and origins, exposed
//! ports. Production refuses them or warns.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Url;

use super::{
    HashCost, Settings,
    odds::{Odds, about, one_in},
    parse::{self, is_loopback},
    problems::Reader,
};
use crate::limits::{EMAIL_CHANGE_UNDO, Limits, Quota, Rule};

/// Maximum odds of guessing one account within a year. Production does not start above them.
const MAX_ODDS: f64 = 1.0 / 1_000.0;
/// Production warns about a limit more than this many times its default.
const LOOSE_FACTOR: u128 = 100;
/// The memory in KiB and the passes of argon2id that OWASP recommends. Each row is enough.
const OWASP: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// Networks outside the public internet.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// IPv4-mapped IPv6 addresses. Such clients are identified by their IPv4 address.
const MAPPED: &str = "::ffff:0:0/96";
/// Networks that embed IPv4 addresses: NAT64, Teredo and 6to4. A small prefix of them covers much of IPv4.
const EMBEDDING: [&str; 4] = ["64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"];

pub(super) fn check(reader: &mut Reader, settings: &Settings) {
    guessing(reader, &settings.limits);
    loose_limits(reader, &settings.limits);
    proxies(reader, &settings.trusted_proxies);
    origins(reader, settings);
    operations(reader, settings.ops_listen.ip());
    if settings.erase_after < EMAIL_CHANGE_UNDO && reader.is_fine("DOORCODE_ERASE_AFTER") {
        reader.refuse(
            "DOORCODE_ERASE_AFTER",
            "is shorter than the 7 days in which owners can recover a stolen account, so a thief could delete it for \
             good",
            "Write 7d or more, for example DOORCODE_ERASE_AFTER=30d; to erase deleted accounts now, run \
             `doorcode purge --erase-after 0s`",
        );
    }
    let HashCost { memory, passes, .. } = settings.password_cost;
    if !OWASP.iter().any(|(least, at)| memory >= *least && passes >= *at) && reader.is_fine("DOORCODE_PASSWORD_COST") {
        reader.refuse(
            "DOORCODE_PASSWORD_COST",
            "is below what OWASP recommends, so passwords from a stolen database can be guessed faster",
            "Write at least DOORCODE_PASSWORD_COST=m=19456,t=2,p=1, or less memory with more passes",
        );
    }
    if let Some(wrong) = short_trail(reader, settings) {
        reader.refuse("DOORCODE_AUDIT_RETENTION", wrong, "Write 7d or more, for example DOORCODE_AUDIT_RETENTION=400d");
    }
}

/// What is wrong if audit events are kept for less time than owners have to recover their account.
pub(super) fn short_trail(reader: &Reader, settings: &Settings) -> Option<&'static str> {
    let is_short = settings.audit_retention < EMAIL_CHANGE_UNDO && reader.is_fine("DOORCODE_AUDIT_RETENTION");
    is_short.then_some(
        "is shorter than the 7 days in which owners can recover a stolen account, which needs the audit events",
    )
}

fn guessing(reader: &mut Reader, limits: &Limits) {
    const VARIABLES: [&str; 7] = [
        "DOORCODE_CODE_LENGTH",
        "DOORCODE_CODE_TRIES",
        "DOORCODE_LIMIT_GUESS_ACCOUNT",
        "DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH",
        "DOORCODE_LIMIT_SEND_ADDRESS",
        "DOORCODE_LIMIT_SEND_ADDRESS_DAY",
        "DOORCODE_LIMIT_SEND_INSTANCE",
    ];
    if !VARIABLES.iter().all(|variable| reader.is_fine(variable)) {
        return;
    }
    let (odds, usual) = (Odds::of(limits), Odds::of(&Limits::default()));
    let is_above = |odds: f64, usual: f64| odds > usual * 1.001;
    if odds.account > MAX_ODDS {
        let with = |length| {
            let mut limits = limits.clone();
            limits.code_length = length;
            Odds::of(&limits)
        };
        let enough = (limits.code_length..=12).find(|length| with(*length).account <= MAX_ODDS);
        let longer = enough.map_or(String::new(), |length| format!("DOORCODE_CODE_LENGTH={length}, or "));
        reader.refuse(
            "DOORCODE_CODE_LENGTH",
            format!(
                "and the limits let a year of guessing open an account with odds of {}; production allows at most {}",
                one_in(odds.account),
                one_in(MAX_ODDS)
            ),
            format!(
                "Write {longer}less for DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH (80/30d is enough for six digits) or \
                 DOORCODE_LIMIT_GUESS_ACCOUNT"
            ),
        );
    } else if is_above(odds.account, usual.account) {
        reader.warn(
            "DOORCODE_CODE_LENGTH",
            format!(
                "and the limits let a year of guessing open an account with odds of {} (with the defaults, {})",
                one_in(odds.account),
                one_in(usual.account)
            ),
            "Write more digits or smaller limits, unless this is intended",
        );
    }
    if is_above(odds.instance, usual.instance) {
        reader.warn(
            "DOORCODE_LIMIT_SEND_INSTANCE",
            format!(
                "lets a year of guessing with all these emails open {} accounts (with the defaults, {})",
                about(odds.instance),
                about(usual.instance)
            ),
            "Write a smaller limit, or a longer DOORCODE_CODE_LENGTH: each digit divides the number by ten",
        );
    }
}

/// Warns about limits that are too high to stop abuse.
fn loose_limits(reader: &mut Reader, limits: &Limits) {
    let rate = |one: Quota, other: Quota| u128::from(one.count) * other.window.as_nanos();
    // `guessing` checks these.
    let checked = [Rule::GuessAccount, Rule::GuessAccountMonth, Rule::SendInstance];
    for rule in Rule::ALL.iter().filter(|rule| !checked.contains(rule)) {
        let Some((variable, default, _)) = rule.setting() else { continue };
        let (quota, example) = (limits.quota(*rule), parse::written(default));
        if rate(quota, default) > LOOSE_FACTOR * rate(default, quota) && reader.is_fine(&variable) {
            let odd = format!("is more than {LOOSE_FACTOR} times its default, too high to stop abuse");
            reader.warn(&variable, odd, format!("Write a smaller limit; the default is {example}"));
        }
    }
}

/// Refuses trusted proxies that cover much of the internet, because clients there could choose the address that limits
/// count them under. Also refuses networks that never match.
fn proxies(reader: &mut Reader, trusted: &[IpNet]) {
    const MAX: (u128, u128) = (1 << 24, 1 << 104);
    const INSTEAD: &str = "Write the networks or addresses that your proxies connect from, for example \
                           DOORCODE_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8";
    let overlaps = |network: &IpNet, other: &str| {
        other.parse::<IpNet>().is_ok_and(|other| other.contains(network) || network.contains(&other))
    };
    if trusted.iter().any(|network| overlaps(network, MAPPED) && network.prefix_len() >= 24) {
        reader.refuse(
            "DOORCODE_TRUSTED_PROXIES",
            "has a network in ::ffff:0:0/96, which never matches: IPv4 clients are identified by their IPv4 address",
            "Write the IPv4 network instead, for example DOORCODE_TRUSTED_PROXIES=10.0.0.0/8 for ::ffff:10.0.0.0/104",
        );
    }
    let is_single = |network: &IpNet| network.prefix_len() == network.max_prefix_len();
    if trusted.iter().any(|network| !is_single(network) && EMBEDDING.iter().any(|other| overlaps(network, other))) {
        reader.refuse(
            "DOORCODE_TRUSTED_PROXIES",
            "has an IPv6 network that embeds IPv4 addresses (64:ff9b::/96, 64:ff9b:1::/48, 2001::/32 or 2002::/16), so \
             clients could choose the address that they are counted under",
            INSTEAD,
        );
    }
    let public = public_addresses(trusted);
    if (public.0 > MAX.0 || public.1 > MAX.1) && reader.is_fine("DOORCODE_TRUSTED_PROXIES") {
        reader.refuse(
            "DOORCODE_TRUSTED_PROXIES",
            "covers more of the internet than an IPv4 /8 or an IPv6 /24, so clients could choose the address that they \
             are counted under",
            INSTEAD,
        );
    }
}

/// Number of public IPv4 and IPv6 addresses in these networks.
fn public_addresses(networks: &[IpNet]) -> (u128, u128) {
    let v4: Vec<_> =
        networks.iter().filter_map(|network| if let IpNet::V4(it) = network { Some(*it) } else { None }).collect();
    let v6: Vec<_> =
        networks.iter().filter_map(|network| if let IpNet::V6(it) = network { Some(*it) } else { None }).collect();
    let private: Vec<IpNet> = PRIVATE.iter().filter_map(|network| network.parse().ok()).collect();
    let public = |network: IpNet| {
        if private.iter().any(|private| private.contains(&network)) {
            return 0;
        }
        let inside = private.iter().filter(|private| network.contains(*private)).map(size);
        inside.fold(size(&network), u128::saturating_sub)
    };
    let sum = |networks: Vec<IpNet>| networks.into_iter().map(public).fold(0, u128::saturating_add);
    let v4 = Ipv4Net::aggregate(&v4).into_iter().map(IpNet::from).collect();
    let v6 = Ipv6Net::aggregate(&v6).into_iter().map(IpNet::from).collect();
    (sum(v4), sum(v6))
}

fn size(network: &IpNet) -> u128 {
    1_u128.checked_shl(u32::from(network.max_prefix_len() - network.prefix_len())).unwrap_or(u128::MAX)
}

fn origins(reader: &mut Reader, settings: &Settings) {
    if !reader.is_fine("DOORCODE_CORS_ORIGINS") {
        return;
    }
    let plain: Vec<_> = settings.cors_origins.listed.iter().filter_map(|origin| Url::parse(origin).ok()).collect();
    let mut plain = plain.iter().filter(|origin| origin.scheme() == "http");
    if plain.clone().any(|origin| !is_loopback(origin)) {
        reader.refuse(
            "DOORCODE_CORS_ORIGINS",
            "has an http:// origin, whose pages and tokens an attacker on the network can read and change",
            "Write, for example, DOORCODE_CORS_ORIGINS=https://app.example.com",
        );
    } else if plain.next().is_some() && !is_loopback(&settings.public_url) {
        reader.warn(
            "DOORCODE_CORS_ORIGINS",
            "has an origin on localhost, which any program on a visitor's machine can use",
            "Use localhost origins in development only",
        );
    }
}

fn operations(reader: &mut Reader, ip: IpAddr) {
    let ip = ip.to_canonical();
    let is_private = PRIVATE.iter().filter_map(|network| network.parse::<IpNet>().ok()).any(|net| net.contains(&ip));
    if !is_private && reader.is_fine("DOORCODE_OPS_LISTEN") {
        reader.warn(
            "DOORCODE_OPS_LISTEN",
            "listens on all networks of this machine or on a public address",
            "Write a private address, or block this port in the firewall, because it exposes metrics",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(networks: &[&str]) -> (u128, u128) {
        public_addresses(&networks.iter().map(|network| network.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn counts_each_public_address_once() {
        assert_eq!(count(&["10.0.0.0/8", "192.168.1.0/24", "fd00::/8", "::1/128"]), (0, 0));
        assert_eq!(count(&["8.0.0.0/8", "8.8.0.0/16", "2001:db8::/32"]), (1 << 24, 1 << 96));
        assert_eq!(count(&["10.0.0.0/7"]), (1 << 24, 0), "without its private half");
        let private = [24, 20, 16, 22, 24, 16].into_iter().map(|bits| 1_u128 << bits).sum::<u128>();
        assert_eq!(count(&["0.0.0.0/1", "128.0.0.0/1"]), ((1 << 32) - private, 0));
        assert!(count(&["::/1", "8000::/1"]).1 > 1 << 127);
    }
}
