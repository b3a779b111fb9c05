//! The proofs behind a session: one row for each. The `amr` claim, the step-up check and the API read them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, Iterable, PaginatorTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::{
    db::{
        self,
        entity::{Method, authentications},
    },
    domain::Ctx,
    error::Result,
};

impl Method {
    /// The `amr` value in access tokens. RFC 8176 registers none for a link.
    pub fn amr(self) -> String {
        self.to_value()
    }

    /// Whether it proves that the user reads the mailbox of the account. Only such a proof counts as a recent sign-in.
    pub const fn proves_mailbox(self) -> bool {
        match self {
            Self::EmailCode | Self::Link => true,
            Self::Password => false,
        }
    }
}

/// The proofs of sessions, by session.
pub type Proofs = HashMap<Uuid, Vec<authentications::Model>>;

/// The methods of a session as in `amr`, for files that people and programs read.
pub fn names(proofs: &Proofs, session: Uuid) -> Vec<String> {
    proofs.get(&session).into_iter().flatten().map(|proof| proof.method.amr()).collect()
}

/// Records a proof of a session. The database refuses a `proof_id` that was used before. One statement.
pub(super) async fn record(db: &impl ConnectionTrait, proof: authentications::Model) -> Result<()> {
    db::insert(db, proof).await
}

/// Whether a session has a proof of the mailbox since `since`. One statement.
pub(in crate::domain) async fn has_mailbox_proof(ctx: &Ctx, session: Uuid, since: DateTime<Utc>) -> Result<bool> {
    use authentications::Column;
    let methods = Method::iter().filter(|method| method.proves_mailbox());
    let proofs = authentications::Entity::find()
        .filter(Column::SessionId.eq(session))
        .filter(Column::Method.is_in(methods))
        .filter(Column::At.gte(since));
    Ok(proofs.count(ctx.db.read()).await? > 0)
}

/// The proofs of these sessions, oldest first. One statement.
pub async fn of_sessions(ctx: &Ctx, sessions: &[Uuid]) -> Result<Proofs> {
    use authentications::Column;
    let rows = authentications::Entity::find()
        .filter(Column::SessionId.is_in(sessions.iter().copied()))
        .order_by_asc(Column::At)
        .all(ctx.db.read())
        .await?;
    let mut proofs = Proofs::new();
    for row in rows {
        proofs.entry(row.session_id).or_default().push(row);
    }
    Ok(proofs)
}
