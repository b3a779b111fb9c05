//! Removes what sessions no longer need: refresh tokens of the grace period, IP addresses, and old sessions.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::refresh;
use crate::{
    db::entity::sessions,
    domain::{Ctx, batch},
    error::Result,
};

/// Deletes sessions that ended or expired before `over_since`.
pub async fn purge(ctx: &Ctx, over_since: DateTime<Utc>) -> Result<u64> {
    let mut gone = 0;
    // One statement for each column, because each column has its own index.
    for over in ["expires_at", "ended_at"] {
        let old = format!("SELECT id FROM sessions WHERE {over} < $1 ORDER BY {over}");
        gone += batch::run(ctx, "DELETE FROM sessions", &old, &[over_since.into()]).await?;
    }
    Ok(gone)
}

/// Removes the IP address from sessions last seen before `before`.
pub async fn forget_addresses(ctx: &Ctx, before: DateTime<Utc>) -> Result<()> {
    // The condition on `created_at` is redundant, but it is the one that can use the index.
    let old = "SELECT id FROM sessions WHERE ip_address IS NOT NULL AND created_at < $1 AND last_seen_at < $1 \
               ORDER BY created_at";
    batch::run(ctx, "UPDATE sessions SET ip_address = NULL", old, &[before.into()]).await?;
    Ok(())
}

/// Erases every encrypted successor token whose grace period is over, so that a copied table holds only hashes.
pub async fn erase_successors(ctx: &Ctx) -> Result<()> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::Successor, Expr::value(Option::<Vec<u8>>::None))
        .filter(sessions::Column::Successor.is_not_null())
        .filter(sessions::Column::RotatedAt.lt(ctx.now() - refresh::GRACE))
        .exec(ctx.db.write())
        .await?;
    Ok(())
}
