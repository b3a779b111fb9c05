//! Creates, changes, deletes and restores users, for administrators, the command line and owners who delete their
//! account. Each change is one transaction, including its audit events, mails and ended sessions. The last active
//! administrator cannot be removed.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

pub use super::by::By;
use super::{
    by::check_key,
    change_detail::{Reason, differences, with_reason},
    email_change::undo,
    lock::{Locked, lock, lock_admins},
    name::Name,
    notice, role_name, status_name,
    take_back::take_back,
};
use crate::{
    db::{
        self,
        entity::{Role, UserStatus, users},
    },
    domain::{
        Ctx, Edit,
        access::{Admin, Origin, Shell},
        audit::{self, Event, Kind},
        mail::{message::Message, template::Locale},
        session::{self, EndReason},
        transaction::Work,
    },
    email_address::EmailAddress,
    error::{Error, Result},
    settings::TestCode,
};

/// A user to create.
pub struct NewPerson<'a> {
    /// The email address to sign in with.
    pub email: &'a EmailAddress,
    /// The display name.
    pub name: Option<Name>,
    /// The role.
    pub role: Role,
    /// The language of mails.
    pub locale: Option<Locale>,
    /// Whether to send an invitation.
    pub invite: bool,
}

/// The outcome of a change.
pub enum Changed {
    /// The change was made, or there was nothing to change.
    Done(Box<users::Model>),
    /// Another account has this email address.
    EmailTaken,
    /// Refused, because no active administrator would be left.
    LastAdmin,
}

impl Changed {
    /// Wraps a user in [`Changed::Done`].
    pub fn done(user: users::Model) -> Self {
        Self::Done(Box::new(user))
    }
}

/// Creates an account. Three statements, and one more for the mail.
pub async fn create(ctx: &Ctx, by: By<'_>, new: NewPerson<'_>) -> Result<Changed> {
    by.may_give(new.role)?;
    let now = ctx.now();
    check_promotion(ctx, "role", new.email.as_str(), new.role, now)?;
    let work = Work::begin(ctx).await?;
    lock_admins(ctx, &work, by).await?;
    let sql = "INSERT INTO users \
         (id, email, name, name_key, role, status, locale, version, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6, 1, $7, $7) ON CONFLICT (email) DO NOTHING RETURNING *";
    let values = [
        ctx.new_id(now).into(),
        new.email.as_str().into(),
        new.name.as_ref().map(Name::as_str).into(),
        new.name.as_ref().map(Name::key).unwrap_or_default().into(),
        new.role.to_value().into(),
        new.locale.map(Locale::as_str).into(),
        now.into(),
    ];
    let statement = db::statement(ctx.db.backend(), sql, values);
    let Some(user) = users::Entity::find().from_raw_sql(statement).one(&*work).await? else {
        return Ok(Changed::EmailTaken);
    };
    let detail = json!({ "email": user.email, "name": user.name, "role": role_name(user.role) });
    audit::record(ctx, &work, now, &[by.event(Kind::UserCreated, user.id, detail)]).await?;
    if new.invite {
        notice::queue(ctx, &*work, &user, Message::Invitation, None, now).await?;
    }
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Changed::done(user))
}

/// A change to a user. `None` and [`Edit::Keep`] leave a field as it is.
#[derive(Default)]
pub struct Change {
    /// The version that the change is based on; any other version is a conflict.
    pub version: Option<i32>,
    /// The email address, for a user who lost access to their mailbox.
    pub email: Option<EmailAddress>,
    /// The display name.
    pub name: Edit<Name>,
    /// The role.
    pub role: Option<Role>,
    /// The status; never DELETED, which [`delete`] sets.
    pub status: Option<UserStatus>,
    /// The reason, for the audit event.
    pub reason: Option<Reason>,
}

