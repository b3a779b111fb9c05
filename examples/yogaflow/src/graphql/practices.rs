//! Practices, statistics and achievements.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, NaiveDate, Utc};
use doorcode::{
    domain::access::Member,
    graphql::{
        error::ApiError,
        parts,
        relay::{self, Connection, Listed, Page},
    },
};

use super::{ACHIEVEMENT, PRACTICE, PRACTICE_READ, PracticeTooShort, SEQUENCE, YogaProblemCode};
use crate::{
    achievement::{self, Rule},
    days,
    practice::{self, Ending, Finish, SHORTEST, Sum},
    sequence,
    values::{Mood, Style},
};

/// A practice.
struct Practice(practice::Model);

/// A practice.
#[Object]
impl Practice {
    /// The ID of the practice.
    async fn id(&self) -> ID {
        PRACTICE.encode(self.0.id)
    }

    /// The ID of the sequence, until it is deleted.
    async fn sequence_id(&self) -> Option<ID> {
        self.0.sequence_id.map(|id| SEQUENCE.encode(id))
    }

    /// The name of the sequence at the start.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The style of the sequence at the start.
    async fn style(&self) -> Style {
        self.0.style
    }

    /// The start.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// The end; null while in progress.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Time in poses, without pauses.
    async fn seconds(&self) -> i32 {
        self.0.seconds
    }

    /// Your notes.
    async fn notes(&self) -> &str {
        &self.0.notes
    }

    /// How it felt.
    async fn mood(&self) -> Option<Mood> {
        self.0.mood
    }
}

impl Listed for Practice {
    const NAME: &'static str = "Practice";
    type List = ();

    async fn count(ctx: &Context<'_>, (): &()) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(practice::count(domain, viewer.actor(PRACTICE_READ.scope)?).await?)
    }
}

/// The number and duration of practices.
#[derive(SimpleObject)]
struct PracticeSum {
    /// The number of practices.
    practices: i32,
    /// Their duration in minutes, rounded down.
    minutes: i32,
}

impl From<Sum> for PracticeSum {
    fn from(Sum { practices, seconds }: Sum) -> Self {
        Self { practices, minutes: i32::try_from(seconds / 60).unwrap_or(i32::MAX) }
    }
}

/// The practices of a week.
#[derive(SimpleObject)]
struct PracticeWeek {
    /// The Monday of the week.
    monday: NaiveDate,
    /// The sum.
    sum: PracticeSum,
}

/// The practices of a day.
#[derive(SimpleObject)]
struct PracticeDay {
    /// The day.
    day: NaiveDate,
    /// The sum.
    sum: PracticeSum,
}

/// How often a style was practised.
#[derive(SimpleObject)]
struct PracticeStyle {
    /// The style.
    style: Style,
    /// The number of practices.
    practices: i32,
}

/// Your practices in numbers.
#[derive(SimpleObject)]
struct PracticeStatistics {
    /// All practices.
    total: PracticeSum,
    /// Days in a row up to today or yesterday.
    current_streak: i32,
    /// Most days in a row.
    longest_streak: i32,
    /// The latest weeks, oldest first, including weeks without practice.
    weeks: Vec<PracticeWeek>,
    /// The styles that you practised, the most frequent first.
    styles: Vec<PracticeStyle>,
}

/// An achievement.
struct Achievement {
    row: achievement::Model,
    progress: i32,
    earned_at: Option<DateTime<Utc>>,
}

