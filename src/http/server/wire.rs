//! The byte stream of one connection, below TLS. Closes the connection if the client reads too slowly, or if its
//! requests would exceed the memory limit.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::tracked::TrackedConnection;
use crate::http::server::memory::Charge;

/// Memory of a connection whose client has sent nothing, in bytes: its task, and 8 KiB each for reading and writing.
pub(crate) const BASELINE: usize = 18 * 1024;
/// Memory of a TLS connection whose client has sent nothing, in bytes.
pub(crate) const BASELINE_TLS: usize = 24 * 1024;
/// Number of request bytes that fit into the memory of the baseline.
const INCLUDED: usize = 4 * 1024;
/// Buffer memory that an idle connection may keep after a request with large headers, in bytes.
const KEPT: usize = 16 * 1024;
/// Charges grow in steps of this many bytes.
const STEP: usize = 4 * 1024;
/// Minimum rate at which a client must read a response while unread data is waiting, in bytes per second.
const MIN_READ_RATE: u64 = 4 * 1024;

pub(crate) struct Wire<S> {
    io: S,
    tracked: Arc<TrackedConnection>,
    charge: Charge,
    baseline: usize,
    stall_budget: StallBudget,
}

impl<S> Wire<S> {
    pub(crate) fn new(io: S, tracked: Arc<TrackedConnection>, charge: Charge, stall_budget: Duration) -> Self {
        let baseline = charge.bytes();
        tracked.held.store(baseline, Relaxed);
        Self { io, tracked, charge, baseline, stall_budget: StallBudget::new(stall_budget) }
    }

    /// Charges every received byte twice, because memory may hold both the raw request and the parsed one.
    fn read(&mut self, bytes: usize) -> io::Result<()> {
        let held = self.baseline + 2 * self.tracked.count_read(bytes).saturating_sub(INCLUDED).next_multiple_of(STEP);
        if held > self.charge.bytes() {
            if !self.charge.grow_to(held) {
                return Err(ErrorKind::OutOfMemory.into());
            }
            self.tracked.held.store(held, Relaxed);
        }
        Ok(())
    }

    /// Releases the memory of a request after its response.
    fn shrink(&mut self) {
        if self.charge.bytes() > self.baseline + KEPT {
            self.charge.shrink_to(self.baseline + KEPT);
            self.tracked.held.store(self.charge.bytes(), Relaxed);
        }
    }

