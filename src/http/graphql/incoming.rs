//! Reads the body of a request and identifies its caller. A body above the usual limit is read only if an application
//! has a mutation for it, and only after the caller has been charged and has shown a valid token or API key.

use axum::{
    body::{Body, HttpBody as _},
    http::request::Parts,
};
use uuid::Uuid;

use super::{
    IdentifiedCaller,
    call::{Call, DocumentRef},
    identify, invalid_call,
};
use crate::{
    graphql::error::Code,
    http::{
        Server,
        body::{self, MAX_BODY},
        caller::Bearer,
        request_outcome::RequestOutcome,
        response::{Refusal, RequestId},
        tally::{Share, Tally},
    },
};

/// Maximum number of large bodies that a process reads or executes at once. Each takes several times its size.
const MAX_LARGE: usize = 16;
/// The same for one user, with all sessions and API keys.
const PER_USER: usize = 4;

/// Number of large bodies by user. The key `None` counts all of them.
#[derive(Default)]
pub(crate) struct LargeBodies(Tally<Option<Uuid>>);

/// A request whose body was read.
pub(super) struct Incoming {
    pub call: Call,
    pub caller: IdentifiedCaller,
    /// Held until the response is ready.
    pub _large: Option<Share<Option<Uuid>>>,
}

pub(super) async fn receive(
    server: &Server,
    parts: &Parts,
    body: Body,
    id: &RequestId,
    record: &mut RequestOutcome,
) -> Result<Incoming, Refusal> {
    let announced = body.size_hint().lower();
    let large = server.api.documents().large_body().filter(|_| announced > MAX_BODY as u64);
    let Some(large) = large else {
        let body = body::read(body).await?;
        let caller = identify(server, parts, id, record).await?;
        let call = Call::read(&body).ok_or_else(invalid_call)?;
        return Ok(Incoming { call, caller, _large: None });
    };
    let caller = identify(server, parts, id, record).await?;
    let user = match &caller.bearer {
        Ok(Bearer::Claims(claims)) => claims.sub,
        Ok(Bearer::Key(holder)) => holder.key.user_id,
        _ => return Err(body::too_large(MAX_BODY)),
    };
    let most = [(Some(user), PER_USER), (None, MAX_LARGE)];
    let mut share = server.large_bodies.0.share(most);
    if !share.grow(1) {
        let message = "Too many large requests at once. Try again in a few seconds.";
        return Err(Refusal::new(Code::Unavailable, message));
    }
    let body = body::read_up_to(body, large.bytes).await?;
    caller.meter.charge_bytes(&server.ctx, body.len() as u64).await?;
    let call = Call::read(&body).ok_or_else(invalid_call)?;
    if let DocumentRef::Text(text) | DocumentRef::Both { text, .. } = &call.document
        && text.len() > MAX_BODY
    {
        return Err(Refusal::document(format!("The document exceeds {MAX_BODY} bytes. Put text into `variables`.")));
    }
    Ok(Incoming { call, caller, _large: Some(share) })
}
