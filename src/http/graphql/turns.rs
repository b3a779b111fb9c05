//! Turns to parse and validate. Both keep a processor busy without a pause, so they run beside the workers that serve
//! everything else, and only on some of the processors at once. Requests that wait for a turn hold their bytes, so their
//! number is bounded: in all, and for each network.

use std::{net::IpAddr, num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use ipnet::IpNet;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    graphql::error::Code,
    http::{
        networks::{Shares, networks},
        response::Refusal,
        tally::{Share, Tally},
    },
};

/// How long a request waits for its turn.
const TURN_TIME: Duration = Duration::from_secs(2);
/// Maximum number of requests that wait for a turn. Each holds at most two times 16 KiB.
const WAITING: usize = 256;
/// The same, of one network. A page that asks for many things at once, in several tabs, fits.
const OF_NETWORK: Shares = Shares { narrow: 64, middle: 96, wide: 128 };

/// The turns of a process.
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    /// The number of requests that wait, by network; `None` counts all of them.
    waiting: Tally<Option<IpNet>>,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self { free: Arc::new(Semaphore::new(processors.div_ceil(2))), waiting: Tally::default() }
    }
}

impl Turns {
    /// Waits for a turn, which lasts until it is dropped.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` at once when too many wait, and after two seconds.
    pub(crate) async fn take(&self, client: IpAddr) -> Result<OwnedSemaphorePermit, Refusal> {
        let free = || Arc::clone(&self.free);
        if let Ok(turn) = free().try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = self.wait(client).ok_or_else(busy)?;
        match timeout(TURN_TIME, free().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }

    fn wait(&self, client: IpAddr) -> Option<Share<Option<IpNet>>> {
        let of_networks = networks(client).map(|(width, network)| (Some(network), OF_NETWORK.for_width(width)));
        let mut place = self.waiting.share(of_networks.chain([(None, WAITING)]));
        place.grow(1).then_some(place)
    }
}

fn busy() -> Refusal {
    Refusal::new(Code::Unavailable, "The server is busy. Try again in a few seconds.")
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use super::*;

    fn client(network: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, network, 1).into()
    }

    #[tokio::test]
    async fn no_network_fills_the_places_of_those_that_wait_and_who_finds_none_is_refused_at_once() {
        let turns = Turns { free: Arc::new(Semaphore::new(1)), waiting: Tally::default() };
        let turn = turns.take(client(0)).await.unwrap();
        let mut waiting: Vec<_> = (0..64).map(|_| turns.wait(client(0)).unwrap()).collect();
        let asked = Instant::now();
        assert_eq!(turns.take(client(0)).await.unwrap_err().code(), Code::Unavailable);
        assert!(asked.elapsed() < TURN_TIME / 2, "it waited");
        let others: Vec<_> = (1..4).flat_map(|network| (0..64).map(move |_| network)).collect();
        waiting.extend(others.into_iter().map(|network| turns.wait(client(network)).unwrap()));
        assert!(turns.wait(client(4)).is_none(), "{WAITING} wait");
        waiting.pop();
        assert!(turns.wait(client(4)).is_some(), "and one less leaves a place");
        drop((waiting, turn));
        assert!(turns.waiting.counts().is_empty(), "nobody waits, and nothing is kept");
        assert!(turns.take(client(0)).await.is_ok());
    }
}
