//! Limits how many documents are parsed and validated at the same time. This work is CPU-bound, so it runs on blocking
//! threads and on at most half of the processors. Each request first takes a turn. Requests that wait for a turn hold
//! memory, so their number is limited in total and per network.

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

/// How long a request waits for a turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of waiting requests. Each request holds at most 32 KiB, twice the maximum body.
const MAX_WAITING: usize = 256;
/// Maximum number of waiting requests per network. This is enough for several browser tabs with many requests each.
const PER_NETWORK: Shares = Shares { narrow: 64, middle: 96, wide: 128 };

pub(crate) struct Turns {
    free: Arc<Semaphore>,
    /// Number of waiting requests by network. The key `None` counts all networks.
    waiting: Tally<Option<IpNet>>,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self { free: Arc::new(Semaphore::new(processors.div_ceil(2))), waiting: Tally::default() }
    }
}

impl Turns {
    /// Waits for a turn. The turn ends when the permit is dropped.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` at once if too many requests wait, or after two seconds without a turn.
    pub(crate) async fn take(&self, client: IpAddr) -> Result<OwnedSemaphorePermit, Refusal> {
        let free = || Arc::clone(&self.free);
        if let Ok(turn) = free().try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = self.wait(client).ok_or_else(busy)?;
        match timeout(TURN_TIMEOUT, free().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }

    fn wait(&self, client: IpAddr) -> Option<Share<Option<IpNet>>> {
        let of_networks = networks(client).map(|(width, network)| (Some(network), PER_NETWORK.for_width(width)));
        let mut place = self.waiting.share(of_networks.chain([(None, MAX_WAITING)]));
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
    async fn one_network_cannot_fill_the_queue_and_a_full_queue_refuses_at_once() {
        let turns = Turns { free: Arc::new(Semaphore::new(1)), waiting: Tally::default() };
        let turn = turns.take(client(0)).await.unwrap();
        let mut waiting: Vec<_> = (0..64).map(|_| turns.wait(client(0)).unwrap()).collect();
        let asked = Instant::now();
        assert_eq!(turns.take(client(0)).await.unwrap_err().code(), Code::Unavailable);
        assert!(asked.elapsed() < TURN_TIMEOUT / 2, "a request waited although its network's queue is full");
        let others: Vec<_> = (1..4).flat_map(|network| (0..64).map(move |_| network)).collect();
        waiting.extend(others.into_iter().map(|network| turns.wait(client(network)).unwrap()));
        assert!(turns.wait(client(4)).is_none(), "{MAX_WAITING} requests already wait");
        waiting.pop();
        assert!(turns.wait(client(4)).is_some(), "a request that stops waiting frees a slot");
        drop((waiting, turn));
        assert!(turns.waiting.counts().is_empty(), "no entries remain");
        assert!(turns.take(client(0)).await.is_ok());
    }
}
