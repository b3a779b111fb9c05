//! Passwords: one row per user with the sealed hash. `hasher.rs` computes hashes, `scheme.rs` reads those of other
//! systems, `policy.rs` says which passwords are refused, `tries.rs` counts wrong ones and `change.rs` sets and removes
//! them.

pub mod change;
pub mod hasher;
pub(in crate::domain) mod moving;
pub mod policy;
pub mod scheme;
pub(in crate::domain) mod tries;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use self::{
    hasher::{Hash, Slot},
    policy::{Identity, Password, Weakness},
};
use crate::{
    db::entity::passwords,
    domain::{Ctx, user::name::Name, vault::Purpose},
    email_address::EmailAddress,
    error::{Error, Result},
};

/// A password and a name that wait until the mailbox is proved.
pub struct Registration {
    hash: Hash,
    name: Option<Name>,
}

/// The sealed form.
#[derive(Serialize, Deserialize)]
struct Waiting {
    hash: String,
    name: Option<String>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.hash.zeroize();
    }
}

impl Registration {
    /// A registration with the hash of the chosen password.
    pub const fn new(hash: Hash, name: Option<Name>) -> Self {
        Self { hash, name }
    }

    pub(in crate::domain) const fn hash(&self) -> &Hash {
        &self.hash
    }

    pub(in crate::domain) const fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Seals it for a challenge.
    pub(in crate::domain) fn seal(&self, ctx: &Ctx, challenge: Uuid) -> Result<Vec<u8>> {
        let name = self.name.as_ref().map(|name| name.as_str().to_owned());
        let waiting = Waiting { hash: self.hash.expose().to_owned(), name };
        let mut plain = Zeroizing::new(Vec::with_capacity(1_024));
        serde_json::to_writer(&mut *plain, &waiting)
            .map_err(|error| Error::Internal(format!("sealing a registration: {error}")))?;
        ctx.vault.seal(Purpose::Registration, challenge.as_bytes(), &plain, &*ctx.entropy)
    }

    /// Opens what was sealed for a challenge.
    pub(in crate::domain) fn open(ctx: &Ctx, challenge: Uuid, sealed: &[u8]) -> Result<Self> {
        let broken = || Error::Internal(format!("no server secret opens the registration of challenge {challenge}"));
        let plain = ctx.vault.open(Purpose::Registration, challenge.as_bytes(), sealed).ok_or_else(broken)?;
        let waiting: Waiting = serde_json::from_slice(&plain).map_err(|_| broken())?;
        let name = waiting.name.as_deref().and_then(|name| Name::parse(name).ok());
        Ok(Self { hash: Hash::new(&waiting.hash), name })
    }
}

/// The password that a sign-in compared. Only a right password makes one.
pub struct Compared {
    user_id: Uuid,
    version: i32,
    /// The hash with today's parameters and secret, if the stored one has others.
    renewed: Option<Vec<u8>>,
}

impl Compared {
    pub(in crate::domain) const fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// Whether the user still has this password, under the lock that the caller holds on the user. Also stores the
    /// renewed hash. One statement.
    pub(in crate::domain) async fn is_current(&self, db: &impl ConnectionTrait) -> Result<bool> {
        use passwords::Column;
        let current = Condition::all().add(Column::UserId.eq(self.user_id)).add(Column::Version.eq(self.version));
        if let Some(sealed) = &self.renewed {
            let renewed = passwords::Entity::update_many()
                .col_expr(Column::Sealed, Expr::value(sealed.clone()))
                .filter(current)
                .exec(db)
                .await?;
            return Ok(renewed.rows_affected == 1);
        }
        Ok(passwords::Entity::find().filter(current).lock_exclusive().one(db).await?.is_some())
    }
}

/// A stored password, to compare with.
#[derive(Clone)]
pub(in crate::domain) struct Stored {
    pub user_id: Uuid,
    pub version: i32,
    pub sealed: Vec<u8>,
}

