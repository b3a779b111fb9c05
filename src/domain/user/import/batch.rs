//! A batch of rows against the database: what each row does to which account, and writing it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbBackend, EntityTrait as _};
use serde_json::json;
use uuid::Uuid;

use super::{Options, Problem, Summary, changed_since, row::Row};
use crate::{
    db::{
        self,
        entity::{Role, UserStatus, users},
    },
    domain::{
        Ctx,
        audit::{self, Event, Kind},
        credential::password::{
            hasher::Hash,
            moving::{self, Held},
        },
        mail::template::Locale,
        session::{self, EndReason},
        transaction::Work,
        user::{
            change_detail::differences,
            manage::{forbidding_code, next},
            name::Name,
        },
    },
    error::Result,
};

/// What the rows of a batch do.
#[derive(Default)]
pub(super) struct Batch {
    pub summary: Summary,
    pub problems: Vec<Problem>,
    created: Vec<users::Model>,
    changed: Vec<(users::Model, users::Model)>,
    /// Passwords of new accounts, and of those whose password is replaced.
    passwords: Vec<(Uuid, Hash)>,
    /// The accounts whose password is replaced or added.
    replaced: Vec<Uuid>,
}

/// The accounts that the rows may mean.
struct Accounts {
    users: Vec<users::Model>,
    /// Positions in `users`.
    by_email: HashMap<String, usize>,
    by_external_id: HashMap<String, usize>,
    passwords: HashMap<Uuid, Held>,
}

/// Whether to lock the accounts. A dry run changes nothing, and waits for nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Yes,
    No,
}

impl Batch {
    /// Compares rows with the database. At most two statements.
    pub(super) async fn plan(
        ctx: &Ctx,
        db: &impl ConnectionTrait,
        rows: Vec<Row>,
        options: Options,
        lock: Lock,
    ) -> Result<Self> {
        let mut batch = Self::default();
        if rows.is_empty() {
            return Ok(batch);
        }
        let accounts = Accounts::of(ctx, db, &rows, options, lock).await?;
        let (now, mut met) = (ctx.now(), HashMap::new());
        for row in rows {
            batch.summary.unverified += u64::from(row.is_unverified);
            let user = match accounts.find(&row) {
                Ok(None) => {
                    batch.create(ctx, row, now);
                    continue;
                }
                Ok(Some(user)) => user,
                Err((field, what)) => {
                    batch.problem(&row, field, what.to_owned());
                    continue;
                }
            };
            match met.insert(user.id, row.line) {
                None => batch.meet(ctx, user, &accounts, row, options, now),
                Some(line) => {
                    let what = format!("belongs to the same account as line {line}: write one row for each user");
                    batch.problem(&row, "email", what);
                }
            }
        }
        batch.summary.created = batch.created.len() as u64;
        batch.summary.changed = batch.changed.len() as u64;
        batch.summary.passwords = batch.passwords.len() as u64;
        Ok(batch)
    }

    fn problem(&mut self, row: &Row, field: &'static str, what: String) {
        self.problems.push(Problem { line: row.line, field: Some(field), what });
    }

    /// Whether the account may have the role that it gets.
    fn admits(&mut self, ctx: &Ctx, email: &str, row: &Row, role: Role, now: DateTime<Utc>) -> bool {
        let forbidden = forbidding_code(ctx, email, role, now).is_some();
        if forbidden {
            let what = "cannot be above USER, because the account has a code in DOORCODE_TEST_CODES: remove the code";
            self.problem(row, "role", what.to_owned());
        }
        !forbidden
    }

    fn create(&mut self, ctx: &Ctx, row: Row, now: DateTime<Utc>) {
        let role = row.role.unwrap_or(ctx.settings.default_role);
        if !self.admits(ctx, row.email.as_str(), &row, role, now) {
            return;
        }
        let user = users::Model {
            id: ctx.new_id(now),
            email: row.email.as_str().to_owned(),
            name_key: row.name.as_ref().map(Name::key).unwrap_or_default(),
            name: row.name.map(|name| name.as_str().to_owned()),
            role,
            status: UserStatus::Active,
            created_at: row.created_at.unwrap_or(now),
            updated_at: now,
            last_sign_in_at: None,
            version: 1,
            locale: row.locale.map(|locale| locale.as_str().to_owned()),
            deleted_at: None,
            external_id: row.external_id,
        };
        self.passwords.extend(row.hash.map(|hash| (user.id, hash)));
        self.created.push(user);
    }

