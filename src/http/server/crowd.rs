//! All client connections by network: limits per network, and which to evict when there are too many. Evicts those
//! that were idle, or have been sending headers, for longest. Trusted proxies are not included.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use ipnet::IpNet;
use tokio::time::Instant;

use super::member::{Member, Phase, State};
use crate::http::networks::{Shares, networks};

/// What eviction must free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// This many connections.
    Places(usize),
    /// This many bytes, from connections that hold more than `above`.
    Bytes { wanted: usize, above: usize },
    /// An eighth of the connections receiving a response.
    Writers,
}

pub(crate) struct Crowd {
    start: Instant,
    shares: Shares,
    /// Connections idle for less time are not evicted.
    spare: Duration,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    all: HashMap<u64, Arc<Member>>,
    of: HashMap<IpNet, Vec<Arc<Member>>>,
    next: u64,
}

impl Crowd {
    pub(crate) fn new(shares: Shares, spare: Duration) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), shares, spare, members: Mutex::default() })
    }

    /// A connection that is not counted and never evicted.
    pub(crate) fn outsider(&self, ip: IpAddr) -> Arc<Member> {
        Arc::new(Member::new(ip, 0, self.start))
    }

    /// Adds a connection. If its network is full, evicts that network's longest idle connection.
    ///
    /// # Errors
    ///
    /// The full network, if none of its connections is idle.
    pub(crate) fn join(self: &Arc<Self>, ip: IpAddr) -> Result<Seat, IpNet> {
        let mut members = self.lock();
        let now = self.now();
        for (width, network) in networks(ip) {
            let there = members.of.get(&network).map_or(&[][..], Vec::as_slice);
            if there.len() < self.shares.for_width(width) {
                continue;
            }
            let mut idle: Vec<_> = there
                .iter()
                .map(|member| (member.state(), member))
                .filter(|(state, _)| self.is_idle(*state, now))
                .collect();
            idle.sort_unstable_by_key(|(state, _)| state.since());
            let left = idle.into_iter().find(|(state, member)| member.ask_to_leave(*state));
            let left = left.map(|(_, member)| Arc::clone(member)).ok_or(network)?;
            members.remove(&left);
        }
        members.next += 1;
        let member = Arc::new(Member::new(ip, members.next, self.start));
        members.add(&member);
        drop(members);
        Ok(Seat { crowd: Arc::clone(self), member })
    }

    /// Evicts the least active connections until enough is free. Returns how many.
    pub(crate) fn relieve(&self, wanted: Wanted) -> usize {
        let now = self.now();
        let mut least: Vec<(u8, State, Arc<Member>)> = self
            .lock()
            .all
            .values()
            .filter_map(|member| {
                let state = member.state();
                Some((self.rank(member, state, now, wanted)?, state, Arc::clone(member)))
            })
            .collect();
        least.sort_unstable_by_key(|(rank, state, _)| (*rank, state.since()));
        let mut missing = match wanted {
            Wanted::Places(places) => places,
            Wanted::Bytes { wanted, .. } => wanted,
            Wanted::Writers => least.len().div_ceil(8),
        };
        let mut asked = 0;
        for (_, state, member) in least {
            if missing == 0 {
                break;
            }
            if member.ask_to_leave(state) {
                asked += 1;
                let given = if matches!(wanted, Wanted::Bytes { .. }) { member.held.load(Relaxed) } else { 1 };
                missing = missing.saturating_sub(given);
            }
        }
        asked
    }

    /// Eviction order; `None` for connections that must stay.
    fn rank(&self, member: &Member, state: State, now: u64, wanted: Wanted) -> Option<u8> {
        let is_slow = self.has_been(state, now, 2);
        match (wanted, state.phase()) {
            (Wanted::Places(_), Phase::Waiting) => self.is_idle(state, now).then_some(0),
            (Wanted::Bytes { above, .. }, _) if member.held.load(Relaxed) <= above => None,
            (Wanted::Bytes { .. }, Phase::Waiting | Phase::Reading) => self.has_been(state, now, 1).then_some(0),
            (Wanted::Places(_), Phase::Reading)
            | (Wanted::Places(_) | Wanted::Bytes { .. }, Phase::Writing | Phase::Flushing) => is_slow.then_some(1),
            (Wanted::Writers, Phase::Writing | Phase::Flushing) => is_slow.then_some(0),
            _ => None,
        }
    }

    fn is_idle(&self, state: State, now: u64) -> bool {
        state.phase() == Phase::Waiting && self.has_been(state, now, 1)
    }

    fn has_been(&self, state: State, now: u64, times: u32) -> bool {
        u128::from(now.saturating_sub(state.since())) >= (self.spare * times).as_millis()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn add(&mut self, member: &Arc<Member>) {
        self.all.insert(member.id, Arc::clone(member));
        for (_, network) in networks(member.ip) {
            self.of.entry(network).or_default().push(Arc::clone(member));
        }
    }

    fn remove(&mut self, member: &Member) {
        if self.all.remove(&member.id).is_none() {
            return;
        }
        for (_, network) in networks(member.ip) {
            let Some(there) = self.of.get_mut(&network) else { continue };
            there.retain(|other| other.id != member.id);
            // Without this, the map would keep every network that ever connected.
            if there.is_empty() {
                self.of.remove(&network);
            }
        }
    }
}

/// The slot of one connection, freed on drop.
pub(crate) struct Seat {
    crowd: Arc<Crowd>,
    pub(crate) member: Arc<Member>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.crowd.lock().remove(&self.member);
    }
}

#[cfg(test)]
mod tests;
