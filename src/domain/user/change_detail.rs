//! The detail of an audit event about a change: the changed fields and the reason.

use serde_json::{Map, Value as Json, json};

use super::{name::hides_or_turns, role_name, status_name};
use crate::db::entity::users;

/// The reason that an administrator gives for a change: a single line of 1 to 200 characters, all visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

const LONGEST: usize = 200;

/// Why a text is not a valid reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// Empty or only whitespace.
    #[error("A reason needs at least one character. For no reason, omit it or send null.")]
    Empty,
    /// Too many characters.
    #[error("A reason can have at most {LONGEST} characters.")]
    TooLong,
    /// Contains control characters or other invisible ones, or changes the direction of text.
    #[error("A reason must be one line of visible characters.")]
    Invisible,
}

impl Reason {
    /// Parses a reason. Surrounding whitespace is removed.
    ///
    /// # Errors
    ///
    /// If it is empty, too long, or not one visible line.
    pub fn parse(input: &str) -> Result<Self, InvalidReason> {
        let text = input.trim();
        if text.is_empty() {
            return Err(InvalidReason::Empty);
        }
        if text.chars().take(LONGEST + 1).count() > LONGEST {
            return Err(InvalidReason::TooLong);
        }
        if text.chars().any(hides_or_turns) {
            return Err(InvalidReason::Invisible);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The changed fields, each with the value before and after.
pub(super) fn differences(before: &users::Model, after: &users::Model) -> Map<String, Json> {
    let fields = [
        ("email", json!(before.email), json!(after.email)),
        ("name", json!(before.name), json!(after.name)),
        ("locale", json!(before.locale), json!(after.locale)),
        ("externalId", json!(before.external_id), json!(after.external_id)),
        ("role", json!(role_name(before.role)), json!(role_name(after.role))),
        ("status", json!(status_name(before.status)), json!(status_name(after.status))),
    ];
    let changed = fields.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(field, before, after)| (field.to_owned(), json!([before, after]))).collect()
}

/// The changed fields with the reason.
pub(super) fn with_reason(mut detail: Map<String, Json>, reason: Option<Reason>) -> Json {
    detail.extend(reason.map(|Reason(text)| ("reason".to_owned(), Json::String(text))));
    Json::Object(detail)
}
