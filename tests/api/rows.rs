//! A valid row for every table, and values that make the row invalid.

use chrono::{DateTime, TimeZone, Utc};
use doorcode::{db::Db, error::Error};
use sea_orm::{
    ConnectionTrait, Value,
    prelude::Expr,
    sea_query::{Alias, Query},
};
use serde_json::json;
use uuid::Uuid;

/// A fixed time plus this many microseconds.
pub(crate) fn moment(micros: i64) -> DateTime<Utc> {
    Utc.timestamp_micros(1_795_000_000_000_000 + micros).unwrap()
}

/// Inserts a row through the query builder.
pub(crate) async fn insert(db: &Db, table: &'static str, row: Vec<(&'static str, Value)>) -> Result<(), Error> {
    let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    let query = Query::insert()
        .into_table(Alias::new(table))
        .columns(columns.into_iter().map(Alias::new))
        .values_panic(values.into_iter().map(Expr::value))
        .take();
    db.write().execute(&query).await?;
    Ok(())
}

/// One valid row for every table, with unique values.
pub(crate) struct Rows {
    pub(crate) user: Uuid,
    pub(crate) device: Uuid,
    session: Uuid,
    proof: Uuid,
    unique: Vec<u8>,
    pub(crate) now: DateTime<Utc>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        let unique = [Uuid::now_v7().into_bytes(), Uuid::now_v7().into_bytes()].concat();
        Self {
            user: Uuid::now_v7(),
            device: Uuid::now_v7(),
            session: Uuid::now_v7(),
            proof: Uuid::now_v7(),
            unique,
            now: moment(0),
        }
    }

    pub(crate) async fn insert_all(&self, db: &Db) {
        for table in TABLES {
            insert(db, table, self.row(table)).await.unwrap();
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table of rows")]
    pub(crate) fn row(&self, table: &'static str) -> Vec<(&'static str, Value)> {
        let (now, hash) = (Value::from(self.now), Value::from(self.unique.clone()));
        let id = Value::from(Uuid::now_v7());
        let email = Value::from(format!("{}@example.com", self.user.simple()));
        match table {
            "users" => vec![
                ("id", self.user.into()),
                ("email", email),
                ("role", "USER".into()),
                ("status", "ACTIVE".into()),
                ("created_at", now.clone()),
                ("updated_at", now),
            ],
            "devices" => vec![
                ("id", self.device.into()),
                ("user_id", self.user.into()),
                ("token_hash", hash),
                ("created_at", now.clone()),
                ("last_used_at", now.clone()),
                ("expires_at", now),
            ],
            "sessions" => vec![
                ("id", self.session.into()),
                ("user_id", self.user.into()),
                ("device_id", self.device.into()),
                ("created_at", now.clone()),
                ("last_seen_at", now.clone()),
                ("idle_expires_at", now.clone()),
                ("expires_at", now),
                ("refresh_hash", hash.clone()),
                ("previous_hash", hash),
            ],
            "authentications" => vec![
                ("proof_id", self.proof.into()),
                ("session_id", self.session.into()),
                ("method", "otp".into()),
                ("at", now),
            ],
            "passwords" => vec![
                ("user_id", self.user.into()),
                ("sealed", vec![1_u8].into()),
                ("version", 1.into()),
                ("created_at", now.clone()),
                ("changed_at", now),
            ],
            "api_keys" => vec![
                ("id", id),
                ("user_id", self.user.into()),
                ("name", "Key".into()),
                ("key_hash", hash.clone()),
                ("previous_hash", hash),
                ("scopes", "PROFILE_READ".into()),
                ("created_at", now.clone()),
                ("expires_at", now),
            ],
            "clients" => vec![
                ("id", self.user.simple().to_string().into()),
                ("name", "Notes".into()),
                ("redirect_uris", "https://notes.example.com/callback".into()),
                ("created_at", now),
            ],
            "authorization_codes" => vec![
                ("id", id),
                ("code_hash", hash.clone()),
                ("client_id", "notes".into()),
                ("redirect_uri", "https://notes.example.com/callback".into()),
                ("challenge", hash),
                ("session_id", self.session.into()),
                ("created_at", now.clone()),
                ("expires_at", now),
            ],
            "password_tries" => vec![("id", id), ("budget_key", hash), ("at", now)],
            "email_codes" => vec![
                ("id", id),
                ("handle_hash", hash.clone()),
                ("purpose", "sign_in".into()),
                ("address_key", hash.clone()),
                ("budget_key", hash.clone()),
                ("email", "".into()),
                ("fixed", false.into()),
                ("code_hash", hash.clone()),
                ("earlier_hash", hash),
                ("expires_at", now.clone()),
                ("attempts", 0.into()),
                ("units", 0.into()),
                ("created_at", now),
            ],
            "sign_in_links" => vec![
                ("id", id),
                ("address_key", hash.clone()),
                ("email", email),
                ("token_hash", hash),
                ("sealed", vec![1_u8].into()),
                ("created_at", now.clone()),
                ("expires_at", now),
            ],
            "outbox" => vec![
                ("id", id),
                ("kind", "code".into()),
                ("state", "PENDING".into()),
                ("attempts", 0.into()),
                ("created_at", now.clone()),
                ("next_attempt_at", now.clone()),
                ("expires_at", now),
            ],
            "audit_events" => vec![
                ("id", id),
                ("at", now),
                ("kind", "sign_in".into()),
                ("detail", json!({"method": "otp"}).into()),
                ("count", 1.into()),
                ("refusal_key", self.user.to_string().into()),
            ],
            "signing_keys" => vec![
                ("id", id),
                ("algorithm", "EdDSA".into()),
                ("sealed", vec![1_u8].into()),
                ("created_at", now.clone()),
                ("signs_from", now),
            ],
            other => panic!("no such table: {other}"),
        }
    }
}

const TABLES: [&str; 14] = [
    "users",
    "devices",
    "sessions",
    "authentications",
    "passwords",
    "api_keys",
    "clients",
    "authorization_codes",
    "password_tries",
    "email_codes",
    "sign_in_links",
    "outbox",
    "audit_events",
    "signing_keys",
];

/// Invalid values: table, column, value, and the kind of constraint that must refuse the value.
pub(crate) fn bad_values(good: &Rows) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let short = Value::from(vec![7_u8; 31]);
    let taken = Value::from(good.unique.clone());
    let earlier = Value::from(moment(-1));
    let nobody = Value::from(Uuid::now_v7());
    let too_long = Value::from(format!("{}@example.com", "a".repeat(243)));
    vec![
        ("users", "id", good.user.into(), "unique"),
        ("users", "email", format!("{}@example.com", good.user.simple()).into(), "unique"),
        ("users", "email", "Person@example.com".into(), "check"),
        ("users", "email", too_long.clone(), "check"),
        ("users", "email", Value::String(None), "not null"),
        ("users", "role", "OWNER".into(), "check"),
        ("users", "role", "admin".into(), "check"),
        ("users", "status", "".into(), "check"),
        ("users", "created_at", Value::ChronoDateTimeUtc(None), "not null"),
        ("devices", "user_id", nobody.clone(), "foreign"),
        ("devices", "token_hash", taken.clone(), "unique"),
        ("devices", "token_hash", short.clone(), "check"),
        ("devices", "expires_at", earlier.clone(), "check"),
        ("sessions", "user_id", nobody.clone(), "foreign"),
        ("sessions", "device_id", nobody.clone(), "foreign"),
        ("authentications", "proof_id", good.proof.into(), "unique"),
        ("authentications", "method", "guess".into(), "check"),
        ("authentications", "session_id", nobody.clone(), "foreign"),
        ("authorization_codes", "session_id", nobody, "foreign"),
        ("authorization_codes", "code_hash", short.clone(), "check"),
        ("authorization_codes", "challenge", short.clone(), "check"),
        ("authorization_codes", "expires_at", earlier.clone(), "check"),
        ("passwords", "user_id", good.user.into(), "unique"),
        ("passwords", "version", 0.into(), "check"),
        ("api_keys", "key_hash", short.clone(), "check"),
        ("api_keys", "previous_hash", short.clone(), "check"),
        ("api_keys", "expires_at", earlier.clone(), "check"),
        ("password_tries", "budget_key", short.clone(), "check"),
        ("sessions", "refresh_hash", short.clone(), "check"),
        ("sessions", "previous_hash", short.clone(), "check"),
        ("sessions", "idle_expires_at", earlier.clone(), "check"),
        ("sessions", "expires_at", earlier.clone(), "check"),
        ("email_codes", "handle_hash", taken.clone(), "unique"),
        ("email_codes", "handle_hash", short.clone(), "check"),
        ("email_codes", "address_key", short.clone(), "check"),
        ("email_codes", "budget_key", short.clone(), "check"),
        ("email_codes", "code_hash", short.clone(), "check"),
        ("email_codes", "earlier_hash", short.clone(), "check"),
        ("email_codes", "email", "Person@example.com".into(), "check"),
        ("email_codes", "email", too_long.clone(), "check"),
        ("email_codes", "attempts", (-1).into(), "check"),
        ("email_codes", "units", (-1).into(), "check"),
        ("sign_in_links", "address_key", taken.clone(), "unique"),
        ("sign_in_links", "address_key", short.clone(), "check"),
        ("sign_in_links", "token_hash", taken, "unique"),
        ("sign_in_links", "token_hash", short, "check"),
        ("sign_in_links", "email", too_long, "check"),
        ("sign_in_links", "expires_at", earlier.clone(), "check"),
        ("outbox", "state", "LOST".into(), "check"),
        ("outbox", "attempts", (-1).into(), "check"),
        ("outbox", "expires_at", earlier, "check"),
        ("audit_events", "count", 0.into(), "check"),
        ("audit_events", "refusal_key", good.user.to_string().into(), "unique"),
        ("audit_events", "detail", Value::Json(None), "not null"),
        ("signing_keys", "algorithm", "none".into(), "check"),
        ("signing_keys", "algorithm", "ES384".into(), "check"),
    ]
}
