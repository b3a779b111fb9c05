//! `doorcode audit tail`: what happened, the newest last, and what happens.

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
    stop::Ending,
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

/// How often to look for news.
const LOOK: Duration = Duration::from_secs(1);
/// Events whose people are looked up together.
const BATCH: usize = 500;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Print what happened, the newest last.
    ///
    /// A line tells when, what, about whom and by whom, from which network, and more about it. Whoever was erased is
    /// called "somebody erased", and has no `email` in JSON. An event that is counted up, such as a limit that refuses
    /// again and again, is printed once.
    Tail(Which),
}

#[derive(Args)]
pub(super) struct Which {
    /// How many at most, the newest of all that fit.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    most: u64,
    /// Go on with what happens from now on, on any server, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Only events of this kind. May be given several times.
    #[arg(long = "kind", value_name = "KIND", ignore_case = true, value_parser = kind())]
    kinds: Vec<Kind>,
    /// Only what is about the person with this address.
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::parse)]
    subject: Option<EmailAddress>,
    /// Only what the person with this address did.
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::parse)]
    actor: Option<EmailAddress>,
    /// Only what happened within this time, such as `30m`, `1h` or `7d`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<TimeDelta>,
    #[command(flatten)]
    format: Format,
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str())).try_map(|name| {
        let named = Kind::ALL.iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&name));
        named.copied().ok_or("there is no such kind")
    })
}

fn time(text: &str) -> Result<TimeDelta, String> {
    let wrong = "write a time such as 30m, 1h or 7d";
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: {wrong}"))?;
    let longest = TimeDelta::days(36_500);
    TimeDelta::from_std(time).ok().filter(|time| *time <= longest).ok_or_else(|| format!("that is too long: {wrong}"))
}

pub(super) async fn tail(which: Which, ending: Ending) -> Outcome {
    let app = build().await?;
    let person = async |email: Option<&EmailAddress>| match email {
        Some(email) => id_of(&app.ctx, email).await.map(Some),
        None => Ok(None),
    };
    let filter = Filter {
        kinds: Some(which.kinds).filter(|kinds| !kinds.is_empty()),
        actor: person(which.actor.as_ref()).await?,
        subject: person(which.subject.as_ref()).await?,
        from: which.since.map(|since| app.ctx.now() - since),
        before: None,
    };
    let (events, mut tail) = Tail::begin(&app.ctx, Shell::of(&app), filter.canonical(), which.most).await?;
    show(&app, &events, which.format).await?;
    if which.follow {
        follow(&app, &mut tail, which.format, ending.soon()?).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Until Ctrl-C, or until nobody reads on. A database that is away is told of once and waited for.
async fn follow(
    app: &App,
    tail: &mut Tail,
    format: Format,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CommandError> {
    let mut hung_up = pin!(hung_up());
    let mut is_away = false;
    loop {
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = stop.changed() => return Ok(()),
            () = &mut hung_up => return Err(CommandError::HungUp),
        }
        let news = match tail.next(&app.ctx).await {
            Ok(news) => news,
            Err(Error::Unavailable(why)) => {
                if !is_away {
                    complain(&format!("{why}: waiting until the database is back"));
                }
                is_away = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        is_away = false;
        show(app, &news, format).await?;
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

/// The addresses of all whom these events name and who are not erased. One statement.
async fn addresses(app: &App, events: &[audit_events::Model]) -> Result<HashMap<Uuid, String>, Error> {
    let shell = Shell::of(app);
    let people: HashSet<_> = events.iter().flat_map(|event| [event.actor_id, event.subject_id]).flatten().collect();
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let people: Vec<_> = people.into_iter().map(|id| shell.access_to(id)).collect();
    let found = user::list::find_each(&app.ctx, &people).await?;
    Ok(found.into_iter().map(|(_, person)| (person.id, person.email)).collect())
}

fn object(event: &audit_events::Model, addresses: &HashMap<Uuid, String>) -> Json {
    let person = |id: Uuid| json!({ "id": &*relay::encode(relay::Kind::User, id), "email": addresses.get(&id) });
    json!({
        "id": &*relay::encode(relay::Kind::AuditEvent, event.id), "at": event.at.to_rfc3339(), "kind": event.kind,
        "actor": event.actor_id.map(person), "subject": event.subject_id.map(person),
        "ipAddress": event.ip_address, "userAgent": event.user_agent, "requestId": event.request_id,
        "detail": event.detail, "count": event.count,
    })
}

fn sentence(event: &audit_events::Model, addresses: &HashMap<Uuid, String>) -> String {
    let name = |id: Uuid| addresses.get(&id).map_or("somebody erased", String::as_str);
    let mut parts = vec![format!("{}  {:<22}", print::moment(event.at), event.kind)];
    parts.extend(event.subject_id.map(|id| name(id).to_owned()));
    let other = event.actor_id.filter(|actor| event.subject_id != Some(*actor));
    parts.extend(other.map(|id| format!("by {}", name(id))));
    parts.extend(event.ip_address.as_ref().map(|address| format!("from {address}")));
    if event.count > 1 {
        parts.push(format!("{} times", event.count));
    }
    if let Json::Object(detail) = &event.detail {
        let said = detail.iter().filter(|(_, value)| !value.is_null());
        parts.extend(said.map(|(field, value)| match value {
            Json::String(text) => format!("{field}={text}"),
            other => format!("{field}={other}"),
        }));
    }
    parts.join(" ")
}
