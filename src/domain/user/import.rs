//! Imports users from a file with one JSON object a line. The file is checked as a whole before anything of it is
//! applied, then applied in batches, each in a transaction of its own. Applying it again changes nothing, so an import
//! that was interrupted is started again. Memory does not grow with the file.

mod batch;
mod lines;
mod row;
mod twice;

use std::{fmt, io::BufRead, path::Path};

use sea_orm::ConnectionTrait as _;

use self::{
    batch::{Batch, Lock},
    lines::Lines,
    row::Row,
    twice::Twice,
};
use crate::{
    db::entity::Role,
    domain::{Ctx, access::Shell},
    error::{Error, Result},
};

/// Number of rows in a transaction. A row of `users` has 13 values, and SQLite takes 32,766 in a statement.
const BATCH: usize = 1_000;
/// Number of attempts for a batch that met a change by someone else.
const ATTEMPTS: u32 = 5;

/// What an import may do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether rows replace the name, role, language and password of accounts that exist.
    pub replace: bool,
    /// The highest role that a row may give.
    pub max_role: Role,
}

/// Why a file is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Number of the line, from 1.
    pub line: u64,
    /// Name of the field, if the problem is in one.
    pub field: Option<&'static str>,
    /// What is wrong, and what to write instead. Never a hash.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, what } = self;
        match field {
            Some(field) => write!(f, "line {line}: {field} {what}"),
            None => write!(f, "line {line}: {what}"),
        }
    }
}

/// What an import did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows in the file.
    pub rows: u64,
    /// New accounts.
    pub created: u64,
    /// Accounts that existed and changed.
    pub changed: u64,
    /// Accounts that existed and stay as they are.
    pub unchanged: u64,
    /// Passwords stored.
    pub passwords: u64,
    /// Rows whose hash was left out, because they are not `verified`.
    pub unverified: u64,
    /// Problems.
    pub problems: u64,
}

impl Summary {
    fn add(&mut self, other: &Self) {
        let Self { rows, created, changed, unchanged, passwords, unverified, problems } = other;
        self.rows += rows;
        self.created += created;
        self.changed += changed;
        self.unchanged += unchanged;
        self.passwords += passwords;
        self.unverified += unverified;
        self.problems += problems;
    }
}

/// Reads a whole file, reports every problem and says what applying it would do. Changes nothing. `folder` is for
/// temporary files, which take 48 bytes a row.
///
/// # Errors
/// If the file, the folder or the database fails.
pub async fn check(
    ctx: &Ctx,
    _: Shell,
    file: impl BufRead,
    folder: &Path,
    options: Options,
    mut report: impl FnMut(Problem),
) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut twice = Twice::new(folder)?;
    let mut rows = Vec::with_capacity(BATCH);
    let mut report = |problem, summary: &mut Summary| {
        summary.problems += 1;
        report(problem);
    };
    let mut lines = Lines::new(file);
    while let Some((number, line)) = lines.next()? {
        summary.rows += 1;
        match line.and_then(|line| Row::read(ctx, number, line, options.max_role)) {
            Ok(row) => {
                twice.add(&row)?;
                rows.push(row);
            }
            Err(problems) => problems.into_iter().for_each(|problem| report(problem, &mut summary)),
        }
        if rows.len() == BATCH {
            let batch = Batch::plan(ctx, ctx.db.read(), std::mem::take(&mut rows), options, Lock::No).await?;
            summary.add(&batch.summary);
            batch.problems.into_iter().for_each(|problem| report(problem, &mut summary));
        }
    }
    let batch = Batch::plan(ctx, ctx.db.read(), rows, options, Lock::No).await?;
    summary.add(&batch.summary);
    batch.problems.into_iter().for_each(|problem| report(problem, &mut summary));
    twice.find(|problem| report(problem, &mut summary))?;
    Ok(summary)
}

/// Applies a file that [`check`] found without problems.
///
/// # Errors
/// Names the line if the file or the database changed since the check so that there is a problem now. Everything before
/// the thousand rows around that line is then applied.
pub async fn apply(ctx: &Ctx, _: Shell, file: impl BufRead, options: Options) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut rows = Vec::with_capacity(BATCH);
    let mut lines = Lines::new(file);
    if ctx.db.backend() == sea_orm::DbBackend::Sqlite {
        // Inserts touch all index pages. A large cache avoids reading them again and again.
        ctx.db.write().execute_unprepared("PRAGMA cache_size = -65536").await?;
    }
    loop {
        let next = lines.next()?;
        let is_end = next.is_none();
        if let Some((number, line)) = next {
            let row = line.and_then(|line| Row::read(ctx, number, line, options.max_role));
            rows.push(row.map_err(|problems| changed_since(problems.first()))?);
        }
        if rows.len() == BATCH || (is_end && !rows.is_empty()) {
            summary.add(&write(ctx, std::mem::take(&mut rows), options).await?);
        }
        if is_end {
            return Ok(summary);
        }
    }
}

/// Writes a batch. If someone signs up with one of its addresses at the same moment, or changes some of its accounts in
/// another order, the database refuses it, and it is planned again.
async fn write(ctx: &Ctx, rows: Vec<Row>, options: Options) -> Result<Summary> {
    let mut attempt = 1;
    loop {
        match Batch::write(ctx, rows.clone(), options).await {
            Err(Error::Conflict | Error::Unavailable(_)) if attempt < ATTEMPTS => attempt += 1,
            written => return written,
        }
    }
}

fn changed_since(problem: Option<&Problem>) -> Error {
    let what = problem.map(Problem::to_string).unwrap_or_default();
    Error::Startup(format!("the file or an account changed since it was checked: {what}"))
}
