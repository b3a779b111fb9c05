//! A unit of work: a transaction and the events recorded in it, which are told to whoever listens once it is committed.
//! What was rolled back is never told.

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

/// A transaction under way. Dropping it rolls back.
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
    /// Begins one.
    pub async fn begin(ctx: &Ctx) -> Result<Self> {
        Ok(Self { tx: ctx.db.begin().await?, events: Mutex::default() })
    }

    /// Notes events that were written in it.
    pub(super) fn note(&self, events: Vec<Recorded>) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
    }

    /// Makes it last, and tells.
    pub async fn commit(self, ctx: &Ctx) -> Result<()> {
        let Self { tx, events } = self;
        tx.commit().await?;
        audit::announce(ctx, &events.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}
