//! English text that several mails share.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "To copy:",
    open_page: "Open the sign-in page",
    restore_address: "Restore this address",
    not_me: "This wasn’t me",
    request_origin: "Where this request came from",
    sign_in_origin: "Where this sign-in came from",
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
    footer_entered: |brand| format!("We sent this automatically because someone entered your address at {brand}."),
    need_help: "Need help?",
    footer_account: |brand| format!("We sent this automatically because it’s about an account at {brand}."),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("Don’t share this code with anyone. No one at {brand} will ever ask you for it.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!("Don’t share this link or forward this email. No one at {brand} will ever ask you for it.")
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("Didn’t expect this change? Contact the people who run {brand}.")
}

/// What happened, and what to do if it wasn’t the reader.
pub(in crate::domain::mail) fn or_disown(news: String) -> Vec<String> {
    vec![
        news,
        "Was this you? You don’t need to do anything.".to_owned(),
        "If it wasn’t, open this link and press the button on the page. This signs out every device, removes the \
         password and API keys if there are any, and forgets all known devices. After that, you sign in with a code \
         by email."
            .to_owned(),
    ]
}

pub(in crate::domain::mail) fn disown_until(lifetime: &str) -> String {
    format!("The link is valid for {lifetime}.")
}
