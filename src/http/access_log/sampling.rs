//! Sampling for the access log. Anonymous requests are limited per network, and requests refused before they are
//! charged are limited per session, in windows of ten seconds. Beyond that a few samples are logged, and a summary at
//! the end of the window counts the rest.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use uuid::Uuid;

use crate::http::networks::{Shares, networks};

const WINDOW: TimeDelta = TimeDelta::seconds(10);
/// Maximum log lines of one network per window.
const OF_NETWORK: Shares = Shares { narrow: 50, middle: 100, wide: 200 };
/// Maximum log lines of one session per window.
const OF_SESSION: usize = 100;
/// Maximum log lines of all networks together, and of all sessions together.
const IN_ALL: usize = 2_000;
/// Lines each network or session still gets after [`IN_ALL`] is used up, so that a flood does not hide it.
const KEPT: usize = 5;
/// Maximum of such lines. Together with [`IN_ALL`] it bounds the memory used.
const KEPT_IN_ALL: usize = 2_000;
/// Networks and sessions named in a summary: those with most requests left out.
const NAMED: usize = 100;

/// What a request counts against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Network(IpAddr),
    /// The session of a token with a valid signature.
    Session(Uuid),
}

impl Source {
    /// Limits per scope, the narrowest first.
    fn bounds(self) -> Vec<(Scope, usize)> {
        match self {
            Self::Network(ip) => {
                let bound = |(width, network)| (Scope::Network(network), OF_NETWORK.for_width(width));
                networks(ip).map(bound).collect()
            }
            Self::Session(id) => vec![(Scope::Session(id), OF_SESSION)],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scope {
    /// All networks.
    Networks,
    /// All sessions.
    Sessions,
    Network(IpNet),
    Session(Uuid),
}

impl Scope {
    const fn all(self) -> Self {
        match self {
            Self::Networks | Self::Network(_) => Self::Networks,
            Self::Sessions | Self::Session(_) => Self::Sessions,
        }
    }
}

#[derive(Default)]
pub(crate) struct Sampler(Mutex<Window>);

#[derive(Default)]
struct Window {
    began: DateTime<Utc>,
    lines: HashMap<Scope, Lines>,
}

#[derive(Clone, Copy, Default)]
struct Lines {
    logged: usize,
    /// Requests over this limit, including sampled ones.
    beyond: u64,
    left_out: u64,
}

/// A summary of requests that were not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    scope: Scope,
    requests: u64,
}

impl LeftOut {
    pub(crate) fn log(self) {
        let Self { scope, requests } = self;
        match scope {
            Scope::Networks => tracing::info!(network = "all", requests, "requests not logged"),
            Scope::Network(network) => tracing::info!(%network, requests, "requests not logged"),
            Scope::Sessions => tracing::info!(session = "all", requests, "requests not logged"),
            Scope::Session(session) => tracing::info!(%session, requests, "requests not logged"),
        }
    }
}

impl Sampler {
    /// Whether to log a request.
    pub(crate) fn has_line(&self, source: Source) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).has_line(source)
    }

    /// Starts a new window if this one is over, and returns its summaries.
    pub(crate) fn turn(&self, now: DateTime<Utc>) -> Vec<LeftOut> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Also ends it if the clock was set back.
        if window.began <= now && now - window.began < WINDOW {
            return Vec::new();
        }
        std::mem::replace(&mut *window, Window { began: now, lines: HashMap::new() }).left_out()
    }

    /// Ends the window and returns its summaries.
    pub(crate) fn end(&self) -> Vec<LeftOut> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).left_out()
    }
}

impl Window {
    fn has_line(&mut self, source: Source) -> bool {
        let own = source.bounds();
        if let Some((full, _)) = own.iter().find(|(scope, most)| self.logged(*scope) >= *most) {
            return self.is_sample(*full, *full);
        }
        let Some((narrowest, _)) = own.first().copied() else { return true };
        let all = narrowest.all();
        let (shared, few) = (self.logged(all), self.logged(narrowest) < KEPT);
        if shared >= IN_ALL && !(few && shared < IN_ALL + KEPT_IN_ALL) {
            // Don't add an entry only to count what was left out.
            let counted = if self.lines.contains_key(&narrowest) { narrowest } else { all };
            return self.is_sample(all, counted);
        }
        for scope in own.into_iter().map(|(scope, _)| scope).chain([all]) {
            self.lines.entry(scope).or_default().logged += 1;
        }
        true
    }

    fn logged(&self, scope: Scope) -> usize {
        self.lines.get(&scope).map_or(0, |lines| lines.logged)
    }

    /// Whether to log a request over the limit: the 1st, 2nd, 4th, 8th and so on. Otherwise counts it as left out.
    fn is_sample(&mut self, full: Scope, counted: Scope) -> bool {
        let beyond = &mut self.lines.entry(full).or_default().beyond;
        *beyond += 1;
        let is_sample = beyond.is_power_of_two();
        if !is_sample {
            self.lines.entry(counted).or_default().left_out += 1;
        }
        is_sample
    }

