//! Samples access log lines, so that a flood of requests does not flood the log. In each window of ten seconds, lines
//! for anonymous requests are limited per network. Lines for requests that were refused before their session was looked
//! up are limited per session. Above a limit, only a few samples are logged, and a summary at the end of the window
//! counts the requests that were left out.

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
/// Maximum number of log lines for one network per window.
const PER_NETWORK: Shares = Shares { narrow: 50, middle: 100, wide: 200 };
/// Maximum number of log lines for one session per window.
const PER_SESSION: usize = 100;
/// Maximum number of log lines per window for all networks together, and again for all sessions together.
const TOTAL: usize = 2_000;
/// Number of log lines that a network or session may have even after [`TOTAL`] is used up, so that a flood by other
/// clients does not hide it.
const RESERVED: usize = 5;
/// Maximum number of these reserved lines. [`TOTAL`] and this maximum bound the memory of the sampler.
const RESERVED_TOTAL: usize = 2_000;
/// Maximum number of networks and sessions in the summary. It names those with the most requests left out.
const MAX_SUMMARIES: usize = 100;

/// The network or session whose limit a request counts against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Network(IpAddr),
    /// The session of a token with a valid signature.
    Session(Uuid),
}

impl Source {
    /// Returns the scopes that a request counts for, with their limits. The narrowest scope is first.
    fn bounds(self) -> Vec<(Scope, usize)> {
        match self {
            Self::Network(ip) => {
                let bound = |(width, network)| (Scope::Network(network), PER_NETWORK.for_width(width));
                networks(ip).map(bound).collect()
            }
            Self::Session(id) => vec![(Scope::Session(id), PER_SESSION)],
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
    /// Number of requests above this scope's limit, including the samples that were logged.
    over_limit: u64,
    skipped: u64,
}

/// The number of requests of one scope that were not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    scope: Scope,
    requests: u64,
}

impl Skipped {
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
    /// Counts a request and returns whether to log it.
    pub(crate) fn should_log(&self, source: Source) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).should_log(source)
    }

    /// Starts a new window if this one is over, and returns its summaries.
    pub(crate) fn rotate(&self, now: DateTime<Utc>) -> Vec<Skipped> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // If the clock was set back, the window ends too.
        if window.began <= now && now - window.began < WINDOW {
            return Vec::new();
        }
        std::mem::replace(&mut *window, Window { began: now, lines: HashMap::new() }).skipped()
    }

    /// Ends the window and returns its summaries.
    pub(crate) fn end(&self) -> Vec<Skipped> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).skipped()
    }
}

