//! The `Session` type and the mutations that end one's own sessions.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};

use crate::{
    db::entity::{Method, sessions},
    domain::{
        access::{ReadAccess, SignedIn},
        session::{self, EndReason, refresh},
    },
    graphql::{
        error::ApiError,
        loader,
        outcome_label::Reported,
        parts,
        problem::SessionEnded,
        relay::{self, Kind, Listed},
        user::User,
    },
};

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

/// A method of signing in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Method")]
pub(in crate::graphql) enum AuthenticationMethod {
    /// A one-time code by email.
    EmailCode,
    /// A sign-in link by email.
    Link,
    /// A password.
    Password,
}

macro_rules! shown {
    ($($(#[doc = $doc:tt])+ $variant:ident = $name:tt,)+) => {
        /// Why a session is over. Later versions can add reasons.
        #[derive(Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(remote = "session::EndReason")]
        enum SessionEndReason { $($(#[doc = $doc])+ $variant,)+ }
    };
}
session::end_reasons!(shown);

/// A session of a user, created by a sign-in.
#[Object]
impl Session {
    /// The ID of the session, for `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::Session, self.model.id)
    }

    /// The user who is signed in.
    async fn user(&self) -> &User {
        &self.user
    }

    /// The time of the sign-in that opened the session. A session of another application has that of the sign-in on the
    /// pages.
    async fn created_at(&self) -> DateTime<Utc> {
        self.model.created_at
    }

    /// The time of the latest request with this session, accurate to one minute.
    async fn last_seen_at(&self) -> DateTime<Utc> {
        self.model.last_seen_at
    }

    /// The time at which the session ends unless it is refreshed.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.model.idle_expires_at
    }

    /// The time at which the session ended. `null` while it is open.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.model.ended_at
    }

    /// Why the session is over. `null` while it is open.
    async fn end_reason(&self, ctx: &Context<'_>) -> Option<SessionEndReason> {
        let (domain, _) = parts(ctx);
        EndReason::of(&self.model, domain.now()).map(Into::into)
    }

    /// The `User-Agent` header of the sign-in.
    async fn user_agent(&self) -> Option<&str> {
        self.model.user_agent.as_deref()
    }

    /// The IP address of the sign-in. `null` once it is erased.
    async fn ip_address(&self) -> Option<&str> {
        self.model.ip_address.as_deref()
    }

    /// The methods that the user signed in with.
    async fn methods(&self, ctx: &Context<'_>) -> Result<Vec<AuthenticationMethod>, ApiError> {
        let proofs = loader::load(ctx, loader::Proofs(self.model.id)).await?.unwrap_or_default();
        Ok(proofs.iter().map(|proof| proof.method.into()).collect())
    }

    /// The time of the latest proof of identity in this session.
    async fn authenticated_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, ApiError> {
        let proofs = loader::load(ctx, loader::Proofs(self.model.id)).await?.unwrap_or_default();
        Ok(proofs.last().map_or(self.model.created_at, |proof| proof.at))
    }

    /// Whether the user asked to stay signed in. Other sessions end a day after they began.
    async fn remembered(&self) -> bool {
        self.model.remembered
    }

    /// The application that the user signed in to. `null` for this service itself.
    async fn client_id(&self) -> Option<&str> {
        self.model.client_id.as_deref()
    }

    /// Whether this is the session of the current request.
    async fn current(&self) -> bool {
        self.user.is_current(self.model.id)
    }
}

/// A list of the sessions of a user.
pub(crate) enum Sessions {
    /// Those that are open.
    Open(ReadAccess),
    /// Those that are over.
    Ended(ReadAccess),
}

impl Listed for Session {
    const NAME: &'static str = "Session";
    type List = Sessions;

    async fn count(ctx: &Context<'_>, list: &Sessions) -> Result<u64, ApiError> {
        let count = match list {
            Sessions::Open(of) => loader::load(ctx, loader::SessionCount(*of)).await?,
            Sessions::Ended(of) => loader::load(ctx, loader::EndedSessionCount(*of)).await?,
        };
        Ok(count.unwrap_or_default())
    }
}

/// Input of `logout`.
#[derive(InputObject)]
struct LogoutInput {
    /// The refresh token of the session, for a client without a valid access token. Send no `Authorization` header with
    /// it.
    refresh_token: Option<String>,
}

/// The result of `logout`.
#[derive(Union)]
enum LogoutResult {
    LoggedOut(LoggedOut),
    SessionEnded(SessionEnded),
}

/// The session has ended. All of its tokens are refused from now on.
#[derive(SimpleObject)]
struct LoggedOut {
    /// The ID of the ended session.
    session_id: ID,
}

/// Input of `endSession`.
#[derive(InputObject)]
struct EndSessionInput {
    /// The ID of one of your sessions.
    id: ID,
}

/// The result of `endSession`.
#[derive(SimpleObject)]
struct EndSessionResult {
    /// The ended session.
    session: Session,
}

/// The result of `endOtherSessions`.
#[derive(SimpleObject)]
struct EndOtherSessionsResult {
    /// The number of sessions that were ended.
    count: i32,
}

#[derive(Default)]
pub(crate) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Signs the user out: ends the session of the bearer token, or of the refresh token in `input`, immediately.
    /// Problem: `SessionEnded`.
    async fn logout(&self, ctx: &Context<'_>, input: Option<LogoutInput>) -> Reported<LogoutResult> {
        let (domain, viewer) = parts(ctx);
        let ended = match input.and_then(|input| input.refresh_token) {
            Some(token) => refresh::sign_out(domain, &viewer.origin, &token).await?,
            None => Some(session::sign_out(domain, viewer.person()?).await?),
        };
        Ok(match ended {
            Some(ended) => LogoutResult::LoggedOut(LoggedOut { session_id: relay::encode(Kind::Session, ended.id) }),
            None => LogoutResult::SessionEnded(SessionEnded::already()),
        }
        .into())
    }

    /// Ends one of your sessions, such as the one on a lost device. Fails with `NOT_FOUND` for any other session.
    async fn end_session(&self, ctx: &Context<'_>, input: EndSessionInput) -> Reported<EndSessionResult> {
        let (domain, viewer) = parts(ctx);
        let id = relay::decode_as(Kind::Session, &input.id)?;
        let person = viewer.person()?;
        let session = session::end(domain, person, id).await?;
        Ok(EndSessionResult { session: Session::new(session, User::own(person)) }.into())
    }

    /// Ends all of your sessions except the current one.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Reported<EndOtherSessionsResult> {
        let (domain, viewer) = parts(ctx);
        let count = session::end_others(domain, viewer.person()?).await?;
        Ok(EndOtherSessionsResult { count: i32::try_from(count).unwrap_or(i32::MAX) }.into())
    }
}
