//! `doorcode audit tail`: prints and follows the audit trail.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use chrono::TimeDelta;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde_json::{Value as Json, json};
use tokio::{sync::watch, time::sleep};
use uuid::Uuid;

use super::{
    Format, Outcome, build,
    print::{self, CommandError, complain, hung_up, line},
    stop::ExitOnSignal,
    user::id_of,
};
use crate::{
    app::App,
    db::entity::audit_events,
    domain::{
        access::Shell,
        audit::{Kind, list::Filter, tail::Tail},
        user,
    },
    email_address::EmailAddress,
    error::Error,
    graphql::relay,
};

const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Number of events whose users are looked up together.
const BATCH: usize = 500;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Print the most recent events in chronological order.
    ///
    /// Each line shows the time, the kind of event, the user it is about, who did it, the IP address and details.
    /// Erased users appear as "erased user", and with `email` null in JSON. Repeated events, such as refusals by the
    /// same limit, are printed once.
    Tail(TailArgs),
}

#[derive(Args)]
pub(super) struct TailArgs {
    /// Maximum number of events.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    most: u64,
    /// Keep printing new events of all servers until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Only events of this kind. Can be repeated.
    #[arg(long = "kind", value_name = "KIND", ignore_case = true, value_parser = kind())]
    kinds: Vec<Kind>,
    /// Only events about the user with this address.
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::parse)]
    subject: Option<EmailAddress>,
    /// Only actions of the user with this address.
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::parse)]
    actor: Option<EmailAddress>,
    /// Only events newer than this, such as `30m`, `1h` or `7d`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<TimeDelta>,
    #[command(flatten)]
    format: Format,
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str())).try_map(|name| {
        let named = Kind::ALL.iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&name));
        named.copied().ok_or("unknown kind")
    })
}

fn time(text: &str) -> Result<TimeDelta, String> {
    let hint = "write a duration such as 30m, 1h or 7d";
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: {hint}"))?;
    let longest = TimeDelta::days(36_500);
    TimeDelta::from_std(time).ok().filter(|time| *time <= longest).ok_or_else(|| format!("too long: {hint}"))
}

pub(super) async fn tail(arguments: TailArgs, on_signal: ExitOnSignal) -> Outcome {
    let app = build().await?;
    let user_id = async |email: Option<&EmailAddress>| match email {
        Some(email) => id_of(&app.ctx, email).await.map(Some),
        None => Ok(None),
    };
    let filter = Filter {
        kinds: Some(arguments.kinds).filter(|kinds| !kinds.is_empty()),
        actor: user_id(arguments.actor.as_ref()).await?,
        subject: user_id(arguments.subject.as_ref()).await?,
        from: arguments.since.map(|since| app.ctx.now() - since),
        ..Filter::default()
    };
    let (events, mut tail) = Tail::begin(&app.ctx, Shell::of(&app), filter.canonical(), arguments.most).await?;
    show(&app, &events, arguments.format).await?;
    if arguments.follow {
        follow(&app, &mut tail, arguments.format, on_signal.into_stop_with_timeout()?).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints new events until Ctrl-C or until standard output closes. If the database is
/// unavailable, prints one message and keeps trying.
async fn follow(
    app: &App,
    tail: &mut Tail,
    format: Format,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CommandError> {
    let mut hung_up = pin!(hung_up());
    let mut is_unavailable = false;
    loop {
        tokio::select! {
            () = sleep(POLL_INTERVAL) => {}
            _ = stop.changed() => return Ok(()),
            () = &mut hung_up => return Err(CommandError::HungUp),
        }
        let events = match tail.next(&app.ctx).await {
            Ok(events) => events,
            Err(Error::Unavailable(why)) => {
                if !is_unavailable {
                    complain(&format!("{why}: waiting for the database"));
                }
                is_unavailable = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        is_unavailable = false;
        show(app, &events, format).await?;
    }
}

async fn show(app: &App, events: &[audit_events::Model], format: Format) -> Result<(), CommandError> {
    for events in events.chunks(BATCH) {
        let addresses = addresses(app, events).await?;
        for event in events {
            if format.json {
                print::json(&object(event, &addresses))?;
            } else {
                line(&sentence(event, &addresses))?;
            }
        }
    }
    Ok(())
}

/// Email addresses of the users in these events, without erased ones. Runs one statement.
async fn addresses(app: &App, events: &[audit_events::Model]) -> Result<HashMap<Uuid, String>, Error> {
    let shell = Shell::of(app);
    let users: HashSet<_> = events.iter().flat_map(|event| [event.actor_id, event.subject_id]).flatten().collect();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let users: Vec<_> = users.into_iter().map(|id| shell.access_to(id)).collect();
    let found = user::list::find_each(&app.ctx, &users).await?;
    Ok(found.into_iter().map(|(_, user)| (user.id, user.email)).collect())
}

fn object(event: &audit_events::Model, addresses: &HashMap<Uuid, String>) -> Json {
    let user = |id: Uuid| json!({ "id": &*relay::encode(relay::Kind::User, id), "email": addresses.get(&id) });
    json!({
        "id": &*relay::encode(relay::Kind::AuditEvent, event.id), "at": event.at.to_rfc3339(), "kind": event.kind,
        "actor": event.actor_id.map(user), "subject": event.subject_id.map(user),
        "ipAddress": event.ip_address, "userAgent": event.user_agent, "requestId": event.request_id,
        "detail": event.detail, "count": event.count,
    })
}

fn sentence(event: &audit_events::Model, addresses: &HashMap<Uuid, String>) -> String {
    let name = |id: Uuid| addresses.get(&id).map_or("erased user", String::as_str);
    let mut parts = vec![format!("{}  {:<22}", print::moment(event.at), event.kind)];
    parts.extend(event.subject_id.map(|id| name(id).to_owned()));
    let other = event.actor_id.filter(|actor| event.subject_id != Some(*actor));
    parts.extend(other.map(|id| format!("by {}", name(id))));
    parts.extend(event.ip_address.as_ref().map(|address| format!("from {address}")));
    if event.count > 1 {
        parts.push(format!("{} times", event.count));
    }
    if let Json::Object(detail) = &event.detail {
        let details = detail.iter().filter(|(_, value)| !value.is_null());
        parts.extend(details.map(|(field, value)| match value {
            Json::String(text) => format!("{field}={text}"),
            other => format!("{field}={other}"),
        }));
    }
    parts.join(" ")
}