/// Changes a user. A suspension or a new email address ends all their sessions. Administrators cannot change their own
/// email address this way: with a stolen session, the owner could not get the account back.
pub async fn change(ctx: &Ctx, by: By<'_>, id: Uuid, mut change: Change) -> Result<Changed> {
    if let By::Admin(admin) = by
        && admin.user().id == id
        && change.email.is_some()
    {
        return Err(Error::invalid("email", "Use `changeEmail` to change your own address."));
    }
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let Locked { before, is_last_admin } = lock(ctx, &work, by, id, change.version).await?;
    check_key(by, &before, change.role.is_some() || change.email.is_some())?;
    if before.status == UserStatus::Deleted {
        return Err(Error::invalid("id", "This user is deleted. Restore them first."));
    }
    let reason = change.reason.take();
    let after = apply(&before, change, now);
    if after.role != before.role {
        by.may_give(before.role)?;
        by.may_give(after.role)?;
    }
    if after.role > before.role || after.email != before.email {
        let field = if after.role > before.role { "role" } else { "email" };
        check_promotion(ctx, field, &after.email, after.role, now)?;
    }
    if is_last_admin && !is_active_admin(&after) {
        return Ok(Changed::LastAdmin);
    }
    let detail = differences(&before, &after);
    if detail.is_empty() {
        return Ok(Changed::done(before));
    }
    match write(&*work, &after).await {
        Err(Error::Conflict) => return Ok(Changed::EmailTaken),
        written => written?,
    }
    audit::record(ctx, &work, now, &[by.event(Kind::UserChanged, id, with_reason(detail, reason))]).await?;
    let ending = match (after.status, after.email == before.email) {
        (UserStatus::Suspended, _) => Some(EndReason::Suspended),
        (_, false) => Some(EndReason::EmailChanged),
        _ => None,
    };
    if let Some(ending) = ending.filter(|_| after.status != before.status || after.email != before.email) {
        end_sessions(ctx, &work, by, id, ending, now).await?;
    }
    follow_up(ctx, &work, &before, &after, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Changed::done(after))
}

/// The fixed test code that forbids a role above USER for an address, because sessions opened with the code would get the
/// role too.
pub(super) fn forbidding_code<'a>(ctx: &'a Ctx, email: &str, role: Role, now: DateTime<Utc>) -> Option<&'a TestCode> {
    ctx.settings.test_code(email, now).filter(|_| role > Role::User)
}

fn check_promotion(ctx: &Ctx, field: &'static str, email: &str, role: Role, now: DateTime<Utc>) -> Result<()> {
    match forbidding_code(ctx, email, role, now) {
        None => Ok(()),
        Some(test) => Err(Error::invalid(
            field,
            format!(
                "This address has a test code in DOORCODE_TEST_CODES until {}, so its role can't be above USER. Remove \
                 the code first.",
                test.until
            ),
        )),
    }
}

/// Queues the mails about a change. A new email address also takes the account back from anybody who may have had the
/// old one: devices, password, codes and links.
async fn follow_up(
    ctx: &Ctx,
    work: &Work,
    before: &users::Model,
    after: &users::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    if after.email != before.email {
        // Someone with access to the user's devices may also have had the mailbox and the undo links in it.
        take_back(ctx, work, before, EndReason::EmailChanged, now).await?;
        undo::void_all(ctx, work, after.id, now).await?;
        notice::queue(ctx, &**work, before, Message::EmailChangedForYou, None, now).await?;
        notice::queue(ctx, &**work, after, Message::EmailIsNow, None, now).await?;
    }
    if after.role != before.role {
        notice::queue(ctx, &**work, after, Message::RoleChanged(after.role), None, now).await?;
    }
    Ok(())
}

/// Soft-deletes a user: ends their sessions, blocks sign-in and hides them from everyone except administrators, who can
/// restore them until they are erased.
pub async fn delete(ctx: &Ctx, by: By<'_>, id: Uuid, version: Option<i32>) -> Result<Changed> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let Locked { before, is_last_admin } = lock(ctx, &work, by, id, version).await?;
    check_key(by, &before, true)?;
    if let By::Owner { typed, .. } = by {
        check_confirmed(&before, typed)?;
    }
    if before.status == UserStatus::Deleted {
        return Ok(Changed::done(before));
    }
    if is_last_admin {
        return Ok(Changed::LastAdmin);
    }
    let status = UserStatus::Deleted;
    let after = users::Model { status, deleted_at: Some(now), ..next(&before, now) };
    write(&*work, &after).await?;
    let detail = json!({ "status": [status_name(before.status), status_name(status)] });
    audit::record(ctx, &work, now, &[by.event(Kind::UserDeleted, id, detail)]).await?;
    end_sessions(ctx, &work, by, id, EndReason::Deleted, now).await?;
    notice::queue(ctx, &*work, &before, Message::AccountDeleted, None, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Changed::done(after))
}

fn check_confirmed(user: &users::Model, typed: &str) -> Result<()> {
    let matches = EmailAddress::parse(typed).is_ok_and(|email| email.as_str() == user.email);
    if matches { Ok(()) } else { Err(Error::invalid("email", "Type your own address to delete your account.")) }
}

