//! The callers and targets of the permission tests, which are newly signed-in users with a known session, device and
//! events. Also the outcome of a call.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{db::entity::Role, limits::Rule, settings::ServeFlags};
use serde_json::{Value, json};

use super::page::Column;
use crate::harness::{Answer, Client, SignedIn, TestApp};

/// A signed-in user.
pub(super) struct Being<'a> {
    pub(super) client: Client<'a>,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) is: SignedIn,
}

/// Sets limits so high that no call reaches them. Only the daily mail limit is low: the third email of a day contains a
/// link.
pub(super) fn wide_limits(flags: &mut ServeFlags) {
    flags.limits.insert(Rule::SendPair, "1000/15m".into());
    flags.limits.insert(Rule::SendNetwork, "100000/15m".into());
    flags.limits.insert(Rule::SendAddressDay, "3/1d".into());
    flags.limits.insert(Rule::VerifyNetwork, "100000/1m".into());
    flags.limits.insert(Rule::ApiCaller, "100000/1m".into());
    // Keep codes valid when the clock moves by ten minutes.
    flags.code_ttl = Some("30m".into());
    flags.federation = Some("true".into());
}

/// Creates a user and signs in.
pub(super) async fn being<'a>(app: &'a TestApp, name: &str, role: Role) -> Being<'a> {
    let email = format!("{name}@people.example");
    app.make(&email, role).await;
    let mut client = app.guest();
    client.headers.insert("user-agent", "Ark/1".parse().unwrap());
    let is = client.sign_in(&email).await;
    let client = client.with_bearer(&is.access);
    Being { client, email, role, is }
}

/// Creates the caller for a column. `None` if the caller is anonymous.
pub(super) async fn viewer<'a>(app: &'a TestApp, name: &str, column: Column) -> Option<Being<'a>> {
    let role = match column {
        Column::Anonymous => return None,
        Column::Guest => Role::Guest,
        Column::User => Role::User,
        Column::Manager => Role::Manager,
        Column::Admin => Role::Admin,
    };
    Some(being(app, name, role).await)
}

/// Marks a user as deleted, but keeps their rows and open session. So an empty response about the user means that the
/// data is hidden.
pub(super) async fn delete(app: &TestApp, who: &Being<'_>) {
    let email = &who.email;
    let sql = format!("UPDATE users SET status = 'DELETED', deleted_at = updated_at WHERE email = '{email}'");
    app.sql(&sql).await;
}

/// Gives an API key to every user who has a device and no key.
pub(super) async fn give_keys(app: &TestApp) {
    let columns = "id, user_id, name, key_hash, scopes, created_at";
    let values = "id, user_id, 'Key', token_hash, 'PROFILE_READ', created_at";
    let new = "NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = devices.user_id)";
    app.sql(&format!("INSERT INTO api_keys ({columns}) SELECT {values} FROM devices WHERE {new}")).await;
}

/// The ID of the key that [`give_keys`] made from this device.
pub(super) fn key_of(device: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(device).unwrap();
    bytes[0] = b'K';
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The outcome of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Shown,
    /// `null` or empty, without an error.
    Nothing,
    /// An error with this code, and no data.
    Refused(String),
    /// A problem of this type, as data.
    Problem(String),
}

impl Outcome {
    pub(super) fn refused(code: &str) -> Self {
        Self::Refused(code.to_owned())
    }

    /// The outcome if this kind of caller may never use the field.
    pub(super) fn forbidden_to(column: Column) -> Self {
        Self::refused(if column == Column::Anonymous { "UNAUTHENTICATED" } else { "FORBIDDEN" })
    }

    /// The outcome at a path in `data`, such as `/user/email`. An error with this path or a parent of it counts.
    pub(super) fn at(answer: &Answer, path: &str) -> Self {
        let data = answer.json["data"].pointer(path).unwrap_or(&Value::Null);
        let is_nothing = match data {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Number(number) => number.as_i64() == Some(0),
            _ => false,
        };
        let errors = answer.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let error = errors.iter().find(|error| {
            let names = error["path"].as_array().map_or(&[][..], Vec::as_slice);
            let names = names.iter().map(|name| format!("/{}", name.to_string().trim_matches('"')));
            let above = names.collect::<String>();
            path == above || path.starts_with(&format!("{above}/"))
        });
        match (error, is_nothing) {
            (None, true) => Self::Nothing,
            (None, false) => Self::Shown,
            (Some(error), true) => Self::Refused(code(error)),
            (Some(error), false) => panic!("{error}, but there is data: {data}"),
        }
    }

    /// The outcome of a mutation. `problems` lists the types that implement `Problem`.
    pub(super) fn of_change(answer: &Answer, field: &str, problems: &[String]) -> Self {
        match Self::at(answer, &format!("/{field}")) {
            Self::Shown => {
                let kind = answer.json["data"][field]["__typename"].as_str().unwrap().to_owned();
                if problems.contains(&kind) { Self::Problem(kind) } else { Self::Shown }
            }
            other => other,
        }
    }
}

fn code(error: &Value) -> String {
    error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{error}")).to_owned()
}

/// Everything about a user that a mutation could change, as an administrator sees it.
pub(super) async fn snapshot(root: &Being<'_>, who: &Being<'_>) -> Value {
    let query = "query($id: ID!) { user(id: $id) { email name role status version locale deletedAt \
                 devices { id } apiKeys { name revokedAt } sessions { totalCount } } }";
    root.client.query(query, json!({ "id": who.is.user })).await.field("user").clone()
}
