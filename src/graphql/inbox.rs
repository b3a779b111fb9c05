//! The development inbox. Its type is in no production schema, so there is nothing to switch off.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{error::ApiError, parts, user::EmailAddress};
use crate::domain::mail::inbox::InboxEntry;

/// A mail that development kept instead of sending it.
#[derive(SimpleObject)]
struct InboxMessage {
    /// Of the mail.
    id: ID,
    /// When it was delivered.
    at: DateTime<Utc>,
    /// To whom.
    to: EmailAddress,
    /// The subject line.
    subject: String,
    /// The plain-text part.
    text: String,
    /// The HTML part.
    html: String,
    /// The code in the mail, if it carries one.
    code: Option<String>,
}

impl From<InboxEntry> for InboxMessage {
    fn from(entry: InboxEntry) -> Self {
        Self {
            id: entry.id.to_string().into(),
            at: entry.at,
            to: EmailAddress(entry.to),
            subject: entry.subject,
            text: entry.text,
            html: entry.html,
            code: entry.code,
        }
    }
}

/// The inbox. An application merges it into the root that it has in development, and into no other.
#[derive(Debug, Default)]
pub struct InboxQuery;

#[Object]
impl InboxQuery {
    /// Development only: the mails that this process would have sent, newest first; it keeps the last 200.
    #[expect(clippy::unused_async, reason = "the schema's macro wants it so")]
    async fn inbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those to this address.")] to: Option<String>,
        #[graphql(desc = "At most so many, at most 200; 20 unless told.")] first: Option<i32>,
    ) -> Result<Vec<InboxMessage>, ApiError> {
        let most = first.unwrap_or(20);
        if !(0..=200).contains(&most) {
            return Err(ApiError::input("first", "Between 0 and 200."));
        }
        let to = to.map(|to| canonical(&to));
        let Some(inbox) = &parts(ctx).0.inbox else {
            return Ok(Vec::new());
        };
        let entries = inbox.list(to.as_deref(), usize::try_from(most).unwrap_or_default());
        Ok(entries.into_iter().map(InboxMessage::from).collect())
    }
}

/// As mail is addressed; what is no address finds no mail.
fn canonical(address: &str) -> String {
    crate::email_address::EmailAddress::parse(address)
        .map_or_else(|_| address.to_owned(), |email| email.as_str().to_owned())
}
