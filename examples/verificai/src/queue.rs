//! The queue of analyses, for workers. A worker takes an analysis for the time of a lease, and extends the lease while it
//! works. If it dies, another worker takes over. Every change names the lease, so a worker that lost it changes nothing,
//! and an analysis gets one result.
//!
//! Turns make the queue fair. The first waiting analysis of a user has the lowest turn that is in the queue, and each
//! further one has a higher turn. Workers take the lowest, so users take turns, however many analyses one of them has.

use std::time::Duration;

use chrono::{DateTime, Utc};
use doorcode::{db, domain::Ctx, error::Result};
use sea_orm::{DbBackend, ExprTrait, FromQueryResult, QueryOrder, UpdateMany, entity::prelude::*, sea_query::Expr};

use crate::{
    analysis::{self, Column, Entity, files, texts},
    result,
    values::{AnalysisStatus, FileStatus, Variables},
};

/// An analysis that a worker has.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Job {
    /// The analysis.
    pub id: Uuid,
    /// Its owner.
    pub owner_id: Uuid,
    /// The prompt.
    pub prompt_id: Uuid,
    /// The version of the prompt.
    pub prompt_version: i32,
    /// The values of the prompt's variables.
    pub variables: Variables,
    /// The number of this attempt, from 1.
    pub attempts: i32,
    /// The proof that this worker has it.
    pub lease_id: Uuid,
    /// The number of tokens that earlier attempts sent.
    pub tokens_in: i64,
    /// The number of tokens in the answers to earlier attempts.
    pub tokens_out: i64,
    /// The cost of earlier attempts in millionths of a dollar.
    pub cost: i64,
}

impl Job {
    /// What all attempts have used, if this one has used `used`.
    pub fn total(&self, used: Used) -> Used {
        Used {
            tokens_in: self.tokens_in + used.tokens_in,
            tokens_out: self.tokens_out + used.tokens_out,
            cost: self.cost + used.cost,
        }
    }
}

/// What an attempt has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// The number of tokens that were sent.
    pub tokens_in: i64,
    /// The number of tokens in the answers.
    pub tokens_out: i64,
    /// The cost in millionths of a dollar.
    pub cost: i64,
}

/// A file for a worker.
#[derive(Clone, Debug)]
pub struct File {
    /// The path.
    pub name: String,
    /// The language.
    pub language: String,
    /// The text.
    pub text: String,
}

/// Takes the next analysis. One statement: on PostgreSQL, workers skip rows that others are taking; SQLite has one writer
/// at a time.
pub async fn take(ctx: &Ctx, lease: Duration) -> Result<Option<Job>> {
    let skip = if ctx.db.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE analyses SET status = 'RUNNING', attempts = attempts + 1, progress = 0, lease_id = $1, lease_until = $2, \
         started_at = COALESCE(started_at, $3) WHERE status = 'QUEUED' AND id = (SELECT id FROM analyses \
         WHERE status = 'QUEUED' AND ready_at <= $3 ORDER BY turn, id LIMIT 1 {skip}) \
         RETURNING id, owner_id, prompt_id, prompt_version, variables, attempts, lease_id, tokens_in, \
         tokens_out, cost"
    );
    let now = ctx.now();
    let values = [ctx.new_id(now).into(), (now + lease).into(), now.into()];
    let taken = Job::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).one(ctx.db.write());
    ctx.db.in_time(taken).await
}

/// The files of an analysis that are not empty, in order. Two statements.
pub async fn files(ctx: &Ctx, job: &Job) -> Result<Vec<File>> {
    let of = files::Entity::find().filter(files::Column::AnalysisId.eq(job.id));
    let rows = of.order_by_asc(files::Column::Position).all(ctx.db.write()).await?;
    let texts = texts::Entity::find().filter(texts::Column::AnalysisId.eq(job.id));
    let texts = texts.order_by_asc(texts::Column::Position).all(ctx.db.write()).await?;
    let both = rows.into_iter().zip(texts).filter(|(row, _)| row.status != FileStatus::Skipped);
    Ok(both.map(|(row, text)| File { name: row.name, language: row.language, text: text.text }).collect())
}

/// A change to the analysis, if the worker still has it.
fn of(job: &Job) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Id.eq(job.id))
        .filter(Column::LeaseId.eq(job.lease_id))
        .filter(Column::Status.eq(AnalysisStatus::Running))
}

/// Gives the analysis back to the queue, or ends it.
fn end(change: UpdateMany<Entity>, status: AnalysisStatus, finished_at: Option<DateTime<Utc>>) -> UpdateMany<Entity> {
    change
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::FinishedAt, Expr::value(finished_at))
        .col_expr(Column::LeaseId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
}

/// Adds what this attempt has used. Stores the sum for all attempts, so repeating it counts nothing twice.
fn count(change: UpdateMany<Entity>, ctx: &Ctx, job: &Job, used: Used) -> UpdateMany<Entity> {
    if used == Used::default() {
        return change;
    }
    let Used { tokens_in, tokens_out, cost } = job.total(used);
    change
        .col_expr(Column::TokensIn, Expr::value(tokens_in))
        .col_expr(Column::TokensOut, Expr::value(tokens_out))
        .col_expr(Column::Cost, Expr::value(cost))
        .col_expr(Column::UsedOn, Expr::value(ctx.now().date_naive()))
}

