//! `doorcode user sessions`: lists or ends the sessions of a user.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value as Json, json};

use super::{
    Format, Outcome, build,
    print::{self, complain, line},
    publish_events,
    user::id_of,
};
use crate::{
    db::entity::sessions,
    domain::{access::Shell, session, user::manage},
    email_address::EmailAddress,
    graphql::relay,
};

#[derive(Args)]
pub(super) struct Sessions {
    /// Email address of the user.
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// End all open sessions, which signs the user out everywhere at once.
    #[arg(long)]
    end: bool,
    /// Maximum number of sessions.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    most: u64,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(sessions: Sessions) -> Outcome {
    let app = build().await?;
    let Sessions { email, end, most, format } = sessions;
    let (shell, id) = (Shell::of(&app), id_of(&app.ctx, &email).await?);
    if end {
        let ended = manage::end_all_sessions_from_shell(&app.ctx, shell, id).await?;
        publish_events(&app).await;
        if !format.json {
            line(&format!("ended {ended} open session{}", if ended == 1 { "" } else { "s" }))?;
        }
    }
    let mut rows = session::list_open_first(&app.ctx, shell.access_to(id), most + 1).await?;
    let now = app.ctx.now();
    let is_cut = rows.len() as u64 > most;
    if is_cut {
        rows.pop();
    }
    if format.json {
        for row in &rows {
            print::json(&object(row, now))?;
        }
    } else if rows.is_empty() {
        complain("this user has no sessions on record");
    } else {
        let heading = ["SESSION", "CREATED", "LAST SEEN", "NETWORK", "STATE", "DEVICE"];
        print::table(Some(heading), &rows.iter().map(|row| cells(row, now)).collect::<Vec<_>>())?;
    }
    if is_cut && !format.json {
        complain("there are more: use a larger --most");
    }
    Ok(ExitCode::SUCCESS)
}

/// Maximum length of a user agent in the table. JSON has all of it.
const MAX_DEVICE_CHARS: usize = 80;

fn cells(row: &sessions::Model, now: DateTime<Utc>) -> [String; 6] {
    let state = match (row.ended_at, row.end_reason.as_deref()) {
        (Some(at), reason) => format!("ended {} {}", print::moment(at), reason.unwrap_or_default()),
        (None, _) if session::is_open(row, now) => "open".to_owned(),
        (None, _) => format!("expired {}", print::moment(row.idle_expires_at)),
    };
    [
        relay::encode(relay::Kind::Session, row.id).to_string(),
        print::moment(row.created_at),
        print::moment(row.last_seen_at),
        row.ip_address.clone().unwrap_or_else(|| "-".into()),
        state,
        row.user_agent.as_deref().unwrap_or("-").chars().take(MAX_DEVICE_CHARS).collect(),
    ]
}

fn object(row: &sessions::Model, now: DateTime<Utc>) -> Json {
    json!({
        "id": &*relay::encode(relay::Kind::Session, row.id),
        "deviceId": row.device_id.map(|id| relay::encode(relay::Kind::Device, id).to_string()),
        "method": row.method, "open": session::is_open(row, now),
        "createdAt": row.created_at.to_rfc3339(), "lastSeenAt": row.last_seen_at.to_rfc3339(),
        "expiresAt": row.idle_expires_at.to_rfc3339(), "endedAt": row.ended_at.map(|at| at.to_rfc3339()),
        "endReason": row.end_reason, "userAgent": row.user_agent, "ipAddress": row.ip_address,
    })
}
