//! Hashes passwords with argon2id, on all cores but one and with a low priority. A request first waits for the turn of its
//! network, which has one request at a time, and then for a slot. Part of both queues is kept for known devices. A slot
//! is held until its hash is done, even if the request is cancelled.

mod threads;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};
use zeroize::Zeroizing;

use self::threads::Threads;
use super::{
    policy::Password,
    scheme::{self, Scheme, Unusable},
};
use crate::{
    domain::vault,
    error::{Error, Result},
    ports::Entropy,
    settings::HashCost,
};

/// Maximum number of requests that wait. Each holds one of the 64 operations that may run at once, so a longer queue
/// would make all other requests wait.
const QUEUE: usize = 24;
/// One part in this many of each queue is kept for known devices.
const RESERVED: usize = 4;
/// Maximum number of requests from one network that wait.
const QUEUE_PER_NETWORK: usize = 16;
/// Maximum wait for a turn and a slot together.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Maximum delay of the answer to a wrong password.
const LONGEST: Duration = Duration::from_secs(1);
const SALT_BYTES: usize = 16;

/// A hash in one of the notations of `scheme.rs`, wiped when dropped.
#[derive(Clone)]
pub struct Hash(Zeroizing<String>);

impl Hash {
    pub(super) fn new(phc: &str) -> Self {
        Self(Zeroizing::new(phc.to_owned()))
    }

    /// A hash of another system, if it can be compared within the limits of [`scheme::admit`].
    pub(in crate::domain) fn imported(text: &str) -> Result<Self, Unusable> {
        scheme::admit(text).map(|()| Self::new(text))
    }