    /// A row of an account that exists. Without `replace`, the account only learns its external id.
    fn meet(
        &mut self,
        ctx: &Ctx,
        user: &users::Model,
        accounts: &Accounts,
        row: Row,
        options: Options,
        now: DateTime<Utc>,
    ) {
        if user.status == UserStatus::Deleted {
            self.summary.unchanged += 1;
            return;
        }
        let mut after = user.clone();
        after.external_id = row.external_id.clone().or(after.external_id);
        let mut has_new_password = false;
        if options.replace {
            if user.role == Role::Admin && row.role.is_some_and(|role| role != Role::Admin) {
                let what = "would take the role ADMIN from an administrator: use `doorcode user role` for that";
                return self.problem(&row, "role", what.to_owned());
            }
            after.role = row.role.unwrap_or(after.role);
            if after.role != user.role && !self.admits(ctx, &user.email, &row, after.role, now) {
                return;
            }
            if let Some(name) = row.name {
                (after.name, after.name_key) = (Some(name.as_str().to_owned()), name.key());
            }
            after.locale = row.locale.map(Locale::as_str).map(str::to_owned).or(after.locale);
            if let Some(hash) = row.hash {
                let is_same = matches!(
                    accounts.passwords.get(&user.id), Some(Held::Hash(held)) if held.expose() == hash.expose()
                );
                if !is_same {
                    self.passwords.push((user.id, hash));
                    self.replaced.push(user.id);
                    has_new_password = true;
                }
            }
        }
        if after != *user {
            (after.updated_at, after.version) = (now, next(user, now).version);
            self.changed.push((user.clone(), after));
        } else if !has_new_password {
            self.summary.unchanged += 1;
        }
    }

    /// Plans a batch again under locks, and writes it in one transaction.
    pub(super) async fn write(ctx: &Ctx, rows: Vec<Row>, options: Options) -> Result<Summary> {
        let (count, now) = (rows.len(), ctx.now());
        let lines = (rows.first().map(|row| row.line), rows.last().map(|row| row.line));
        let work = Work::begin(ctx).await?;
        let batch = Self::plan(ctx, &*work, rows, options, Lock::Yes).await?;
        if !batch.problems.is_empty() {
            return Err(changed_since(batch.problems.first()));
        }
        let Self { mut summary, created, changed, passwords, replaced, .. } = batch;
        summary.rows = count as u64;
        db::insert_all(&*work, created).await?;
        update(ctx, &work, &changed).await?;
        moving::store_all(ctx, &*work, passwords.iter().map(|(user, hash)| (*user, hash)), now).await?;
        let mut events = Vec::new();
        if summary.created + summary.changed + summary.passwords > 0 {
            let detail = json!({
                "lines": lines, "created": summary.created, "changed": summary.changed, "passwords": summary.passwords,
            });
            events.push(event(Kind::PeopleImported, None, detail));
        }
        for (before, after) in &changed {
            let mut detail = differences(before, after);
            detail.insert("imported".to_owned(), json!(true));
            events.push(event(Kind::UserChanged, Some(after.id), detail.into()));
        }
        let mut ended = session::end_all_of(&*work, &replaced, EndReason::PasswordChanged, now).await?;
        for user in replaced {
            let sessions = ended.remove(&user).unwrap_or_default();
            events.push(event(Kind::PasswordSet, Some(user), json!({ "sessions": sessions, "imported": true })));
        }
        audit::record(ctx, &work, now, &events).await?;
        work.commit(ctx).await?;
        Ok(summary)
    }
}

