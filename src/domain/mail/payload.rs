//! What is inside a letter's seal: from what was queued to what the template is told. The names here are in letters
//! that wait while one version replaces another, so they never change. Nothing here seals, opens or sends.

use std::net::IpAddr;

use sea_orm::ActiveEnum;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{device::describe_device, outbox, template::Message};
use crate::{db::entity::Role, observability::spans};

/// What is inside the seal.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) to: String,
    code: Option<String>,
    /// Of a sign-in link, or of the page that brings an address back.
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    pub(super) locale: String,
    pub(super) device: Option<String>,
    pub(super) network: Option<IpAddr>,
    /// Where in a trace it was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
    /// Whether it is meant to be sent. Inside the seal, so that a waiting decoy looks like any other letter.
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
    /// The kind of a letter, and what is sealed of it.
    pub(super) fn of(letter: &outbox::Letter<'_>) -> (&'static str, Self) {
        use outbox::Message;
        let exposed = |secret: &SecretString| Some(secret.expose_secret().to_owned());
        let (kind, code, link) = match &letter.message {
            Message::Code(code) => ("code", exposed(code), None),
            Message::Link(url) => ("link", None, exposed(url)),
            Message::EmailCode(code) => ("email-code", exposed(code), None),
            Message::Invitation => ("invitation", None, None),
            Message::EmailChanged { undo } => ("email-changed", None, undo.as_ref().and_then(exposed)),
            Message::EmailTakenBack => ("email-taken-back", None, None),
            Message::AccountDeleted => ("account-deleted", None, None),
            Message::EmailIsNow => ("email-is-now", None, None),
            Message::NewDevice => ("new-device", None, None),
            Message::RoleChanged { .. } => ("role-changed", None, None),
        };
        let role = if let Message::RoleChanged { role } = &letter.message { Some(role.to_value()) } else { None };
        let origin = letter.origin.filter(|_| tells_origin(&letter.message));
        let payload = Self {
            to: letter.to.to_owned(),
            code,
            link,
            role,
            locale: letter.locale.as_str().to_owned(),
            // A description of ours: what a stranger's software calls itself is no text for our mail.
            device: origin.and_then(|origin| origin.user_agent.as_deref()).and_then(describe_device),
            network: origin.map(|origin| origin.ip),
            trace: spans::here(),
            deliver: letter.deliver,
        };
        (kind, payload)
    }

    /// What the mail tells. `page` is where one signs in. Nothing for a kind that this version does not know.
    pub(super) fn message(&self, kind: &str, page: &str) -> Option<Message> {
        let code = || self.code.clone().map(SecretString::from);
        let link = || self.link.clone().map(SecretString::from);
        let page = || page.to_owned();
        Some(match kind {
            "code" => Message::Code { code: code()? },
            "link" => Message::Link { url: link()? },
            "email-code" => Message::EmailCode { code: code()? },
            "invitation" => Message::Invitation { page: page() },
            "email-changed" => Message::EmailChanged { undo: link() },
            "email-taken-back" => Message::EmailTakenBack,
            "account-deleted" => Message::AccountDeleted,
            "email-is-now" => Message::EmailIsNow { page: page() },
            "new-device" => Message::NewDevice { page: page() },
            "role-changed" => Message::RoleChanged { role: Role::try_from_value(self.role.as_ref()?).ok()? },
            _ => return None,
        })
    }
}

/// Whether the reader asked for it, or somebody in the reader's name. What administrators do, here or at the command
/// line, tells nobody where they sit.
fn tells_origin(message: &outbox::Message) -> bool {
    use outbox::Message;
    match message {
        Message::Code(_)
        | Message::Link(_)
        | Message::EmailCode(_)
        | Message::EmailChanged { undo: Some(_) }
        | Message::NewDevice => true,
        Message::Invitation
        | Message::EmailChanged { undo: None }
        | Message::EmailTakenBack
        | Message::AccountDeleted
        | Message::EmailIsNow
        | Message::RoleChanged { .. } => false,
    }
}
