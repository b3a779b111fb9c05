//! Hashes passwords with argon2id, off the async workers and never more at once than there are cores. Callers queue for a
//! slot: one at a time from a network, with places that only known devices may take. A slot is held until its hash is
//! done, even if the request is gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};
use zeroize::Zeroizing;

use super::policy::Password;
use crate::{
    domain::vault,
    error::{Error, Result},
    ports::Entropy,
    settings::HashCost,
};

/// Callers that may wait. Each of them holds one of the 64 operations that may run at once, so the queue must be much
/// shorter: everything else would wait behind it.
const QUEUE: usize = 24;
/// The part of each queue that is kept for known devices.
const RESERVED: usize = 4;
/// Callers from one network that may wait.
const QUEUE_PER_NETWORK: usize = 16;
/// Maximum wait for a slot.
const PATIENCE: Duration = Duration::from_millis(1_500);
const SALT_BYTES: usize = 16;

/// A hash in PHC notation, wiped when dropped.
#[derive(Clone)]
pub struct Hash(Zeroizing<String>);

impl Hash {
    pub(super) fn new(phc: &str) -> Self {
        Self(Zeroizing::new(phc.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

/// Computes hashes, a few at a time.
pub struct Hasher {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
    queue: Arc<Mutex<Queue>>,
    /// The hash of a password that does not exist, for accounts that have none.
    dummy: Hash,
}

/// Who waits or hashes now.
#[derive(Default)]
struct Queue {
    waiting: usize,
    networks: HashMap<String, Network>,
}

struct Network {
    turn: Arc<Semaphore>,
    callers: usize,
}

impl Hasher {
    /// A hasher with as many slots as there are cores.
    pub fn new(cost: HashCost, entropy: &dyn Entropy) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_slots(cost, cores, entropy)
    }

    fn with_slots(cost: HashCost, slots: usize, entropy: &dyn Entropy) -> Result<Self> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None)
            .map_err(|error| Error::Startup(format!("DOORCODE_PASSWORD_COST cannot be used: {error}")))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy =
            hash(&argon2, &vault::encode(&*vault::random::<32>(entropy)), &*vault::random::<SALT_BYTES>(entropy))?;
        Ok(Self { argon2, slots: Arc::new(Semaphore::new(slots)), queue: Arc::default(), dummy })
    }

    /// The hash to compare with where there is none: the work is the same.
    pub(in crate::domain) const fn dummy(&self) -> &Hash {
        &self.dummy
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once if the queue is full, or after a while.
    pub(in crate::domain) async fn enter(&self, network: &str, is_known: bool) -> Result<Slot> {
        let (place, turn) = self.line_up(network, is_known)?;
        let waiting = async {
            let turn = turn.acquire_owned().await;
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            turn.ok().zip(slot.ok())
        };
        let permits = timeout(PATIENCE, waiting).await.ok().flatten();
        let permits = permits.ok_or_else(|| Error::Unavailable("the queue for hashing passwords is slow".into()))?;
        Ok(Slot { _permits: permits, _place: place.served() })
    }

    fn line_up(&self, network: &str, is_known: bool) -> Result<(Place, Arc<Semaphore>)> {
        let full = || Error::Unavailable("the queue for hashing passwords is full".into());
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let part = |places: usize| if is_known { places } else { places - places / RESERVED };
        if queue.waiting >= part(QUEUE) {
            return Err(full());
        }
        let entry = queue
            .networks
            .entry(network.to_owned())
            .or_insert_with(|| Network { turn: Arc::new(Semaphore::new(1)), callers: 0 });
        if entry.callers > part(QUEUE_PER_NETWORK) {
            return Err(full());
        }
        entry.callers += 1;
        let turn = Arc::clone(&entry.turn);
        queue.waiting += 1;
        Ok((Place { queue: Arc::clone(&self.queue), network: network.to_owned(), waits: true }, turn))
    }

    /// Hashes a password in the caller's slot.
    pub(in crate::domain) async fn hash(
        &self,
        slot: Slot,
        password: Password,
        entropy: &dyn Entropy,
    ) -> Result<(Hash, Slot)> {
        let (argon2, salt) = (self.argon2.clone(), vault::random::<SALT_BYTES>(entropy));
        run(slot, move || hash(&argon2, password.expose(), &*salt)).await
    }

    /// Compares a password with a hash in the caller's slot. A right one comes with a new hash if the parameters of the
    /// stored one are not today's.
    pub(in crate::domain) async fn verify(
        &self,
        slot: Slot,
        password: Password,
        expected: Hash,
        entropy: &dyn Entropy,
    ) -> Result<(Verified, Slot)> {
        let (argon2, salt) = (self.argon2.clone(), vault::random::<SALT_BYTES>(entropy));
        run(slot, move || verify(&argon2, password.expose(), &expected, &*salt)).await
    }
}

/// The result of a comparison.
pub(in crate::domain) enum Verified {
    Right { renewed: Option<Hash> },
    Wrong,
}

/// The right to hash now.
pub(in crate::domain) struct Slot {
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    _place: Place,
}

/// One caller of a network, from lining up until its slot is free again.
struct Place {
    queue: Arc<Mutex<Queue>>,
    network: String,
    waits: bool,
}

impl Place {
    fn served(mut self) -> Self {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting -= 1;
        self.waits = false;
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if self.waits {
            queue.waiting -= 1;
        }
        if let Some(network) = queue.networks.get_mut(&self.network) {
            network.callers -= 1;
            if network.callers == 0 {
                queue.networks.remove(&self.network);
            }
        }
    }
}

/// Runs work on a thread for blocking calls. The slot goes along, so that a caller who gives up does not free it early.
async fn run<T: Send + 'static>(slot: Slot, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<(T, Slot)> {
    spawn_blocking(move || work().map(|done| (done, slot)))
        .await
        .map_err(|error| Error::Internal(format!("hashing a password: {error}")))?
}

fn hash(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Result<Hash> {
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt);
    let hash: PasswordHash = hash.map_err(|error| Error::Internal(format!("hashing a password: {error}")))?;
    Ok(Hash::new(&hash.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &str, expected: &Hash, salt: &[u8]) -> Result<Verified> {
    let stored = PasswordHash::new(expected.expose())
        .map_err(|error| Error::Internal(format!("reading a stored password: {error}")))?;
    if argon2.verify_password(password.as_bytes(), expected.expose()).is_err() {
        return Ok(Verified::Wrong);
    }
    let is_ours = Params::try_from(&stored).is_ok_and(|params| {
        let ours = argon2.params();
        stored.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && (params.m_cost(), params.t_cost(), params.p_cost()) == (ours.m_cost(), ours.t_cost(), ours.p_cost())
    });
    let renewed = if is_ours { None } else { Some(hash(argon2, password, salt)?) };
    Ok(Verified::Right { renewed })
}

#[cfg(test)]
mod tests;
