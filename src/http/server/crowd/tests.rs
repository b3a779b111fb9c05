//! Limits across hundreds of networks, which a test machine cannot connect from.

use super::*;

const SHARES: Shares = Shares { narrow: 10, middle: 20, wide: 40 };
const MANY: Shares = Shares { narrow: 100, middle: 100, wide: 100 };
/// Longer than any connection here is idle.
const NEVER: Duration = Duration::from_hours(1);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Opens `each` connections per address. Returns those that were admitted.
fn join(crowd: &Arc<Crowd>, each: usize, ips: impl Iterator<Item = String>) -> Vec<Seat> {
    ips.flat_map(|from| (0..each).filter_map(|_| crowd.join(ip(&from)).ok()).collect::<Vec<_>>()).collect()
}

/// Connections opened one after the other, with these phases and bytes.
fn crowd(members: &[(Phase, usize)]) -> (Arc<Crowd>, Vec<Seat>) {
    let crowd = Crowd::new(MANY, Duration::ZERO);
    let seats = members.iter().map(|(phase, held)| {
        let seat = crowd.join(ip("192.0.2.1")).unwrap();
        std::thread::sleep(Duration::from_millis(3));
        seat.member.turn(*phase);
        seat.member.held.store(*held, Relaxed);
        seat
    });
    let seats = seats.collect();
    (crowd, seats)
}

fn leaving(seats: &[Seat]) -> Vec<usize> {
    (0..seats.len()).filter(|n| seats[*n].member.state().phase() == Phase::Leaving).collect()
}

#[test]
fn a_network_is_limited_however_it_is_split_without_affecting_others() {
    let crowd = Crowd::new(SHARES, NEVER);
    let of_56 = join(&crowd, 10, (0..20).map(|n| format!("2001:db8:0:{n:x}::1")));
    assert_eq!(of_56.len(), 20, "twenty /64s of one /56");
    let of_48 = join(&crowd, 10, (1..200).map(|n| format!("2001:db8:0:{n:x}00::1")));
    assert_eq!(of_56.len() + of_48.len(), 40, "all /56s of one /48");
    let of_address = join(&crowd, 11, std::iter::once("192.0.2.1".into()));
    assert_eq!(of_address.len(), 10, "one IPv4 address");
    let of_24 = join(&crowd, 10, (0..255).map(|n| format!("198.51.100.{n}")));
    assert_eq!(of_24.len(), 20, "all addresses of a /24");
    let elsewhere = join(&crowd, 10, (1..=300).map(|n| format!("2001:db8:{n:x}::1")));
    assert_eq!(elsewhere.len(), 3_000, "three hundred networks elsewhere");
    drop((of_56, of_48, of_address, of_24, elsewhere));
    let members = crowd.lock();
    assert_eq!((members.all.len(), members.of.len()), (0, 0), "closed connections leave no entries");
}

#[test]
fn a_full_network_evicts_its_longest_idle_connection_for_a_new_one() {
    let crowd = Crowd::new(SHARES, Duration::ZERO);
    let join = || crowd.join(ip("192.0.2.1"));
    let seats: Vec<_> = (0..10).map(|_| join().unwrap()).collect();
    for seat in &seats[..8] {
        assert!(seat.member.turn(Phase::Working));
    }
    std::thread::sleep(Duration::from_millis(3));
    // It has been active since, so the last one has been idle for longest.
    seats[8].member.turn(Phase::Waiting);
    let newcomer = join().unwrap();
    assert_eq!(leaving(&seats), [9]);
    newcomer.member.turn(Phase::Working);
    let other = join().unwrap();
    other.member.turn(Phase::Reading);
    assert_eq!(leaving(&seats), [8, 9]);
    assert_eq!(join().err(), Some("192.0.2.1/32".parse().unwrap()), "none is idle");
    assert!(crowd.join(ip("192.0.2.2")).is_ok());
    assert!(!seats[9].member.turn(Phase::Reading), "an evicted connection takes no more requests");
    assert_eq!(leaving(&seats), [8, 9], "active connections stay");
}

#[test]
fn too_many_connections_evict_the_idle_first_and_then_the_slow() {
    use Phase::{Kept, Reading, Waiting, Working, Writing};
    let (crowd, seats) = crowd(&[Kept, Working, Writing, Reading, Waiting, Waiting].map(|phase| (phase, 0)));
    assert_eq!((crowd.relieve(Wanted::Places(1)), leaving(&seats)), (1, vec![4]));
    assert_eq!((crowd.relieve(Wanted::Places(2)), leaving(&seats)), (2, vec![2, 4, 5]));
    assert_eq!((crowd.relieve(Wanted::Places(9)), leaving(&seats)), (1, vec![2, 3, 4, 5]), "requests and sockets stay");
}

#[test]
fn memory_pressure_evicts_connections_that_hold_memory() {
    use Phase::{Reading, Waiting, Working};
    let (crowd, seats) = crowd(&[(Waiting, 10), (Working, 50), (Reading, 50), (Waiting, 10), (Waiting, 50)]);
    assert_eq!(crowd.relieve(Wanted::Bytes { wanted: 50, above: 10 }), 1);
    assert_eq!(leaving(&seats), [2], "the oldest");
    assert_eq!(crowd.relieve(Wanted::Bytes { wanted: 500, above: 10 }), 1);
    assert_eq!(leaving(&seats), [2, 4]);
    assert_eq!(crowd.relieve(Wanted::Bytes { wanted: 10, above: 0 }), 1);
    assert_eq!(leaving(&seats), [0, 2, 4], "evicts the longest idle when baselines alone are too much");
}

#[test]
fn memory_pressure_evicts_slow_readers_after_the_idle() {
    use Phase::{Flushing, Kept, Waiting, Working, Writing};
    let (crowd, seats) =
        crowd(&[(Writing, 50), (Flushing, 50), (Working, 50), (Kept, 50), (Writing, 10), (Waiting, 50)]);
    assert_eq!((crowd.relieve(Wanted::Bytes { wanted: 50, above: 10 }), leaving(&seats)), (1, vec![5]));
    assert_eq!((crowd.relieve(Wanted::Bytes { wanted: 50, above: 10 }), leaving(&seats)), (1, vec![0, 5]));
    assert_eq!((crowd.relieve(Wanted::Bytes { wanted: 500, above: 10 }), leaving(&seats)), (1, vec![0, 1, 5]));
}

#[test]
fn unread_responses_evict_the_slowest_readers_a_few_at_a_time() {
    use Phase::{Flushing, Waiting, Working, Writing};
    let (crowd, seats) = crowd(&[Writing, Waiting, Flushing, Working].map(|phase| (phase, 0)));
    assert_eq!((crowd.relieve(Wanted::Writers), leaving(&seats)), (1, vec![0]));
    assert_eq!((crowd.relieve(Wanted::Writers), leaving(&seats)), (1, vec![0, 2]));
    assert_eq!(crowd.relieve(Wanted::Writers), 0);
}

#[test]
fn new_connections_are_not_evicted() {
    let crowd = Crowd::new(SHARES, NEVER);
    let seats: Vec<_> = (0..10).map(|_| crowd.join(ip("192.0.2.1")).unwrap()).collect();
    for seat in &seats {
        seat.member.held.store(50, Relaxed);
    }
    seats[0].member.turn(Phase::Writing);
    for wanted in [Wanted::Places(5), Wanted::Bytes { wanted: 9, above: 0 }, Wanted::Writers] {
        assert_eq!(crowd.relieve(wanted), 0, "{wanted:?}");
    }
    assert!(crowd.join(ip("192.0.2.1")).is_err());
}
