//! Sessions as clients see them, and ending them. Only the owner of a session reaches it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};

use crate::{
    db::entity::sessions,
    domain::{
        access::{ReadAccess, SignedIn},
        session::{self, refresh},
    },
    graphql::{
        error::{ApiError, SessionEnded},
        loader,
        outcome_label::Reported,
        parts,
        relay::{self, Kind, Listed},
        user::User,
    },
};

/// A sign-in that lasts until it ends.
#[derive(Clone)]
pub(crate) struct Session {
    model: sessions::Model,
    user: User,
}

impl Session {
    pub(crate) fn new(model: sessions::Model, user: User) -> Self {
        Self { model, user }
    }
}

impl From<SignedIn> for Session {
    fn from(signed_in: SignedIn) -> Self {
        let user = User::from(&signed_in);
        Self::new(signed_in.session, user)
    }
}

/// A sign-in that lasts until it ends.
#[Object]
impl Session {
    /// Opaque and typed; see `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::Session, self.model.id)
    }

    /// Whose it is.
    async fn user(&self) -> &User {
        &self.user
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime<Utc> {
        self.model.created_at
    }

    /// The latest request with it, to the minute.
    async fn last_seen_at(&self) -> DateTime<Utc> {
        self.model.last_seen_at
    }

    /// When it ends unless it is refreshed before.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.model.idle_expires_at
    }

    /// When it ended; `null` while it is open.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.model.ended_at
    }

    /// The software that opened it, as it called itself.
    async fn user_agent(&self) -> Option<&str> {
        self.model.user_agent.as_deref()
    }

    /// The address that opened it, while it is kept.
    async fn ip_address(&self) -> Option<&str> {
        self.model.ip_address.as_deref()
    }

    /// Whether it is the one that this request came with.
    async fn current(&self) -> bool {
        self.user.is_current(self.model.id)
    }
}

impl Listed for Session {
    const NAME: &'static str = "Session";
    type List = ReadAccess;

    async fn count(ctx: &Context<'_>, of: &ReadAccess) -> Result<u64, ApiError> {
        Ok(loader::load(ctx, loader::SessionCount(*of)).await?.unwrap_or_default())
    }
}

/// Which session to sign out of when there is no access token to tell.
#[derive(InputObject)]
struct LogoutInput {
    /// The session's refresh token, for clients whose access token has expired.
    refresh_token: Option<String>,
}

/// What became of signing out.
#[derive(Union)]
enum LogoutResult {
    LoggedOut(LoggedOut),
    SessionEnded(SessionEnded),
}

/// Signed out: from now on every token of the session is refused, everywhere.
#[derive(SimpleObject)]
struct LoggedOut {
    /// The session that was ended.
    session_id: ID,
}

/// Which session to end.
#[derive(InputObject)]
struct EndSessionInput {
    /// One of your sessions.
    id: ID,
}

/// The ended session.
#[derive(SimpleObject)]
struct EndSessionResult {
    /// With `endedAt` set.
    session: Session,
}

/// What was ended.
#[derive(SimpleObject)]
struct EndOtherSessionsResult {
    /// How many sessions were ended.
    count: i32,
}

#[derive(Default)]
pub(crate) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Signs out: ends the session of the bearer token, or of the refresh token in `input`. At once and everywhere.
    async fn logout(&self, ctx: &Context<'_>, input: Option<LogoutInput>) -> Reported<LogoutResult> {
        let (domain, viewer) = parts(ctx);
        let ended = match input.and_then(|input| input.refresh_token) {
            Some(token) => refresh::sign_out(domain, &viewer.origin, &token).await?,
            None => Some(session::sign_out(domain, viewer.person()?).await?),
        };
        Ok(match ended {
            Some(ended) => LogoutResult::LoggedOut(LoggedOut { session_id: relay::encode(Kind::Session, ended.id) }),
            None => LogoutResult::SessionEnded(SessionEnded { message: "This session is already over.".into() }),
        }
        .into())
    }

    /// Ends one of your sessions, such as one on a device that you lost.
    async fn end_session(&self, ctx: &Context<'_>, input: EndSessionInput) -> Reported<EndSessionResult> {
        let (domain, viewer) = parts(ctx);
        let id = relay::decode_as(Kind::Session, &input.id)?;
        let person = viewer.person()?;
        let session = session::end(domain, person, id).await?;
        Ok(EndSessionResult { session: Session::new(session, User::own(person)) }.into())
    }

    /// Ends all of your sessions but this one.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Reported<EndOtherSessionsResult> {
        let (domain, viewer) = parts(ctx);
        let count = session::end_others(domain, viewer.person()?).await?;
        Ok(EndOtherSessionsResult { count: i32::try_from(count).unwrap_or(i32::MAX) }.into())
    }
}
