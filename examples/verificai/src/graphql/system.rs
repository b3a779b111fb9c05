//! What administrators set for all workers.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use doorcode::{
    domain::access::Admin,
    graphql::{error::ApiError, parts},
};

use crate::system::{self, Change, System};

/// What administrators set for all workers.
#[derive(SimpleObject)]
struct SystemSettings {
    /// Whether workers start no analysis.
    paused: bool,
    /// How often an analysis is tried before it fails.
    max_attempts: i32,
    /// The price of 1,000 tokens that are sent, in millionths of a dollar.
    price_in: i32,
    /// The price of 1,000 tokens in answers, in millionths of a dollar.
    price_out: i32,
    /// The number of tokens that the analyses of one user may use on a day (UTC), before they cannot start another one.
    daily_tokens: i32,
}

impl From<System> for SystemSettings {
    fn from(System { paused, max_attempts, price_in, price_out, daily_tokens }: System) -> Self {
        Self { paused, max_attempts, price_in, price_out, daily_tokens }
    }
}

/// Input of `changeSystemSettings`. A field that is left out stays as it is.
#[derive(InputObject)]
struct ChangeSystemSettingsInput {
    /// Whether workers start no analysis. Running ones go on.
    paused: Option<bool>,
    /// How often an analysis is tried before it fails (1 to 20).
    max_attempts: Option<i32>,
    /// The price of 1,000 tokens that are sent, in millionths of a dollar.
    price_in: Option<i32>,
    /// The price of 1,000 tokens in answers, in millionths of a dollar.
    price_out: Option<i32>,
    /// The number of tokens that the analyses of one user may use on a day (0 to 2,000,000,000, default 20,000,000).
    daily_tokens: Option<i32>,
}

#[derive(Default)]
pub(super) struct SystemQuery;

#[Object]
impl SystemQuery {
    /// What administrators set for all workers. Requires the role ADMIN.
    async fn system_settings(&self, ctx: &Context<'_>) -> Result<SystemSettings, ApiError> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "systemSettings").await?;
        Ok(system::read(domain, admin).await?.into())
    }
}

#[derive(Default)]
pub(super) struct SystemMutation;

#[Object]
impl SystemMutation {
    /// Changes settings for all workers, who notice within seconds. Requires the role ADMIN.
    async fn change_system_settings(
        &self,
        ctx: &Context<'_>,
        input: ChangeSystemSettingsInput,
    ) -> Result<SystemSettings, ApiError> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "changeSystemSettings").await?;
        let ChangeSystemSettingsInput { paused, max_attempts, price_in, price_out, daily_tokens } = input;
        let change = Change { paused, max_attempts, price_in, price_out, daily_tokens };
        Ok(system::change(domain, admin, change).await?.into())
    }
}
