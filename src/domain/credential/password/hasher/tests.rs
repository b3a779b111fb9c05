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
    assert!(matches!(verified, (Verified::Wrong, _)));
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
