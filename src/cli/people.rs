//! How people are shown on the command line: one, or many.

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
pub(super) struct Which {
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    most: u64,
    /// Only people with this role. May be given several times.
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    roles: Vec<RoleName>,
    /// Only people with this status. May be given several times; all of them unless told.
    #[arg(long = "status", value_name = "STATUS", value_enum)]
    statuses: Vec<StatusName>,
    /// Only people whose address begins so.
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

/// So many people are read at a time.
const PAGE: u64 = 1_000;

/// The newest accounts that fit.
pub(super) async fn list(app: &App, which: Which) -> Result<(), CommandError> {
    let Which { most, roles, statuses, email_prefix, format } = which;
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
        // One more tells whether there are more.
        part.most = wanted + 1;
        let mut people = list::list(&app.ctx, Shell::of(app), &filter, order, &part).await?.users;
        is_more = people.len() as u64 > wanted;
        people.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        if format.json {
            people.iter().try_for_each(|(person, _)| print::json(&object(person)))?;
        } else if !people.is_empty() {
            let heading = part.after.is_none().then_some(["STATUS", "ROLE", "CREATED", "SIGNED IN", "EMAIL", "NAME"]);
            print::table(heading, &people.iter().map(|(person, _)| cells(person)).collect::<Vec<_>>())?;
        } else if part.after.is_none() {
            complain("nobody is like that");
        }
        part.after = people.last().map(|(person, _)| order.by.place(person));
        left -= wanted;
    }
    if is_more && !format.json {
        complain("there are more: --most takes a larger number");
    }
    Ok(())
}

/// One person, with all that is known of them.
pub(super) async fn show(app: &App, person: &users::Model, format: Format) -> Result<(), CommandError> {
    if format.json {
        return print::json(&object(person));
    }
    let open = session::count_open(&app.ctx, &[Shell::of(app).access_to(person.id)]).await?;
    let at = |at: Option<_>| at.map_or_else(|| "never".to_owned(), print::moment);
    let rows = [
        ("id", relay::encode(relay::Kind::User, person.id).to_string()),
        ("email", person.email.clone()),
        ("name", person.name.clone().unwrap_or_else(|| "none".into())),
        ("role", user::role_name(person.role)),
        ("status", user::status_name(person.status)),
        ("locale", person.locale.clone().unwrap_or_else(|| "none".into())),
        ("created", print::moment(person.created_at)),
        ("changed", print::moment(person.updated_at)),
        ("signed in", at(person.last_sign_in_at)),
        ("deleted", at(person.deleted_at)),
        ("open sessions", open.get(&person.id).copied().unwrap_or_default().to_string()),
    ];
    print::table(None, &rows.map(|(what, value)| [what.to_owned(), value]))
}

/// For people.
pub(super) fn cells(person: &users::Model) -> [String; 6] {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%F").to_string();
    [
        user::status_name(person.status),
        user::role_name(person.role),
        day(person.created_at),
        person.last_sign_in_at.map_or_else(|| "never".to_owned(), day),
        person.email.clone(),
        person.name.clone().unwrap_or_default(),
    ]
}

/// For programs.
pub(super) fn object(person: &users::Model) -> Json {
    json!({
        "id": &*relay::encode(relay::Kind::User, person.id), "email": person.email, "name": person.name,
        "role": user::role_name(person.role), "status": user::status_name(person.status), "locale": person.locale,
        "version": person.version, "createdAt": person.created_at.to_rfc3339(),
        "updatedAt": person.updated_at.to_rfc3339(),
        "lastSignInAt": person.last_sign_in_at.map(|at| at.to_rfc3339()),
        "deletedAt": person.deleted_at.map(|at| at.to_rfc3339()),
    })
}
