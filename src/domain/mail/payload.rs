//! The sealed payload of a letter. Never rename a field: during an upgrade, queued letters are read by both versions.

use std::net::IpAddr;

use sea_orm::ActiveEnum;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{device::describe_device, outbox, words::Words};
use crate::{db::entity::Role, observability::spans};

/// The sealed payload.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) to: String,
    code: Option<String>,
    /// A sign-in link, or the link that restores an address.
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    pub(super) locale: String,
    pub(super) device: Option<String>,
    pub(super) network: Option<IpAddr>,
    /// Trace context of the request that queued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
    /// False for a decoy. It is sealed so that a queued decoy looks like any other letter.
    pub(super) deliver: bool,
}

impl Drop for Payload {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.code.zeroize();
        self.link.zeroize();
    }
}

impl Payload {
    /// The kind and payload of a letter.
    pub(super) fn of(letter: &outbox::Letter<'_>) -> (&'static str, Self) {
        let row = letter.message.row();
        let origin = letter.origin.filter(|_| row.origin.is_some());
        let mut payload = Self {
            to: letter.to.to_owned(),
            code: None,
            link: None,
            role: None,
            locale: letter.locale.as_str().to_owned(),
            // Only our own description: the raw user agent never gets into a mail.
            device: origin.and_then(|origin| origin.user_agent.as_deref()).and_then(describe_device),
            network: origin.map(|origin| origin.ip),
            trace: spans::here(),
            deliver: letter.deliver,
        };
        if let Some(carried) = letter.message.carried() {
            carried.put(&mut payload);
        }
        (row.kind, payload)
    }
}

/// What a mail shows besides its text.
pub(super) enum Shown<'a> {
    Nothing,
    /// Digits to type.
    Code(&'a str),
    /// The button's URL and label.
    Link(&'a str, fn(&Words) -> &'static str),
    Role(Role),
}

/// The variable part of a letter: how it is stored in the payload, read back and shown.
pub(super) trait Carried {
    fn put(&self, payload: &mut Payload);
    fn take(payload: &Payload) -> Option<Self>
    where
        Self: Sized;
    fn shown(&self) -> Shown<'_>;
    #[cfg(test)]
    fn sample() -> Self
    where
        Self: Sized;
}

/// A one-time code.
#[derive(Clone)]
pub struct Code(pub SecretString);

impl Carried for Code {
    fn put(&self, payload: &mut Payload) {
        payload.code = Some(self.0.expose_secret().to_owned());
    }

    fn take(payload: &Payload) -> Option<Self> {
        Some(Self(payload.code.clone()?.into()))
    }

    fn shown(&self) -> Shown<'_> {
        Shown::Code(self.0.expose_secret())
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self(samples::CODE.into())
    }
}

/// The URL of a sign-in link.
#[derive(Clone)]
pub struct Link(pub SecretString);

impl Carried for Link {
    fn put(&self, payload: &mut Payload) {
        payload.link = Some(self.0.expose_secret().to_owned());
    }

    fn take(payload: &Payload) -> Option<Self> {
        Some(Self(payload.link.clone()?.into()))
    }

    fn shown(&self) -> Shown<'_> {
        Shown::Link(self.0.expose_secret(), |words| words.open_page)
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self(samples::LINK.into())
    }
}

/// The URL that restores an address.
#[derive(Clone)]
pub struct Undo(pub SecretString);

impl Carried for Undo {
    fn put(&self, payload: &mut Payload) {
        payload.link = Some(self.0.expose_secret().to_owned());
    }

    fn take(payload: &Payload) -> Option<Self> {
        Some(Self(payload.link.clone()?.into()))
    }

    fn shown(&self) -> Shown<'_> {
        Shown::Link(self.0.expose_secret(), |words| words.restore_address)
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self(samples::UNDO.into())
    }
}

impl Carried for Role {
    fn put(&self, payload: &mut Payload) {
        payload.role = Some(self.to_value());
    }

    fn take(payload: &Payload) -> Option<Self> {
        Self::try_from_value(payload.role.as_ref()?).ok()
    }

    fn shown(&self) -> Shown<'_> {
        Shown::Role(*self)
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self::Manager
    }
}

#[cfg(test)]
pub(super) mod samples {
    pub(in super::super) const CODE: &str = "12345678";
    pub(in super::super) const LINK: &str =
        "https://auth.example.com/#link=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4";
    pub(in super::super) const UNDO: &str =
        "https://auth.example.com/#undo=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4";
    pub(in super::super) const PAGE: &str = "https://auth.example.com/";
}
