//! `doorcode api-key`: creates, lists, rotates and revokes the API keys of users.

use std::{process::ExitCode, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Format, Outcome, build,
    print::{self, CommandError, complain, line},
    publish_events,
    user::id_of,
};
use crate::{
    db::entity::api_keys,
    domain::{
        access::Shell,
        credential::api_key::{
            self,
            manage::{self, Created, NewKey},
        },
    },
    email_address::EmailAddress,
    graphql::relay,
};

#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Create an API key and print it. It is not shown again, and no email is sent.
    Create(Create),
    /// List the API keys of a user, revoked ones last.
    List {
        /// Email address of the user.
        #[arg(value_parser = EmailAddress::parse)]
        email: EmailAddress,
        #[command(flatten)]
        format: Format,
    },
    /// Give an API key a new secret and print it. The current one keeps working for a while.
    Rotate {
        /// Start of the key, as `doorcode api-key list` prints it.
        #[arg(value_name = "PREFIX")]
        key: String,
        /// How long the current key keeps working, at most 7d.
        #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
        overlap: Duration,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke an API key, which stops working at once.
    Revoke {
        /// Start of the key, as `doorcode api-key list` prints it.
        #[arg(value_name = "PREFIX")]
        key: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// Email address of the owner.
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// Name of the key.
    #[arg(long)]
    name: String,
    /// What the key may do. Can be repeated. Without scopes, it can only read the ID of its owner.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long the key works, for example 90d. Without it, until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    #[command(flatten)]
    format: Format,
}

/// Reads the start of a key here and not in the parser, whose message would repeat the text: it may be a whole key.
fn key_id(text: &str) -> Result<Uuid, CommandError> {
    let wrong = || CommandError::Failed("the start of a key is `dc_` and 32 hexadecimal digits".into());
    api_key::id_of(text).ok_or_else(wrong)
}

/// Number of keys in a list.
const MOST: u64 = 1_000;

pub(super) async fn run(command: ApiKeyCommand) -> Outcome {
    let app = build().await?;
    let (ctx, shell, now) = (&*app.ctx, Shell::of(&app), app.ctx.now());
    match command {
        ApiKeyCommand::Create(Create { email, name, scopes, expires_in, format }) => {
            let owner = id_of(ctx, &email).await?;
            let expires_at = expires_in.map(|after| later(now, after)).transpose()?;
            let new = NewKey::check(ctx, &name, &scopes, expires_at)?;
            let created = manage::create_from_shell(ctx, shell, owner, new).await?;
            publish_events(&app).await;
            show(&created, format, now)?;
        }
        ApiKeyCommand::List { email, format } => {
            let owner = shell.access_to(id_of(ctx, &email).await?);
            let keys = api_key::list_each(ctx, &[owner], MOST).await?.pop().unwrap_or_default();
            list(&keys, format, now)?;
        }
        ApiKeyCommand::Rotate { key, overlap, format } => {
            let overlap = TimeDelta::from_std(overlap).unwrap_or(TimeDelta::MAX);
            let created = manage::rotate_from_shell(ctx, shell, key_id(&key)?, overlap).await?;
            publish_events(&app).await;
            show(&created, format, now)?;
        }
        ApiKeyCommand::Revoke { key, format } => {
            let revoked = manage::revoke_from_shell(ctx, shell, key_id(&key)?).await?;
            publish_events(&app).await;
            list(&[revoked], format, now)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn later(now: DateTime<Utc>, after: Duration) -> Result<DateTime<Utc>, CommandError> {
    let at = TimeDelta::from_std(after).ok().and_then(|after| now.checked_add_signed(after));
    at.ok_or_else(|| CommandError::Failed("--expires-in is too long".into()))
}

/// The only place that prints a secret.
fn show(created: &Created, format: Format, now: DateTime<Utc>) -> Result<(), CommandError> {
    let secret = created.secret.expose_secret();
    if format.json {
        let mut object = object(&created.key, now);
        object["key"] = json!(secret);
        return print::json(&object);
    }
    complain("this key is shown only once");
    line(secret)
}

fn list(keys: &[api_keys::Model], format: Format, now: DateTime<Utc>) -> Result<(), CommandError> {
    if format.json {
        return keys.iter().try_for_each(|key| print::json(&object(key, now)));
    }
    if keys.is_empty() {
        complain("this user has no API keys");
        return Ok(());
    }
    let heading = ["PREFIX", "STATE", "CREATED", "LAST USED", "SCOPES", "NAME"];
    print::table(Some(heading), &keys.iter().map(|key| cells(key, now)).collect::<Vec<_>>())
}

fn cells(key: &api_keys::Model, now: DateTime<Utc>) -> [String; 6] {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", print::moment(at)),
        (None, Some(at)) if at <= now => format!("expired {}", print::moment(at)),
        (None, Some(at)) => format!("until {}", print::moment(at)),
        (None, None) => "works".to_owned(),
    };
    let scopes = if key.scopes.is_empty() { "none" } else { &key.scopes };
    [
        api_key::prefix(key.id),
        state,
        print::moment(key.created_at),
        key.last_used_at.map_or_else(|| "never".to_owned(), print::moment),
        scopes.to_owned(),
        key.name.clone(),
    ]
}

fn object(key: &api_keys::Model, now: DateTime<Utc>) -> Json {
    let text = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
    json!({
        "id": &*relay::encode(relay::Kind::ApiKey, key.id), "name": key.name, "prefix": api_key::prefix(key.id),
        "scopes": key.scopes().collect::<Vec<_>>(), "works": api_key::is_live(key, now),
        "createdAt": key.created_at.to_rfc3339(), "expiresAt": text(key.expires_at),
        "lastUsedAt": text(key.last_used_at), "revokedAt": text(key.revoked_at),
    })
}
