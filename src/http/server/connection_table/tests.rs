//! Tests limits with connections from hundreds of networks, more than a test over real sockets could use.

use super::*;

const SHARES: Shares = Shares { narrow: 10, middle: 20, wide: 40 };
const MANY: Shares = Shares { narrow: 100, middle: 100, wide: 100 };
/// A minimum idle time that no connection in these tests reaches.
const NEVER: Duration = Duration::from_hours(1);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Opens `each` connections per address. Returns the slots of the admitted connections.
fn admit(table: &Arc<ConnectionTable>, each: usize, ips: impl Iterator<Item = String>) -> Vec<ConnectionSlot> {
    ips.flat_map(|from| (0..each).filter_map(|_| table.admit(ip(&from)).ok()).collect::<Vec<_>>()).collect()
}

/// Returns a table with connections that were opened one after the other, and have these phases and bytes.
fn table(connections: &[(Phase, usize)]) -> (Arc<ConnectionTable>, Vec<ConnectionSlot>) {
    let table = ConnectionTable::new(MANY, Duration::ZERO);
    let slots = connections.iter().map(|(phase, held)| {
        let slot = table.admit(ip("192.0.2.1")).unwrap();
        std::thread::sleep(Duration::from_millis(3));
        slot.tracked.enter(*phase);
        slot.tracked.held.store(*held, Relaxed);
        slot
    });
    let slots = slots.collect();
    (table, slots)
}

fn evicted(slots: &[ConnectionSlot]) -> Vec<usize> {
    (0..slots.len()).filter(|n| slots[*n].tracked.state().phase() == Phase::Evicted).collect()
}

#[test]
fn each_network_width_is_limited_without_affecting_other_networks() {
    let table = ConnectionTable::new(SHARES, NEVER);
    let of_56 = admit(&table, 10, (0..20).map(|n| format!("2001:db8:0:{n:x}::1")));
    assert_eq!(of_56.len(), 20, "twenty /64s of one /56");
    let of_48 = admit(&table, 10, (1..200).map(|n| format!("2001:db8:0:{n:x}00::1")));
    assert_eq!(of_56.len() + of_48.len(), 40, "all /56s of one /48");
    let of_address = admit(&table, 11, std::iter::once("192.0.2.1".into()));
    assert_eq!(of_address.len(), 10, "one IPv4 address");
    let of_24 = admit(&table, 10, (0..255).map(|n| format!("198.51.100.{n}")));
    assert_eq!(of_24.len(), 20, "all addresses of a /24");
    let elsewhere = admit(&table, 10, (1..=300).map(|n| format!("2001:db8:{n:x}::1")));
    assert_eq!(elsewhere.len(), 3_000, "three hundred networks elsewhere");
    drop((of_56, of_48, of_address, of_24, elsewhere));
    let connections = table.lock();
    assert_eq!((connections.all.len(), connections.of.len()), (0, 0), "closed connections leave no entries");
}

#[test]
fn a_full_network_evicts_its_longest_idle_connection_for_a_new_one() {
    let table = ConnectionTable::new(SHARES, Duration::ZERO);
    let admit = || table.admit(ip("192.0.2.1"));
    let slots: Vec<_> = (0..10).map(|_| admit().unwrap()).collect();
    for slot in &slots[..8] {
        assert!(slot.tracked.enter(Phase::Working));
    }
    std::thread::sleep(Duration::from_millis(3));
    // The first connection has been active since, so the last one has now been idle for longest.
    slots[8].tracked.enter(Phase::Waiting);
    let newcomer = admit().unwrap();
    assert_eq!(evicted(&slots), [9]);
    newcomer.tracked.enter(Phase::Working);
    let other = admit().unwrap();
    other.tracked.enter(Phase::Reading);
    assert_eq!(evicted(&slots), [8, 9]);
    assert_eq!(admit().err(), Some("192.0.2.1/32".parse().unwrap()), "none is idle");
    assert!(table.admit(ip("192.0.2.2")).is_ok());
    assert!(!slots[9].tracked.enter(Phase::Reading), "an evicted connection takes no more requests");
    assert_eq!(evicted(&slots), [8, 9], "active connections stay");
}

