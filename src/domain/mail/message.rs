//! All letters: payload, outbox kind and text, one row each. To add a letter, add a row here and a file with its text;
//! the compiler reports what is missing.

mod account_deleted;
mod api_key_created;
mod code;
mod email_changed;
mod email_code;
mod email_is_now;
mod email_taken_back;
mod invitation;
mod link;
mod new_device;
mod password_changed;
mod password_door_closed;
mod password_removed;
mod password_reset;
mod register;
mod register_known;
mod reset_link;
mod role_changed;

use chrono::TimeDelta;

pub use super::payload::{Code, Disown, Link, Undo};
use super::{
    payload::{Carried, Payload, Shown},
    template::Locale,
    words::Words,
};
use crate::{db::entity::Role, settings::Notices};

/// Lifetime of a notice.
const NEWS: TimeDelta = TimeDelta::days(2);
/// Lifetime of a notice that the reader can still act on, and of the links in it.
const WEEK: TimeDelta = TimeDelta::days(7);

/// Defines the letters. Two rows may share a kind: opening picks the first whose payload is present.
macro_rules! letters {
    ($($(#[doc = $doc:literal])+ $variant:ident $(($name:ident: $carried:ty))? = $row:expr;)+) => {
        /// A letter and its payload.
        #[derive(Clone)]
        pub enum Message { $($(#[doc = $doc])+ $variant $(($carried))?,)+ }

        impl Message {
            /// The properties shared by all letters of this variant.
            pub(in crate::domain) fn row(&self) -> Row {
                match self { $(Self::$variant { .. } => $row,)+ }
            }

            pub(super) fn carried(&self) -> Option<&dyn Carried> {
                match self { $(Self::$variant $(($name))? => None::<&dyn Carried>$(.or(Some($name)))?,)+ }
            }

            /// Rebuilds a letter from its payload. `None` for a kind unknown to this version.
            pub(super) fn open(kind: &str, payload: &Payload) -> Option<Self> {
                $(
                    let open = || Some(Self::$variant $((<$carried>::take(payload)?))?);
                    if $row.kind == kind && let Some(message) = open() {
                        return Some(message);
                    }
                )+
                None
            }

            /// One letter of each variant.
            #[cfg(test)]
            pub(super) fn samples() -> Vec<Self> {
                vec![$(Self::$variant $((<$carried>::sample()))?,)+]
            }
        }
    };
}

letters! {
    /// A one-time sign-in code.
    Code(code: Code) = Row::asked("code", &code::SHEETS);
    /// A sign-in link, sent instead of a code after too many requests or wrong codes.
    Link(url: Link) = Row::asked("link", &link::SHEETS);
    /// A one-time code that confirms the new address of an account.
    EmailCode(code: Code) = Row::asked("email-code", &email_code::SHEETS);
    /// A one-time code that completes a registration.
    Register(code: Code) = Row::asked("register", &register::SHEETS);
    /// A one-time sign-in code for someone who registers an address that already has an account.
    RegisterKnown(code: Code) = Row::asked("register-known", &register_known::SHEETS);
    /// A one-time code that resets a password.
    PasswordReset(code: Code) = Row::asked("password-reset", &password_reset::SHEETS);
    /// A link to set a new password, sent by an administrator.
    ResetLink(url: Link) = Row::notice("reset-link", &reset_link::SHEETS);
    /// The password was set, changed or reset.
    PasswordChanged(disown: Disown) = Row::notice("password-changed", &password_changed::SHEETS)
        .from(|words| words.request_origin)
        .lasting(WEEK);
    /// The password was removed.
    PasswordRemoved(disown: Disown) = Row::notice("password-removed", &password_removed::SHEETS)
        .from(|words| words.request_origin)
        .lasting(WEEK);
    /// The user created an API key.
    ApiKeyCreated(disown: Disown) = Row::notice("api-key-created", &api_key_created::SHEETS)
        .from(|words| words.request_origin)
        .lasting(WEEK);
    /// After too many wrong passwords, new devices cannot use the password for a while.
    PasswordDoorClosed = Row::notice("password-door-closed", &password_door_closed::SHEETS).with_page();
    /// An administrator created an account for this address.
    Invitation = Row::notice("invitation", &invitation::SHEETS).lasting(WEEK).with_page();
    /// To the old address: the account's address was changed from one of its sessions.
    EmailChanged(undo: Undo) = Row::notice("email-changed", &email_changed::SHEETS).from(|words| words.request_origin);
    /// To the old address: an administrator changed the account's address.
    EmailChangedForYou = Row::notice("email-changed", &email_changed::BY_ADMINISTRATOR).unless_off(|on| on.email_change);
    /// To the newer address: the change was undone from the older address.
    EmailTakenBack = Row::notice("email-taken-back", &email_taken_back::SHEETS).lasting(WEEK);
    /// The account was deleted.
    AccountDeleted = Row::notice("account-deleted", &account_deleted::SHEETS);
    /// To the new address: an administrator changed the account's address.
    EmailIsNow = Row::notice("email-is-now", &email_is_now::SHEETS).unless_off(|on| on.email_change).with_page();
    /// A sign-in from a new device.
    NewDevice(disown: Disown) = Row::notice("new-device", &new_device::SHEETS)
        .unless_off(|on| on.new_device)
        .from(|words| words.sign_in_origin)
        .lasting(WEEK);
    /// The same, queued by a version that sent no link. Never queued again.
    NewDeviceWithoutLink = Row::notice("new-device", &new_device::WITHOUT_LINK)
        .unless_off(|on| on.new_device)
        .from(|words| words.sign_in_origin)
        .with_page();
    /// An administrator changed the role: the new role.
    RoleChanged(role: Role) = Row::notice("role-changed", &role_changed::SHEETS).unless_off(|on| on.role_change);
}

impl Message {
    /// What the mail shows besides its text. `page` is the URL of the sign-in page.
    pub(super) fn shown<'a>(&'a self, page: &'a str) -> Shown<'a> {
        match self.carried() {
            Some(carried) => carried.shown(),
            None if self.row().has_page => Shown::Link(page, |words| words.open_page),
            None => Shown::Nothing,
        }
    }

    /// The code, if the letter has one.
    pub(super) fn code(&self) -> Option<&str> {
        if let Shown::Code(digits) = self.carried()?.shown() { Some(digits) } else { None }
    }
}

/// Properties of a letter.
pub(in crate::domain) struct Row {
    /// Its name in the outbox and in metrics. Never rename one: queued letters use it.
    pub(super) kind: &'static str,
    pub(super) sheets: &'static Sheets,
    /// Whether it is about an account. All others were requested by entering an address.
    pub(super) is_notice: bool,
    /// Heading over time, device and IP address. Set only for actions taken from the reader's account or address: a
    /// mail never shows an administrator's location.
    pub(super) origin: Option<fn(&Words) -> &'static str>,
    /// Whether it links to the sign-in page.
    has_page: bool,
    /// Whether the settings allow it.
    pub(in crate::domain) is_wanted: fn(&Notices) -> bool,
    /// Lifetime of a notice; a secret has its own expiry.
    pub(in crate::domain) good_for: TimeDelta,
}

impl Row {
    /// A mail requested by entering the address.
    const fn asked(kind: &'static str, sheets: &'static Sheets) -> Self {
        Self { is_notice: false, ..Self::notice(kind, sheets).from(|words| words.request_origin) }
    }

    /// A notice about an account.
    const fn notice(kind: &'static str, sheets: &'static Sheets) -> Self {
        Self { kind, sheets, is_notice: true, origin: None, has_page: false, is_wanted: |_| true, good_for: NEWS }
    }

    const fn from(self, origin: fn(&Words) -> &'static str) -> Self {
        Self { origin: Some(origin), ..self }
    }

    const fn with_page(self) -> Self {
        Self { has_page: true, ..self }
    }

    const fn unless_off(self, is_wanted: fn(&Notices) -> bool) -> Self {
        Self { is_wanted, ..self }
    }

    const fn lasting(self, good_for: TimeDelta) -> Self {
        Self { good_for, ..self }
    }
}

/// The text of one letter in every language. Text functions get only a [`Fill`], so no secret can reach a sentence. The
/// templates escape the text.
pub(super) struct Sheets {
    en: Sheet,
    de: Sheet,
    fr: Sheet,
    es: Sheet,
    ja: Sheet,
}

impl Sheets {
    pub(super) fn of(&self, locale: Locale) -> &Sheet {
        match locale {
            Locale::En => &self.en,
            Locale::De => &self.de,
            Locale::Fr => &self.fr,
            Locale::Es => &self.es,
            Locale::Ja => &self.ja,
        }
    }
}

/// The text of one letter in one language.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    /// Gets the brand.
    pub(super) subject: fn(&str) -> String,
    pub(super) heading: &'static str,
    /// Paragraphs above the code or the button.
    pub(super) before: fn(&Fill<'_>) -> Vec<String>,
    /// Paragraphs below the code or the button.
    pub(super) after: fn(&Fill<'_>) -> Vec<String>,
}

/// Values for the text.
pub(super) struct Fill<'a> {
    /// Cleaned by `plain::clean`.
    pub(super) brand: &'a str,
    /// Lifetime of the code or link, if there is one.
    pub(super) lifetime: &'a str,
    /// The new role, if it changed.
    pub(super) role: &'a str,
}
