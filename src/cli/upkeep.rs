//! Maintenance: migrations, signing keys, purging, and fictional users.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Format, Outcome, build, build_with, load_environment,
    print::{self, CommandError, line},
};
use crate::{
    db::{Db, entity::signing_keys, migrate},
    domain::{housekeeping, keys},
};
use chrono::{DateTime, Utc};

#[derive(Subcommand)]
pub(super) enum MigrateCommand {
    /// Apply all pending migrations.
    Up(Format),
    /// Undo the latest migrations. Deletes the data in what they created.
    Down(DownArgs),
    /// List all migrations. Exit code 1 if some are pending.
    Status(Format),
}

#[derive(Args)]
pub(super) struct DownArgs {
    /// Number of migrations to undo.
    #[arg(long, default_value_t = 1)]
    steps: u32,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn migrate(command: MigrateCommand) -> Outcome {
    let settings = load_environment().await?;
    let db = Db::connect(&settings.database()).await?;
    let is_status = matches!(command, MigrateCommand::Status(_));
    let format = match command {
        MigrateCommand::Up(format) => {
            migrate::up(&db).await?;
            format
        }
        MigrateCommand::Down(DownArgs { steps, format }) => {
            migrate::down(&db, steps).await?;
            format
        }
        MigrateCommand::Status(format) => format,
    };
    let status = migrate::status(&db).await?;
    let stale = is_status && status.iter().any(|(_, applied)| !applied);
    let code = if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    for (name, applied) in &status {
        let printed = if format.json {
            print::json(&json!({ "name": name, "applied": applied }))
        } else {
            line(&format!("{}  {name}", if *applied { "applied" } else { "pending" }))
        };
        match printed {
            // The exit code is still useful if the reader closes the pipe.
            Err(CommandError::HungUp) => break,
            printed => printed?,
        }
    }
    Ok(code)
}

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List all keys, newest first.
    List(Format),
    /// Create a new key. It is published at once and signs from ten minutes later. The previous key retires when its
    /// tokens have expired.
    Rotate(Format),
}

pub(super) async fn keys(command: KeysCommand) -> Outcome {
    let app = build().await?;
    let format = match command {
        KeysCommand::List(format) => format,
        KeysCommand::Rotate(format) => {
            keys::rotate(&app.ctx).await?;
            super::publish_events(&app).await;
            format
        }
    };
    let now = app.ctx.now();
    let keys = keys::list(&app.ctx).await?;
    if !format.json {
        let rows: Vec<_> =
            keys.iter().map(|key| [key.id.to_string(), key.algorithm.clone(), state(key, now)]).collect();
        print::table(Some(["KEY", "ALGORITHM", "STATE"]), &rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    for key in &keys {
        // Without `sealed`, although opening it requires the server secret.
        print::json(&json!({
            "kid": key.id, "algorithm": key.algorithm, "createdAt": key.created_at.to_rfc3339(),
            "signsFrom": key.signs_from.to_rfc3339(), "retiresAt": key.retires_at.map(|at| at.to_rfc3339()),
        }))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn state(key: &signing_keys::Model, now: DateTime<Utc>) -> String {
    match key.retires_at {
        _ if key.signs_from > now => format!("signs from {}", print::moment(key.signs_from)),
        Some(at) if at <= now => "retired".to_owned(),
        Some(at) => format!("retires at {}", print::moment(at)),
        None => "signs".to_owned(),
    }
}

#[derive(Args)]
pub(super) struct PurgeArgs {
    /// Erase users who were deleted longer ago than this, instead of `DOORCODE_ERASE_AFTER`; `0s` erases all of them.
    ///
    /// These accounts cannot be restored.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    erase_after: Option<Duration>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn purge(PurgeArgs { erase_after, format }: PurgeArgs) -> Outcome {
    let mut settings = load_environment().await?;
    settings.erase_after = erase_after.unwrap_or(settings.erase_after);
    let app = build_with(settings).await?;
    let purged = housekeeping::purge(&app.ctx).await?;
    super::publish_events(&app).await;
    let counts = [
        ("challenges", "challenges", purged.challenges),
        ("links", "links", purged.links),
        ("mails", "mails", purged.mails),
        ("sessions", "sessions", purged.sessions),
        ("devices", "devices", purged.devices),
        ("emailChanges", "email changes", purged.email_changes),
        ("people", "users", purged.people),
        ("events", "audit events", purged.events),
    ];
    if format.json {
        let fields = counts.into_iter().map(|(name, _, count)| (name.to_owned(), json!(count))).collect();
        print::json(&serde_json::Value::Object(fields))?;
    } else {
        let parts: Vec<_> = counts.into_iter().map(|(_, what, count)| format!("{count} {what}")).collect();
        line(&format!("purged {}", parts.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn seed(users: u64, seed: u64) -> Outcome {
    let app = build().await?;
    let start = std::time::Instant::now();
    let rate = |created: u64| created * 1_000 / u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let progress = |created| drop(line(&format!("{created} of {users} users, {} per second", rate(created))));
    crate::seed::seed(&app.ctx, users, seed, progress).await?;
    line(&format!("created {users} users in {} s, {} per second", start.elapsed().as_secs(), rate(users)))?;
    Ok(ExitCode::SUCCESS)
}