/// An achievement.
#[Object]
impl Achievement {
    /// The ID of the achievement.
    async fn id(&self) -> ID {
        ACHIEVEMENT.encode(self.row.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it takes.
    async fn description(&self) -> &str {
        &self.row.description
    }

    /// What it counts.
    async fn rule(&self) -> Rule {
        self.row.rule
    }

    /// How much of it.
    async fn threshold(&self) -> i32 {
        self.row.threshold
    }

    /// How much of it you have, at most the threshold.
    async fn progress(&self) -> i32 {
        self.progress
    }

    /// A picture: one emoji.
    async fn badge(&self) -> &str {
        &self.row.badge
    }

    /// The time at which you earned it.
    async fn earned_at(&self) -> Option<DateTime<Utc>> {
        self.earned_at
    }
}

#[derive(Default)]
pub(super) struct PracticeQuery;

#[Object]
impl PracticeQuery {
    /// Lists your finished practices, newest first. API keys need the scope `PRACTICE_READ`.
    async fn practice_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Practice>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = practice::history(domain, viewer.actor(PRACTICE_READ.scope)?, &page.slice()).await?;
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), Practice, ()))
    }

    /// Your practices in numbers. API keys need the scope `PRACTICE_READ`.
    async fn practice_statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where days begin and end, such as `Europe/Berlin`.", default_with = "\"UTC\".to_owned()")]
        time_zone: String,
        #[graphql(desc = "The number of latest weeks to return (1 to 53).", default = 12)] weeks: i32,
    ) -> Result<PracticeStatistics, ApiError> {
        let (domain, viewer) = parts(ctx);
        let actor = viewer.actor(PRACTICE_READ.scope)?;
        let found = practice::statistics(domain, actor, days::zone(&time_zone)?, weeks).await?;
        let week = |(monday, sum): (NaiveDate, Sum)| PracticeWeek { monday, sum: sum.into() };
        Ok(PracticeStatistics {
            total: found.total.into(),
            current_streak: found.current_streak,
            longest_streak: found.longest_streak,
            weeks: found.weeks.into_iter().map(week).collect(),
            styles: found.styles.into_iter().map(|(style, practices)| PracticeStyle { style, practices }).collect(),
        })
    }

    /// The days of a month on which you practised. API keys need the scope `PRACTICE_READ`.
    async fn practice_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month, such as `2026-11`.")] month: String,
        #[graphql(desc = "Where days begin and end, such as `Europe/Berlin`.", default_with = "\"UTC\".to_owned()")]
        time_zone: String,
    ) -> Result<Vec<PracticeDay>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let actor = viewer.actor(PRACTICE_READ.scope)?;
        let found = practice::calendar(domain, actor, days::zone(&time_zone)?, &month).await?;
        Ok(found.into_iter().map(|(day, sum)| PracticeDay { day, sum: sum.into() }).collect())
    }

    /// All achievements, with your progress.
    async fn achievements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where days begin and end, such as `Europe/Berlin`.", default_with = "\"UTC\".to_owned()")]
        time_zone: String,
    ) -> Result<Vec<Achievement>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let person = viewer.person()?;
        let progress = practice::progress_of(domain, person, days::zone(&time_zone)?).await?;
        let rows = achievement::list(domain, person).await?;
        let achievement = |(row, earned_at): (achievement::Model, Option<_>)| {
            // In another time zone than that of the practice, a streak can be shorter.
            let progress = if earned_at.is_some() { row.threshold } else { progress.towards(&row) };
            Achievement { row, progress, earned_at }
        };
        Ok(rows.into_iter().map(achievement).collect())
    }
}

/// A practice has started.
#[derive(SimpleObject)]
struct PracticeStarted {
    /// The practice.
    practice: Practice,
}

/// Input of `finishPractice`.
#[derive(InputObject)]
struct FinishPracticeInput {
    /// The ID of your practice in progress.
    practice_id: ID,
    /// Time in poses, without pauses. Cannot exceed the time since the start.
    seconds: i32,
    /// Your notes (at most 1,000 characters).
    #[graphql(default)]
    notes: String,
    /// How it felt.
    mood: Option<Mood>,
    /// Where your days begin and end, such as `Europe/Berlin`.
    #[graphql(default_with = "\"UTC\".to_owned()")]
    time_zone: String,
}

/// A practice is in the history.
#[derive(SimpleObject)]
struct PracticeFinished {
    /// The practice.
    practice: Practice,
    /// What you earned with it. Empty if the practice was already finished.
    earned: Vec<Achievement>,
}

/// The result of `finishPractice`.
#[derive(Union)]
enum FinishPracticeResult {
    Finished(PracticeFinished),
    TooShort(PracticeTooShort),
}

#[derive(Default)]
pub(super) struct PracticeMutation;

#[Object]
impl PracticeMutation {
    /// Starts a practice, and discards one that is in progress. Requires the role USER.
    async fn start_practice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the sequence to practise.")] sequence_id: ID,
    ) -> Result<PracticeStarted, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "startPractice").await?;
        let sequence = sequence::find(domain, *member, SEQUENCE.decode("sequenceId", &sequence_id)?).await?;
        Ok(PracticeStarted { practice: Practice(practice::start(domain, member, &sequence).await?) })
    }

    /// Finishes a practice and awards achievements. Repeating it changes nothing. Requires the role USER. Fails with
    /// `NOT_FOUND` for practices of others and for discarded ones.
    async fn finish_practice(
        &self,
        ctx: &Context<'_>,
        input: FinishPracticeInput,
    ) -> Result<FinishPracticeResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "finishPractice").await?;
        let FinishPracticeInput { practice_id, seconds, notes, mood, time_zone } = input;
        let ending = Ending { seconds, notes, mood, zone: days::zone(&time_zone)? };
        Ok(match practice::finish(domain, member, PRACTICE.decode("practiceId", &practice_id)?, ending).await? {
            Finish::Finished(practice, rows) => {
                let earned = |row: achievement::Model| Achievement {
                    progress: row.threshold,
                    row,
                    earned_at: practice.ended_at,
                };
                let earned = rows.into_iter().map(earned).collect();
                FinishPracticeResult::Finished(PracticeFinished { practice: Practice(practice), earned })
            }
            Finish::TooShort => FinishPracticeResult::TooShort(PracticeTooShort {
                message: format!("A practice counts from {SHORTEST} seconds. Keep going!"),
                code: YogaProblemCode::PracticeTooShort,
                shortest: SHORTEST,
            }),
        })
    }
}
