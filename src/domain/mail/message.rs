//! Every letter: what it carries, what it is called in the outbox, and its words, one row each. To add one, add a row
//! here and a file with its sentences; the compiler names what is missing. Nothing here seals, renders or sends.

mod account_deleted;
mod code;
mod email_changed;
mod email_code;
mod email_is_now;
mod email_taken_back;
mod invitation;
mod link;
mod new_device;
mod role_changed;

use chrono::TimeDelta;

pub use super::payload::{Code, Link, Undo};
use super::{
    payload::{Carried, Payload, Shown},
    template::Locale,
    words::Words,
};
use crate::{db::entity::Role, settings::Notices};

/// How long a notice is worth delivering.
const NEWS: TimeDelta = TimeDelta::days(2);
/// What can still be acted upon is worth delivering for longer.
const WEEK: TimeDelta = TimeDelta::days(7);

/// Names every letter once. Two rows may share a kind: a letter opens as the first whose content is in its seal.
macro_rules! letters {
    ($($(#[doc = $doc:literal])+ $variant:ident $(($name:ident: $carried:ty))? = $row:expr;)+) => {
        /// What a letter brings.
        #[derive(Clone)]
        pub enum Message { $($(#[doc = $doc])+ $variant $(($carried))?,)+ }

        impl Message {
            /// All that is the same for every letter like this one.
            pub(in crate::domain) fn row(&self) -> Row {
                match self { $(Self::$variant { .. } => $row,)+ }
            }

            pub(super) fn carried(&self) -> Option<&dyn Carried> {
                match self { $(Self::$variant $(($name))? => None::<&dyn Carried>$(.or(Some($name)))?,)+ }
            }

            /// What was sealed, of this kind. Nothing for a kind that this version does not know.
            pub(super) fn open(kind: &str, payload: &Payload) -> Option<Self> {
                $(
                    let open = || Some(Self::$variant $((<$carried>::take(payload)?))?);
                    if $row.kind == kind && let Some(message) = open() {
                        return Some(message);
                    }
                )+
                None
            }

            /// One of each.
            #[cfg(test)]
            pub(super) fn samples() -> Vec<Self> {
                vec![$(Self::$variant $((<$carried>::sample()))?,)+]
            }
        }
    };
}

letters! {
    /// A one-time code that signs in.
    Code(code: Code) = Row::asked("code", &code::SHEETS);
    /// A sign-in link, sent when codes have become too dangerous or too many.
    Link(url: Link) = Row::asked("link", &link::SHEETS);
    /// A one-time code that confirms the new address of an account.
    EmailCode(code: Code) = Row::asked("email-code", &email_code::SHEETS);
    /// An administrator made an account for this address.
    Invitation = Row::notice("invitation", &invitation::SHEETS).lasting(WEEK).with_page();
    /// To the old address: its reader, or somebody in the reader's name, gave the account another one.
    EmailChanged(undo: Undo) = Row::notice("email-changed", &email_changed::SHEETS).from(|words| words.request_origin);
    /// To the old address: an administrator gave the account another one.
    EmailChangedForYou = Row::notice("email-changed", &email_changed::BY_ADMINISTRATOR).unless_off(|on| on.email_change);
    /// To the newer address: the change was undone from the older one.
    EmailTakenBack = Row::notice("email-taken-back", &email_taken_back::SHEETS).lasting(WEEK);
    /// The account was deleted.
    AccountDeleted = Row::notice("account-deleted", &account_deleted::SHEETS);
    /// To the new address: an administrator gave it to the account.
    EmailIsNow = Row::notice("email-is-now", &email_is_now::SHEETS).unless_off(|on| on.email_change).with_page();
    /// A sign-in from a device that was not known.
    NewDevice = Row::notice("new-device", &new_device::SHEETS)
        .unless_off(|on| on.new_device)
        .from(|words| words.sign_in_origin)
        .with_page();
    /// An administrator changed what the account may do: its role now.
    RoleChanged(role: Role) = Row::notice("role-changed", &role_changed::SHEETS).unless_off(|on| on.role_change);
}

impl Message {
    /// What the mail shows beside its sentences. `page` is where one signs in.
    pub(super) fn shown<'a>(&'a self, page: &'a str) -> Shown<'a> {
        match self.carried() {
            Some(carried) => carried.shown(),
            None if self.row().has_page => Shown::Link(page, |words| words.open_page),
            None => Shown::Nothing,
        }
    }

    /// The code to type, of the mails that bring one.
    pub(super) fn code(&self) -> Option<&str> {
        if let Shown::Code(digits) = self.carried()?.shown() { Some(digits) } else { None }
    }
}

/// One row of the table.
pub(in crate::domain) struct Row {
    /// Its name in the outbox and in metrics. Waiting letters have it, so it never changes.
    pub(super) kind: &'static str,
    pub(super) sheets: &'static Sheets,
    /// Whether it is about an account; any other was sent because an address was entered.
    pub(super) is_notice: bool,
    /// The heading over where it came from. Only for what the reader did, or somebody in the reader's name: a mail
    /// never shows where an administrator is.
    pub(super) origin: Option<fn(&Words) -> &'static str>,
    /// Whether it links to the sign-in page.
    has_page: bool,
    /// Whether the settings want it.
    pub(in crate::domain) is_wanted: fn(&Notices) -> bool,
    /// How long a notice is worth delivering; a secret has its own time.
    pub(in crate::domain) good_for: TimeDelta,
}

impl Row {
    /// What somebody asked for by entering the address.
    const fn asked(kind: &'static str, sheets: &'static Sheets) -> Self {
        Self { is_notice: false, ..Self::notice(kind, sheets).from(|words| words.request_origin) }
    }

    /// What happened to an account.
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

/// The sentences of one letter in every language. Sentences are given a [`Fill`] and nothing else: no secret can get
/// into one. Nothing here is escaped: the templates do that.
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

/// The sentences of one letter in one language.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    /// Given the brand alone.
    pub(super) subject: fn(&str) -> String,
    pub(super) heading: &'static str,
    /// The paragraphs above the code or the button.
    pub(super) before: fn(&Fill<'_>) -> Vec<String>,
    /// The paragraphs below.
    pub(super) after: fn(&Fill<'_>) -> Vec<String>,
}

/// What goes into a sentence.
pub(super) struct Fill<'a> {
    /// Tamed.
    pub(super) brand: &'a str,
    /// How long the secret is good, where there is one.
    pub(super) lifetime: &'a str,
    /// The new role, where it changed.
    pub(super) role: &'a str,
}
