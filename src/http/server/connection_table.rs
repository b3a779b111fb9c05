//! All client connections by network. Enforces the limits per network, and chooses which connections to evict: first
//! those that have been idle, or sending headers, for longest. Connections from trusted proxies are not included.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use ipnet::IpNet;
use tokio::time::Instant;

use super::tracked::{Phase, State, TrackedConnection};
use crate::http::networks::{Shares, networks};

/// What eviction must free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EvictionGoal {
    /// This many connections.
    Connections(usize),
    /// This many bytes, from connections that hold more than `above`.
    Bytes { wanted: usize, above: usize },
    /// An eighth of the connections that have been receiving a response for long.
    Writers,
}

pub(crate) struct ConnectionTable {
    start: Instant,
    shares: Shares,
    /// Connections that have been idle for less time are not evicted.
    spare: Duration,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    all: HashMap<u64, Arc<TrackedConnection>>,
    of: HashMap<IpNet, Vec<Arc<TrackedConnection>>>,
    next: u64,
}

impl ConnectionTable {
    pub(crate) fn new(shares: Shares, spare: Duration) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), shares, spare, connections: Mutex::default() })
    }

    /// Returns a connection that is not counted and never evicted, for a trusted proxy.
    pub(crate) fn exempt(&self, ip: IpAddr) -> Arc<TrackedConnection> {
        Arc::new(TrackedConnection::new(ip, 0, self.start))
    }

    /// Adds a connection. If its network is full, evicts the connection of that network that has been idle longest.
    ///
    /// # Errors
    ///
    /// Returns the full network if none of its connections is idle.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<ConnectionSlot, IpNet> {
        let mut connections = self.lock();
        let now = self.now();
        for (width, network) in networks(ip) {
            let there = connections.of.get(&network).map_or(&[][..], Vec::as_slice);
            if there.len() < self.shares.for_width(width) {
                continue;
            }
            let mut idle: Vec<_> = there
                .iter()
                .map(|tracked| (tracked.state(), tracked))
                .filter(|(state, _)| self.is_idle(*state, now))
                .collect();
            idle.sort_unstable_by_key(|(state, _)| state.since());
            let left = idle.into_iter().find(|(state, tracked)| tracked.try_evict(*state));
            let left = left.map(|(_, tracked)| Arc::clone(tracked)).ok_or(network)?;
            connections.remove(&left);
        }
        connections.next += 1;
        let tracked = Arc::new(TrackedConnection::new(ip, connections.next, self.start));
        connections.add(&tracked);
        drop(connections);
        Ok(ConnectionSlot { table: Arc::clone(self), tracked })
    }

    /// Evicts the least active connections until the goal is reached. Returns how many connections were evicted.
    pub(crate) fn evict(&self, wanted: EvictionGoal) -> usize {
        let now = self.now();
        let mut least: Vec<(u8, State, Arc<TrackedConnection>)> = self
            .lock()
            .all
            .values()
            .filter_map(|tracked| {
                let state = tracked.state();
                Some((self.rank(tracked, state, now, wanted)?, state, Arc::clone(tracked)))
            })
            .collect();
        least.sort_unstable_by_key(|(rank, state, _)| (*rank, state.since()));
        let mut missing = match wanted {
            EvictionGoal::Connections(places) => places,
            EvictionGoal::Bytes { wanted, .. } => wanted,
            EvictionGoal::Writers => least.len().div_ceil(8),
        };
        let mut asked = 0;
        for (_, state, tracked) in least {
            if missing == 0 {
                break;
            }
            if tracked.try_evict(state) {
                asked += 1;
                let given = if matches!(wanted, EvictionGoal::Bytes { .. }) { tracked.held.load(Relaxed) } else { 1 };
                missing = missing.saturating_sub(given);
            }
        }
        asked
    }

    /// Returns the eviction rank of a connection: lower ranks are evicted first. `None` if the connection must stay.
    fn rank(&self, tracked: &TrackedConnection, state: State, now: u64, wanted: EvictionGoal) -> Option<u8> {
        let is_slow = self.has_been(state, now, 2);
        match (wanted, state.phase()) {
            (EvictionGoal::Connections(_), Phase::Waiting) => self.is_idle(state, now).then_some(0),
            (EvictionGoal::Bytes { above, .. }, _) if tracked.held.load(Relaxed) <= above => None,
            (EvictionGoal::Bytes { .. }, Phase::Waiting | Phase::Reading) => self.has_been(state, now, 1).then_some(0),
            (EvictionGoal::Connections(_), Phase::Reading)
            | (EvictionGoal::Connections(_) | EvictionGoal::Bytes { .. }, Phase::Writing | Phase::Flushing) => {
                is_slow.then_some(1)
            }
            (EvictionGoal::Writers, Phase::Writing | Phase::Flushing) => is_slow.then_some(0),
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

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn add(&mut self, tracked: &Arc<TrackedConnection>) {
        self.all.insert(tracked.id, Arc::clone(tracked));
        for (_, network) in networks(tracked.ip) {
            self.of.entry(network).or_default().push(Arc::clone(tracked));
        }
    }

    fn remove(&mut self, tracked: &TrackedConnection) {
        if self.all.remove(&tracked.id).is_none() {
            return;
        }
        for (_, network) in networks(tracked.ip) {
            let Some(there) = self.of.get_mut(&network) else { continue };
            there.retain(|other| other.id != tracked.id);
            // Remove networks without connections. Otherwise the map would keep every network that ever connected.
            if there.is_empty() {
                self.of.remove(&network);
            }
        }
    }
}

/// The slot of one connection. Dropping it frees the slot.
pub(crate) struct ConnectionSlot {
    table: Arc<ConnectionTable>,
    pub(crate) tracked: Arc<TrackedConnection>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.table.lock().remove(&self.tracked);
    }
}

#[cfg(test)]
mod tests;
