//! Exports all active users with their password hashes, one JSON object a line, as an import reads them.

use std::io::Write;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{is_parked, role_name};
use crate::{
    db::entity::{UserStatus, users},
    domain::{
        Ctx,
        access::Shell,
        audit::{self, Event, Kind},
        credential::password::moving::{self, Held},
    },
    error::{Error, Result},
};

/// Number of users read at once.
const PAGE: u64 = 1_000;

/// A row of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    email: &'a str,
    name: Option<&'a str>,
    role: String,
    verified: bool,
    password_hash: Option<&'a str>,
    external_id: Option<&'a str>,
    locale: Option<&'a str>,
    created_at: DateTime<Utc>,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exported {
    /// Rows written.
    pub users: u64,
    /// Rows with a password.
    pub passwords: u64,
    /// Rows without their password, because no server secret of this process opens it.
    pub unopened: u64,
    /// Suspended and deleted users, who are left out: a row cannot say that they may not sign in.
    pub left_out: u64,
}

/// Writes all active users in the order in which they came, reports their number after each page, and records the
/// export in the audit trail.
///
/// # Errors
/// If the file or the database fails.
pub async fn export(ctx: &Ctx, _: Shell, mut file: impl Write, mut progress: impl FnMut(u64)) -> Result<Exported> {
    let (mut exported, mut last) = (Exported::default(), Uuid::nil());
    loop {
        let page = users::Entity::find()
            .filter(users::Column::Id.gt(last))
            .order_by_asc(users::Column::Id)
            .limit(PAGE)
            .all(ctx.db.read())
            .await?;
        let Some(end) = page.last() else { break };
        last = end.id;
        let ids: Vec<_> = page.iter().map(|user| user.id).collect();
        let passwords = moving::open_all(ctx, ctx.db.read(), &ids).await?;
        for user in &page {
            if user.status != UserStatus::Active || is_parked(user) {
                exported.left_out += 1;
                continue;
            }
            let password = passwords.get(&user.id);
            let hash = match password {
                Some(Held::Hash(hash)) => Some(hash.expose()),
                Some(Held::Unopened) | None => None,
            };
            exported.users += 1;
            exported.passwords += u64::from(hash.is_some());
            exported.unopened += u64::from(matches!(password, Some(Held::Unopened)));
            let row = Row {
                email: &user.email,
                name: user.name.as_deref(),
                role: role_name(user.role),
                // A password is only stored of a user whose mailbox was proved, here or in the system before.
                verified: user.last_sign_in_at.is_some() || password.is_some(),
                password_hash: hash,
                external_id: user.external_id.as_deref(),
                locale: user.locale.as_deref(),
                created_at: user.created_at,
            };
            serde_json::to_writer(&mut file, &row).map_err(failed)?;
            file.write_all(b"\n").map_err(failed)?;
        }
        progress(exported.users + exported.left_out);
    }
    file.flush().map_err(failed)?;
    let Exported { users, passwords, .. } = exported;
    let detail = json!({ "users": users, "passwords": passwords });
    let event = Event { kind: Kind::PeopleExported, origin: None, actor: None, subject: None, detail, email: None };
    audit::record_alone(ctx, ctx.now(), event).await?;
    Ok(exported)
}

/// The number of users, for a progress bar.
pub async fn count(ctx: &Ctx, _: Shell) -> Result<u64> {
    use sea_orm::PaginatorTrait as _;
    Ok(users::Entity::find().count(ctx.db.read()).await?)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Startup(format!("cannot write the file: {error}"))
}
