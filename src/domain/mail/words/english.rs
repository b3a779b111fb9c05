//! What all mails in English share.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "To copy:",
    open_page: "Open the sign-in page",
    restore_address: "Restore this address",
    request_origin: "Where the request came from",
    sign_in_origin: "Where the sign-in came from",
    time: "Time",
    device: "Device",
    network: "IP address",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} on {system}"),
    minutes: |count| {
        if count == 1 { "1 minute".to_owned() } else { format!("{count} minutes") }
    },
    hours: |count| {
        if count == 1 { "1 hour".to_owned() } else { format!("{count} hours") }
    },
    days: |count| format!("{count} days"),
    role: |role| match role {
        Role::Admin => "Administrator",
        Role::Manager => "Manager",
        Role::User => "User",
        Role::Guest => "Guest",
    },
    footer_entered: |brand| {
        format!("This mail was sent automatically because someone entered your address at {brand}.")
    },
    footer_account: |brand| format!("This mail was sent automatically because it concerns an account at {brand}."),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("Never pass the code on to anyone. Nobody from {brand} will ever ask you for it.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!("Never pass the link on, and do not forward this mail. Nobody from {brand} will ever ask you for it.")
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("Didn’t you expect this change? Then contact the people who run {brand}.")
}
