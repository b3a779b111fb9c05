//! The table `practice_sessions`. A user has at most one practice in progress, and reads only their own practices.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use doorcode::{
    db,
    domain::{
        Check, Ctx,
        access::{Actor, Member, Person},
        range_query::Slice,
    },
    error::{Error, Result},
};
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, entity::prelude::*, sea_query::Expr};

use crate::{
    achievement::{self, Progress},
    days::{self, Streaks},
    sequence::{self, Visible},
    values::{self, Mood, Style},
};

/// A practice.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_sessions")]
pub struct Model {
    /// UUID v7, so that the history is ordered by start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who practises.
    pub user_id: Uuid,
    /// The sequence, until it is deleted.
    pub sequence_id: Option<Uuid>,
    /// The name of the sequence at the start.
    pub name: String,
    /// The style of the sequence at the start.
    pub style: Style,
    /// The start.
    pub started_at: DateTimeUtc,
    /// The end; `None` while in progress. An index allows one row per user without an end.
    pub ended_at: Option<DateTimeUtc>,
    /// Time in poses, without pauses.
    pub seconds: i32,
    /// What the user wrote about it.
    pub notes: String,
    /// How it felt.
    pub mood: Option<Mood>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A practice counts from this number of seconds. A shorter one was probably started by mistake.
pub const SHORTEST: i32 = 10;

fn of(user: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user))
}

fn finished(user: Uuid) -> Select<Entity> {
    of(user).filter(Column::EndedAt.is_not_null())
}

/// Starts a practice. Discards one that is in progress.
pub async fn start(ctx: &Ctx, member: Member<'_>, sequence: &Visible) -> Result<Model> {
    let (now, me) = (ctx.now(), member.user().id);
    let practice = Model {
        id: ctx.new_id(now),
        user_id: me,
        sequence_id: Some(sequence.id),
        name: sequence.name.clone(),
        style: sequence.style,
        started_at: now,
        ended_at: None,
        seconds: 0,
        notes: String::new(),
        mood: None,
    };
    let tx = ctx.db.begin().await?;
    Entity::delete_many().filter(Column::UserId.eq(me)).filter(Column::EndedAt.is_null()).exec(&tx).await?;
    // Of two starts at the same time, the index refuses one with `CONFLICT`.
    db::insert(&tx, practice.clone()).await?;
    tx.commit().await?;
    Ok(practice)
}

/// What the user says at the end of a practice.
pub struct Ending {
    /// Time in poses, without pauses. Cannot exceed the time since the start.
    pub seconds: i32,
    /// What the user wrote about it.
    pub notes: String,
    /// How it felt.
    pub mood: Option<Mood>,
    /// Where the user's days begin and end.
    pub zone: Tz,
}

/// The result of finishing a practice.
pub enum Finish {
    /// It is in the history. The achievements are those that it earned.
    Finished(Model, Vec<achievement::Model>),
    /// It is still in progress, because it is shorter than [`SHORTEST`].
    TooShort,
}

/// Finishes a practice and awards achievements, in one transaction. Repeating it changes nothing and returns the same
/// practice without achievements.
pub async fn finish(ctx: &Ctx, member: Member<'_>, id: Uuid, ending: Ending) -> Result<Finish> {
    let mut check = Check::default();
    let seconds = values::number(&mut check, "seconds", ending.seconds, (0, 86_400));
    let notes = values::text(&mut check, "notes", &ending.notes, (0, 1_000));
    check.done()?;
    let (now, me) = (ctx.now(), member.user().id);
    let tx = ctx.db.begin().await?;
    let practice = of(me).filter(Column::Id.eq(id)).one(&tx).await?.ok_or(Error::NotFound)?;
    let elapsed = i32::try_from((now - practice.started_at).num_seconds()).unwrap_or(i32::MAX);
    let seconds = seconds.min(elapsed);
    if practice.ended_at.is_none() && seconds < SHORTEST {
        return Ok(Finish::TooShort);
    }
    // Of many requests at once, one changes the row. The others wait for its transaction and then change nothing.
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::Seconds, Expr::value(seconds))
        .col_expr(Column::Notes, Expr::value(notes))
        .col_expr(Column::Mood, Expr::value(ending.mood))
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(me))
        .filter(Column::EndedAt.is_null());
    let is_first = ended.exec(&tx).await?.rows_affected == 1;
    let earned = if is_first {
        achievement::award(&tx, me, &progress(&tx, me, ending.zone, now).await?, now).await?
    } else {
        Vec::new()
    };
    let practice = of(me).filter(Column::Id.eq(id)).one(&tx).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(Finish::Finished(practice, earned))
}

/// A page of the history, newest first.
pub async fn history(ctx: &Ctx, person: Actor<'_>, slice: &Slice) -> Result<Vec<Model>> {
    Ok(sequence::page(finished(person.user().id), Column::Id, slice).all(ctx.db.read()).await?)
}

/// The number of practices in the history.
pub async fn count(ctx: &Ctx, person: Actor<'_>) -> Result<u64> {
    Ok(finished(person.user().id).count(ctx.db.read()).await?)
}

