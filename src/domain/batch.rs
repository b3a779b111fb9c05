//! Deletes or changes old rows in batches. Each batch is its own committed statement, so none runs for long or holds
//! many rows against a request.

use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::Ctx;
use crate::{db, error::Result};

/// Rows per batch.
pub const ROWS: u64 = 5_000;
/// Maximum batches per run. The next run continues; every replica runs once an hour.
pub(super) const BATCHES: u64 = 100;

/// Applies `change` (`DELETE FROM …`, `UPDATE … SET …`) to all rows whose ids `old` selects in index order (`SELECT id
/// FROM … WHERE … ORDER BY …`), and returns their number. A changed row must no longer match `old`.
///
/// Write the condition of a partial index literally in `old`, not as a bound value: otherwise the planner does not use
/// the index.
pub(super) async fn run(ctx: &Ctx, change: &'static str, old: &str, values: &[Value]) -> Result<u64> {
    let backend = ctx.db.backend();
    // Skip rows locked by others, above all by another purge, so that purges never wait for each other. PostgreSQL
    // reads an array once and looks up its ids by primary key; for `IN` it plans a join and may scan the whole table.
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
    log_limit_reached(change, done);
    Ok(done)
}

/// Logs that a run reached its limit.
pub(super) fn log_limit_reached(change: &str, done: u64) {
    tracing::warn!(change, done, "purge stopped at its batch limit; the next run continues");
}