    fn left_out(self) -> Vec<LeftOut> {
        let counted = self.lines.into_iter().filter(|(_, lines)| lines.left_out > 0);
        let mut left_out: Vec<_> = counted.map(|(scope, lines)| LeftOut { scope, requests: lines.left_out }).collect();
        // Put the totals first, so that they are not cut off.
        left_out.sort_unstable_by_key(|left_out| (left_out.scope != left_out.scope.all(), Reverse(left_out.requests)));
        let rest = left_out.split_off(left_out.len().min(NAMED));
        for LeftOut { scope, requests } in rest {
            let all = scope.all();
            match left_out.iter_mut().find(|left_out| left_out.scope == all) {
                Some(left_out) => left_out.requests += requests,
                None => left_out.push(LeftOut { scope: all, requests }),
            }
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of lines logged for `each` requests from each address.
    fn lines(sampler: &Sampler, each: usize, ips: impl Iterator<Item = String>) -> usize {
        let ips = ips.flat_map(|ip| std::iter::repeat_n(ip.parse().unwrap(), each));
        ips.filter(|ip: &IpAddr| sampler.has_line(Source::Network(*ip))).count()
    }

    fn one(ip: &str) -> impl Iterator<Item = String> {
        std::iter::once(ip.to_owned())
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn left_out(network: &str, requests: u64) -> LeftOut {
        LeftOut { scope: Scope::Network(network.parse().unwrap()), requests }
    }

    #[test]
    fn over_its_limit_a_network_gets_a_few_samples_and_a_summary() {
        let sampler = Sampler::default();
        assert_eq!(sampler.turn(now()), []);
        assert_eq!(lines(&sampler, 50, one("192.0.2.1")), 50);
        assert_eq!(lines(&sampler, 10_000, one("192.0.2.1")), 14, "1, 2, 4, … 8,192");
        assert_eq!(lines(&sampler, 50, one("2001:db8::1")), 50, "another network has its own");
        assert_eq!(sampler.turn(now() + TimeDelta::seconds(9)), []);
        assert_eq!(sampler.turn(now() + WINDOW), [left_out("192.0.2.1/32", 10_000 - 14)]);
        assert_eq!(sampler.turn(now() + WINDOW), []);
        assert_eq!(lines(&sampler, 60, one("192.0.2.1")), 50 + 4, "the next window begins at zero");
        assert_eq!(sampler.end().len(), 1);
    }

    #[test]
    fn a_flood_of_addresses_is_bounded_in_lines_and_memory() {
        let sampler = Sampler::default();
        sampler.turn(now());
        let of_56 = lines(&sampler, 100, (0..200).map(|n| format!("2001:db8:0:{n:x}::1")));
        assert!((100..130).contains(&of_56), "{of_56} lines of one /56");
        let elsewhere = lines(&sampler, 10, (1..=5_000).map(|n| format!("2001:db8:{n:x}::1")));
        let most = IN_ALL + KEPT_IN_ALL;
        assert!((most - 200..most).contains(&elsewhere), "{elsewhere} lines of all");
        let remembered = sampler.0.lock().unwrap().lines.len();
        assert!(remembered < 3 * most, "{remembered} networks");
        let left_out = sampler.end();
        assert_eq!(left_out.iter().map(|left_out| left_out.requests).sum::<u64>(), 70_000 - (of_56 + elsewhere) as u64);
        assert!(left_out.iter().any(|left_out| left_out.scope == Scope::Networks));
        assert!(left_out.len() <= NAMED + 1, "{} summaries", left_out.len());
    }

    #[test]
    fn a_flood_from_elsewhere_leaves_a_network_a_few_lines_and_its_summary() {
        let sampler = Sampler::default();
        sampler.turn(now());
        let flood = || (0..40).map(|n| format!("198.51.{n}.1"));
        assert_eq!(lines(&sampler, 50, flood()), IN_ALL);
        assert!(lines(&sampler, 2, (0..150).map(|n| format!("2001:db8:{n:x}::1"))) == 300, "few have all their lines");
        assert_eq!(lines(&sampler, 30, one("192.0.2.1")), KEPT + 5, "and samples: 1, 2, 4, 8, 16");
        lines(&sampler, 9_000, flood());
        let told = sampler.end();
        assert!(told.contains(&left_out("192.0.2.1/32", 20)), "{told:?}");
    }

    #[test]
    fn summaries_name_the_networks_with_most_left_out_and_total_the_rest() {
        let sampler = Sampler::default();
        sampler.turn(now());
        lines(&sampler, 50, (0..40).map(|n| format!("198.51.{n}.1")));
        lines(&sampler, 20, (0..200).map(|n| format!("203.0.{n}.1")));
        let told = sampler.end();
        assert_eq!((told.len(), told.last().unwrap().scope), (NAMED + 1, Scope::Networks));
        assert!(told.iter().map(|left_out| left_out.requests).sum::<u64>() > 2_950);
    }

    #[test]
    fn a_session_is_limited_independently_of_its_network() {
        let sampler = Sampler::default();
        sampler.turn(now());
        lines(&sampler, 1_000, one("192.0.2.1"));
        let session = |n: u128, times: usize| {
            (0..times).filter(|_| sampler.has_line(Source::Session(Uuid::from_u128(n)))).count()
        };
        assert_eq!(session(0, OF_SESSION), OF_SESSION);
        assert_eq!(session(0, 1_000), 10, "1, 2, 4, … 512");
        let all: usize = (1..=1_000).map(|n| session(n, 20)).sum();
        assert!((1_900..IN_ALL + KEPT_IN_ALL).contains(&all), "{all} lines of all sessions");
        let scopes: Vec<_> = sampler.end().into_iter().map(|left_out| left_out.scope).collect();
        assert!(scopes.contains(&Scope::Session(Uuid::nil())) && scopes.contains(&Scope::Sessions), "{scopes:?}");
        assert!(!scopes.contains(&Scope::Networks), "networks have separate limits");
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_window() {
        let sampler = Sampler::default();
        sampler.turn(now());
        lines(&sampler, 60, one("192.0.2.1"));
        assert_eq!(sampler.turn(now() - TimeDelta::hours(1)).len(), 1);
    }
}
