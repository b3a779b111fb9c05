//! Messages and close codes of the protocol `graphql-transport-ws`. The GraphQL library receives only messages that
//! this module creates, never the client's text.

use std::borrow::Cow;

use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use crate::http::graphql::call::Call;

/// Maximum length of a subscription ID.
const MAX_ID_LENGTH: usize = 128;

/// A message from the client.
pub(super) enum Incoming {
    ConnectionInit { payload: Option<Box<RawValue>> },
    Ping,
    Pong,
    Subscribe { id: String, call: Call },
    Complete { id: String },
}

/// A message as received. The payload stays raw JSON.
#[derive(Deserialize)]
struct RawMessage<'a> {
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
    pub(super) fn read(text: &str) -> Option<Self> {
        // serde also accepts an array for a struct, but the protocol does not.
        let is_object = text.trim_ascii_start().starts_with('{');
        let RawMessage { kind, id, payload } = is_object.then(|| serde_json::from_str(text).ok()).flatten()?;
        let id = id.filter(|id| (1..=MAX_ID_LENGTH).contains(&id.len()));
        Some(match kind {
            Kind::ConnectionInit => Self::ConnectionInit { payload: payload.map(RawValue::to_owned) },
            Kind::Ping => Self::Ping,
            Kind::Pong => Self::Pong,
            Kind::Subscribe => Self::Subscribe { id: id?, call: Call::read(payload?.get().as_bytes())? },
            Kind::Complete => Self::Complete { id: id? },
        })
    }

    /// Creates the message for the library. It contains no token, because the client is already authenticated, and no
    /// call, because the executor receives the call separately.
    pub(super) fn message(&self) -> Message {
        let message = match self {
            Self::ConnectionInit { .. } => json!({ "type": "connection_init" }),
            Self::Ping => json!({ "type": "ping" }),
            Self::Pong => json!({ "type": "pong" }),
            Self::Subscribe { id, .. } => json!({ "type": "subscribe", "id": id, "payload": {} }),
            Self::Complete { id } => json!({ "type": "complete", "id": id }),
        };
        Message::text(message.to_string())
    }
}

/// The parts that we need of a message from the library.
#[derive(Deserialize)]
pub(super) struct Outgoing<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    /// The subscription ID. `None` in `connection_ack` and `pong`.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    data: Option<IgnoredAny>,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Outgoing<'_> {
    pub(super) fn is_complete(&self) -> bool {
        self.kind == "complete"
    }

    /// If this `next` message contains a refusal, returns the `error` message to send instead of it. The library itself
    /// never sends `error`.
    pub(super) fn refusal(&self) -> Option<Message> {
        let payload = self.payload.as_ref().filter(|payload| payload.data.is_none() && !payload.errors.is_empty())?;
        Some(Message::text(json!({ "type": "error", "id": self.id, "payload": payload.errors }).to_string()))
    }
}

/// A close code and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Close(u16, &'static str);

impl Close {
    pub(super) const IDLE: Self = Self(1000, "Idle");
    pub(super) const STOPPING: Self = Self(1001, "Going away");
    pub(super) const BROKEN: Self = Self(1002, "Protocol error");
    pub(super) const TOO_LARGE: Self = Self(1009, "Message too large");
    pub(super) const LATER: Self = Self(1013, "Try again later");
    pub(super) const INVALID: Self = Self(4400, "Invalid message");
    pub(super) const UNAUTHORIZED: Self = Self(4401, "Unauthorized");
    pub(super) const FORBIDDEN: Self = Self(4403, "Forbidden");
    pub(super) const INIT_TIMEOUT: Self = Self(4408, "Connection initialisation timeout");
    pub(super) const ID_EXISTS: Self = Self(4409, "Subscriber for this id already exists");
    pub(super) const TOO_MANY_INITS: Self = Self(4429, "Too many initialisation requests");
    pub(super) const TOO_MANY_SOCKETS: Self = Self(4429, "Too many sockets");
    pub(super) const TOO_FAST: Self = Self(4429, "Too many messages");

    pub(super) fn message(self) -> Message {
        Message::Close(Some(CloseFrame { code: self.0, reason: self.1.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If the objects in these messages were parsed, they would take a megabyte.
    #[test]
    fn a_message_takes_less_than_twice_the_memory_of_its_text() {
        let objects = vec![r#"{"":0}"#; 2_300].join(",");
        let messages = [
            format!(r#"{{"type":"connection_init","payload":{{"a":[{objects}]}}}}"#),
            format!(
                r#"{{"type":"subscribe","id":"a","payload":{{"query":"{{ a }}","variables":{{"a":[{objects}]}}}}}}"#
            ),
            format!(r#"{{"type":"ping","payload":[{objects}]}}"#),
        ];
        for text in messages {
            let mut message = None;
            let taken = allocation_counter::measure(|| message = Incoming::read(&text));
            assert!(message.is_some());
            assert!(taken.bytes_max < 2 * text.len() as u64, "{}: {} bytes", &text[..24], taken.bytes_max);
        }
    }
}
