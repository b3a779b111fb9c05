//! Delivers mail to the development inbox. It opens no connection and never fails.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    domain::mail::inbox::Inbox,
    ports::{Clock, DeliveryFailure, Mail, MailTransport},
};

/// Delivers to an [`Inbox`] that the pages and GraphQL read.
pub struct InboxTransport {
    inbox: Arc<Inbox>,
    clock: Arc<dyn Clock>,
}

impl InboxTransport {
    /// Delivers to this inbox, with timestamps from this clock.
    pub fn new(inbox: Arc<Inbox>, clock: Arc<dyn Clock>) -> Self {
        Self { inbox, clock }
    }
}

#[async_trait]
impl MailTransport for InboxTransport {
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        self.inbox.push(mail.clone(), self.clock.now());
        Ok(())
    }

    async fn rehearse(&self, _: &Mail, _: u64) -> Result<(), DeliveryFailure> {
        Ok(())
    }
}
