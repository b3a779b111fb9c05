//! The `ApiKey` type and the mutations that create, rotate and revoke keys. No API key can use them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;

use crate::{
    db::entity::api_keys,
    domain::{
        access::{Member, Recent},
        credential::api_key::{
            manage::{self, Created, NewKey},
            prefix,
        },
    },
    graphql::{
        outcome_label::Reported,
        parts,
        problem::RateLimited,
        relay::{self, Kind},
    },
};

#[derive(Clone)]
pub(crate) struct ApiKey(api_keys::Model);

impl From<api_keys::Model> for ApiKey {
    fn from(model: api_keys::Model) -> Self {
        Self(model)
    }
}

/// A key with which a program uses this API for its owner, within the scopes of the key and the owner's current role.
#[Object]
impl ApiKey {
    /// The ID of the key, for `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::ApiKey, self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The start of the key, which is not secret.
    async fn prefix(&self) -> String {
        prefix(self.0.id)
    }

    /// The scopes: `PROFILE_READ`, `PEOPLE_READ`, `PEOPLE_WRITE`, `AUDIT_READ`, and those of the application.
    async fn scopes(&self) -> Vec<&str> {
        self.0.scopes().collect()
    }

    /// The time at which the key was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time at which the key expires, if it does.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// The time of the latest use, updated at most once a minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// The time at which the key was revoked.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}

/// Input of `createApiKey`.
#[derive(InputObject)]
struct CreateApiKeyInput {
    /// The name of the key: one line of at most 100 characters.
    name: String,
    /// What the key may do. Without scopes, it can only read the ID of its owner.
    scopes: Vec<String>,
    /// The time at which the key expires. Without it, the key works until it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

/// The result of `createApiKey`.
#[derive(Union)]
enum CreateApiKeyResult {
    ApiKeyCreated(ApiKeyCreated),
    RateLimited(RateLimited),
}

/// Input of `rotateApiKey`.
#[derive(InputObject)]
struct RotateApiKeyInput {
    /// The ID of one of your API keys.
    id: ID,
    /// How long the current key keeps working, in seconds (maximum 604800, which is seven days).
    #[graphql(default = 3600)]
    overlap_seconds: i32,
}

/// The result of `rotateApiKey`.
#[derive(Union)]
enum RotateApiKeyResult {
    ApiKeyCreated(ApiKeyCreated),
    RateLimited(RateLimited),
}

/// The API key has a new secret.
#[derive(SimpleObject)]
struct ApiKeyCreated {
    /// The key, to send as `Authorization: Bearer`. This is the only time it is shown.
    key: String,
    /// What is stored about the key.
    api_key: ApiKey,
}

impl From<Created> for ApiKeyCreated {
    fn from(Created { secret, key }: Created) -> Self {
        Self { key: secret.expose_secret().to_owned(), api_key: key.into() }
    }
}

/// Input of `revokeApiKey`.
#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// The ID of the API key.
    id: ID,
}

/// The result of `revokeApiKey`.
#[derive(SimpleObject)]
struct RevokeApiKeyResult {
    /// The revoked key.
    api_key: ApiKey,
}

#[derive(Default)]
pub(crate) struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Creates an API key, and emails you a notice. You can have 20 keys, and create or rotate 10 an hour. Requires the
    /// role USER and a sign-in by email within the last ten minutes. Problem: `RateLimited`.
    async fn create_api_key(&self, ctx: &Context<'_>, input: CreateApiKeyInput) -> Reported<CreateApiKeyResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "createApiKey").await?;
        let member = Recent::require(domain, member, "createApiKey").await?;
        let new = NewKey::check(domain, &input.name, &input.scopes, input.expires_at)?;
        Ok(match manage::create(domain, member, new).await? {
            Ok(created) => CreateApiKeyResult::ApiKeyCreated(created.into()),
            Err(wait) => CreateApiKeyResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Gives one of your API keys a new secret. The current one keeps working for a while, so that you can replace it
    /// without an interruption. Requires the role USER and a sign-in by email within the last ten minutes. Fails with
    /// `NOT_FOUND` for any other key, and for one that is revoked or expired. Problem: `RateLimited`.
    async fn rotate_api_key(&self, ctx: &Context<'_>, input: RotateApiKeyInput) -> Reported<RotateApiKeyResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "rotateApiKey").await?;
        let member = Recent::require(domain, member, "rotateApiKey").await?;
        let id = relay::decode_as(Kind::ApiKey, &input.id)?;
        let overlap = TimeDelta::seconds(input.overlap_seconds.into());
        Ok(match manage::rotate(domain, member, id, overlap).await? {
            Ok(created) => RotateApiKeyResult::ApiKeyCreated(created.into()),
            Err(wait) => RotateApiKeyResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Revokes one of your API keys, or any API key if you have the role ADMIN. It stops working at once. Fails with
    /// `NOT_FOUND` for any other key.
    async fn revoke_api_key(&self, ctx: &Context<'_>, input: RevokeApiKeyInput) -> Reported<RevokeApiKeyResult> {
        let (domain, viewer) = parts(ctx);
        // Before the ID is read: without a session, every ID gets the same answer.
        viewer.person()?;
        let id = relay::decode_as(Kind::ApiKey, &input.id)?;
        Ok(RevokeApiKeyResult { api_key: manage::revoke(domain, viewer, id).await?.into() }.into())
    }
}