/// Whether the worker had the analysis when it changed it.
pub type Kept = bool;

async fn run(ctx: &Ctx, change: UpdateMany<Entity>) -> Result<Kept> {
    let changed = ctx.db.in_time(change.exec(ctx.db.write())).await?;
    Ok(changed.rows_affected == 1)
}

/// Extends the lease, and reports progress in percent and what this attempt has used.
pub async fn extend(ctx: &Ctx, job: &Job, lease: Duration, progress: i32, used: Used) -> Result<Kept> {
    let change = count(of(job), ctx, job, used)
        .col_expr(Column::LeaseUntil, Expr::value(ctx.now() + lease))
        .col_expr(Column::Progress, Expr::value(progress));
    run(ctx, change).await
}

/// Stores the result and ends the analysis, in one transaction of four statements. A result that the worker may no
/// longer store is dropped. The result has what all attempts used.
pub async fn succeed(ctx: &Ctx, job: &Job, result: result::Model) -> Result<Kept> {
    let tx = ctx.db.begin().await?;
    let change = end(of(job), AnalysisStatus::Succeeded, Some(ctx.now()))
        .col_expr(Column::Progress, Expr::value(100))
        .col_expr(Column::Error, Expr::value(Option::<String>::None))
        .col_expr(Column::TokensIn, Expr::value(result.tokens_in))
        .col_expr(Column::TokensOut, Expr::value(result.tokens_out))
        .col_expr(Column::Cost, Expr::value(result.cost))
        .col_expr(Column::UsedOn, Expr::value(result.day));
    if change.exec(&tx).await?.rows_affected != 1 {
        return Ok(false);
    }
    result::insert(&tx, result).await?;
    let analysed = files::Entity::update_many()
        .col_expr(files::Column::Status, Expr::value(FileStatus::Analysed))
        .filter(files::Column::AnalysisId.eq(job.id))
        .filter(files::Column::Status.eq(FileStatus::Queued));
    analysed.exec(&tx).await?;
    analysis::delete_texts(&tx, [job.id]).await?;
    ctx.db.in_time(tx.commit()).await?;
    Ok(true)
}

/// Puts the analysis back into the queue until `ready_at`, for another attempt.
pub async fn retry(ctx: &Ctx, job: &Job, error: &str, ready_at: DateTime<Utc>, used: Used) -> Result<Kept> {
    let change = end(count(of(job), ctx, job, used), AnalysisStatus::Queued, None)
        .col_expr(Column::Error, Expr::value(error))
        .col_expr(Column::ReadyAt, Expr::value(ready_at));
    run(ctx, change).await
}

/// Gives the analysis up. Two statements.
pub async fn fail(ctx: &Ctx, job: &Job, error: &str, used: Used) -> Result<Kept> {
    let change = end(count(of(job), ctx, job, used), AnalysisStatus::Failed, Some(ctx.now()));
    let tx = ctx.db.begin().await?;
    if change.col_expr(Column::Error, Expr::value(error)).exec(&tx).await?.rows_affected != 1 {
        return Ok(false);
    }
    analysis::delete_texts(&tx, [job.id]).await?;
    ctx.db.in_time(tx.commit()).await?;
    Ok(true)
}

/// Puts the analysis back into the queue, because the worker stops. The attempt does not count, but what it used does.
pub async fn give_back(ctx: &Ctx, job: &Job, used: Used) -> Result<Kept> {
    let change = end(count(of(job), ctx, job, used), AnalysisStatus::Queued, None)
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).sub(1))
        .col_expr(Column::ReadyAt, Expr::value(ctx.now()));
    run(ctx, change).await
}

/// A change of the analyses whose workers no longer extend their lease.
fn abandoned(ctx: &Ctx) -> UpdateMany<Entity> {
    let running = Entity::update_many().filter(Column::Status.eq(AnalysisStatus::Running));
    running.filter(Column::LeaseUntil.lt(ctx.now()))
}

/// Takes analyses from workers that no longer extend their lease: back into the queue, or given up after `max_attempts`.
/// Two statements, and another one if any is given up. Returns the number.
pub async fn recover(ctx: &Ctx, max_attempts: i32) -> Result<u64> {
    let given_up = ctx.db.in_time(give_up(ctx, max_attempts)).await?;
    let queued = end(abandoned(ctx), AnalysisStatus::Queued, None)
        .col_expr(Column::Error, Expr::value("The worker stopped. Another one takes over."))
        .col_expr(Column::ReadyAt, Expr::value(ctx.now()));
    Ok(given_up + ctx.db.in_time(queued.exec(ctx.db.write())).await?.rows_affected)
}

/// Ends abandoned analyses that have had `max_attempts`. Returns the number.
async fn give_up(ctx: &Ctx, max_attempts: i32) -> Result<u64> {
    let error = "The worker stopped each time. Does a file make it fail?";
    let change = end(abandoned(ctx), AnalysisStatus::Failed, Some(ctx.now()))
        .col_expr(Column::Error, Expr::value(error))
        .filter(Column::Attempts.gte(max_attempts));
    let tx = ctx.db.begin().await?;
    let given_up = change.exec_with_returning(&tx).await?;
    if !given_up.is_empty() {
        analysis::delete_texts(&tx, given_up.iter().map(|analysis| analysis.id)).await?;
    }
    tx.commit().await?;
    Ok(given_up.len() as u64)
}
