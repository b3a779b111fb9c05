//! Limits the number of WebSocket connections and event streams. Each holds a slot, which counts for its network and,
//! after authentication, for its user and session.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::SocketCaps;
use crate::{
    domain::{
        access::{Origin, SignedIn},
        live,
    },
    http::networks::networks,
};

pub(crate) struct SocketSlots {
    caps: SocketCaps,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    counts: HashMap<SocketOwner, usize>,
    /// Sockets that have not authenticated yet, in order of arrival.
    strangers: BTreeMap<u64, PendingSocket>,
    next: u64,
}

struct PendingSocket {
    since: Instant,
    owners: Arc<[SocketOwner]>,
    evict: Arc<Notify>,
}

/// What a slot counts for. Each has a maximum number of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SocketOwner {
    Everybody,
    Network(IpNet),
    Person(Uuid),
    Session(Uuid),
    Pending,
    PendingOf(IpNet),
}

type Bounds = Vec<(SocketOwner, usize)>;

impl SocketSlots {
    pub(crate) fn new(caps: SocketCaps) -> Self {
        Self { caps, taken: Arc::default() }
    }

    pub(crate) fn caps(&self) -> &SocketCaps {
        &self.caps
    }

    /// Takes a slot for an unauthenticated socket. If no slot is left, evicts the oldest unauthenticated socket.
    pub(crate) fn admit(&self, origin: &Origin) -> Result<SocketSlot, SocketOwner> {
        let caps = &self.caps;
        let of_networks = networks(origin.ip)
            .map(|(width, network)| (SocketOwner::PendingOf(network), caps.strangers_of_network.for_width(width)));
        let bounds: Bounds = of_networks.chain([(SocketOwner::Pending, caps.strangers)]).collect();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let owners = loop {
            match taken.take(&bounds) {
                Ok(owners) => break owners,
                Err(full) if taken.evict_oldest(full, caps) => {}
                Err(full) => return Err(full),
            }
        };
        taken.next += 1;
        let (number, evict) = (taken.next, Arc::default());
        let pending = PendingSocket { since: Instant::now(), owners: Arc::clone(&owners), evict: Arc::clone(&evict) };
        taken.strangers.insert(number, pending);
        drop(taken);
        Ok(SocketSlot { taken: Arc::clone(&self.taken), owners, pending: Some((number, evict)) })
    }

    /// Takes a slot for an authenticated user. The error says which limit is reached.
    pub(crate) fn claim(&self, origin: &Origin, signed_in: &SignedIn) -> Result<SocketSlot, SocketOwner> {
        let caps = &self.caps;
        let kept = if live::keeps_room_for(signed_in) { 0 } else { caps.in_all / 10 };
        let of_networks = networks(origin.ip)
            .map(|(width, network)| (SocketOwner::Network(network), caps.of_network.for_width(width)));
        let others = [
            (SocketOwner::Everybody, caps.in_all - kept),
            (SocketOwner::Person(signed_in.user.id), caps.of_person),
            (SocketOwner::Session(signed_in.session.id), caps.of_session),
        ];
        let bounds: Bounds = others.into_iter().chain(of_networks).collect();
        let owners = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take(&bounds)?;
        Ok(SocketSlot { taken: Arc::clone(&self.taken), owners, pending: None })
    }
}

impl Taken {
    /// Takes a slot that counts for all owners. If one of them has no slot left, takes none and returns that owner.
    fn take(&mut self, bounds: &Bounds) -> Result<Arc<[SocketOwner]>, SocketOwner> {
        let is_full = |(owner, most): &&(SocketOwner, usize)| self.counts.get(owner).is_some_and(|count| count >= most);
        if let Some((full, _)) = bounds.iter().find(is_full) {
            return Err(*full);
        }
        for (owner, _) in bounds {
            *self.counts.entry(*owner).or_default() += 1;
        }
        Ok(bounds.iter().map(|(owner, _)| *owner).collect())
    }

    fn give_back(&mut self, owners: &[SocketOwner]) {
        for owner in owners {
            if let Some(count) = self.counts.get_mut(owner) {
                *count -= 1;
                // Remove owners without slots. Otherwise the map would keep every owner that ever connected.
                if *count == 0 {
                    self.counts.remove(owner);
                }
            }
        }
    }

    /// Evicts the oldest unauthenticated socket that counts for `full`, unless it connected only moments ago. Returns
    /// whether a socket was evicted.
    fn evict_oldest(&mut self, full: SocketOwner, caps: &SocketCaps) -> bool {
        let oldest = self.strangers.iter().find(|(_, pending)| pending.owners.contains(&full));
        let oldest = oldest.filter(|(_, pending)| pending.since.elapsed() >= caps.spare).map(|(number, _)| *number);
        let Some(pending) = oldest.and_then(|number| self.strangers.remove(&number)) else { return false };
        self.give_back(&pending.owners);
        pending.evict.notify_one();
        true
    }
}

/// The slot of one socket. Dropping it frees the slot.
pub(crate) struct SocketSlot {
    taken: Arc<Mutex<Taken>>,
    owners: Arc<[SocketOwner]>,
    pending: Option<(u64, Arc<Notify>)>,
}

impl SocketSlot {
    /// Resolves when the socket is evicted, because another socket got its slot. Never resolves after authentication.
    pub(crate) fn evicted(&self) -> impl Future<Output = ()> + use<> {
        let evict = self.pending.as_ref().map(|(_, evict)| Arc::clone(evict));
        async move {
            match evict {
                Some(evict) => evict.notified().await,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // If the socket was evicted, its slot is already free.
        if self.pending.as_ref().is_none_or(|(number, _)| taken.strangers.remove(number).is_some()) {
            taken.give_back(&self.owners);
        }
    }
}
