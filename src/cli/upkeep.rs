//! What keeps a service going: the schema, the keys, deleting what is over, and people made up for trying things out.

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
    seed,
};
use chrono::{DateTime, Utc};

#[derive(Subcommand)]
pub(super) enum MigrateCommand {
    /// Bring the schema up to date.
    Up(Format),
    /// Undo the latest migrations. Their data is lost.
    Down(DownArgs),
    /// List the migrations. The exit code is 1 when some are pending.
    Status(Format),
}

#[derive(Args)]
pub(super) struct DownArgs {
    /// How many to undo.
    #[arg(long, default_value_t = 1)]
    steps: u32,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn migrate(command: MigrateCommand) -> Outcome {
    let settings = load_environment().await?;
    let db = Db::connect(&settings.database()).await?;
    let only_looking = matches!(command, MigrateCommand::Status(_));
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
    let stale = only_looking && status.iter().any(|(_, applied)| !applied);
    let code = if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    for (name, applied) in &status {
        let printed = if format.json {
            print::json(&json!({ "name": name, "applied": applied }))
        } else {
            line(&format!("{}  {name}", if *applied { "applied" } else { "pending" }))
        };
        match printed {
            // The exit code tells the same to whoever did not read to the end.
            Err(CommandError::HungUp) => break,
            printed => printed?,
        }
    }
    Ok(code)
}

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List the keys there are, newest first.
    List(Format),
    /// Make the next key. It is published now and signs in ten minutes; the one before retires when its tokens are dead.
    Rotate(Format),
}

pub(super) async fn keys(command: KeysCommand) -> Outcome {
    let app = build().await?;
    let format = match command {
        KeysCommand::List(format) => format,
        KeysCommand::Rotate(format) => {
            keys::rotate(&app.ctx).await?;
            super::tell(&app).await;
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
        // Never `sealed`, though nobody could open it without the server secret.
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
    /// Erase people who were deleted longer ago than this, instead of `DOORCODE_ERASE_AFTER`; `0s` erases all of them.
    ///
    /// Their owners cannot take these accounts back.
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
    super::tell(&app).await;
    let counts = [
        ("challenges", "challenges", purged.challenges),
        ("links", "links", purged.links),
        ("mails", "mails", purged.mails),
        ("sessions", "sessions", purged.sessions),
        ("devices", "devices", purged.devices),
        ("emailChanges", "changes of address", purged.email_changes),
        ("people", "people", purged.people),
        ("events", "events", purged.events),
    ];
    if format.json {
        let fields = counts.into_iter().map(|(name, _, count)| (name.to_owned(), json!(count))).collect();
        print::json(&serde_json::Value::Object(fields))?;
    } else {
        let words: Vec<_> = counts.into_iter().map(|(_, words, count)| format!("{count} {words}")).collect();
        line(&format!("purged {}", words.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn make_people(users: u64, number: u64) -> Outcome {
    let app = build().await?;
    let start = std::time::Instant::now();
    let rate = |made: u64| made * 1_000 / u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let progress = |made| drop(line(&format!("{made} of {users} people, {} a second", rate(made))));
    seed::seed(&app.ctx, users, number, progress).await?;
    line(&format!("made {users} people in {} s, {} a second", start.elapsed().as_secs(), rate(users)))?;
    Ok(ExitCode::SUCCESS)
}
