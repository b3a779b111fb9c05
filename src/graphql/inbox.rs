//! The `inbox` query, which only development schemas contain.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{error::ApiError, parts, scalar::EmailAddress};
use crate::domain::mail::inbox::InboxEntry;

/// An email that the development server kept instead of sending it.
#[derive(SimpleObject)]
struct InboxMessage {
    /// The ID of the email.
    id: ID,
    /// The time at which the email was delivered to the inbox.
    at: DateTime<Utc>,
    /// The recipient.
    to: EmailAddress,
    /// The subject line.
    subject: String,
    /// The plain-text part.
    text: String,
    /// The HTML part.
    html: String,
    /// The code in the email, if it has one.
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

/// The root type of the `inbox` query.
#[derive(Debug, Default)]
pub(super) struct InboxQuery;

#[Object]
impl InboxQuery {
    /// Lists the emails that this process kept, newest first. A process keeps its last 200 emails. Exists on
    /// development servers only.
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
    async fn inbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only emails to this address.")] to: Option<String>,
        #[graphql(desc = "The number of emails to return (default 20, maximum 200).")] first: Option<i32>,
    ) -> Result<Vec<InboxMessage>, ApiError> {
        let most = first.unwrap_or(20);
        if !(0..=200).contains(&most) {
            return Err(ApiError::input("first", "`first` must be between 0 and 200."));
        }
        let to = to.map(|to| canonical(&to));
        let Some(inbox) = &parts(ctx).0.inbox else {
            return Ok(Vec::new());
        };
        let entries = inbox.list(to.as_deref(), usize::try_from(most).unwrap_or_default());
        Ok(entries.into_iter().map(InboxMessage::from).collect())
    }
}

/// Returns the canonical form of an address. Returns invalid text unchanged, which then matches no email.
fn canonical(address: &str) -> String {
    crate::email_address::EmailAddress::parse(address)
        .map_or_else(|_| address.to_owned(), |email| email.as_str().to_owned())
}
