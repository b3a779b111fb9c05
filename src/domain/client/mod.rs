//! Applications that users can sign in to: which ones there are here, their requests in `request.rs`, and the codes that
//! they exchange for sessions in `code.rs`. The operator registers them in the file of `DOORCODE_CLIENTS` or with
//! `doorcode client`, which stores them here. A client of the file is never looked up in the database.

pub mod code;
pub mod params;
pub mod request;

use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use serde_json::json;

use super::{
    Ctx,
    access::Shell,
    audit::{self, Event, Kind},
    session,
    transaction::Work,
};
use crate::{
    db::{self, entity::clients},
    error::{Error, Result},
    settings::clients::{Client, Registration},
};

/// Finds a client. At most one statement.
pub async fn find(ctx: &Ctx, id: &str) -> Result<Option<Client>> {
    if let Some(client) = in_file(ctx, id) {
        return Ok(Some(client.clone()));
    }
    if !Client::is_id(id) {
        return Ok(None);
    }
    clients::Entity::find_by_id(id).one(ctx.db.read()).await?.map(read).transpose()
}

fn in_file<'a>(ctx: &'a Ctx, id: &str) -> Option<&'a Client> {
    ctx.settings.clients.iter().find(|client| client.id == id)
}

fn read(row: clients::Model) -> Result<Client> {
    let redirect_uris = row.redirect_uris.split(' ').map(str::to_owned).collect();
    let stored = Registration { id: row.id, name: row.name, redirect_uris, audience: row.audience, logo: row.logo };
    Client::check(stored).map_err(Error::Internal)
}

/// A client in a list.
pub struct Listed {
    /// The client.
    pub client: Client,
    /// Whether it is in the file, and not in the database.
    pub in_file: bool,
}

/// Lists all clients: those of the file, then the others by id. One statement.
pub async fn list(ctx: &Ctx, _: Shell) -> Result<Vec<Listed>> {
    let rows = clients::Entity::find().order_by_asc(clients::Column::Id).all(ctx.db.read()).await?;
    let listed = |in_file| move |client| Listed { client, in_file };
    let stored = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?.into_iter().map(listed(false));
    Ok(ctx.settings.clients.iter().cloned().map(listed(true)).chain(stored).collect())
}

/// Registers a client.
///
/// # Errors
/// [`Error::Invalid`] if the id is taken.
pub async fn add(ctx: &Ctx, _: Shell, client: &Client) -> Result<()> {
    let taken = |place: &str| Error::invalid("id", format!("The client `{}` is already {place}.", client.id));
    if in_file(ctx, &client.id).is_some() {
        return Err(taken("in the file of DOORCODE_CLIENTS"));
    }
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let uris: Vec<_> = client.redirect_uris.iter().map(ToString::to_string).collect();
    let row = clients::Model {
        id: client.id.clone(),
        name: client.name.clone(),
        redirect_uris: uris.join(" "),
        audience: client.audience.clone(),
        logo: client.logo.clone(),
        created_at: now,
    };
    match db::insert(&*work, row).await {
        Err(Error::Conflict) => return Err(taken("registered. Remove it first")),
        inserted => inserted?,
    }
    let detail = json!({ "client": client.id, "redirectUris": uris });
    record(ctx, &work, Kind::ClientAdded, detail).await?;
    work.commit(ctx).await
}

/// Removes a client that is stored here, and ends its sessions. Returns how many ended.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] for a client of the file.
pub async fn remove(ctx: &Ctx, _: Shell, id: &str) -> Result<u64> {
    if in_file(ctx, id).is_some() {
        return Err(Error::invalid("id", format!("The client `{id}` is in the file of DOORCODE_CLIENTS.")));
    }
    let work = Work::begin(ctx).await?;
    delete(&*work, id).await?;
    let ended = session::for_client::end_all(&*work, id, ctx.now()).await?;
    record(ctx, &work, Kind::ClientRemoved, json!({ "client": id, "sessions": ended })).await?;
    work.commit(ctx).await?;
    Ok(ended)
}

async fn delete(db: &impl ConnectionTrait, id: &str) -> Result<()> {
    let deleted = clients::Entity::delete_by_id(id).exec(db).await?;
    if deleted.rows_affected == 1 { Ok(()) } else { Err(Error::NotFound) }
}

async fn record(ctx: &Ctx, work: &Work, kind: Kind, detail: serde_json::Value) -> Result<()> {
    let event = Event { kind, origin: None, actor: None, subject: None, detail, email: None };
    audit::record(ctx, work, ctx.now(), &[event]).await
}
