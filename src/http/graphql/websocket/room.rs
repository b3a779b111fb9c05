//! Places for sockets and streams: how many there are, who has taken them, and who leaves for a newcomer.

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

/// Room for sockets, and who has taken it.
pub(crate) struct Room {
    caps: SocketCaps,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    counts: HashMap<SocketOwner, usize>,
    /// Those who have not said yet who they are, in the order in which they came.
    strangers: BTreeMap<u64, Stranger>,
    next: u64,
}

struct Stranger {
    since: Instant,
    whose: Arc<[SocketOwner]>,
    leave: Arc<Notify>,
}

/// Whose places are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SocketOwner {
    Everybody,
    Network(IpNet),
    Person(Uuid),
    Session(Uuid),
    Strangers,
    StrangersOf(IpNet),
}

type Bounds = Vec<(SocketOwner, usize)>;

impl Room {
    pub(crate) fn new(caps: SocketCaps) -> Self {
        Self { caps, taken: Arc::default() }
    }

    pub(crate) fn caps(&self) -> &SocketCaps {
        &self.caps
    }

    /// A place for somebody who has not said yet who they are. Where all are taken, the one who has been silent for
    /// longest leaves.
    pub(crate) fn enter(&self, origin: &Origin) -> Result<SocketSlot, SocketOwner> {
        let caps = &self.caps;
        let of_networks = networks(origin.ip)
            .map(|(width, network)| (SocketOwner::StrangersOf(network), caps.strangers_of_network.for_width(width)));
        let bounds: Bounds = of_networks.chain([(SocketOwner::Strangers, caps.strangers)]).collect();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = loop {
            match taken.take(&bounds) {
                Ok(whose) => break whose,
                Err(full) if taken.displace(full, caps) => {}
                Err(full) => return Err(full),
            }
        };
        taken.next += 1;
        let (number, leave) = (taken.next, Arc::default());
        let stranger = Stranger { since: Instant::now(), whose: Arc::clone(&whose), leave: Arc::clone(&leave) };
        taken.strangers.insert(number, stranger);
        drop(taken);
        Ok(SocketSlot { taken: Arc::clone(&self.taken), whose, stranger: Some((number, leave)) })
    }

    /// A place for this person; otherwise who has as many as they may.
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
        let whose = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take(&bounds)?;
        Ok(SocketSlot { taken: Arc::clone(&self.taken), whose, stranger: None })
    }
}

impl Taken {
    /// All of them or none.
    fn take(&mut self, bounds: &Bounds) -> Result<Arc<[SocketOwner]>, SocketOwner> {
        let is_full = |(whose, most): &&(SocketOwner, usize)| self.counts.get(whose).is_some_and(|count| count >= most);
        if let Some((full, _)) = bounds.iter().find(is_full) {
            return Err(*full);
        }
        for (whose, _) in bounds {
            *self.counts.entry(*whose).or_default() += 1;
        }
        Ok(bounds.iter().map(|(whose, _)| *whose).collect())
    }

    fn give_back(&mut self, whose: &[SocketOwner]) {
        for whose in whose {
            if let Some(count) = self.counts.get_mut(whose) {
                *count -= 1;
                // Whoever has left leaves nothing, or the map would remember everybody who ever came.
                if *count == 0 {
                    self.counts.remove(whose);
                }
            }
        }
    }

    /// Asks the stranger to leave who has been here for longest, unless that one has only just come.
    fn displace(&mut self, full: SocketOwner, caps: &SocketCaps) -> bool {
        let oldest = self.strangers.iter().find(|(_, stranger)| stranger.whose.contains(&full));
        let oldest = oldest.filter(|(_, stranger)| stranger.since.elapsed() >= caps.spare).map(|(number, _)| *number);
        let Some(stranger) = oldest.and_then(|number| self.strangers.remove(&number)) else { return false };
        self.give_back(&stranger.whose);
        stranger.leave.notify_one();
        true
    }
}

/// A socket's place, until it is dropped.
pub(crate) struct SocketSlot {
    taken: Arc<Mutex<Taken>>,
    whose: Arc<[SocketOwner]>,
    stranger: Option<(u64, Arc<Notify>)>,
}

impl SocketSlot {
    /// Resolves when the place is somebody else's.
    pub(crate) fn lost(&self) -> impl Future<Output = ()> + use<> {
        let leave = self.stranger.as_ref().map(|(_, leave)| Arc::clone(leave));
        async move {
            match leave {
                Some(leave) => leave.notified().await,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // A stranger who was asked to leave has given everything back already.
        if self.stranger.as_ref().is_none_or(|(number, _)| taken.strangers.remove(number).is_some()) {
            taken.give_back(&self.whose);
        }
    }
}