impl Window {
    fn should_log(&mut self, source: Source) -> bool {
        let own = source.bounds();
        if let Some((full, _)) = own.iter().find(|(scope, most)| self.logged(*scope) >= *most) {
            return self.is_sample(*full, *full);
        }
        let Some((narrowest, _)) = own.first().copied() else { return true };
        let all = narrowest.all();
        let (shared, few) = (self.logged(all), self.logged(narrowest) < RESERVED);
        if shared >= TOTAL && !(few && shared < TOTAL + RESERVED_TOTAL) {
            // Don't create an entry for a network or session only to count a request that was left out.
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

    /// Whether to log a request above the limit: the 1st, 2nd, 4th, 8th and so on. Counts the others as left out.
    fn is_sample(&mut self, full: Scope, counted: Scope) -> bool {
        let over_limit = &mut self.lines.entry(full).or_default().over_limit;
        *over_limit += 1;
        let is_sample = over_limit.is_power_of_two();
        if !is_sample {
            self.lines.entry(counted).or_default().skipped += 1;
        }
        is_sample
    }

    fn skipped(self) -> Vec<Skipped> {
        let counted = self.lines.into_iter().filter(|(_, lines)| lines.skipped > 0);
        let mut skipped: Vec<_> = counted.map(|(scope, lines)| Skipped { scope, requests: lines.skipped }).collect();
        // Put the totals first, so that they are kept when the list is truncated.
        skipped.sort_unstable_by_key(|skipped| (skipped.scope != skipped.scope.all(), Reverse(skipped.requests)));
        let rest = skipped.split_off(skipped.len().min(MAX_SUMMARIES));
        for Skipped { scope, requests } in rest {
            let all = scope.all();
            match skipped.iter_mut().find(|skipped| skipped.scope == all) {
                Some(skipped) => skipped.requests += requests,
                None => skipped.push(Skipped { scope: all, requests }),
            }
        }
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `each` requests from each address. Returns the number of lines logged.
    fn lines(sampler: &Sampler, each: usize, ips: impl Iterator<Item = String>) -> usize {
        let ips = ips.flat_map(|ip| std::iter::repeat_n(ip.parse().unwrap(), each));
        ips.filter(|ip: &IpAddr| sampler.should_log(Source::Network(*ip))).count()
    }

    fn one(ip: &str) -> impl Iterator<Item = String> {
        std::iter::once(ip.to_owned())
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn skipped(network: &str, requests: u64) -> Skipped {
        Skipped { scope: Scope::Network(network.parse().unwrap()), requests }
    }

    #[test]
    fn over_its_limit_a_network_gets_a_few_samples_and_a_summary() {
        let sampler = Sampler::default();
        assert_eq!(sampler.rotate(now()), []);
        assert_eq!(lines(&sampler, 50, one("192.0.2.1")), 50);
        assert_eq!(lines(&sampler, 10_000, one("192.0.2.1")), 14, "1, 2, 4, … 8,192");
        assert_eq!(lines(&sampler, 50, one("2001:db8::1")), 50, "another network has its own limit");
        assert_eq!(sampler.rotate(now() + TimeDelta::seconds(9)), []);
        assert_eq!(sampler.rotate(now() + WINDOW), [skipped("192.0.2.1/32", 10_000 - 14)]);
        assert_eq!(sampler.rotate(now() + WINDOW), []);
        assert_eq!(lines(&sampler, 60, one("192.0.2.1")), 50 + 4, "the next window counts from zero");
        assert_eq!(sampler.end().len(), 1);
    }

    #[test]
    fn a_flood_of_addresses_is_bounded_in_lines_and_memory() {
        let sampler = Sampler::default();
        sampler.rotate(now());
        let of_56 = lines(&sampler, 100, (0..200).map(|n| format!("2001:db8:0:{n:x}::1")));
        assert!((100..130).contains(&of_56), "{of_56} lines of one /56");
        let elsewhere = lines(&sampler, 10, (1..=5_000).map(|n| format!("2001:db8:{n:x}::1")));
        let most = TOTAL + RESERVED_TOTAL;
        assert!((most - 200..most).contains(&elsewhere), "{elsewhere} lines of all");
        let remembered = sampler.0.lock().unwrap().lines.len();
        assert!(remembered < 3 * most, "{remembered} networks");
        let skipped = sampler.end();
        assert_eq!(skipped.iter().map(|skipped| skipped.requests).sum::<u64>(), 70_000 - (of_56 + elsewhere) as u64);
        assert!(skipped.iter().any(|skipped| skipped.scope == Scope::Networks));
        assert!(skipped.len() <= MAX_SUMMARIES + 1, "{} summaries", skipped.len());
    }

    #[test]
    fn a_flood_from_other_networks_leaves_a_network_a_few_lines_and_its_summary() {
        let sampler = Sampler::default();
        sampler.rotate(now());
        let flood = || (0..40).map(|n| format!("198.51.{n}.1"));
        assert_eq!(lines(&sampler, 50, flood()), TOTAL);
        assert!(
            lines(&sampler, 2, (0..150).map(|n| format!("2001:db8:{n:x}::1"))) == 300,
            "networks with few requests get all their lines"
        );
        assert_eq!(
            lines(&sampler, 30, one("192.0.2.1")),
            RESERVED + 5,
            "the reserved lines, and the samples 1, 2, 4, 8 and 16"
        );
        lines(&sampler, 9_000, flood());
        let summaries = sampler.end();
        assert!(summaries.contains(&skipped("192.0.2.1/32", 20)), "{summaries:?}");
    }

    #[test]
    fn summaries_name_the_networks_with_the_most_requests_left_out() {
        let sampler = Sampler::default();
        sampler.rotate(now());
        lines(&sampler, 50, (0..40).map(|n| format!("198.51.{n}.1")));
        lines(&sampler, 20, (0..200).map(|n| format!("203.0.{n}.1")));
        let summaries = sampler.end();
        assert_eq!((summaries.len(), summaries.last().unwrap().scope), (MAX_SUMMARIES + 1, Scope::Networks));
        assert!(summaries.iter().map(|skipped| skipped.requests).sum::<u64>() > 2_950);
    }

    #[test]
    fn a_session_is_limited_independently_of_its_network() {
        let sampler = Sampler::default();
        sampler.rotate(now());
        lines(&sampler, 1_000, one("192.0.2.1"));
        let session = |n: u128, times: usize| {
            (0..times).filter(|_| sampler.should_log(Source::Session(Uuid::from_u128(n)))).count()
        };
        assert_eq!(session(0, PER_SESSION), PER_SESSION);
        assert_eq!(session(0, 1_000), 10, "1, 2, 4, … 512");
        let all: usize = (1..=1_000).map(|n| session(n, 20)).sum();
        assert!((1_900..TOTAL + RESERVED_TOTAL).contains(&all), "{all} lines of all sessions");
        let scopes: Vec<_> = sampler.end().into_iter().map(|skipped| skipped.scope).collect();
        assert!(scopes.contains(&Scope::Session(Uuid::nil())) && scopes.contains(&Scope::Sessions), "{scopes:?}");
        assert!(!scopes.contains(&Scope::Networks), "sessions do not count for networks");
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_window() {
        let sampler = Sampler::default();
        sampler.rotate(now());
        lines(&sampler, 60, one("192.0.2.1"));
        assert_eq!(sampler.rotate(now() - TimeDelta::hours(1)).len(), 1);
    }
}
