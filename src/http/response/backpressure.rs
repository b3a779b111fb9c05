//! Limits the memory for responses that clients have not read yet. Each response is sent in frames. A frame counts per
//! session, per network and in total until the connection has written it. If a client has too many unread bytes, its
//! next request is refused before the operation runs.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use ipnet::IpNet;
use uuid::Uuid;

use super::{MAX_RESPONSE, Refusal};
use crate::{
    domain::access::Viewer,
    graphql::error::Code,
    http::{
        networks::{Shares, networks},
        server::memory::{Charge, Pool},
        tally::{Share, Tally},
    },
};

/// Size of a frame in bytes. Memory is released one frame at a time.
const FRAME: usize = 64 * 1024;
/// Number of bytes reserved before an operation runs. Most responses are not longer.
const TYPICAL: usize = 4 * 1024;

/// Maximum bytes of unread responses.
#[derive(Clone, Debug)]
pub(crate) struct UnreadCaps {
    /// Maximum in total. The last quarter is reserved for responses of at most 64 KiB.
    pub in_all: usize,
    /// Maximum per network.
    pub of_network: Shares,
    /// Maximum per session.
    pub of_session: usize,
}

impl Default for UnreadCaps {
    fn default() -> Self {
        Self {
            in_all: 8 * MAX_RESPONSE,
            of_network: Shares { narrow: 2 * MAX_RESPONSE, middle: 3 * MAX_RESPONSE, wide: 4 * MAX_RESPONSE },
            of_session: 2 * MAX_RESPONSE,
        }
    }
}

/// Accounting for unread responses.
pub(crate) struct Unread {
    caps: UnreadCaps,
    all: Arc<Pool>,
    taken: Tally<Reader>,
}

/// A network, or a session or API key, that unread responses count against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reader {
    Network(IpNet),
    Credential(Uuid),
}

impl Unread {
    pub(crate) fn new(caps: UnreadCaps) -> Self {
        let all = Pool::new(caps.in_all);
        Self { caps, all, taken: Tally::default() }
    }

    /// Returns the pool that counts all unread responses.
    pub(crate) fn all(&self) -> &Pool {
        &self.all
    }

    /// Reserves room for a typical response before the operation runs.
    ///
    /// # Errors
    ///
    /// `RATE_LIMITED` if the session or network has too many unread bytes, `UNAVAILABLE` if all clients together have
    /// too many.
    pub(crate) fn reserve(&self, viewer: &Viewer) -> Result<Reservation, Refusal> {
        let caps = &self.caps;
        let of_network = networks(viewer.origin.ip)
            .map(|(width, network)| (Reader::Network(network), caps.of_network.for_width(width)));
        let of_session =
            viewer.credential().into_iter().map(|credential| (Reader::Credential(credential), caps.of_session));
        let charge = self.all.charge(0).ok_or_else(at_capacity)?;
        let mut reservation = Reservation { share: self.taken.share(of_network.chain(of_session)), charge };
        reservation.resize(TYPICAL)?;
        Ok(reservation)
    }
}

fn at_capacity() -> Refusal {
    Refusal::new(Code::Unavailable, "The server is busy. Try again in a few seconds.")
}

fn too_much_unread() -> Refusal {
    let message = "Too many unread responses. Read them or close their connections.";
    Refusal::new(Code::RateLimited, message).retry_after(10)
}

/// The reserved bytes for one response, or for the part of it that is still unread. Dropping releases them.
pub(crate) struct Reservation {
    share: Share<Reader>,
    charge: Charge,
}

impl Reservation {
    /// Changes the reservation to `bytes`.
    fn resize(&mut self, bytes: usize) -> Result<(), Refusal> {
        let before = self.charge.bytes();
        if bytes <= before {
            drop(self.split(before - bytes));
            return Ok(());
        }
        if !self.share.grow(bytes - before) {
            return Err(too_much_unread());
        }
        let fits = if bytes > FRAME { self.charge.grow_while_plenty(bytes) } else { self.charge.grow_to(bytes) };
        if !fits {
            drop(self.share.split(bytes - before));
            return Err(at_capacity());
        }
        Ok(())
    }

    /// Moves up to `bytes` into a new reservation.
    fn split(&mut self, bytes: usize) -> Self {
        Self { share: self.share.split(bytes), charge: self.charge.split(bytes) }
    }

    /// Adapts the reservation to the length of a response, and counts the response until the client has read it.
    ///
    /// # Errors
    ///
    /// Fails like [`Unread::reserve`] if the response is longer than the reservation and there is no room for the rest.
    pub(crate) fn hold_until_read(mut self, response: Response) -> Result<Response, Refusal> {
        let length = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
        self.resize(length).map_err(|mut refusal| {
            refusal.say(" Any changes were still made.");
            refusal
        })?;
        Ok(response.map(|body| Body::new(HeldBody { body, rest: Bytes::new(), reservation: self })))
    }
}

/// A body that releases the reservation of each frame once the connection has written it.
struct HeldBody {
    body: Body,
    rest: Bytes,
    reservation: Reservation,
}

impl hyper::body::Body for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(task)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = FRAME.min(self.rest.len());
        let bytes = self.rest.split_to(length);
        let reservation = self.reservation.split(length);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Part { bytes, _reservation: reservation })))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.size_hint();
        body.exact().map_or(body, |bytes| SizeHint::with_exact(bytes + self.rest.len() as u64))
    }
}

/// One frame of a response, and the reservation that is released with it.
struct Part {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Collects a serialized response in frames, so that the memory of each frame can be released separately.
pub(crate) struct Frames {
    full: VecDeque<Bytes>,
    last: Vec<u8>,
    length: usize,
    most: usize,
}

impl Frames {
    /// Creates an empty buffer. Writing fails if the response would be longer than `most` bytes.
    pub(crate) fn within(most: usize) -> Self {
        Self { full: VecDeque::new(), last: Vec::new(), length: 0, most }
    }

    pub(crate) fn into_body(mut self) -> Body {
        self.full.push_back(self.last.into());
        Body::new(Framed { frames: self.full, left: self.length as u64 })
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length + bytes.len() > self.most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if self.last.len() == FRAME {
            self.full.push_back(std::mem::replace(&mut self.last, Vec::with_capacity(FRAME)).into());
        }
        let (now, _) = bytes.split_at(bytes.len().min(FRAME - self.last.len()));
        self.last.extend_from_slice(now);
        self.length += now.len();
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Framed {
    frames: VecDeque<Bytes>,
    left: u64,
}

impl hyper::body::Body for Framed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let next = self.frames.pop_front().filter(|frame| !frame.is_empty());
        self.left -= next.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(next.map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests;
