//! The state of a connection, which eviction reads: its phase, when the phase began, and how many bytes the connection
//! holds. Phase and time are one atomic value. If eviction and a new request happen at the same moment, only one of
//! them can change that value, so a connection with a request is never evicted as idle.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{sync::Notify, time::Instant};

/// What a client is doing on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Phase {
    /// Doing the TLS handshake, sending request headers, or idle.
    Waiting,
    /// Sending a request body.
    Reading,
    /// Waiting for the response.
    Working,
    /// Receiving the response while the server still produces it.
    Writing,
    /// Receiving the last bytes of a response that is complete.
    Flushing,
    /// Using a WebSocket or event stream, which has its own limits.
    Kept,
    /// None of these, because the connection is evicted.
    Evicted,
}

impl Phase {
    const ALL: [Self; 7] =
        [Self::Waiting, Self::Reading, Self::Working, Self::Writing, Self::Flushing, Self::Kept, Self::Evicted];
    const BITS: u32 = 3;
}

/// A phase and its start, in milliseconds since the listener started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

impl State {
    const fn new(phase: Phase, since: u64) -> Self {
        Self(since << Phase::BITS | phase as u64)
    }

    pub(crate) fn phase(self) -> Phase {
        let phase = self.0 & ((1 << Phase::BITS) - 1);
        Phase::ALL.into_iter().find(|known| *known as u64 == phase).unwrap_or(Phase::Evicted)
    }

    pub(crate) const fn since(self) -> u64 {
        self.0 >> Phase::BITS
    }
}

pub(crate) struct TrackedConnection {
    pub(crate) ip: IpAddr,
    pub(crate) id: u64,
    start: Instant,
    state: AtomicU64,
    /// Number of bytes received for the current request.
    read: AtomicUsize,
    /// Number of bytes charged to the memory pool.
    pub(crate) held: AtomicUsize,
    eviction: Notify,
}

impl TrackedConnection {
    pub(crate) fn new(ip: IpAddr, id: u64, start: Instant) -> Self {
        let state = AtomicU64::new(State::new(Phase::Waiting, since(start)).0);
        Self { ip, id, start, state, read: AtomicUsize::new(0), held: AtomicUsize::new(0), eviction: Notify::new() }
    }

    pub(crate) fn state(&self) -> State {
        State(self.state.load(Relaxed))
    }

    /// Moves to another phase. Returns false if the connection was evicted.
    pub(crate) fn enter(&self, to: Phase) -> bool {
        self.enter_if(to, |_| true)
    }

    /// Moves to another phase if the connection is in `from`. Returns whether it moved.
    pub(crate) fn enter_from(&self, from: Phase, to: Phase) -> bool {
        self.enter_if(to, |phase| phase == from)
    }

