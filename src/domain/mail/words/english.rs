//! The mails in English. Nothing but sentences.

use super::{Fill, Sheet, Words};
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    code: Sheet {
        subject: |brand| format!("Your sign-in code for {brand}"),
        heading: "Your sign-in code",
        before: |Fill { brand, .. }| vec![format!("Enter this code to sign in to {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("The code works once and is valid for {lifetime}."),
                "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the code.".to_owned(),
                keep_code(brand),
            ]
        },
    },
    link: Sheet {
        subject: |brand| format!("Your sign-in link for {brand}"),
        heading: "Your sign-in link",
        before: |Fill { lifetime, .. }| {
            vec![
                "There have been many requests or wrong tries for your address, perhaps by someone else. \
                 That is why you get a link this time instead of a code: it cannot be guessed."
                    .to_owned(),
                format!(
                    "Open it in the browser in which you want to sign in, and press the button there. \
                     The link works once and is valid for {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the link.".to_owned(),
                keep_link(brand),
            ]
        },
    },
    email_code: Sheet {
        subject: |brand| format!("Confirm your new e-mail address for {brand}"),
        heading: "Confirm your new e-mail address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "This address was entered as the new e-mail address of an account at {brand}. \
                 To confirm it, enter this code on the page where you asked for the change:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "The address changes only when the code is entered there. \
                     The code works once and is valid for {lifetime}."
                ),
                "Wasn’t it you? Then simply ignore this mail: nothing changes without the code.".to_owned(),
                keep_code(brand),
            ]
        },
    },
    invitation: Sheet {
        subject: |brand| format!("You have been invited to {brand}"),
        heading: "You have been invited",
        before: |Fill { brand, .. }| {
            vec![
                format!("An account with this e-mail address was set up for you at {brand}."),
                "To sign in, open the page below and enter this address. You will get a code by e-mail; \
                 you need no password."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Didn’t you expect this invitation? Then simply ignore this mail.".to_owned()],
    },
    email_changed: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "The e-mail address of your account at {brand} was changed to another one. \
                     Sign-in codes for that account are no longer sent to this address."
                ),
                "Was it you? Then there is nothing to do.".to_owned(),
                "Wasn’t it you? Then open this link and press the button there: it restores this address and \
                 ends all sessions."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| vec![format!("The link is valid for {lifetime}."), keep_link(brand)],
    },
    email_changed_for_you: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the e-mail address of your account at {brand} to another one. \
                 Sign-in codes for that account are no longer sent to this address."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_taken_back: Sheet {
        subject: |brand| format!("The change of your e-mail address for {brand} was undone"),
        heading: "The change of your e-mail address was undone",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Someone with access to the previous e-mail address of your account at {brand} has undone the change. \
                 The account was signed out everywhere, and its sign-in codes no longer go to this address."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    account_deleted: Sheet {
        subject: |brand| format!("Your account at {brand} was deleted"),
        heading: "Your account was deleted",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Your account at {brand} was deleted. It is signed out everywhere, and nobody can sign in to it. \
                 For some time it can still be restored."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_is_now: Sheet {
        subject: |brand| format!("Your new e-mail address for {brand}"),
        heading: "Your new e-mail address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the e-mail address of your account at {brand}. \
                 From now on, you sign in with this address."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    new_device: Sheet {
        subject: |brand| format!("Sign-in to {brand} from a new device"),
        heading: "Sign-in from a new device",
        before: |Fill { brand, .. }| {
            vec![
                format!("Someone signed in to your account at {brand} from a device that was not known before."),
                "Was it you? Then there is nothing to do.".to_owned(),
                "Wasn’t it you? Then sign in, end that session and forget the device.".to_owned(),
            ]
        },
        after: |_| {
            vec!["Protect your mailbox as well: whoever can read your mail can sign in to your account.".to_owned()]
        },
    },
    role_changed: Sheet {
        subject: |brand| format!("Your role at {brand} has changed"),
        heading: "Your role has changed",
        before: |Fill { brand, role, .. }| {
            vec![format!("An administrator changed what you may do at {brand}. Your role is now: {role}.")]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
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

const EMAIL_CHANGED: &str = "Your e-mail address was changed";

fn email_changed_subject(brand: &str) -> String {
    format!("Your e-mail address for {brand} was changed")
}

fn keep_code(brand: &str) -> String {
    format!("Never pass the code on to anyone. Nobody from {brand} will ever ask you for it.")
}

fn keep_link(brand: &str) -> String {
    format!("Never pass the link on, and do not forward this mail. Nobody from {brand} will ever ask you for it.")
}

fn unexpected(brand: &str) -> String {
    format!("Didn’t you expect this change? Then contact the people who run {brand}.")
}
