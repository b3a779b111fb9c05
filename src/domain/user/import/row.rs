//! One row of a file: its fields, and everything that can be wrong with them.

use chrono::{DateTime, Utc};
use sea_orm::ActiveEnum as _;
use serde_json::{Map, Value as Json};

use super::Problem;
use crate::{
    db::entity::Role,
    domain::{
        Ctx,
        credential::password::hasher::Hash,
        mail::template::Locale,
        range_query::within_years,
        user::name::{Name, hides_or_turns},
    },
    email_address::EmailAddress,
};

const FIELDS: [&str; 8] = ["email", "name", "role", "verified", "passwordHash", "externalId", "locale", "createdAt"];
/// Maximum length of an external id in bytes.
const MAX_ID: usize = 255;

/// A row that can be imported.
#[derive(Clone)]
pub(super) struct Row {
    pub line: u64,
    pub email: EmailAddress,
    pub name: Option<Name>,
    pub role: Option<Role>,
    /// `None` unless the row has `verified: true`. Otherwise, the author of a row could sign in as someone else.
    pub hash: Option<Hash>,
    /// Whether a hash was left out because the row is not verified.
    pub is_unverified: bool,
    pub external_id: Option<String>,
    pub locale: Option<Locale>,
    pub created_at: Option<DateTime<Utc>>,
}

/// Takes fields out of an object and collects what is wrong with them.
struct Reader {
    line: u64,
    object: Map<String, Json>,
    problems: Vec<Problem>,
}

impl Row {
    pub(super) fn read(ctx: &Ctx, line: u64, text: &str, max_role: Role) -> Result<Self, Vec<Problem>> {
        let object = match serde_json::from_str(text) {
            Ok(Json::Object(object)) => object,
            Ok(_) => {
                return Err(vec![whole(line, "is no JSON object: write {\"email\": …} with the fields of one user")]);
            }
            Err(error) => {
                // The message of the library may quote the line.
                let what = format!("is not valid JSON at column {}: write one JSON object a line", error.column());
                return Err(vec![whole(line, &what)]);
            }
        };
        let mut reader = Reader { line, object, problems: Vec::new() };
        let email = reader.text("email", |text| EmailAddress::parse(text).map_err(|error| error.to_string()));
        if email.is_none() && reader.problems.is_empty() {
            reader.problem("email", "is missing: write the address that the user signs in with".to_owned());
        }
        let name = reader.text("name", |text| Name::parse(text).map_err(|error| error.to_string()));
        let role = reader.text("role", |text| role(text, max_role));
        let is_verified = reader.flag("verified");
        let hash = reader.text("passwordHash", |text| Hash::imported(text).map_err(|error| error.to_string()));
        let external_id = reader.text("externalId", external_id);
        let locale = reader.text("locale", |text| Locale::of_tag(text).ok_or_else(locales));
        let now = ctx.now();
        let created_at = reader.text("createdAt", |text| moment(text, now));
        reader.finish()?;
        let Some(email) = email else { return Err(Vec::new()) };
        let is_unverified = hash.is_some() && !is_verified;
        let hash = hash.filter(|_| is_verified);
        Ok(Self { line, email, name, role, hash, is_unverified, external_id, locale, created_at })
    }
}

impl Reader {
    /// A field with text. Absent and `null` are the same.
    fn text<T>(&mut self, field: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let parsed = match self.object.remove(field) {
            None | Some(Json::Null) => return None,
            Some(Json::String(text)) => parse(&text),
            Some(_) => Err("is no text: write it in quotes, or leave it out".to_owned()),
        };
        parsed.map_err(|what| self.problem(field, what)).ok()
    }

    fn flag(&mut self, field: &'static str) -> bool {
        match self.object.remove(field) {
            None | Some(Json::Null) => false,
            Some(Json::Bool(flag)) => flag,
            Some(_) => {
                self.problem(field, "is neither true nor false: write one of them without quotes".to_owned());
                false
            }
        }
    }

    fn problem(&mut self, field: &'static str, what: String) {
        self.problems.push(Problem { line: self.line, field: Some(field), what });
    }

    fn finish(mut self) -> Result<(), Vec<Problem>> {
        let unknown: Vec<_> = self.object.keys().map(|key| key.chars().take(40).collect::<String>()).collect();
        if !unknown.is_empty() {
            let what = format!("has unknown fields ({}): write only {}", unknown.join(", "), FIELDS.join(", "));
            self.problems.push(whole(self.line, &what));
        }
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

fn whole(line: u64, what: &str) -> Problem {
    Problem { line, field: None, what: what.to_owned() }
}

fn role(text: &str, max_role: Role) -> Result<Role, String> {
    let role = Role::try_from_value(&text.to_ascii_uppercase())
        .map_err(|_| "is no role: write GUEST, USER, MANAGER or ADMIN".to_owned())?;
    if role > max_role {
        let (role, max) = (super::super::role_name(role), super::super::role_name(max_role));
        let flag = role.to_lowercase();
        return Err(format!(
            "is {role}, but this import gives roles up to {max}: add --max-role {flag} if you trust the file"
        ));
    }
    Ok(role)
}

fn external_id(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= MAX_ID && text.trim() == text && !text.chars().any(hides_or_turns);
    let wrong = || "must be 1 to 255 bytes of visible characters, without spaces around them".to_owned();
    fits.then(|| text.to_owned()).ok_or_else(wrong)
}

fn locales() -> String {
    let all: Vec<_> = Locale::ALL.into_iter().map(Locale::as_str).collect();
    format!("is no language that we write mails in: write {}, or leave it out", all.join(", "))
}

fn moment(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let at = DateTime::parse_from_rfc3339(text).map(DateTime::<Utc>::from);
    let at = at.map_err(|_| "is no time: write it as 2026-11-29T12:00:00Z".to_owned())?;
    if at > now { Err("is in the future: correct it, or leave it out".to_owned()) } else { Ok(within_years(at)) }
}
