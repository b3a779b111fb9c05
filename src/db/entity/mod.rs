//! The tables, one file each, the same on both databases.
//! Columns here and in `migration` are compared by a test; nothing here creates a table.

pub mod audit_events;
pub mod authentications;
pub mod devices;
pub mod email_changes;
pub mod email_codes;
pub mod outbox;
pub mod password_tries;
pub mod passwords;
pub mod sessions;
pub mod sign_in_links;
pub mod signing_keys;
pub mod users;

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

/// How a user proves who they are. The values are the `amr` claim of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Method {
    /// A one-time code by email.
    #[sea_orm(string_value = "otp")]
    EmailCode,
    /// A sign-in link by email.
    #[sea_orm(string_value = "link")]
    Link,
    /// A password.
    #[sea_orm(string_value = "pwd")]
    Password,
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
