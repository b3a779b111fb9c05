//! All connections of clients, by network: how many each may have, and who goes when there are too many. Whoever needs
//! a connection least goes first: the one that has been idle, or has not finished its headers, for longest. Those of
//! trusted proxies are not among them.

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

/// What is wanted back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// So many connections.
    Places(usize),
    /// So many bytes of connections that hold more than this.
    Bytes { wanted: usize, above: usize },
    /// An eighth of those that take an answer.
    Writers,
}

pub(crate) struct Crowd {
    start: Instant,
    shares: Shares,
    /// Who has been idle for less is left alone.
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

    /// A connection that is counted nowhere and never asked to leave.
    pub(crate) fn outsider(&self, ip: IpAddr) -> Arc<Member> {
        Arc::new(Member::new(ip, 0, self.start))
    }

    /// A place for one more connection.
    ///
    /// Where its network is full, the idlest of that network leaves for it: a newcomer has something to ask.
    ///
    /// # Errors
    ///
    /// The network that is full when nobody there is idle.
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

    /// Asks those who need it least to leave, until there is enough. How many it asked.
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

    /// In which order connections leave; `None` for those that stay.
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
            // A network without connections leaves nothing, or the map would remember everybody who ever came.
            if there.is_empty() {
                self.of.remove(&network);
            }
        }
    }
}

/// One connection's place, until it is dropped.
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
