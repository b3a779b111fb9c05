//! The tables, one file each, the same on both databases. A test compares the columns with `migration`, which creates
//! the tables.

pub mod api_keys;
pub mod audit_events;
pub mod authentications;
pub mod authorization_codes;
pub mod clients;
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

/// Roles, in ascending order of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Role {
    /// Can read their own account.
    #[sea_orm(string_value = "GUEST")]
    Guest,
    /// Can also change their own account.
    #[sea_orm(string_value = "USER")]
    User,
    /// Can also read users and audit events.
    #[sea_orm(string_value = "MANAGER")]
    Manager,
    /// Can also change users.
    #[sea_orm(string_value = "ADMIN")]
    Admin,
}

/// Status of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum UserStatus {
    /// Can sign in.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// Cannot sign in until an administrator restores the account.
    #[sea_orm(string_value = "SUSPENDED")]
    Suspended,
    /// Visible only to administrators.
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

/// State of a mail in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum MailState {
    /// Waiting for its first or next attempt.
    #[sea_orm(string_value = "PENDING")]
    Pending,
    /// Accepted by the next hop.
    #[sea_orm(string_value = "SENT")]
    Sent,
    /// Expired before it could be sent.
    #[sea_orm(string_value = "EXPIRED")]
    Expired,
    /// Failed permanently.
    #[sea_orm(string_value = "FAILED")]
    Failed,
    /// A decoy: the same work, for an address that gets no mail.
    #[sea_orm(string_value = "DECOY")]
    Decoy,
}
