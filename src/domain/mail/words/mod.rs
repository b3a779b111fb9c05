//! What the mails share: labels, lengths of time, roles, footers and sentences that several letters have, a file for
//! each language. A language is one table, so that nothing missing compiles. Nothing here is escaped: the templates do
//! that.

pub(super) mod english;
pub(super) mod french;
pub(super) mod german;
pub(super) mod japanese;
pub(super) mod spanish;

use super::template::Locale;
use crate::db::entity::Role;

/// One language.
pub(super) struct Words {
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
