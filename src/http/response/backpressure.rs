//! Answers that a client has not taken yet. Each is written in frames, and each frame is counted until the connection
//! has sent it: for the session, for the networks of the client, and for everybody together. Who leaves too much unread
//! is refused before anything is done for them.

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

use super::{LARGEST_ANSWER, Refusal};
use crate::{
    domain::access::Viewer,
    graphql::error::Code,
    http::{
        networks::{Shares, networks},
        server::memory::{Charge, Pool},
        tally::{Share, Tally},
    },
};

/// Size of a part of an answer: it is given back as a whole.
const FRAME: usize = 64 * 1024;
/// What most answers fit into. It is taken before an operation runs.
const COMMON: usize = 4 * 1024;

/// Bytes of answers that may be unread.
#[derive(Clone, Debug)]
pub(crate) struct UnreadCaps {
    /// Of everybody. The last quarter is for answers of at most 64 KiB.
    pub in_all: usize,
    /// Of one network.
    pub of_network: Shares,
    /// Of one session.
    pub of_session: usize,
}

impl Default for UnreadCaps {
    fn default() -> Self {
        Self {
            in_all: 8 * LARGEST_ANSWER,
            of_network: Shares { narrow: 2 * LARGEST_ANSWER, middle: 3 * LARGEST_ANSWER, wide: 4 * LARGEST_ANSWER },
            of_session: 2 * LARGEST_ANSWER,
        }
    }
}

/// Room for answers, and who has taken it.
pub(crate) struct Unread {
    caps: UnreadCaps,
    all: Arc<Pool>,
    taken: Tally<Reader>,
}

/// Whose unread answers are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reader {
    Network(IpNet),
    Session(Uuid),
}

impl Unread {
    pub(crate) fn new(caps: UnreadCaps) -> Self {
        let all = Pool::new(caps.in_all);
        Self { caps, all, taken: Tally::default() }
    }

    /// What everybody has left unread.
    pub(crate) fn all(&self) -> &Pool {
        &self.all
    }

    /// Room for a common answer, taken before there is one.
    ///
    /// # Errors
    ///
    /// `RATE_LIMITED` when the session or a network of the client has too much unread, `UNAVAILABLE` when all together
    /// have.
    pub(crate) fn enter(&self, viewer: &Viewer) -> Result<Room, Refusal> {
        let caps = &self.caps;
        let of_network = networks(viewer.origin.ip)
            .map(|(width, network)| (Reader::Network(network), caps.of_network.for_width(width)));
        let of_session =
            viewer.signed_in.iter().map(|signed_in| (Reader::Session(signed_in.session.id), caps.of_session));
        let charge = self.all.charge(0).ok_or_else(crowded)?;
        let mut room = Room { share: self.taken.share(of_network.chain(of_session)), charge };
        room.fit(COMMON)?;
        Ok(room)
    }
}

fn crowded() -> Refusal {
    Refusal::new(Code::Unavailable, "Too many answers are waiting to be read. Try again in a few seconds.")
}

fn behind() -> Refusal {
    let message = "You have answers that you have not read: read them, or close their connections.";
    Refusal::new(Code::RateLimited, message).retry_after(10)
}

/// Room for one answer, or for what is left of it, until it is dropped.
pub(crate) struct Room {
    share: Share<Reader>,
    charge: Charge,
}

impl Room {
    /// Makes it as large as an answer is.
    fn fit(&mut self, bytes: usize) -> Result<(), Refusal> {
        let before = self.charge.bytes();
        if bytes <= before {
            drop(self.split(before - bytes));
            return Ok(());
        }
        if !self.share.grow(bytes - before) {
            return Err(behind());
        }
        let fits = if bytes > FRAME { self.charge.grow_while_plenty(bytes) } else { self.charge.grow_to(bytes) };
        if !fits {
            drop(self.share.split(bytes - before));
            return Err(crowded());
        }
        Ok(())
    }

    /// Room for so many of its bytes, which is given back by itself.
    fn split(&mut self, bytes: usize) -> Self {
        Self { share: self.share.split(bytes), charge: self.charge.split(bytes) }
    }

    /// Counts an answer until it is read.
    ///
    /// # Errors
    ///
    /// As [`Unread::enter`]: a long answer needs more room than was taken for it.
    pub(crate) fn hold(mut self, answer: Response) -> Result<Response, Refusal> {
        let length = usize::try_from(answer.body().size_hint().lower()).unwrap_or(usize::MAX);
        self.fit(length).map_err(|mut refusal| {
            refusal.say(" A change was made all the same.");
            refusal
        })?;
        Ok(answer.map(|body| Body::new(Held { body, rest: Bytes::new(), room: self })))
    }
}

/// A body whose frames give their room back when the connection has written them.
struct Held {
    body: Body,
    rest: Bytes,
    room: Room,
}

impl hyper::body::Body for Held {
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
        let room = self.room.split(length);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Part { bytes, _room: room })))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.size_hint();
        body.exact().map_or(body, |bytes| SizeHint::with_exact(bytes + self.rest.len() as u64))
    }
}

/// A part of an answer and its room.
struct Part {
    bytes: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Takes an answer as it is written, in parts whose memory is given back one by one.
pub(crate) struct Frames {
    full: VecDeque<Bytes>,
    last: Vec<u8>,
    length: usize,
    most: usize,
}

impl Frames {
    /// It takes at most so many bytes.
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
