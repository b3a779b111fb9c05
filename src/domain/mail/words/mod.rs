//! Text that several mails share: labels, durations, roles, footers and common sentences, one file per language. A
//! missing entry does not compile. The templates escape the text.

pub(super) mod english;
pub(super) mod french;
pub(super) mod german;
pub(super) mod japanese;
pub(super) mod spanish;

use super::template::Locale;
use crate::db::entity::Role;

/// The shared text of one language.
pub(super) struct Words {
    /// Label before the digits to copy.
    pub(super) copy: &'static str,
    pub(super) open_page: &'static str,
    pub(super) restore_address: &'static str,
    pub(super) not_me: &'static str,
    pub(super) request_origin: &'static str,
    pub(super) sign_in_origin: &'static str,
    pub(super) time: &'static str,
    pub(super) device: &'static str,
    pub(super) network: &'static str,
    /// Separator between a label and its value.
    pub(super) colon: &'static str,
    /// Formats a browser and an operating system.
    pub(super) browser_on: fn(&str, &str) -> String,
    pub(super) minutes: fn(u64) -> String,
    pub(super) hours: fn(u64) -> String,
    /// For two days or more; one day is formatted as 24 hours.
    pub(super) days: fn(u64) -> String,
    pub(super) role: fn(Role) -> &'static str,
    /// Reason for the mail: someone entered the address.
    pub(super) footer_entered: fn(&str) -> String,
    /// Before the address or page for help.
    pub(super) need_help: &'static str,
    /// Reason for the mail: something happened to an account.
    pub(super) footer_account: fn(&str) -> String,
}

pub(super) fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::En => &english::WORDS,
        Locale::De => &german::WORDS,
        Locale::Fr => &french::WORDS,
        Locale::Es => &spanish::WORDS,
        Locale::Ja => &japanese::WORDS,
    }
}
