//! The table `system_settings`: what administrators set for all workers while they run. A setting without a row has its
//! default.

use doorcode::{
    domain::{Check, Ctx, access::Admin},
    error::Result,
};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryTrait, entity::prelude::*, sea_query::OnConflict};

use crate::values;

/// A setting.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "system_settings")]
pub struct Model {
    /// The name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The value.
    pub value: Json,
    /// The administrator who set it, until they are erased.
    pub changed_by: Option<Uuid>,
    /// The time of the change.
    pub changed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// The settings for all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// Workers start no analysis.
    pub paused: bool,
    /// How often an analysis is tried before it fails.
    pub max_attempts: i32,
    /// The price of 1,000 tokens that are sent, in millionths of a dollar.
    pub price_in: i32,
    /// The price of 1,000 tokens in answers, in millionths of a dollar.
    pub price_out: i32,
    /// The number of tokens that the analyses of one user may use on a day, before they cannot start another one.
    pub daily_tokens: i32,
}

impl Default for System {
    fn default() -> Self {
        Self { paused: false, max_attempts: 5, price_in: 0, price_out: 0, daily_tokens: 20_000_000 }
    }
}

/// Changes to settings; `None` keeps one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// See [`System::paused`].
    pub paused: Option<bool>,
    /// See [`System::max_attempts`].
    pub max_attempts: Option<i32>,
    /// See [`System::price_in`].
    pub price_in: Option<i32>,
    /// See [`System::price_out`].
    pub price_out: Option<i32>,
    /// See [`System::daily_tokens`].
    pub daily_tokens: Option<i32>,
}

/// The settings, for workers. One statement.
pub async fn load(ctx: &Ctx) -> Result<System> {
    let mut system = System::default();
    for Model { key, value, .. } in Entity::find().all(ctx.db.write()).await? {
        let number = || value.as_i64().and_then(|value| i32::try_from(value).ok());
        match &*key {
            "paused" => system.paused = value.as_bool().unwrap_or_default(),
            "max_attempts" => system.max_attempts = number().unwrap_or(system.max_attempts),
            "price_in" => system.price_in = number().unwrap_or(system.price_in),
            "price_out" => system.price_out = number().unwrap_or(system.price_out),
            "daily_tokens" => system.daily_tokens = number().unwrap_or(system.daily_tokens),
            _ => {}
        }
    }
    Ok(system)
}

/// The settings, for administrators.
pub async fn read(ctx: &Ctx, _: Admin<'_>) -> Result<System> {
    load(ctx).await
}

/// Changes settings. One statement for each.
pub async fn change(ctx: &Ctx, admin: Admin<'_>, change: Change) -> Result<System> {
    let mut check = Check::default();
    let attempts = change.max_attempts.and_then(|it| values::number(&mut check, "maxAttempts", it, (1, 20)));
    let price_in = change.price_in.and_then(|it| values::number(&mut check, "priceIn", it, (0, 10_000_000)));
    let price_out = change.price_out.and_then(|it| values::number(&mut check, "priceOut", it, (0, 10_000_000)));
    let tokens = change.daily_tokens.and_then(|it| values::number(&mut check, "dailyTokens", it, (0, 2_000_000_000)));
    check.done()?;
    let values = [
        ("paused", change.paused.map(Json::from)),
        ("max_attempts", attempts.map(Json::from)),
        ("price_in", price_in.map(Json::from)),
        ("price_out", price_out.map(Json::from)),
        ("daily_tokens", tokens.map(Json::from)),
    ];
    let tx = ctx.db.begin().await?;
    for (key, value) in values.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        let row = Model { key: key.into(), value, changed_by: Some(admin.user().id), changed_at: ctx.now() };
        let columns = [Column::Value, Column::ChangedBy, Column::ChangedAt];
        let upsert = OnConflict::column(Column::Key).update_columns(columns).to_owned();
        let insert = Entity::insert(row.into_active_model().reset_all()).on_conflict(upsert).into_query();
        tx.execute(&insert).await?;
    }
    tx.commit().await?;
    load(ctx).await
}
