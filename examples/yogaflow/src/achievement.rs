//! The tables `achievements` and `user_achievements`. An achievement is earned once, when a practice is finished.

use std::collections::HashMap;

use doorcode::{
    domain::{Ctx, access::Person},
    error::Result,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, IntoActiveModel, QueryOrder, QueryTrait, entity::prelude::*,
    sea_query::OnConflict,
};

/// What an achievement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, async_graphql::Enum)]
#[graphql(name = "AchievementRule")]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Rule {
    /// Practices.
    #[sea_orm(string_value = "PRACTICES")]
    Practices,
    /// Minutes of practice.
    #[sea_orm(string_value = "MINUTES")]
    Minutes,
    /// Most days in a row.
    #[sea_orm(string_value = "STREAK")]
    Streak,
    /// Different styles.
    #[sea_orm(string_value = "STYLES")]
    Styles,
}

/// An achievement.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "achievements")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// What it takes.
    pub description: String,
    /// What it counts.
    pub rule: Rule,
    /// How much of it.
    pub threshold: i32,
    /// A picture: one emoji.
    pub badge: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// What users earned.
pub mod earned {
    use sea_orm::entity::prelude::*;

    /// An achievement of a user.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_achievements")]
    pub struct Model {
        /// The user.
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// The achievement.
        #[sea_orm(primary_key, auto_increment = false)]
        pub achievement_id: Uuid,
        /// When it was earned.
        pub earned_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far a user is, for each rule.
#[derive(Clone, Debug)]
pub struct Progress(HashMap<Rule, i32>);

impl Progress {
    /// Progress from totals.
    pub fn of(practices: usize, seconds: i64, streak: i32, styles: usize) -> Self {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let minutes = i32::try_from(seconds / 60).unwrap_or(i32::MAX);
        Self(HashMap::from([
            (Rule::Practices, count(practices)),
            (Rule::Minutes, minutes),
            (Rule::Streak, streak),
            (Rule::Styles, count(styles)),
        ]))
    }

    /// Progress towards an achievement, at most its threshold.
    pub fn towards(&self, achievement: &Model) -> i32 {
        self.0.get(&achievement.rule).copied().unwrap_or_default().min(achievement.threshold)
    }
}

/// Awards what the user has reached and not earned yet. Returns it.
pub async fn award(tx: &DatabaseTransaction, user: Uuid, progress: &Progress, now: DateTimeUtc) -> Result<Vec<Model>> {
    let mine = earned::Entity::find().filter(earned::Column::UserId.eq(user)).all(tx).await?;
    let mut reached = Entity::find().order_by_asc(Column::Id).all(tx).await?;
    reached
        .retain(|row| progress.towards(row) >= row.threshold && mine.iter().all(|mine| mine.achievement_id != row.id));
    if !reached.is_empty() {
        let rows = reached.iter().map(|row| {
            earned::Model { user_id: user, achievement_id: row.id, earned_at: now }.into_active_model().reset_all()
        });
        let once = OnConflict::columns([earned::Column::UserId, earned::Column::AchievementId]).do_nothing().to_owned();
        tx.execute(&earned::Entity::insert_many(rows).on_conflict(once).into_query()).await?;
    }
    Ok(reached)
}

/// All achievements, and when the caller earned them.
pub async fn list(ctx: &Ctx, person: Person<'_>) -> Result<Vec<(Model, Option<DateTimeUtc>)>> {
    let mine = earned::Entity::find().filter(earned::Column::UserId.eq(person.user().id)).all(ctx.db.read()).await?;
    let mine: HashMap<_, _> = mine.into_iter().map(|row| (row.achievement_id, row.earned_at)).collect();
    let rows = Entity::find().order_by_asc(Column::Id).all(ctx.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.clone(), mine.get(&row.id).copied())).collect())
}
