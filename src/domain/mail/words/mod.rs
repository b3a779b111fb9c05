//! What the mails say, in five languages, each in a file of its own. A language is one table, so that a missing mail
//! does not compile. Sentences are given a [`Fill`] and nothing else: no secret can get into one. Nothing here is
//! escaped: the templates do that.

mod english;
mod french;
mod german;
mod japanese;
mod spanish;

use super::template::Locale;
use crate::db::entity::Role;

/// One language.
pub(super) struct Words {
    pub(super) code: Sheet,
    pub(super) link: Sheet,
    pub(super) email_code: Sheet,
    pub(super) invitation: Sheet,
    /// The reader did it, or somebody in the reader's name: it can be undone.
    pub(super) email_changed: Sheet,
    /// An administrator did it.
    pub(super) email_changed_for_you: Sheet,
    /// To the newer address: the older one has the account again.
    pub(super) email_taken_back: Sheet,
    pub(super) account_deleted: Sheet,
    pub(super) email_is_now: Sheet,
    pub(super) new_device: Sheet,
    pub(super) role_changed: Sheet,
    /// Before the digits that can be copied.
    pub(super) copy: &'static str,
    pub(super) open_page: &'static str,
    pub(super) restore_address: &'static str,
    pub(super) request_origin: &'static str,
    pub(super) sign_in_origin: &'static str,
    pub(super) time: &'static str,
    pub(super) device: &'static str,
    pub(super) network: &'static str,
    /// What stands between a label and its value.
    pub(super) colon: &'static str,
    /// A browser on a system.
    pub(super) browser_on: fn(&str, &str) -> String,
    pub(super) minutes: fn(u64) -> String,
    pub(super) hours: fn(u64) -> String,
    /// Two and more: one day is 24 hours.
    pub(super) days: fn(u64) -> String,
    pub(super) role: fn(Role) -> &'static str,
    /// Why the mail came: an address was entered.
    pub(super) footer_entered: fn(&str) -> String,
    /// Why the mail came: something happened to an account.
    pub(super) footer_account: fn(&str) -> String,
}

/// The sentences of one mail.
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

/// The table of one language.
pub(super) fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::En => &english::WORDS,
        Locale::De => &german::WORDS,
        Locale::Fr => &french::WORDS,
        Locale::Es => &spanish::WORDS,
        Locale::Ja => &japanese::WORDS,
    }
}
