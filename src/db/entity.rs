//! Every table, one inline module each, the same on both databases.
//! Columns here and in `migration` are compared by a test; nothing here creates a table.

use sea_orm::entity::prelude::*;

/// What a person may do; the order is the order of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Role {
    /// Reads itself.
    #[sea_orm(string_value = "GUEST")]
    Guest,
    /// Also changes itself.
    #[sea_orm(string_value = "USER")]
    User,
    /// Also reads people and audit events.
    #[sea_orm(string_value = "MANAGER")]
    Manager,
    /// Also changes people.
    #[sea_orm(string_value = "ADMIN")]
    Admin,
}

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum UserStatus {
    /// May sign in.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// May not, until restored by an administrator.
    #[sea_orm(string_value = "SUSPENDED")]
    Suspended,
    /// Gone for everybody but administrators.
    #[sea_orm(string_value = "DELETED")]
    Deleted,
}

/// Where a mail in the outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum MailState {
    /// Waiting for its first or next try.
    #[sea_orm(string_value = "PENDING")]
    Pending,
    /// Taken by the next hop.
    #[sea_orm(string_value = "SENT")]
    Sent,
    /// What it carried went stale before it could be sent.
    #[sea_orm(string_value = "EXPIRED")]
    Expired,
    /// Refused for good, or tried too often.
    #[sea_orm(string_value = "FAILED")]
    Failed,
    /// Never meant to be sent: the same work for an address that gets no mail.
    #[sea_orm(string_value = "DECOY")]
    Decoy,
}

/// People.
pub mod users {
    use super::{Role, UserStatus};
    use sea_orm::entity::prelude::*;

    /// A person.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Canonical address.
        #[sea_orm(unique)]
        pub email: String,
        /// What the person wants to be called.
        pub name: Option<String>,
        /// What they may do.
        pub role: Role,
        /// Whether they may sign in.
        pub status: UserStatus,
        /// When the account was made.
        pub created_at: DateTimeUtc,
        /// When it last changed.
        pub updated_at: DateTimeUtc,
        /// The last completed sign-in.
        pub last_sign_in_at: Option<DateTimeUtc>,
        /// Goes up with every change by a person, so that two of them cannot overwrite each other.
        pub version: i32,
        /// The name in lower case, which lists search and sort by; empty without a name.
        pub name_key: String,
        /// The language of their mails: the one that they chose, or first asked for.
        pub locale: Option<String>,
        /// When the account was deleted; erased for good some time after.
        pub deleted_at: Option<DateTimeUtc>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Browsers that have signed in before.
pub mod devices {
    use crate::db::digest::Digest;
    use sea_orm::entity::prelude::*;

    /// A known device.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "devices")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose it is.
        pub user_id: Uuid,
        /// SHA-256 of the device token.
        pub token_hash: Digest,
        /// First sign-in.
        pub created_at: DateTimeUtc,
        /// Latest sign-in.
        pub last_used_at: DateTimeUtc,
        /// When it is forgotten by itself.
        pub expires_at: DateTimeUtc,
        /// Browser at the latest sign-in.
        pub user_agent: Option<String>,
        /// Address at the latest sign-in.
        pub ip_address: Option<String>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sign-ins that last until they end.
pub mod sessions {
    use crate::db::digest::Digest;
    use sea_orm::entity::prelude::*;

    /// A session.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// UUID v7; `sid` in tokens.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose it is.
        pub user_id: Uuid,
        /// The device it was opened from.
        pub device_id: Option<Uuid>,
        /// The code or link that opened it. Unique: a second session from one code cannot be written.
        #[sea_orm(unique)]
        pub credential_id: Uuid,
        /// How the person proved themselves: `otp` or `link`.
        pub method: String,
        /// When it was opened, which is `auth_time` in tokens.
        pub created_at: DateTimeUtc,
        /// Latest request, to the minute.
        pub last_seen_at: DateTimeUtc,
        /// When it ends unless refreshed before.
        pub idle_expires_at: DateTimeUtc,
        /// When it ends whatever happens.
        pub expires_at: DateTimeUtc,
        /// When it ended.
        pub ended_at: Option<DateTimeUtc>,
        /// Why it ended.
        pub end_reason: Option<String>,
        /// Browser that opened it.
        pub user_agent: Option<String>,
        /// Address that opened it.
        pub ip_address: Option<String>,
        /// SHA-256 of the live refresh token.
        pub refresh_hash: Digest,
        /// SHA-256 of its immediate predecessor.
        pub previous_hash: Option<Digest>,
        /// When the predecessor was replaced.
        pub rotated_at: Option<DateTimeUtc>,
        /// The live refresh token sealed under a key that only its predecessor gives; erased after the grace.
        pub successor: Option<Vec<u8>>,
    }

    /// What a session is looked up with.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        /// Whose it is.
        #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
        User,
    }

    impl Related<super::users::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::User.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// One-time codes by e-mail: one row a challenge.
pub mod email_codes {
    use crate::db::digest::Digest;
    use sea_orm::entity::prelude::*;

