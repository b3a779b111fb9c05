//! The development inbox: the latest mails, in memory only. Never available in production, because it shows codes to
//! anyone.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ports::Mail;

/// Number of mails kept; the oldest is dropped first.
const CAPACITY: usize = 200;

/// A mail in the inbox.
#[derive(Clone)]
pub struct InboxEntry {
    /// The outbox row it came from.
    pub id: Uuid,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// Canonical recipient.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Plain-text part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// The code, if the mail has one.
    pub code: Option<String>,
}

/// The latest mails, newest first.
#[derive(Default)]
pub struct Inbox {
    entries: Mutex<VecDeque<InboxEntry>>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mail. If it is delivered twice, the new copy replaces the old one.
    pub fn push(&self, mail: Mail, at: DateTime<Utc>) {
        let Mail { id, to, subject, text, html, logo, code } = mail;
        // Browsers cannot show a part of an email.
        let html = match logo {
            Some(png) => {
                html.replace(&format!("cid:{}", Mail::LOGO), &format!("data:image/png;base64,{}", STANDARD.encode(png)))
            }
            None => html,
        };
        let mut entries = self.lock();
        entries.retain(|entry| entry.id != id);
        entries.truncate(CAPACITY - 1);
        entries.push_front(InboxEntry { id, at, to, subject, text, html, code });
    }

    /// The newest `first` mails, optionally of one recipient.
    pub fn list(&self, to: Option<&str>, first: usize) -> Vec<InboxEntry> {
        self.lock()
            .iter()
            .filter(|entry| to.is_none_or(|to| entry.to.eq_ignore_ascii_case(to)))
            .take(first)
            .cloned()
            .collect()
    }

    /// Recovers from poisoning: a panic cannot leave the list in a harmful state.
    fn lock(&self) -> MutexGuard<'_, VecDeque<InboxEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(number: u128, to: &str) -> Mail {
        Mail {
            id: Uuid::from_u128(number),
            to: to.to_owned(),
            subject: format!("subject {number}"),
            text: String::new(),
            html: String::new(),
            logo: None,
            code: None,
        }
    }

    #[test]
    fn the_inbox_keeps_the_last_two_hundred_mails_newest_first() {
        let inbox = Inbox::new();
        for number in 0..250 {
            inbox.push(mail(number, "ada@example.com"), DateTime::UNIX_EPOCH);
        }
        let all = inbox.list(None, usize::MAX);
        assert_eq!(all.len(), CAPACITY);
        assert_eq!(all[0].id, Uuid::from_u128(249));
        assert_eq!(all[CAPACITY - 1].id, Uuid::from_u128(50));
    }

    #[test]
    fn a_logo_is_shown_without_the_email_around_it() {
        let inbox = Inbox::new();
        let html = format!("<img src=\"cid:{}\">", Mail::LOGO);
        let logo = Some("png".into());
        inbox.push(Mail { html, logo, ..mail(1, "ada@example.com") }, DateTime::UNIX_EPOCH);
        assert_eq!(inbox.list(None, 1)[0].html, "<img src=\"data:image/png;base64,cG5n\">");
    }

    #[test]
    fn the_inbox_can_be_filtered_by_recipient() {
        let inbox = Inbox::new();
        inbox.push(mail(1, "ada@example.com"), DateTime::UNIX_EPOCH);
        inbox.push(mail(2, "bob@example.com"), DateTime::UNIX_EPOCH);
        inbox.push(mail(3, "ada@example.com"), DateTime::UNIX_EPOCH);
        let numbers = |to, first| inbox.list(to, first).iter().map(|entry| entry.id.as_u128()).collect::<Vec<_>>();
        assert_eq!(numbers(Some("ada@example.com"), 9), [3, 1]);
        assert_eq!(numbers(Some("ada@example.com"), 1), [3]);
        assert_eq!(numbers(Some("eve@example.com"), 9), [0_u128; 0]);
    }

    #[test]
    fn a_mail_delivered_twice_is_listed_once() {
        let inbox = Inbox::new();
        inbox.push(mail(1, "ada@example.com"), DateTime::UNIX_EPOCH);
        inbox.push(mail(1, "ada@example.com"), DateTime::UNIX_EPOCH);
        assert_eq!(inbox.list(None, 9).len(), 1);
    }
}