/// What statistics need of a practice: the day, the seconds and the style.
type Line = (NaiveDate, i32, Style);

/// All practices of a user, oldest first. One statement, which an index answers in order.
async fn lines(db: &impl ConnectionTrait, user: Uuid, zone: Tz) -> Result<Vec<Line>> {
    let columns = [Column::StartedAt, Column::Seconds, Column::Style];
    let query = finished(user).select_only().columns(columns).order_by_asc(Column::Id);
    let rows: Vec<(DateTimeUtc, i32, Style)> = query.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(at, seconds, style)| (days::day(at, zone), seconds, style)).collect())
}

fn streaks(lines: &[Line], today: NaiveDate) -> Streaks {
    Streaks::of(&lines.iter().map(|(day, ..)| *day).collect(), today)
}

fn total(lines: &[Line]) -> i64 {
    lines.iter().map(|(_, seconds, _)| i64::from(*seconds)).sum()
}

fn of_style(lines: &[Line]) -> HashMap<Style, i32> {
    let mut counts = HashMap::new();
    for (.., style) in lines {
        *counts.entry(*style).or_default() += 1;
    }
    counts
}

async fn progress(db: &impl ConnectionTrait, user: Uuid, zone: Tz, now: DateTimeUtc) -> Result<Progress> {
    let lines = lines(db, user, zone).await?;
    Ok(Progress::of(lines.len(), total(&lines), streaks(&lines, days::day(now, zone)).longest, of_style(&lines).len()))
}

/// How far a user is towards the achievements.
pub async fn progress_of(ctx: &Ctx, person: Person<'_>, zone: Tz) -> Result<Progress> {
    progress(ctx.db.read(), person.user().id, zone, ctx.now()).await
}

/// Practice of a day, a week or a style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The number of practices.
    pub practices: i32,
    /// Their duration.
    pub seconds: i64,
}

impl Sum {
    fn add(&mut self, seconds: i32) {
        self.practices += 1;
        self.seconds += i64::from(seconds);
    }
}

/// A user's statistics.
pub struct Statistics {
    /// Everything.
    pub total: Sum,
    /// Days in a row up to today or yesterday.
    pub current_streak: i32,
    /// Most days in a row.
    pub longest_streak: i32,
    /// The latest weeks by their Monday, oldest first, with those without practice.
    pub weeks: Vec<(NaiveDate, Sum)>,
    /// The styles that were practised, the most frequent first.
    pub styles: Vec<(Style, i32)>,
}

/// Computes a user's statistics over the latest `weeks` weeks.
pub async fn statistics(ctx: &Ctx, person: Actor<'_>, zone: Tz, weeks: i32) -> Result<Statistics> {
    let mut check = Check::default();
    let weeks = values::number(&mut check, "weeks", weeks, (1, 53));
    check.done()?;
    let lines = lines(ctx.db.read(), person.user().id, zone).await?;
    let today = days::day(ctx.now(), zone);
    let back = |weeks: i32| days::monday(today) - Days::new(7 * u64::from(weeks.unsigned_abs()));
    let mut by_week: BTreeMap<_, _> = (0..weeks).map(|number| (back(number), Sum::default())).collect();
    for (day, seconds, _) in &lines {
        if let Some(week) = by_week.get_mut(&days::monday(*day)) {
            week.add(*seconds);
        }
    }
    let mut styles: Vec<_> = of_style(&lines).into_iter().collect();
    styles.sort_by_key(|(style, count)| (-count, *style));
    let Streaks { current, longest } = streaks(&lines, today);
    let total = Sum { practices: i32::try_from(lines.len()).unwrap_or(i32::MAX), seconds: total(&lines) };
    let weeks = by_week.into_iter().collect();
    Ok(Statistics { total, current_streak: current, longest_streak: longest, weeks, styles })
}

/// The days of a month with practice. `month` is written `2026-11`.
pub async fn calendar(ctx: &Ctx, person: Actor<'_>, zone: Tz, month: &str) -> Result<Vec<(NaiveDate, Sum)>> {
    let wrong = || Error::invalid("month", "`month` must be written like `2026-11`.");
    let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok();
    let first = first.filter(|first| (1..=9_999).contains(&first.year())).ok_or_else(wrong)?;
    let next = first + Months::new(1);
    // A day more on both sides, because the month begins and ends at other times in other zones.
    let at = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
    let bounds = Column::StartedAt.between(at(first - Days::new(1)), at(next + Days::new(1)));
    let query = finished(person.user().id).filter(bounds).select_only().columns([Column::StartedAt, Column::Seconds]);
    let rows: Vec<(DateTimeUtc, i32)> = query.into_tuple().all(ctx.db.read()).await?;
    let mut by_day: BTreeMap<NaiveDate, Sum> = BTreeMap::new();
    for (started_at, seconds) in rows {
        let day = days::day(started_at, zone);
        if (first..next).contains(&day) {
            by_day.entry(day).or_default().add(seconds);
        }
    }
    Ok(by_day.into_iter().collect())
}
