//! The details of an audit event as fields. The stored details are JSON whose keys depend on the kind.

use async_graphql::{ID, SimpleObject};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    db::entity::Method,
    domain::audit,
    graphql::{
        account::session::AuthenticationMethod,
        relay::{self, Kind},
    },
};

/// The fields that a change can have, each with its value before and after.
const CHANGES: [&str; 6] = ["email", "name", "locale", "externalId", "role", "status"];

/// A value that changed. Both values are as in the API, such as `MANAGER`.
#[derive(SimpleObject)]
struct AuditChange {
    /// The name of the field: `email`, `name`, `locale`, `externalId`, `role` or `status`.
    field: &'static str,
    /// The value before. `null` if there was none.
    before: Option<String>,
    /// The value after. `null` if there is none.
    after: Option<String>,
}

/// The details of an audit event. Fields that do not apply to its kind are `null` or empty.
#[derive(SimpleObject)]
pub(crate) struct AuditDetails {
    /// The values that changed. For `USER_CREATED`, the first values.
    changes: Vec<AuditChange>,
    /// The reason: the text of an administrator for a suspension, otherwise a name in capitals such as `BY_ADMIN`.
    reason: Option<String>,
    /// The method of a sign-in, or of an expired code or link.
    method: Option<AuthenticationMethod>,
    /// The rate limit that refused the call, such as `send.pair`.
    rule: Option<String>,
    /// The first field that was denied, such as `updateUser`.
    field: Option<String>,
    /// The number of the attempt with a code.
    attempt: Option<i32>,
    /// The keyed hash of the email address, as `doorcode user hash` prints it. Only the role ADMIN sees it.
    address_hash: Option<String>,
    /// The sessions that were opened or ended.
    session_ids: Vec<ID>,
    /// The device.
    device_id: Option<ID>,
    /// The API keys that were created or revoked, or the one that made the call.
    api_key_ids: Vec<ID>,
    /// The name of the API key that was created.
    api_key_name: Option<String>,
    /// The scopes of the API key that was created.
    scopes: Vec<String>,
    /// The application.
    client_id: Option<String>,
    /// Whether the details were removed with the user, who was erased.
    erased: bool,
}

impl AuditDetails {
    pub(super) fn new(kind: &str, detail: &Json) -> Self {
        let text = |key: &str| detail[key].as_str().map(str::to_owned);
        let is_new_user = kind == audit::Kind::UserCreated.as_str();
        let is_new_key = kind == audit::Kind::ApiKeyCreated.as_str();
        let method = [Method::EmailCode, Method::Link, Method::Password];
        Self {
            changes: CHANGES.iter().filter_map(|field| change(field, &detail[*field], is_new_user)).collect(),
            reason: ["reason", "why", "because"].into_iter().find_map(text),
            method: method.into_iter().find(|method| detail["method"] == method.amr()).map(Into::into),
            rule: text("rule"),
            field: text("field"),
            attempt: detail["attempt"].as_i64().and_then(|attempt| attempt.try_into().ok()),
            address_hash: text(audit::ADDRESS_LABEL),
            session_ids: ids(Kind::Session, [&detail["session"], &detail["sessions"]]),
            device_id: ids(Kind::Device, [&detail["device"]]).pop(),
            api_key_ids: ids(Kind::ApiKey, [&detail["apiKey"], &detail["apiKeys"]]),
            api_key_name: text("name").filter(|_| is_new_key),
            scopes: text("scopes").map_or_else(Vec::new, |names| names.split(' ').map(str::to_owned).collect()),
            client_id: text("client"),
            erased: detail["erased"] == true,
        }
    }
}

/// The ids in these values. A value is one id or a list of ids.
fn ids<const N: usize>(kind: Kind, values: [&Json; N]) -> Vec<ID> {
    let listed =
        values.into_iter().flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    let ids = listed.filter_map(|id| Uuid::try_parse(id.as_str()?).ok());
    let mut known = Vec::new();
    for id in ids {
        if !known.contains(&id) {
            known.push(id);
        }
    }
    known.into_iter().map(|id| relay::encode(kind, id)).collect()
}

/// A change is stored as the values before and after. A new user has only the values after.
fn change(field: &'static str, value: &Json, is_new_user: bool) -> Option<AuditChange> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    match value.as_array().map(Vec::as_slice) {
        Some([before, after]) => Some(AuditChange { field, before: text(before), after: text(after) }),
        _ if is_new_user => Some(AuditChange { field, before: None, after: Some(text(value)?) }),
        _ => None,
    }
}
