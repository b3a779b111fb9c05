//! The row locks that changes to a user start with. The caller's session was checked before the wait for a lock,
//! and may have ended during the wait: by a sign-out, or because the owner took the account back. So the statement that
//! locks the user's row also locks the caller's session, and PostgreSQL rechecks both after the wait. Joining the
//! session without locking it would not work, because PostgreSQL does not recheck unlocked rows.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, JoinType, QueryFilter, QuerySelect,
    RelationTrait,
};
use uuid::Uuid;

use super::manage::{By, is_active_admin};
use crate::{
    db::{
        self,
        entity::{UserStatus, sessions, users},
    },
    domain::{Ctx, access::Member, transaction::Work},
    error::{Error, Result},
};

/// A user whose row is locked.
pub(super) struct Locked {
    pub before: users::Model,
    /// Whether this is the only active administrator.
    pub is_last_admin: bool,
}

/// Locks a user after all active administrators, in a fixed order. If two administrators demote each other, the second
/// one then sees the first change. SQLite has a single writer and needs no lock. Two statements.
pub(super) async fn lock(ctx: &Ctx, work: &Work, by: By<'_>, id: Uuid, version: Option<i32>) -> Result<Locked> {
    let admins = lock_admins(ctx, work, by).await?;
    let before = match by {
        By::Owner { person, .. } => lock_own(work, *person).await?,
        By::Admin(_) | By::Key(_) | By::CommandLine => {
            users::Entity::find_by_id(id).lock_exclusive().one(&**work).await?.ok_or(Error::NotFound)?
        }
    };
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Conflict);
    }
    let is_last_admin = is_active_admin(&before) && admins.iter().all(|admin| *admin == id);
    Ok(Locked { before, is_last_admin })
}

/// Locks all active administrators and returns their ids. An acting administrator must still be one of them, and their
/// session or API key must still be valid. One statement.
pub(super) async fn lock_admins(ctx: &Ctx, work: &Work, by: By<'_>) -> Result<Vec<Uuid>> {
    let lock = if ctx.db.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let (join, values) = match by {
        By::Admin(admin) => (" JOIN sessions s ON s.id = $1 AND s.ended_at IS NULL", vec![admin.session().id.into()]),
        // The JOIN locks the key too, as it does a session.
        By::Key(writer) => (
            " JOIN api_keys k ON k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)",
            vec![writer.key_id().into(), ctx.now().into()],
        ),
        By::Owner { .. } | By::CommandLine => ("", Vec::new()),
    };
    let sql =
        format!("SELECT u.id FROM users u{join} WHERE u.role = 'ADMIN' AND u.status = 'ACTIVE' ORDER BY u.id{lock}");
    let rows = work.query_all_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    let admins = rows.iter().map(|row| row.try_get::<Uuid>("", "id")).collect::<Result<Vec<_>, _>>()?;
    match by {
        By::Admin(_) | By::Key(_) if admins.is_empty() => Err(Error::Unauthenticated),
        By::Key(writer) if !admins.contains(&writer.user().id) => Err(Error::InsufficientScope),
        By::Admin(admin) if !admins.contains(&admin.user().id) => Err(Error::Forbidden),
        _ => Ok(admins),
    }
}

/// Locks a user's row. One statement.
pub(in crate::domain) async fn lock_row(work: &Work, id: Uuid) -> Result<()> {
    users::Entity::find_by_id(id).lock_exclusive().one(&**work).await?;
    Ok(())
}

/// Locks the caller's row. Fails with [`Error::Unauthenticated`] if their session has ended, their account is no longer
/// active or their role has changed. One statement.
pub(in crate::domain) async fn lock_own(tx: &DatabaseTransaction, member: Member<'_>) -> Result<users::Model> {
    let mine = users::Entity::find_by_id(member.user().id)
        .join(JoinType::InnerJoin, sessions::Relation::User.def().rev())
        .filter(sessions::Column::Id.eq(member.session().id))
        .filter(sessions::Column::EndedAt.is_null())
        .lock_exclusive();
    let mine = mine.one(tx).await?;
    let is_same = |user: &users::Model| user.status == UserStatus::Active && user.role == member.user().role;
    mine.filter(is_same).ok_or(Error::Unauthenticated)
}