impl Stored {
    /// The hash, or `None` if no secret of this process opens it.
    pub(in crate::domain) fn hash(&self, ctx: &Ctx) -> Option<Hash> {
        let plain = ctx.vault.open(Purpose::Password, self.user_id.as_bytes(), &self.sealed);
        let hash = plain.as_deref().and_then(|plain| std::str::from_utf8(plain).ok()).map(Hash::new);
        if hash.is_none() {
            tracing::error!(user = %self.user_id, "no server secret of this process opens this password");
        }
        hash
    }

    /// The proof that the password was right, given what the hasher says.
    pub(in crate::domain) fn compared(&self, ctx: &Ctx, renewed: Option<&Hash>) -> Result<Compared> {
        let context = self.user_id.as_bytes();
        let renewed = match renewed {
            Some(hash) => Some(seal(ctx, self.user_id, hash)?),
            None => ctx.vault.reseal(Purpose::Password, context, &self.sealed, &*ctx.entropy)?,
        };
        Ok(Compared { user_id: self.user_id, version: self.version, renewed })
    }
}

fn seal(ctx: &Ctx, user_id: Uuid, hash: &Hash) -> Result<Vec<u8>> {
    ctx.vault.seal(Purpose::Password, user_id.as_bytes(), hash.expose().as_bytes(), &*ctx.entropy)
}

/// Stores a user's password, in place of the one before. The caller holds the lock on the user. One statement.
pub(in crate::domain) async fn store(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user_id: Uuid,
    hash: &Hash,
    now: DateTime<Utc>,
) -> Result<()> {
    moving::store_all(ctx, db, [(user_id, hash)], now).await
}

/// Removes a user's password; whether there was one. The caller holds the lock on the user. One statement.
pub(in crate::domain) async fn remove(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool> {
    Ok(passwords::Entity::delete_by_id(user_id).exec(db).await?.rows_affected > 0)
}

/// When each of these users set the password they have. One statement.
pub async fn changed_at(ctx: &Ctx, users: &[Uuid]) -> Result<HashMap<Uuid, DateTime<Utc>>> {
    use passwords::Column;
    let rows: Vec<(Uuid, DateTime<Utc>)> = passwords::Entity::find()
        .select_only()
        .columns([Column::UserId, Column::ChangedAt])
        .filter(Column::UserId.is_in(users.iter().copied()))
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows.into_iter().collect())
}

/// Number of passwords that [`reseal`] reads at once.
const BATCH: u64 = 500;

/// During secret rotation, seals under the newest secret the passwords that only an older one opens, so that the older
/// secret can be removed. Safe to run in several processes at once: only one update per password succeeds.
pub(in crate::domain) async fn reseal(ctx: &Ctx) -> Result<()> {
    use passwords::Column;
    let mut last = Uuid::nil();
    while ctx.vault.is_rotating() {
        let rows = passwords::Entity::find()
            .filter(Column::UserId.gt(last))
            .order_by_asc(Column::UserId)
            .limit(BATCH)
            .all(ctx.db.read())
            .await?;
        let Some(end) = rows.last() else { break };
        last = end.user_id;
        for row in rows {
            let user = row.user_id.as_bytes();
            let resealed = ctx.vault.reseal(Purpose::Password, user, &row.sealed, &*ctx.entropy)?;
            let Some(resealed) = resealed else { continue };
            passwords::Entity::update_many()
                .col_expr(Column::Sealed, Expr::value(resealed))
                .filter(Column::UserId.eq(row.user_id))
                .filter(Column::Sealed.eq(row.sealed))
                .exec(ctx.db.write())
                .await?;
        }
    }
    Ok(())
}

/// All reasons to refuse a new password. Takes a hashing slot, because the list of breached passwords is read from disk,
/// and returns it.
pub(in crate::domain) async fn weaknesses(
    ctx: &Ctx,
    slot: Slot,
    password: &Password,
    email: Option<&EmailAddress>,
    name: Option<&Name>,
) -> Result<(Vec<Weakness>, Slot)> {
    let (is_breached, slot) = match &ctx.breached {
        Some(list) => list.find(password, slot).await?,
        None => (false, slot),
    };
    let identity = Identity { email, name: name.map(Name::as_str), brand: &ctx.settings.brand };
    Ok((policy::weaknesses(ctx.settings.password_min as usize, password, &identity, is_breached), slot))
}
