//! Prints one user or a list of users.

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::{
    Format,
    print::{self, CommandError, complain},
    user::RoleName,
};
use crate::{
    app::App,
    db::entity::{Role, UserStatus, users},
    domain::{
        access::Shell,
        session,
        user::{self, list},
    },
    graphql::relay,
};

#[derive(Args)]
pub(super) struct ListArgs {
    /// Maximum number of users.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    most: u64,
    /// Only users with this role. Can be repeated.
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    roles: Vec<RoleName>,
    /// Only users with this status. Can be repeated.
    #[arg(long = "status", value_name = "STATUS", value_enum)]
    statuses: Vec<StatusName>,
    /// Only users whose address starts with this text.
    #[arg(long, value_name = "TEXT")]
    email_prefix: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StatusName {
    Active,
    Suspended,
    Deleted,
}

impl From<StatusName> for UserStatus {
    fn from(name: StatusName) -> Self {
        match name {
            StatusName::Active => Self::Active,
            StatusName::Suspended => Self::Suspended,
            StatusName::Deleted => Self::Deleted,
        }
    }
}

const PAGE: u64 = 1_000;

/// Lists the newest matching accounts.
pub(super) async fn list(app: &App, arguments: ListArgs) -> Result<(), CommandError> {
    let ListArgs { most, roles, statuses, email_prefix, format } = arguments;
    let filter = list::Filter {
        email: email_prefix,
        roles: Some(roles.into_iter().map(Role::from).collect::<Vec<_>>()).filter(|roles| !roles.is_empty()),
        statuses: Some(statuses.into_iter().map(UserStatus::from).collect::<Vec<_>>()).filter(|all| !all.is_empty()),
        ..list::Filter::default()
    };
    let filter = filter.canonical(None)?;
    let order = list::Order::NEWEST;
    let mut part = list::Part { most: 0, after: None, before: None, backward: false };
    let (mut left, mut is_more) = (most, true);
    while left > 0 && is_more {
        let wanted = left.min(PAGE);
        // One extra row shows whether there are more.
        part.most = wanted + 1;
        let mut users = list::list(&app.ctx, Shell::of(app), &filter, order, &part).await?.users;
        is_more = users.len() as u64 > wanted;
        users.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        if format.json {
            users.iter().try_for_each(|(user, _)| print::json(&object(user)))?;
        } else if !users.is_empty() {
            let heading = part.after.is_none().then_some(["STATUS", "ROLE", "CREATED", "SIGNED IN", "EMAIL", "NAME"]);
            print::table(heading, &users.iter().map(|(user, _)| cells(user)).collect::<Vec<_>>())?;
        } else if part.after.is_none() {
            complain("no users match");
        }
        part.after = users.last().map(|(user, _)| order.by.place(user));
        left -= wanted;
    }
    if is_more && !format.json {
        complain("there are more: use a larger --most");
    }
    Ok(())
}

pub(super) async fn show(app: &App, user: &users::Model, format: Format) -> Result<(), CommandError> {
    if format.json {
        return print::json(&object(user));
    }
    let open = session::count_open(&app.ctx, &[Shell::of(app).access_to(user.id)]).await?;
    let at = |at: Option<_>| at.map_or_else(|| "never".to_owned(), print::moment);
    let rows = [
        ("id", relay::encode(relay::Kind::User, user.id).to_string()),
        ("email", user.email.clone()),
        ("name", user.name.clone().unwrap_or_else(|| "none".into())),
        ("role", user::role_name(user.role)),
        ("status", user::status_name(user.status)),
        ("locale", user.locale.clone().unwrap_or_else(|| "none".into())),
        ("created", print::moment(user.created_at)),
        ("changed", print::moment(user.updated_at)),
        ("signed in", at(user.last_sign_in_at)),
        ("deleted", at(user.deleted_at)),
        ("open sessions", open.get(&user.id).copied().unwrap_or_default().to_string()),
    ];
    print::table(None, &rows.map(|(what, value)| [what.to_owned(), value]))
}

/// The columns of a table.
pub(super) fn cells(user: &users::Model) -> [String; 6] {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%F").to_string();
    [
        user::status_name(user.status),
        user::role_name(user.role),
        day(user.created_at),
        user.last_sign_in_at.map_or_else(|| "never".to_owned(), day),
        user.email.clone(),
        user.name.clone().unwrap_or_default(),
    ]
}

pub(super) fn object(user: &users::Model) -> Json {
    json!({
        "id": &*relay::encode(relay::Kind::User, user.id), "email": user.email, "name": user.name,
        "role": user::role_name(user.role), "status": user::status_name(user.status), "locale": user.locale,
        "version": user.version, "createdAt": user.created_at.to_rfc3339(),
        "updatedAt": user.updated_at.to_rfc3339(),
        "lastSignInAt": user.last_sign_in_at.map(|at| at.to_rfc3339()),
        "deletedAt": user.deleted_at.map(|at| at.to_rfc3339()),
    })
}