#[test]
fn too_many_connections_evict_idle_connections_before_slow_ones() {
    use Phase::{Kept, Reading, Waiting, Working, Writing};
    let (table, slots) = table(&[Kept, Working, Writing, Reading, Waiting, Waiting].map(|phase| (phase, 0)));
    assert_eq!((table.evict(EvictionGoal::Connections(1)), evicted(&slots)), (1, vec![4]));
    assert_eq!((table.evict(EvictionGoal::Connections(2)), evicted(&slots)), (2, vec![2, 4, 5]));
    assert_eq!(
        (table.evict(EvictionGoal::Connections(9)), evicted(&slots)),
        (1, vec![2, 3, 4, 5]),
        "connections with a running request and WebSockets stay"
    );
}

#[test]
fn memory_pressure_evicts_connections_that_hold_memory() {
    use Phase::{Reading, Waiting, Working};
    let (table, slots) = table(&[(Waiting, 10), (Working, 50), (Reading, 50), (Waiting, 10), (Waiting, 50)]);
    assert_eq!(table.evict(EvictionGoal::Bytes { wanted: 50, above: 10 }), 1);
    assert_eq!(evicted(&slots), [2], "the oldest");
    assert_eq!(table.evict(EvictionGoal::Bytes { wanted: 500, above: 10 }), 1);
    assert_eq!(evicted(&slots), [2, 4]);
    assert_eq!(table.evict(EvictionGoal::Bytes { wanted: 10, above: 0 }), 1);
    assert_eq!(evicted(&slots), [0, 2, 4], "evicts the longest idle when baselines alone are too much");
}

#[test]
fn memory_pressure_evicts_idle_connections_before_slow_readers() {
    use Phase::{Flushing, Kept, Waiting, Working, Writing};
    let (table, slots) =
        table(&[(Writing, 50), (Flushing, 50), (Working, 50), (Kept, 50), (Writing, 10), (Waiting, 50)]);
    assert_eq!((table.evict(EvictionGoal::Bytes { wanted: 50, above: 10 }), evicted(&slots)), (1, vec![5]));
    assert_eq!((table.evict(EvictionGoal::Bytes { wanted: 50, above: 10 }), evicted(&slots)), (1, vec![0, 5]));
    assert_eq!((table.evict(EvictionGoal::Bytes { wanted: 500, above: 10 }), evicted(&slots)), (1, vec![0, 1, 5]));
}

#[test]
fn unread_responses_evict_the_slowest_readers_a_few_at_a_time() {
    use Phase::{Flushing, Waiting, Working, Writing};
    let (table, slots) = table(&[Writing, Waiting, Flushing, Working].map(|phase| (phase, 0)));
    assert_eq!((table.evict(EvictionGoal::Writers), evicted(&slots)), (1, vec![0]));
    assert_eq!((table.evict(EvictionGoal::Writers), evicted(&slots)), (1, vec![0, 2]));
    assert_eq!(table.evict(EvictionGoal::Writers), 0);
}

#[test]
fn new_connections_are_not_evicted() {
    let table = ConnectionTable::new(SHARES, NEVER);
    let slots: Vec<_> = (0..10).map(|_| table.admit(ip("192.0.2.1")).unwrap()).collect();
    for slot in &slots {
        slot.tracked.held.store(50, Relaxed);
    }
    slots[0].tracked.enter(Phase::Writing);
    for wanted in [EvictionGoal::Connections(5), EvictionGoal::Bytes { wanted: 9, above: 0 }, EvictionGoal::Writers] {
        assert_eq!(table.evict(wanted), 0, "{wanted:?}");
    }
    assert!(table.admit(ip("192.0.2.1")).is_err());
}