    fn writes(&mut self) {
        if self.charge.bytes() > self.baseline + KEPT && self.tracked.is_answered() {
            self.shrink();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(task, buffer);
        if let Poll::Ready(Ok(())) = read {
            self.read(buffer.filled().len() - before)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes();
        let written = Pin::new(&mut self.io).poll_write(task, bytes);
        self.stall_budget.watch(task, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes();
        let written = Pin::new(&mut self.io).poll_write_vectored(task, bytes);
        self.stall_budget.watch(task, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(task);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.tracked.flushed() {
            self.shrink();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(task)
    }
}

/// Limits how long a client may leave response data unread. Time that the server waits for the client is subtracted
/// from the budget, and data that the client reads adds time at the minimum read rate. At zero, the connection is
/// closed.
struct StallBudget {
    most: Duration,
    left: Duration,
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl StallBudget {
    const fn new(most: Duration) -> Self {
        Self { most, left: most, waiting: None, timer: None }
    }

    fn watch(&mut self, task: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.taken(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let waiting = *self.waiting.get_or_insert_with(Instant::now);
                let end = waiting + self.left;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
                if timer.deadline() != end {
                    timer.as_mut().reset(end);
                }
                timer.as_mut().poll(task).map(|()| Err(ErrorKind::TimedOut.into()))
            }
        }
    }

    fn taken(&mut self, bytes: usize) {
        if let Some(waiting) = self.waiting.take() {
            self.left = self.left.saturating_sub(waiting.elapsed());
        }
        if self.left < self.most {
            let earned = Duration::from_millis(bytes as u64 * 1_000 / MIN_READ_RATE);
            self.left = self.most.min(self.left + earned);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::{sleep, timeout},
    };

    use super::*;
    use crate::http::server::{memory::Pool, tracked::Phase};

    const SOON: Duration = Duration::from_secs(5);

    fn wire(pool: &Arc<Pool>, stall_budget: Duration) -> (Wire<DuplexStream>, DuplexStream, Arc<TrackedConnection>) {
        let (here, there) = duplex(64);
        let tracked = Arc::new(TrackedConnection::new(Ipv4Addr::LOCALHOST.into(), 1, Instant::now()));
        (Wire::new(here, Arc::clone(&tracked), pool.charge(100).unwrap(), stall_budget), there, tracked)
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_is_disconnected() {
        let (mut wire, _there, _) = wire(&Pool::new(1_000), Duration::from_millis(100));
        let start = Instant::now();
        let error = timeout(SOON, wire.write_all(&[0; 65])).await.expect("an end").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!((100..2_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_client_that_reads_too_slowly_is_disconnected() {
        let (mut wire, mut there, _) = wire(&Pool::new(1_000), Duration::from_millis(200));
        let sip = tokio::spawn(async move {
            let mut taken = 0;
            while there.read_exact(&mut [0; 8]).await.is_ok() {
                taken += 8;
                sleep(Duration::from_millis(50)).await;
            }
            taken
        });
        let error = timeout(SOON, wire.write_all(&vec![0; 100_000])).await.expect("an end").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(wire);
        assert!(sip.await.unwrap() < 1_000);
    }

    #[tokio::test]
    async fn a_client_that_reads_fast_enough_may_exceed_the_time_budget() {
        let (mut wire, mut there, _) = wire(&Pool::new(1_000), Duration::from_millis(200));
        let start = Instant::now();
        let read = tokio::spawn(async move {
            // Read at twice the minimum rate.
            for _ in 0..75 {
                there.read_exact(&mut [0; 64]).await.unwrap();
                sleep(Duration::from_millis(8)).await;
            }
        });
        wire.write_all(&[0; 64 * 75]).await.unwrap();
        read.await.unwrap();
        assert!(start.elapsed() > Duration::from_millis(400), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_request_is_charged_as_it_arrives_and_refused_without_room() {
        let pool = Pool::new(100 + 2 * 3 * STEP);
        let (mut wire, mut there, tracked) = wire(&pool, Duration::from_secs(1));
        let sender = tokio::spawn(async move {
            there.write_all(&vec![b'x'; 4 * STEP + 1]).await.unwrap();
            there
        });
        let mut received = vec![0; INCLUDED];
        wire.read_exact(&mut received).await.unwrap();
        assert_eq!(wire.charge.bytes(), 100, "a normal request costs nothing extra");
        let mut received = vec![0; 3 * STEP];
        wire.read_exact(&mut received).await.unwrap();
        assert_eq!(wire.charge.bytes(), 100 + 2 * 3 * STEP);
        assert_eq!(wire.read_u8().await.unwrap_err().kind(), ErrorKind::OutOfMemory);
        let _there = sender.await.unwrap();

        // The start of a response releases the request's memory, even if the client reads the response slowly.
        tracked.enter(Phase::Working);
        wire.write_all(b"HTTP/1.1 100 Continue").await.unwrap();
        assert_eq!(wire.charge.bytes(), 100 + 2 * 3 * STEP, "an interim response does not release the request");
        tracked.enter(Phase::Writing);
        wire.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        assert_eq!((wire.charge.bytes(), tracked.held.load(Relaxed)), (100 + KEPT, 100 + KEPT));
        tracked.enter(Phase::Flushing);
        wire.flush().await.unwrap();
        assert_eq!((wire.charge.bytes(), tracked.state().phase()), (100 + KEPT, Phase::Waiting));
        drop(wire);
        assert_eq!(pool.excess(), 0);
    }
}
