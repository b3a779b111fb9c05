//! Exports a user's data for that user, without secrets and without data about other users.

use serde_json::{Value as Json, json};

use super::{email_change, role_name, status_name};
use crate::{
    db::entity::{api_keys, audit_events, devices, email_changes, sessions, users},
    domain::{
        Ctx, Wait,
        access::{Person, ReadAccess, Recent},
        audit::{self, Event, Kind},
        credential::{
            api_key::{self, prefix},
            password,
        },
        device, rate_limit,
        session::{self, authentication},
    },
    error::Result,
    limits::Rule,
};

/// Maximum number of events in an export, newest first.
const EVENTS: u64 = 1_000;
const DEVICES: u64 = 1_000;
const API_KEYS: u64 = 1_000;

/// Exports the caller's data and records the export in the audit trail.
pub async fn export(ctx: &Ctx, person: Recent<Person<'_>>) -> Result<Result<Json, Wait>> {
    let (now, me) = (ctx.now(), person.user().id.to_string());
    if let Some(wait) = rate_limit::take(ctx, person.origin(), Rule::ExportPerson, me, now).await? {
        return Ok(Err(wait));
    }
    let access = person.access();
    let changes = email_change::of(ctx, access.user_id()).await?;
    let events = audit::list::newest_of(ctx, access, EVENTS).await?;
    let sessions = session::list_all(ctx, access).await?;
    let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
    let proofs = authentication::of_sessions(ctx, &ids).await?;
    let keys = api_key::list_each(ctx, &[access], API_KEYS).await?.pop().unwrap_or_default();
    let password = password::changed_at(ctx, &[access.user_id()]).await?;
    let copy = json!({
        "exportedAt": now,
        "user": user(person.user()),
        "passwordChangedAt": password.get(&access.user_id()),
        "sessions": sessions.iter().map(|session| session_row(session, &proofs)).collect::<Vec<_>>(),
        "devices": device::list(ctx, access, DEVICES).await?.iter().map(device_row).collect::<Vec<_>>(),
        "apiKeys": keys.iter().map(key_row).collect::<Vec<_>>(),
        "emailChanges": changes.iter().map(change_row).collect::<Vec<_>>(),
        "auditEvents": events.iter().map(|event| event_row(access, event)).collect::<Vec<_>>(),
    });
    audit::record_alone(ctx, now, Event::own(Kind::DataExported, *person, json!({}))).await?;
    Ok(Ok(copy))
}

fn user(user: &users::Model) -> Json {
    json!({
        "email": user.email, "name": user.name, "locale": user.locale, "role": role_name(user.role),
        "status": status_name(user.status), "createdAt": user.created_at, "updatedAt": user.updated_at,
        "lastSignInAt": user.last_sign_in_at, "externalId": user.external_id,
    })
}

fn session_row(session: &sessions::Model, proofs: &authentication::Proofs) -> Json {
    json!({
        "createdAt": session.created_at, "lastSeenAt": session.last_seen_at, "expiresAt": session.expires_at,
        "endedAt": session.ended_at, "endReason": session.end_reason, "methods": authentication::names(proofs, session.id),
        "userAgent": session.user_agent, "ipAddress": session.ip_address,
    })
}

fn device_row(device: &devices::Model) -> Json {
    json!({
        "createdAt": device.created_at, "lastUsedAt": device.last_used_at, "expiresAt": device.expires_at,
        "userAgent": device.user_agent, "ipAddress": device.ip_address,
    })
}

fn key_row(key: &api_keys::Model) -> Json {
    json!({
        "name": key.name, "prefix": prefix(key.id), "scopes": key.scopes().collect::<Vec<_>>(),
        "createdAt": key.created_at, "expiresAt": key.expires_at, "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    })
}

fn change_row(change: &email_changes::Model) -> Json {
    json!({
        "at": change.created_at, "from": change.old_email, "to": change.new_email, "undoneAt": change.undone_at,
    })
}

fn event_row(access: ReadAccess, event: &audit_events::Model) -> Json {
    let origin = access.shows_origin_of(event.actor_id);
    json!({
        "at": event.at, "kind": event.kind, "byYou": event.actor_id == Some(access.user_id()),
        "ipAddress": event.ip_address.as_deref().filter(|_| origin),
        "userAgent": event.user_agent.as_deref().filter(|_| origin), "detail": event.detail,
    })
}