/// Restores a deleted or suspended user, who can then sign in again.
pub async fn restore(ctx: &Ctx, by: By<'_>, id: Uuid, version: Option<i32>) -> Result<users::Model> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let Locked { before, .. } = lock(ctx, &work, by, id, version).await?;
    check_key(by, &before, before.status == UserStatus::Deleted)?;
    if before.status == UserStatus::Active {
        return Ok(before);
    }
    let after = users::Model { status: UserStatus::Active, deleted_at: None, ..next(&before, now) };
    write(&*work, &after).await?;
    let detail = json!({ "status": [status_name(before.status), status_name(after.status)] });
    audit::record(ctx, &work, now, &[by.event(Kind::UserRestored, id, detail)]).await?;
    work.commit(ctx).await?;
    Ok(after)
}

/// Ends all sessions of a user. Returns how many ended.
pub async fn end_all_sessions(ctx: &Ctx, admin: Admin<'_>, id: Uuid) -> Result<usize> {
    end_every_session(ctx, Some(admin.origin()), Some(admin.user().id), id).await
}

/// The same from the command line. The audit event then has no actor.
pub async fn end_all_sessions_from_shell(ctx: &Ctx, _: Shell, id: Uuid) -> Result<usize> {
    end_every_session(ctx, None, None, id).await
}

async fn end_every_session(ctx: &Ctx, origin: Option<&Origin>, actor: Option<Uuid>, id: Uuid) -> Result<usize> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    // Locked, because a client could open a session at the same time, which the next statement would not see.
    users::Entity::find_by_id(id).lock_exclusive().one(&*work).await?.ok_or(Error::NotFound)?;
    let ended = session::end_all(&*work, id, EndReason::ByAdmin, now).await?;
    if !ended.is_empty() {
        let detail = json!({ "sessions": ended, "reason": EndReason::ByAdmin.as_str() });
        let event = Event { kind: Kind::SessionEnded, origin, actor, subject: Some(id), detail, email: None };
        audit::record(ctx, &work, now, &[event]).await?;
    }
    work.commit(ctx).await?;
    Ok(ended.len())
}

async fn end_sessions(
    ctx: &Ctx,
    work: &Work,
    by: By<'_>,
    id: Uuid,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<()> {
    let ended = session::end_all(&**work, id, reason, now).await?;
    if ended.is_empty() {
        return Ok(());
    }
    let detail = json!({ "sessions": ended, "reason": reason.as_str() });
    audit::record(ctx, work, now, &[by.event(Kind::SessionEnded, id, detail)]).await
}

/// Whether there is an active administrator, for `doorcode doctor`.
pub async fn has_active_admin(ctx: &Ctx) -> Result<bool> {
    let admins = users::Entity::find()
        .filter(users::Column::Role.eq(Role::Admin))
        .filter(users::Column::Status.eq(UserStatus::Active));
    Ok(admins.one(ctx.db.read()).await?.is_some())
}

pub(super) fn is_active_admin(user: &users::Model) -> bool {
    user.role == Role::Admin && user.status == UserStatus::Active
}

pub(super) fn next(before: &users::Model, now: DateTime<Utc>) -> users::Model {
    users::Model { updated_at: now, version: before.version.wrapping_add(1), ..before.clone() }
}

fn apply(before: &users::Model, change: Change, now: DateTime<Utc>) -> users::Model {
    let mut after = next(before, now);
    if let Some(email) = change.email {
        email.as_str().clone_into(&mut after.email);
    }
    rename(&mut after, change.name);
    after.role = change.role.unwrap_or(before.role);
    after.status = change.status.unwrap_or(before.status);
    after
}

pub(super) fn rename(user: &mut users::Model, name: Edit<Name>) {
    match name {
        Edit::Keep => {}
        Edit::Clear => (user.name, user.name_key) = (None, String::new()),
        Edit::Set(name) => (user.name, user.name_key) = (Some(name.as_str().to_owned()), name.key()),
    }
}

/// Writes all changeable columns of a locked user. Fails with [`Error::Conflict`] if another account has the email
/// address.
pub(super) async fn write(db: &impl ConnectionTrait, after: &users::Model) -> Result<()> {
    use users::Column;
    users::Entity::update_many()
        .col_expr(Column::Email, Expr::value(after.email.clone()))
        .col_expr(Column::Name, Expr::value(after.name.clone()))
        .col_expr(Column::NameKey, Expr::value(after.name_key.clone()))
        .col_expr(Column::Role, Expr::value(after.role.to_value()))
        .col_expr(Column::Status, Expr::value(after.status.to_value()))
        .col_expr(Column::Locale, Expr::value(after.locale.clone()))
        .col_expr(Column::Version, Expr::value(after.version))
        .col_expr(Column::UpdatedAt, Expr::value(after.updated_at))
        .col_expr(Column::DeletedAt, Expr::value(after.deleted_at))
        .filter(Column::Id.eq(after.id))
        .exec(db)
        .await?;
    Ok(())
}