fn event(kind: Kind, subject: Option<Uuid>, detail: serde_json::Value) -> Event<'static> {
    Event { kind, origin: None, actor: None, subject, detail, email: None }
}

impl Accounts {
    /// Reads the accounts with the addresses and external ids of these rows.
    async fn of(ctx: &Ctx, db: &impl ConnectionTrait, rows: &[Row], options: Options, lock: Lock) -> Result<Self> {
        let users = find(ctx, db, rows, lock).await?;
        let mut passwords = HashMap::new();
        if options.replace {
            let ids: Vec<_> = users.iter().map(|user| user.id).collect();
            passwords = moving::open_all(ctx, db, &ids).await?;
        }
        let by_email = users.iter().enumerate().map(|(at, user)| (user.email.clone(), at)).collect();
        let by_id = |(at, user): (usize, &users::Model)| Some((user.external_id.clone()?, at));
        let by_external_id = users.iter().enumerate().filter_map(by_id).collect();
        Ok(Self { users, by_email, by_external_id, passwords })
    }

    /// The account that a row means: the one with its external id, or else the one with its address.
    fn find(&self, row: &Row) -> std::result::Result<Option<&users::Model>, (&'static str, &'static str)> {
        let by_email = self.by_email.get(row.email.as_str()).map(|at| &self.users[*at]);
        let Some(external_id) = row.external_id.as_deref() else { return Ok(by_email) };
        match (self.by_external_id.get(external_id).map(|at| &self.users[*at]), by_email) {
            (Some(one), Some(other)) if one.id != other.id => Err((
                "email",
                "belongs to another account than the externalId: correct one of the two, or leave the row out",
            )),
            (Some(user), _) => Ok(Some(user)),
            (None, Some(user)) if user.external_id.is_some() => {
                Err(("externalId", "is not the one of the account with this address: correct it, or leave it out"))
            }
            (None, found) => Ok(found),
        }
    }
}

/// The users with the addresses or external ids of these rows. Locks them in the order of their ids, so that two imports
/// cannot wait for each other. One statement.
async fn find(ctx: &Ctx, db: &impl ConnectionTrait, rows: &[Row], lock: Lock) -> Result<Vec<users::Model>> {
    let emails = rows.iter().map(|row| row.email.as_str());
    let ids = rows.iter().filter_map(|row| row.external_id.as_deref());
    let values: Vec<_> = emails.chain(ids).map(Into::into).collect();
    let with_id = values.len() - rows.len();
    let emails = db::numbered(1, rows.len());
    let ids = if with_id > 0 { db::numbered(rows.len() + 1, with_id) } else { "NULL".to_owned() };
    let locks = lock == Lock::Yes && ctx.db.backend() == DbBackend::Postgres;
    let lock = if locks { " FOR UPDATE" } else { "" };
    let sql =
        format!("SELECT users.* FROM users WHERE email IN ({emails}) OR external_id IN ({ids}) ORDER BY id{lock}");
    Ok(users::Entity::find().from_raw_sql(db::statement(ctx.db.backend(), &sql, values)).all(db).await?)
}

/// Writes the changed columns of locked users. One statement.
async fn update(ctx: &Ctx, work: &Work, changed: &[(users::Model, users::Model)]) -> Result<()> {
    let (mut values, mut rows) = (Vec::with_capacity(changed.len() * 8), Vec::new());
    for (_, after) in changed {
        rows.push(format!("({})", db::numbered(values.len() + 1, 8)));
        values.extend([
            after.id.into(),
            after.name.clone().into(),
            after.name_key.clone().into(),
            after.role.to_value().into(),
            after.locale.clone().into(),
            after.external_id.clone().into(),
            after.version.into(),
            after.updated_at.into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    // Both databases name the columns of VALUES in this way.
    let sql = format!(
        "UPDATE users SET name = v.column2, name_key = v.column3, role = v.column4, locale = v.column5, \
         external_id = v.column6, version = v.column7, updated_at = v.column8 FROM (VALUES {}) AS v \
         WHERE users.id = v.column1",
        rows.join(", ")
    );
    work.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}
