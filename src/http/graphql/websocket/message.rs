//! The messages of `graphql-transport-ws` and the codes that a socket closes with, as its protocol document has them.
//! What is not one of these messages is not read further.

use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::http::{graphql::call::Call, response::Outcome};

/// Longer ids are no client's of ours.
const LONGEST_ID: usize = 128;

/// What a client says.
pub(crate) enum Incoming {
    ConnectionInit { payload: Option<Box<RawValue>> },
    Ping,
    Pong,
    Subscribe { id: String, call: Call },
    Complete { id: String },
}

/// A message as it is written. Its payload stays text, since nothing is known of what stands in it.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    ConnectionInit,
    Ping,
    Pong,
    Subscribe,
    Complete,
}

impl Incoming {
    pub(crate) fn read(text: &str) -> Option<Self> {
        // serde would take an array for an object; the protocol does not.
        let is_object = text.trim_ascii_start().starts_with('{');
        let Written { kind, id, payload } = is_object.then(|| serde_json::from_str(text).ok()).flatten()?;
        let id = id.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        Some(match kind {
            Kind::ConnectionInit => Self::ConnectionInit { payload: payload.map(RawValue::to_owned) },
            Kind::Ping => Self::Ping,
            Kind::Pong => Self::Pong,
            Kind::Subscribe => Self::Subscribe { id: id?, call: Call::read(payload?.get().as_bytes())? },
            Kind::Complete => Self::Complete { id: id? },
        })
    }
}

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Outgoing<'a> {
    ConnectionAck,
    Pong,
    Next { id: &'a str, payload: &'a Outcome },
    Error { id: &'a str, payload: Value },
    Complete { id: &'a str },
}

impl Outgoing<'_> {
    pub(crate) fn message(&self) -> Message {
        // Nothing in here can fail to become JSON: keys are strings, and numbers are finite.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

/// Why a socket closes: the code and a word for whoever debugs a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Close(u16, &'static str);

impl Close {
    pub(crate) const IDLE: Self = Self(1000, "Idle");
    pub(crate) const STOPPING: Self = Self(1001, "Going away");
    pub(crate) const BROKEN: Self = Self(1002, "Protocol error");
    pub(crate) const TOO_LARGE: Self = Self(1009, "Message too large");
    pub(crate) const LATER: Self = Self(1013, "Try again later");
    pub(crate) const INVALID: Self = Self(4400, "Invalid message");
    pub(crate) const UNAUTHORIZED: Self = Self(4401, "Unauthorized");
    pub(crate) const FORBIDDEN: Self = Self(4403, "Forbidden");
    pub(crate) const INIT_TIMEOUT: Self = Self(4408, "Connection initialisation timeout");
    pub(crate) const ID_EXISTS: Self = Self(4409, "Subscriber for this id already exists");
    pub(crate) const TOO_MANY_INITS: Self = Self(4429, "Too many initialisation requests");
    pub(crate) const TOO_MANY_SOCKETS: Self = Self(4429, "Too many sockets");
    pub(crate) const TOO_FAST: Self = Self(4429, "Too many messages");

    pub(crate) fn message(self) -> Message {
        Message::Close(Some(CloseFrame { code: self.0, reason: self.1.into() }))
    }
}
