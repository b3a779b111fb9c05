use std::sync::mpsc;

use futures_util::FutureExt;

use super::*;
use crate::adapter::system::SystemEntropy;

const COST: HashCost = HashCost { memory: 8, passes: 1, lanes: 1 };

fn hasher(slots: usize) -> Hasher {
    Hasher::with_slots(COST, slots, &SystemEntropy).unwrap()
}

async fn slot_in(hasher: &Hasher, network: &str, is_known: bool) -> Result<Slot> {
    hasher.slot(hasher.enter(network, is_known).await?).await
}

type Entering<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Slot>> + 'a>>;

/// A caller who waits, or what came at once instead.
fn enter<'a>(hasher: &'a Hasher, network: &'a str, is_known: bool) -> Result<Entering<'a>, Result<Slot>> {
    let mut entering: Entering<'a> = Box::pin(slot_in(hasher, network, is_known));
    match entering.as_mut().now_or_never() {
        None => Ok(entering),
        Some(outcome) => Err(outcome),
    }
}

fn is_refused(entered: &Result<Entering<'_>, Result<Slot>>) -> bool {
    matches!(entered, Err(Err(Error::Unavailable(_))))
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_keeps_a_quarter_for_known_devices() {
    let hasher = hasher(1);
    let slot = slot_in(&hasher, "first", false).await.unwrap();
    let networks: Vec<_> = (0..QUEUE + 2).map(|number| number.to_string()).collect();
    let strangers = QUEUE - QUEUE / RESERVED;
    let mut waiting: Vec<_> =
        networks[..strangers].iter().map(|network| enter(&hasher, network, false).ok().unwrap()).collect();
    assert!(is_refused(&enter(&hasher, &networks[strangers], false)));
    waiting.extend(networks[strangers..QUEUE].iter().map(|network| enter(&hasher, network, true).ok().unwrap()));
    assert!(is_refused(&enter(&hasher, &networks[QUEUE], true)), "full for all");
    waiting.truncate(strangers - 1);
    assert!(enter(&hasher, &networks[strangers], false).is_ok(), "who gives up leaves a place");
    drop(slot);
    assert!(waiting.remove(0).await.is_ok(), "the first in line comes next");
}

#[tokio::test]
async fn a_network_has_one_slot_and_a_queue_with_places_for_its_known_devices() {
    let hasher = hasher(2);
    let slot = slot_in(&hasher, "network", false).await.unwrap();
    let strangers = QUEUE_PER_NETWORK - QUEUE_PER_NETWORK / RESERVED;
    let waiting: Vec<_> = (0..strangers).map(|_| enter(&hasher, "network", false).ok().unwrap()).collect();
    assert!(is_refused(&enter(&hasher, "network", false)));
    assert!(enter(&hasher, "network", true).is_ok());
    assert!(matches!(enter(&hasher, "elsewhere", false), Err(Ok(_))), "the other slot is free for another network");
    drop((slot, waiting));
    assert!(hasher.queue.lock().unwrap().networks.is_empty(), "nothing is kept of those who left");
}

#[tokio::test]
async fn a_turn_holds_no_slot_before_and_after_the_hash() {
    let hasher = hasher(1);
    let turn = hasher.enter("network", false).await.unwrap();
    let elsewhere = slot_in(&hasher, "elsewhere", false).await.unwrap();
    drop(elsewhere);
    let slot_of_turn = hasher.slot(turn).await.unwrap();
    let (_, turn) = hasher.hash(slot_of_turn, Password::new("correct horse"), &SystemEntropy).await.unwrap();
    assert!(matches!(enter(&hasher, "elsewhere", false), Err(Ok(_))), "the slot is free");
    assert!(enter(&hasher, "network", false).is_ok(), "the network waits for the end of the turn");
    drop(turn);
}

#[tokio::test]
async fn the_dummy_takes_the_cost_of_the_settings_and_no_password_matches() {
    let hasher = hasher(1);
    assert!(hasher.dummy().expose().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hasher.dummy().expose());
    let slot = slot_in(&hasher, "network", false).await.unwrap();
    let verified = hasher.verify(slot, Password::new(""), hasher.dummy().clone(), &SystemEntropy).await.unwrap();
    assert!(!verified.0.is_right);
}

#[tokio::test]
async fn a_slot_is_held_until_its_work_is_done_even_if_the_caller_is_gone() {
    let hasher = hasher(1);
    let slot = slot_in(&hasher, "network", false).await.unwrap();
    let (started, has_started) = mpsc::channel();
    let (finish, is_finished) = mpsc::channel::<()>();
    let work = move || {
        started.send(()).ok();
        is_finished.recv().ok();
        Ok(())
    };
    assert!(hasher.run(slot, work).now_or_never().is_none(), "the caller gives up");
    has_started.recv().unwrap();
    assert_eq!(hasher.slots.available_permits(), 0);
    assert!(enter(&hasher, "network", false).is_ok() && enter(&hasher, "elsewhere", false).is_ok(), "they wait");
    finish.send(()).unwrap();
    assert!(slot_in(&hasher, "network", false).await.is_ok());
}

/// The time from the start of a comparison with a wrong password to its answer.
async fn refused_after(hasher: &Hasher, expected: Hash) -> Duration {
    let slot = slot_in(hasher, "network", false).await.unwrap();
    let start = Instant::now();
    let (verified, _) = hasher.verify(slot, Password::new("wrong"), expected, &SystemEntropy).await.unwrap();
    assert!(!verified.is_right && verified.renewed.is_none());
    verified.until.max(Instant::now()).duration_since(start)
}

/// The shortest of several such times, so that other processes do not matter.
async fn soonest(hasher: &Hasher, expected: &Hash) -> Duration {
    let mut soonest = Duration::MAX;
    for _ in 0..5 {
        soonest = soonest.min(refused_after(hasher, expected.clone()).await);
    }
    soonest
}

#[tokio::test]
async fn a_wrong_password_does_not_take_less_with_a_fast_hash_of_another_system() {
    let hasher = Hasher::with_slots(HashCost { memory: 19_456, passes: 4, lanes: 1 }, 1, &SystemEntropy).unwrap();
    // bcrypt with a cost of 4 takes about a millisecond.
    let imported = Hash::new("$2b$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde");
    let ours = soonest(&hasher, hasher.dummy()).await;
    let fast = soonest(&hasher, &imported).await;
    assert!(fast > ours / 2, "{fast:?} with a fast hash, {ours:?} with ours");
}

#[tokio::test]
async fn a_refusal_that_waits_has_a_place_in_the_queue_and_no_turn() {
    let hasher = hasher(1);
    let waiting = || hasher.queue.lock().unwrap().waiting;
    let slot = slot_in(&hasher, "network", false).await.unwrap();
    let (_, turn) = hasher.verify(slot, Password::new("wrong"), hasher.dummy().clone(), &SystemEntropy).await.unwrap();
    assert_eq!(waiting(), 0);
    let mut rest = Box::pin(turn.rest(Instant::now() + Duration::from_mins(1)));
    assert!(rest.as_mut().now_or_never().is_none());
    assert_eq!(waiting(), 1);
    assert!(slot_in(&hasher, "network", false).await.is_ok(), "the network has its next turn");
    drop(rest);
    assert_eq!(waiting(), 0);
}

#[tokio::test]
async fn a_wrong_password_takes_as_long_as_with_the_slowest_hash_of_another_system() {
    let hasher = hasher(1);
    assert!(soonest(&hasher, hasher.dummy()).await < Duration::from_millis(5), "nothing was imported");
    // bcrypt with a cost of 9 takes about 25 ms.
    let imported = Hash::new("$2b$09$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde");
    let imported = refused_after(&hasher, imported).await;
    assert!(imported > Duration::from_millis(5));
    let unknown = refused_after(&hasher, hasher.dummy().clone()).await;
    // The first includes its way back from the thread that hashed.
    assert!(unknown > imported.mul_f64(0.9), "{unknown:?} {imported:?}");
    assert_eq!(Slowest::default().after(Duration::from_mins(1), false), LONGEST, "a machine may stop for a while");
}
