//! Passwords of many users at once, for import and export.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Stored, hasher::Hash, seal};
use crate::{
    db::{self, entity::passwords},
    domain::Ctx,
    error::Result,
};

/// The password of a user.
pub(in crate::domain) enum Held {
    /// Its hash.
    Hash(Hash),
    /// No secret of this process opens it.
    Unopened,
}

/// Opens the passwords of these users; users without one are left out. One statement.
pub(in crate::domain) async fn open_all(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    users: &[Uuid],
) -> Result<HashMap<Uuid, Held>> {
    let rows = passwords::Entity::find().filter(passwords::Column::UserId.is_in(users.iter().copied())).all(db).await?;
    let open = |row: passwords::Model| {
        let stored = Stored { user_id: row.user_id, version: row.version, sealed: row.sealed };
        (row.user_id, stored.hash(ctx).map_or(Held::Unopened, Held::Hash))
    };
    Ok(rows.into_iter().map(open).collect())
}

/// Stores the passwords of these users, in place of those before. The caller holds the locks on the users. One
/// statement.
pub(in crate::domain) async fn store_all<'a>(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    hashes: impl IntoIterator<Item = (Uuid, &'a Hash)>,
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut values, mut rows) = (vec![now.into()], Vec::new());
    for (user_id, hash) in hashes {
        values.extend([user_id.into(), seal(ctx, user_id, hash)?.into()]);
        rows.push(format!("(${}, ${}, 1, $1, $1)", values.len() - 1, values.len()));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO passwords (user_id, sealed, version, created_at, changed_at) VALUES {} \
         ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, version = passwords.version + 1, \
         changed_at = excluded.changed_at",
        rows.join(", ")
    );
    db.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}