    /// A challenge with at most two live codes.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "email_codes")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// SHA-256 of the challenge handle.
        #[sea_orm(unique)]
        pub handle_hash: Digest,
        /// What a right code allows, such as `sign_in`.
        pub purpose: String,
        /// HMAC of the canonical address.
        pub address_key: Digest,
        /// Whose guessing budget wrong tries are charged to: the address's or a known device's.
        pub budget_key: Digest,
        /// Canonical address as typed; empty once the codes are dead.
        pub email: String,
        /// The known device that asked.
        pub device_id: Option<Uuid>,
        /// Whether the code is a fixed test code.
        pub fixed: bool,
        /// Keyed hash of the newest code.
        pub code_hash: Digest,
        /// Keyed hash of the code before it.
        pub earlier_hash: Option<Digest>,
        /// When the code before it dies.
        pub earlier_expires_at: Option<DateTimeUtc>,
        /// When the newest code dies.
        pub expires_at: DateTimeUtc,
        /// Tries counted so far, each before its comparison.
        pub attempts: i32,
        /// Units charged to the budget: a wrong try costs as many as codes were live.
        pub units: i32,
        /// Latest counted try.
        pub attempted_at: Option<DateTimeUtc>,
        /// When the challenge was made.
        pub created_at: DateTimeUtc,
        /// When a right code was used.
        pub consumed_at: Option<DateTimeUtc>,
        /// The person who asked, when the code is for something that only they may do.
        pub user_id: Option<Uuid>,
        /// The language that was asked for.
        pub locale: Option<String>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sign-in links: at most one an address.
pub mod sign_in_links {
    use crate::db::digest::Digest;
    use sea_orm::entity::prelude::*;

    /// A link that signs in the browser that presses its button.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_links")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// HMAC of the canonical address.
        #[sea_orm(unique)]
        pub address_key: Digest,
        /// Canonical address.
        pub email: String,
        /// SHA-256 of the token.
        #[sea_orm(unique)]
        pub token_hash: Digest,
        /// The token sealed, so that a later mail can carry the same link.
        pub sealed: Vec<u8>,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it dies.
        pub expires_at: DateTimeUtc,
        /// When it was used.
        pub consumed_at: Option<DateTimeUtc>,
        /// Whether a mail carried it. The link of a decoy lies in nobody's mailbox.
        pub mailed: bool,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Changes of address that the holder of the old one can still undo.
pub mod email_changes {
    use crate::db::digest::Digest;
    use sea_orm::entity::prelude::*;

    /// One change.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "email_changes")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose address.
        pub user_id: Uuid,
        /// The address before.
        pub old_email: String,
        /// The address after.
        pub new_email: String,
        /// SHA-256 of the token in the notice to the old address.
        #[sea_orm(unique)]
        pub token_hash: Digest,
        /// When the address changed.
        pub created_at: DateTimeUtc,
        /// Until when it can be undone.
        pub expires_at: DateTimeUtc,
        /// When it was undone.
        pub undone_at: Option<DateTimeUtc>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Mail waiting to be sent.
pub mod outbox {
    use super::MailState;
    use sea_orm::entity::prelude::*;

    /// One mail.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        /// UUID v7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Which template.
        pub kind: String,
        /// Where it stands.
        pub state: MailState,
        /// Recipient and content under the server secret; erased when the mail is done.
        pub sealed: Option<Vec<u8>>,
        /// Tries so far.
        pub attempts: i32,
        /// When it was queued.
        pub created_at: DateTimeUtc,
        /// Not before this moment.
        pub next_attempt_at: DateTimeUtc,
        /// A worker has it until then.
        pub claimed_until: Option<DateTimeUtc>,
        /// Never sent after this moment.
        pub expires_at: DateTimeUtc,
        /// When it was sent or given up.
        pub finished_at: Option<DateTimeUtc>,
        /// What the next hop said last.
        pub last_error: Option<String>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What happened, append-only.
pub mod audit_events {
    use sea_orm::entity::prelude::*;

    /// One event.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_events")]
    pub struct Model {
        /// UUID v7, so that the order of ids is the order of time.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// When.
        pub at: DateTimeUtc,
        /// What.
        pub kind: String,
        /// Who did it. No foreign key: the trail outlives people.
        pub actor_id: Option<Uuid>,
        /// Whom it is about.
        pub subject_id: Option<Uuid>,
        /// Client address.
        pub ip_address: Option<String>,
        /// Client software.
        pub user_agent: Option<String>,
        /// The request, as in the answer's `x-request-id`.
        pub request_id: Option<String>,
        /// More, never a secret.
        pub detail: Json,
        /// How often, for refusals that share a row.
        pub count: i32,
        /// Rule, key and window of refusals that share a row.
        #[sea_orm(unique)]
        pub refusal_key: Option<String>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys that sign access tokens.
pub mod signing_keys {
    use sea_orm::entity::prelude::*;

    /// One key.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub struct Model {
        /// UUID v7, also `kid`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// `EdDSA`, `ES256`, `RS256` or `HS256`; a key never changes its algorithm.
        pub algorithm: String,
        /// Private key (PKCS #8) or HMAC secret, under the server secret.
        pub sealed: Vec<u8>,
        /// Public key as a JWK; none for HS256.
        pub public_jwk: Option<Json>,
        /// When it was made, and published.
        pub created_at: DateTimeUtc,
        /// When it begins to sign.
        pub signs_from: DateTimeUtc,
        /// When the last token signed with it is dead; none while it signs.
        pub retires_at: Option<DateTimeUtc>,
    }

    /// Relations are joined by hand where a query needs them.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
