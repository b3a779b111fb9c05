//! A transaction and the audit events recorded in it. The events are published after the commit, never after a
//! rollback.

use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use sea_orm::DatabaseTransaction;

use super::{
    Ctx,
    audit::{self, Recorded},
};
use crate::error::Result;

/// An open transaction. Dropping it rolls back.
pub struct Work {
    tx: DatabaseTransaction,
    events: Mutex<Vec<Recorded>>,
}

impl Deref for Work {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

impl Work {
    /// Begins a transaction.
    pub async fn begin(ctx: &Ctx) -> Result<Self> {
        Ok(Self { tx: ctx.db.begin().await?, events: Mutex::default() })
    }

    /// Adds events written in this transaction, to be published after the commit.
    pub(super) fn note(&self, events: Vec<Recorded>) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
    }

    /// Commits and publishes the events.
    pub async fn commit(self, ctx: &Ctx) -> Result<()> {
        let Self { tx, events } = self;
        tx.commit().await?;
        audit::announce(ctx, &events.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}
