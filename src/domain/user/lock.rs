//! The row locks that a change of a person begins with. A request that waited for a lock looked its session up before the
//! wait: whoever takes the account back, or signs the person out, may have ended that session meanwhile. So the statement
//! that locks a row locks the session that acts as well, and PostgreSQL looks at both again when the wait is over. A join
//! alone would not do: rows that are not locked stay as they were when the statement began.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait,
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

/// A person whom nobody else changes meanwhile.
pub(super) struct Locked {
    /// As they are under the lock.
    pub before: users::Model,
    /// Whether nobody else is left who may change people.
    pub is_last_admin: bool,
}

/// Locks a person, and before that every active administrator, always in one order: of two administrators who demote
/// each other the second sees what the first did. SQLite has one writer and needs no lock. Two statements.
pub(super) async fn lock(ctx: &Ctx, work: &Work, by: By<'_>, id: Uuid, version: Option<i32>) -> Result<Locked> {
    let admins = lock_admins(ctx, work, by).await?;
    let before = match by {
        By::Owner { person, .. } => lock_own(work, *person).await?,
        By::Admin(_) | By::CommandLine => {
            users::Entity::find_by_id(id).lock_exclusive().one(&**work).await?.ok_or(Error::NotFound)?
        }
    };
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Conflict);
    }
    let is_last_admin = is_active_admin(&before) && admins.iter().all(|admin| *admin == id);
    Ok(Locked { before, is_last_admin })
}

/// Locks every active administrator. An administrator who acts must still be one, with the session that they came with.
/// One statement.
pub(super) async fn lock_admins(ctx: &Ctx, work: &Work, by: By<'_>) -> Result<Vec<Uuid>> {
    let lock = if ctx.db.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let (join, values) = match by {
        By::Admin(admin) => (" JOIN sessions s ON s.id = $1 AND s.ended_at IS NULL", vec![admin.session().id.into()]),
        By::Owner { .. } | By::CommandLine => ("", Vec::new()),
    };
    let sql =
        format!("SELECT u.id FROM users u{join} WHERE u.role = 'ADMIN' AND u.status = 'ACTIVE' ORDER BY u.id{lock}");
    let rows = work.query_all_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    let admins = rows.iter().map(|row| row.try_get::<Uuid>("", "id")).collect::<Result<Vec<_>, _>>()?;
    match by {
        By::Admin(_) if admins.is_empty() => Err(Error::Unauthenticated),
        By::Admin(admin) if !admins.contains(&admin.user().id) => Err(Error::Forbidden),
        _ => Ok(admins),
    }
}

/// Locks the row of the person who acts, if the session that they came with is still open and they are active in the
/// role that they came in. One statement.
pub(super) async fn lock_own(work: &Work, member: Member<'_>) -> Result<users::Model> {
    let mine = users::Entity::find_by_id(member.user().id)
        .join(JoinType::InnerJoin, sessions::Relation::User.def().rev())
        .filter(sessions::Column::Id.eq(member.session().id))
        .filter(sessions::Column::EndedAt.is_null())
        .lock_exclusive();
    let mine = mine.one(&**work).await?;
    let is_same = |user: &users::Model| user.status == UserStatus::Active && user.role == member.user().role;
    mine.filter(is_same).ok_or(Error::Unauthenticated)
}