    pub(in crate::domain) fn expose(&self) -> &str {
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
    threads: Threads,
    slots: Arc<Semaphore>,
    queue: Arc<Mutex<Queue>>,
    /// A hash that no password has.
    dummy: Hash,
    slowest: Arc<Slowest>,
}

/// The requests that wait or hash.
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
    /// Creates a hasher that leaves one core to all other requests. A low priority alone is not enough: a thread that
    /// wakes up still waits a few milliseconds for the end of a time slice.
    pub fn new(cost: HashCost, entropy: &dyn Entropy) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_slots(cost, cores.saturating_sub(1).max(1), entropy)
    }

    fn with_slots(cost: HashCost, slots: usize, entropy: &dyn Entropy) -> Result<Self> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None)
            .map_err(|error| Error::Startup(format!("DOORCODE_PASSWORD_COST cannot be used: {error}")))?;
        let dummy = dummy(&params, entropy)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let threads = Threads::new(slots)?;
        Ok(Self {
            argon2,
            threads,
            slots: Arc::new(Semaphore::new(slots)),
            queue: Arc::default(),
            dummy,
            slowest: Arc::default(),
        })
    }

    /// A hash to compare with if the account has none. It takes as long to compare, and no password matches.
    pub(in crate::domain) const fn dummy(&self) -> &Hash {
        &self.dummy
    }

    /// Waits for the turn of the request's network.
    ///
    /// # Errors
    /// [`Error::Unavailable`], at once if the queue is full.
    pub(in crate::domain) async fn enter(&self, network: &str, is_known: bool) -> Result<Turn> {
        // The comparison and the wait after it have to end within the time limit of the operation, too.
        let deadline = Instant::now() + PATIENCE.saturating_sub(self.slowest.get());
        let (place, turn) = self.line_up(network, is_known)?;
        let permit = timeout_at(deadline, turn.acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(slow)?;
        Ok(Turn { permit: Some(permit), place, deadline })
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after a while.
    pub(in crate::domain) async fn slot(&self, mut turn: Turn) -> Result<Slot> {
        let permit = timeout_at(turn.deadline, Arc::clone(&self.slots).acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(slow)?;
        turn.place.stop_waiting();
        Ok(Slot { turn, _permit: permit })
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

    /// Hashes a password in a slot. Returns the turn, because the slot is free afterwards.
    pub(in crate::domain) async fn hash(
        &self,
        slot: Slot,
        password: Password,
        entropy: &dyn Entropy,
    ) -> Result<(Hash, Turn)> {
        let (argon2, salt) = (self.argon2.clone(), vault::random::<SALT_BYTES>(entropy));
        self.run(slot, move || hash(&argon2, password.expose(), &*salt)).await
    }

    /// Compares a password with a hash in a slot, and returns the turn. A right password comes with a new hash if the
    /// stored one has another cost than the settings.
    pub(in crate::domain) async fn verify(
        &self,
        slot: Slot,
        password: Password,
        expected: Hash,
        entropy: &dyn Entropy,
    ) -> Result<(Verified, Turn)> {
        let (argon2, salt) = (self.argon2.clone(), vault::random::<SALT_BYTES>(entropy));
        let slowest = Arc::clone(&self.slowest);
        self.run(slot, move || verify(&argon2, &slowest, password.expose(), &expected, &*salt)).await
    }

    /// Runs work in a slot. The work owns the slot, so that a cancelled request does not free the slot early.
    async fn run<T: Send + 'static>(
        &self,
        slot: Slot,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<(T, Turn)> {
        let work = move || {
            let Slot { turn, _permit } = slot;
            work().map(|done| (done, turn))
        };
        let done = self.threads.run(work).await;
        done.map_err(|error| Error::Internal(format!("hashing a password: {error}")))?
    }
}

/// The result of a comparison.
pub(in crate::domain) struct Verified {
    pub is_right: bool,
    /// A new hash, if the password is right and the stored hash has another cost than that of the settings.
    pub renewed: Option<Hash>,
    /// When to refuse the sign-in, if that is later than now.
    pub until: Instant,
}

/// The longest comparison with a hash of another cost than that of new ones, in this process. After an import, accounts
/// have such hashes until their first sign-in. Every refusal waits as long, so that the time does not show which
/// addresses have one.
#[derive(Default)]
struct Slowest(AtomicU64);

impl Slowest {
    fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Takes a comparison into account and returns how long all of them take.
    fn after(&self, took: Duration, is_ours: bool) -> Duration {
        let took = u64::try_from(took.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        if !is_ours {
            self.0.fetch_max(took, Ordering::Relaxed);
        }
        self.get()
    }
}

/// The turn of a network. Another request of the network waits until it is dropped.
pub(in crate::domain) struct Turn {
    permit: Option<OwnedSemaphorePermit>,
    place: Place,
    deadline: Instant,
}

impl Turn {
    /// Ends the turn: the next request of the network has its own.
    pub(in crate::domain) fn end(&mut self) {
        drop(self.permit.take());
    }

    /// Ends the turn and waits. The wait counts in the queue, so that refusals that wait do not fill the places of other
    /// operations.
    pub(in crate::domain) async fn rest(mut self, until: Instant) {
        self.end();
        self.place.wait();
        sleep_until(until).await;
    }
}

/// The right to hash now.
pub(in crate::domain) struct Slot {
    turn: Turn,
    _permit: OwnedSemaphorePermit,
}

/// The entry of a request in the queue, from its arrival until the end of its turn.
struct Place {
    queue: Arc<Mutex<Queue>>,
    network: String,
    waits: bool,
}

impl Place {
    fn wait(&mut self) {
        if !std::mem::replace(&mut self.waits, true) {
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting += 1;
        }
    }

    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting -= 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop_waiting();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = queue.networks.get_mut(&self.network) {
            network.callers -= 1;
            if network.callers == 0 {
                queue.networks.remove(&self.network);
            }
        }
    }
}

fn slow() -> Error {
    Error::Unavailable("the queue for hashing passwords is too slow".into())
}

/// A hash of random bytes in the notation of a real one. Making it at startup costs no hashing.
fn dummy(params: &Params, entropy: &dyn Entropy) -> Result<Hash> {
    let (salt, output) =
        (vault::random::<SALT_BYTES>(entropy), vault::random::<{ Params::DEFAULT_OUTPUT_LEN }>(entropy));
    let parts = || -> password_hash::Result<PasswordHash> {
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params)?,
            salt: Some(Salt::new(&*salt)?),
            hash: Some(Output::new(&*output)?),
        })
    };
    let hash = parts().map_err(|error| Error::Internal(format!("making the dummy hash: {error}")))?;
    Ok(Hash::new(&hash.to_string()))
}

fn hash(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Result<Hash> {
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt);
    let hash: PasswordHash = hash.map_err(|error| Error::Internal(format!("hashing a password: {error}")))?;
    Ok(Hash::new(&hash.to_string()))
}

fn verify(argon2: &Argon2<'_>, slowest: &Slowest, password: &str, expected: &Hash, salt: &[u8]) -> Result<Verified> {
    let stored =
        Scheme::read(expected.expose()).map_err(|error| Error::Internal(format!("a stored password {error}")))?;
    let is_ours = stored.is_ours(argon2.params());
    let start = Instant::now();
    let is_right = stored.matches(password);
    // Also for a wrong password: otherwise a hash that is faster than ours would show that the address has one.
    let ours = if is_ours { None } else { Some(hash(argon2, password, salt)?) };
    let until = start + slowest.after(start.elapsed(), is_ours);
    Ok(Verified { is_right, renewed: ours.filter(|_| is_right), until })
}

#[cfg(test)]
mod tests;
