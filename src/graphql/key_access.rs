//! The fields that API keys and sessions of other applications may use. Every other field refuses them, and so do new
//! ones. Operations are checked before they run, so that a change is not made and then hidden.
//! `docs/integrate/permissions.md` has the same table, and a test compares the two.

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

use super::{
    document::Documents,
    error::{ApiError, Code},
};
use crate::domain::access::{
    Grant, Scope, Viewer,
    scope::{AUDIT_READ, PEOPLE_READ, PEOPLE_WRITE, PROFILE_READ},
};

/// What a key needs for a field.
#[derive(Clone, Copy)]
enum Need {
    /// No scope.
    Nothing,
    /// One of these.
    OneOf(&'static [Scope]),
    /// A scope for the account that the field belongs to: `PROFILE_READ` for the owner's, `PEOPLE_READ` for others.
    Account,
}

const ANY_ACCOUNT: Need = Need::OneOf(&[PROFILE_READ, PEOPLE_READ]);
const PEOPLE: Need = Need::OneOf(&[PEOPLE_READ]);
const WRITE: Need = Need::OneOf(&[PEOPLE_WRITE]);
const AUDIT: Need = Need::OneOf(&[AUDIT_READ]);

/// Type, fields and what they need.
const FIELDS: &[(&str, &[&str], Need)] = &[
    ("Query", &["me", "signInOptions", "_service"], Need::Nothing),
    ("Query", &["user", "_entities"], ANY_ACCOUNT),
    ("Query", &["node"], Need::OneOf(&[PROFILE_READ, PEOPLE_READ, AUDIT_READ])),
    ("Query", &["users"], PEOPLE),
    ("Query", &["auditEvents", "auditStatistics"], AUDIT),
    ("Mutation", &["createUser", "updateUser", "suspendUser", "restoreUser"], WRITE),
    ("Node", &["id"], Need::Nothing),
    ("Problem", &["message", "code"], Need::Nothing),
    ("User", &["id"], Need::Nothing),
    (
        "User",
        &[
            "databaseId",
            "email",
            "name",
            "role",
            "status",
            "createdAt",
            "updatedAt",
            "locale",
            "version",
            "deletedAt",
            "lastSignInAt",
            "hasPassword",
            "passwordChangedAt",
            "sessions",
            "endedSessions",
            "devices",
        ],
        Need::Account,
    ),
    ("User", &["auditEvents"], AUDIT),
    (
        "Session",
        &[
            "id",
            "user",
            "createdAt",
            "lastSeenAt",
            "expiresAt",
            "endedAt",
            "endReason",
            "userAgent",
            "ipAddress",
            "methods",
            "authenticatedAt",
            "remembered",
            "clientId",
            "current",
        ],
        Need::Account,
    ),
    ("Device", &["id", "createdAt", "lastUsedAt", "expiresAt", "userAgent", "ipAddress"], Need::Account),
    (
        "AuditEvent",
        &[
            "id",
            "at",
            "kind",
            "actor",
            "subject",
            "ipAddress",
            "userAgent",
            "requestId",
            "sessionId",
            "details",
            "detail",
            "count",
        ],
        AUDIT,
    ),
    (
        "AuditDetails",
        &[
            "changes",
            "reason",
            "method",
            "rule",
            "field",
            "attempt",
            "addressHash",
            "sessionIds",
            "deviceId",
            "apiKeyIds",
            "apiKeyName",
            "scopes",
            "clientId",
            "erased",
        ],
        AUDIT,
    ),
    ("AuditChange", &["field", "before", "after"], AUDIT),
    ("AuditStatistics", &["intervals", "series"], AUDIT),
    ("AuditSeries", &["kind", "total", "counts"], AUDIT),
    ("UserConnection", &["edges", "nodes", "pageInfo", "totalCount"], PEOPLE),
    ("SessionConnection", &["edges", "nodes", "pageInfo", "totalCount"], Need::Account),
    ("AuditEventConnection", &["edges", "nodes", "pageInfo", "totalCount"], AUDIT),
    ("UserEdge", &["node", "cursor"], PEOPLE),
    ("SessionEdge", &["node", "cursor"], Need::Account),
    ("AuditEventEdge", &["node", "cursor"], AUDIT),
    ("PageInfo", &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"], Need::Nothing),
    ("UserSaved", &["user"], WRITE),
    ("RestoreUserResult", &["user"], WRITE),
    ("EmailTaken", &["message", "code"], Need::Nothing),
    ("LastAdmin", &["message", "code"], Need::Nothing),
    ("SignInOptions", &["brand", "methods", "signUp", "codeLength", "passwordPolicy"], Need::Nothing),
    ("PasswordPolicy", &["minLength", "maxLength"], Need::Nothing),
    ("_Service", &["sdl"], Need::Nothing),
];

/// Whose account is below a field: the scopes that may read it. Below other fields it is the account above them.
const ACCOUNTS: &[(&str, &str, &[Scope])] = &[
    ("Query", "me", &[PROFILE_READ]),
    // Whether a key may see this user at all is checked when the user is looked up.
    ("Query", "user", &[PROFILE_READ, PEOPLE_READ]),
    ("Query", "node", &[PROFILE_READ, PEOPLE_READ]),
    ("Query", "_entities", &[PROFILE_READ, PEOPLE_READ]),
    ("Query", "users", &[PEOPLE_READ]),
    ("AuditEvent", "actor", &[PEOPLE_READ]),
    ("AuditEvent", "subject", &[PEOPLE_READ]),
    ("UserSaved", "user", &[PEOPLE_READ]),
    ("RestoreUserResult", "user", &[PEOPLE_READ]),
];

/// A field that the caller may not use.
pub(crate) struct Denied {
    /// Type and field.
    pub field: String,
    pub error: ApiError,
}

/// Checks all fields of a merged operation.
pub(super) fn check(
    documents: &Documents,
    grants: &[Grant],
    viewer: &Viewer,
    document: &ExecutableDocument,
) -> Result<(), Denied> {
    let check = Check { documents, grants, viewer };
    document.operations.iter().try_for_each(|(_, operation)| {
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        check.set(root, &operation.node.selection_set.node, &[])
    })
}

struct Check<'a> {
    documents: &'a Documents,
    grants: &'a [Grant],
    viewer: &'a Viewer,
}

impl Check<'_> {
    fn set(&self, owner: &str, set: &SelectionSet, account: &'static [Scope]) -> Result<(), Denied> {
        set.items.iter().try_for_each(|selection| match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                // Introspection shows what the published schema has.
                if name.starts_with("__") {
                    return Ok(());
                }
                self.field(owner, name, account)?;
                let other = ACCOUNTS.iter().find(|(ty, field, _)| (*ty, *field) == (owner, name));
                let below = other.map_or(account, |(_, _, scopes)| scopes);
                self.set(self.documents.type_of(owner, name).unwrap_or_default(), &field.node.selection_set.node, below)
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map_or(owner, |on| on.node.on.node.as_str());
                self.set(on, &fragment.node.selection_set.node, account)
            }
            // Merged operations have none.
            Selection::FragmentSpread(spread) => Err(self.denied(owner, &spread.node.fragment_name.node, &[])),
        })
    }

    fn field(&self, owner: &str, name: &str, account: &[Scope]) -> Result<(), Denied> {
        let own = FIELDS.iter().find(|(ty, fields, _)| *ty == owner && fields.contains(&name));
        let granted: Vec<_>;
        let scopes = match own.map(|(_, _, need)| *need) {
            Some(Need::Nothing) => return Ok(()),
            Some(Need::OneOf(scopes)) => scopes,
            Some(Need::Account) => account,
            None => {
                let is_granted = |field: &str| {
                    field.split_once('.').is_some_and(|(ty, field)| ty == owner && (field == name || field == "*"))
                };
                let grants = self.grants.iter().filter(|grant| grant.fields.iter().any(|field| is_granted(field)));
                granted = grants.map(|grant| grant.scope).collect();
                &granted
            }
        };
        if scopes.iter().any(|scope| self.viewer.has(*scope)) { Ok(()) } else { Err(self.denied(owner, name, scopes)) }
    }

    fn denied(&self, owner: &str, name: &str, scopes: &[Scope]) -> Denied {
        let field = format!("{owner}.{name}");
        let scopes: Vec<_> = scopes.iter().map(|scope| format!("`{}`", scope.name)).collect();
        let message = if self.viewer.key().is_none() {
            format!("Another application can't use `{field}` with its token.")
        } else if scopes.is_empty() {
            format!("API keys can't use `{field}`.")
        } else {
            let scopes = scopes.join(" or ");
            format!("`{field}` needs an API key with the scope {scopes}, whose owner's role allows it.")
        };
        Denied { error: ApiError::new(Code::InsufficientScope, message), field }
    }
}
