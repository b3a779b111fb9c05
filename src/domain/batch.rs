//! Deleting and changing what is old, however much of it there is: in batches, each a statement of its own that is
//! committed when it returns, so that none runs for long or holds many rows against a request.
//! Nothing here knows a table or decides what is old; the owners of the tables say both.

use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::Ctx;
use crate::{db, error::Result};

/// So many rows a statement.
pub const ROWS: u64 = 5_000;
/// So many batches a run. What is left then waits for the next one, and every replica has a run an hour.
pub(super) const BATCHES: u64 = 100;

/// Makes a change (`DELETE FROM …`, `UPDATE … SET …`) to all rows whose ids `old` selects in the order of an index
/// (`SELECT id FROM … WHERE … ORDER BY …`); how many. A changed row must not be among them any more.
///
/// What an index holds alone (`WHERE …`) stands in `old` word for word, never as a value: no planner looks for a
/// value's sake whether the index would do.
pub(super) async fn run(ctx: &Ctx, change: &'static str, old: &str, values: &[Value]) -> Result<u64> {
    let backend = ctx.db.backend();
    // Rows that somebody else has in hand, another purge above all, are left to them: no two of us wait for each other.
    // An array is read once and then looked up by the primary key; of `IN` PostgreSQL makes a join, and would rather
    // read a table of a million rows than look for five thousand of them.
    let sql = if backend == DbBackend::Postgres {
        format!("{change} WHERE id = ANY(ARRAY({old} LIMIT {ROWS} FOR UPDATE SKIP LOCKED))")
    } else {
        format!("{change} WHERE id IN ({old} LIMIT {ROWS})")
    };
    let mut done = 0;
    for _ in 0..BATCHES {
        let batch = db::statement(backend, &sql, values.iter().cloned());
        let rows = ctx.db.write().execute_raw(batch).await?.rows_affected();
        done += rows;
        if rows < ROWS {
            return Ok(done);
        }
    }
    leave_the_rest(change, done);
    Ok(done)
}

/// Says that a run did as many batches as it may, and what it has done.
pub(super) fn leave_the_rest(change: &str, done: u64) {
    tracing::warn!(change, done, "a purge leaves the rest to the next one");
}