    fn enter_if(&self, to: Phase, may: impl Fn(Phase) -> bool) -> bool {
        let next = |state| {
            let phase = State(state).phase();
            (phase != Phase::Evicted && may(phase)).then(|| State::new(to, since(self.start)).0)
        };
        self.state.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    /// Evicts the connection if its state is still `seen`. Returns whether it was evicted.
    pub(crate) fn try_evict(&self, seen: State) -> bool {
        let evicted = State::new(Phase::Evicted, seen.since()).0;
        let asked = self.state.compare_exchange(seen.0, evicted, Relaxed, Relaxed).is_ok();
        if asked {
            self.eviction.notify_one();
        }
        asked
    }

    pub(crate) async fn evicted(&self) {
        self.eviction.notified().await;
    }

    /// Counts received bytes, and returns the total for the current request. WebSocket traffic does not count.
    pub(crate) fn count_read(&self, bytes: usize) -> usize {
        if self.state().phase() == Phase::Kept {
            return 0;
        }
        self.read.fetch_add(bytes, Relaxed) + bytes
    }

    /// Whether a response is being written. If so, the request is complete and its byte count is reset, because bytes
    /// that follow belong to the next request.
    pub(crate) fn is_answered(&self) -> bool {
        let is_answered = matches!(self.state().phase(), Phase::Writing | Phase::Flushing);
        if is_answered {
            self.read.store(0, Relaxed);
        }
        is_answered
    }

    /// Marks the connection as idle if its response is complete. Call this after all data was written. Returns whether
    /// the response was complete.
    pub(crate) fn flushed(&self) -> bool {
        let is_idle = self.enter_from(Phase::Flushing, Phase::Waiting);
        if is_idle {
            self.read.store(0, Relaxed);
        }
        is_idle
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A body that changes the connection's phase when it ends.
pub(crate) struct Phased<B> {
    body: B,
    tracked: Arc<TrackedConnection>,
    phases: (Phase, Phase),
}

impl<B: Body> Phased<B> {
    /// Wraps a request body: the phase is `Reading` until the body ends, then `Working`.
    pub(crate) fn request(body: B, tracked: &Arc<TrackedConnection>) -> Self {
        Self::new(body, tracked, (Phase::Reading, Phase::Working))
    }

    /// Wraps a response body: the phase is the first of `phases` until the body ends, then the second.
    pub(crate) fn response(body: B, tracked: &Arc<TrackedConnection>, phases: (Phase, Phase)) -> Self {
        tracked.enter(phases.0);
        Self::new(body, tracked, phases)
    }

    fn new(body: B, tracked: &Arc<TrackedConnection>, phases: (Phase, Phase)) -> Self {
        let phased = Self { body, tracked: Arc::clone(tracked), phases };
        phased.check_end();
        phased
    }

    fn check_end(&self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }
}

impl<B> Phased<B> {
    fn end(&self) {
        self.tracked.enter_from(self.phases.0, self.phases.1);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Phased<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(task));
        self.check_end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Phased<B> {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::body::Body as AnyBody;
    use http_body_util::BodyExt;

    use super::*;

    fn tracked() -> Arc<TrackedConnection> {
        Arc::new(TrackedConnection::new(Ipv4Addr::LOCALHOST.into(), 1, Instant::now()))
    }

    fn text() -> AnyBody {
        AnyBody::from("a text")
    }

    #[tokio::test]
    async fn a_connection_is_idle_again_after_its_response_was_written() {
        use Phase::{Flushing, Kept, Reading, Waiting, Working, Writing};
        for begun in [Writing, Kept] {
            let tracked = tracked();
            let phase = || tracked.state().phase();
            assert!(tracked.enter(Reading));
            let request = Phased::request(text(), &tracked);
            assert_eq!(phase(), Reading, "the request body has not arrived yet");
            drop(request.collect().await.unwrap());
            assert_eq!(phase(), Working);
            let response = Phased::response(text(), &tracked, (begun, Flushing));
            assert!(phase() == begun && !tracked.flushed(), "the phase changed before the body ended");
            drop(response.collect().await.unwrap());
            assert_eq!(phase(), Flushing);
            assert!(tracked.flushed() && phase() == Waiting);
        }
    }

    #[tokio::test]
    async fn a_connection_that_became_a_websocket_is_never_idle() {
        let tracked = tracked();
        drop(Phased::response(AnyBody::empty(), &tracked, (Phase::Kept, Phase::Kept)));
        assert!(!tracked.flushed());
        assert_eq!((tracked.state().phase(), tracked.count_read(1_000_000)), (Phase::Kept, 0));
    }

    #[tokio::test]
    async fn an_evicted_connection_takes_no_more_requests() {
        let tracked = tracked();
        let seen = tracked.state();
        assert!(
            tracked.enter(Phase::Reading) && !tracked.try_evict(seen),
            "a connection that is no longer idle was evicted"
        );
        assert!(tracked.try_evict(tracked.state()));
        tracked.evicted().await;
        assert!(!tracked.enter(Phase::Working) && tracked.state().phase() == Phase::Evicted);
    }
}
