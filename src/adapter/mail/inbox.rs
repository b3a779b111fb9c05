//! Delivers emails to the development inbox in memory. Delivery never fails.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    domain::mail::inbox::Inbox,
    ports::{Clock, DeliveryFailure, Mail, MailTransport},
};

/// Delivers emails to an [`Inbox`], which the inbox page and the `inbox` query show.
pub struct InboxTransport {
    inbox: Arc<Inbox>,
    clock: Arc<dyn Clock>,
}

impl InboxTransport {
    /// Creates a transport. `clock` provides the time of each delivery.
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
