//! The `mailQueue` query.

use async_graphql::{Context, Object, SimpleObject};

use crate::{
    domain::{
        access::{Manager, scope},
        mail::outbox,
    },
    graphql::{error::ApiError, parts},
};

/// The emails that wait to be sent.
#[derive(SimpleObject)]
struct MailQueue {
    /// The number of emails.
    waiting: i32,
    /// The age of the oldest email, in seconds. `null` if there is none.
    oldest_age_seconds: Option<i32>,
}

#[derive(Default)]
pub(crate) struct MailQuery;

#[Object]
impl MailQuery {
    /// Returns how many emails wait to be sent, and for how long. Requires the role MANAGER.
    async fn mail_queue(&self, ctx: &Context<'_>) -> Result<MailQueue, ApiError> {
        let (domain, viewer) = parts(ctx);
        Manager::require(domain, viewer, scope::AUDIT_READ, "mailQueue").await?;
        let (waiting, age) = outbox::waiting(domain).await?;
        let number = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        Ok(MailQueue { waiting: number(waiting), oldest_age_seconds: (waiting > 0).then(|| number(age.as_secs())) })
    }
}
