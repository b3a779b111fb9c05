//! The `signing_keys` table: keys that sign access tokens.

use sea_orm::entity::prelude::*;

/// A signing key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// UUID v7, also `kid`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `EdDSA`, `ES256`, `RS256` or `HS256`; a key never changes its algorithm.
    pub algorithm: String,
    /// Private key (PKCS #8) or HMAC secret, sealed with the server secret.
    pub sealed: Vec<u8>,
    /// Public key as a JWK; none for HS256.
    pub public_jwk: Option<Json>,
    /// Time of creation and publication.
    pub created_at: DateTimeUtc,
    /// When it starts to sign.
    pub signs_from: DateTimeUtc,
    /// When the last token signed with it expires; none while it signs.
    pub retires_at: Option<DateTimeUtc>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
