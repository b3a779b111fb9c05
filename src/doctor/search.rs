//! The search for users, for `doorcode doctor`: whether this server can do it, and if not, what its operator can add.

use super::finding::Finding;
use crate::{
    db::Db,
    domain::user::search::{self, Missing},
    error::Result,
};

const SEARCH: &str = "search";
/// The words of the migration, for a table that is in use.
const INDEX: &str = "CREATE INDEX CONCURRENTLY users_search_idx ON users USING gin ((email || chr(10) || name_key) \
                     gin_trgm_ops);";

pub(super) async fn examine(db: &Db) -> Result<Finding> {
    let missing = search::missing(db).await?;
    let is = |what| missing == Some(what);
    Ok(finding!(SEARCH, ok "by part of an address or name",
        warning if is(Missing::Files) => "unavailable: the server has no extension pg_trgm"
            => "install PostgreSQL's contrib package or turn pg_trgm on at your provider, then run as a superuser in this \
                database: CREATE EXTENSION pg_trgm; {INDEX}",
        warning if is(Missing::Extension) => "unavailable: the extension pg_trgm was not allowed in this database"
            => "run as a superuser in this database: CREATE EXTENSION pg_trgm; {INDEX}",
        warning if is(Missing::Index) => "unavailable: the index users_search_idx is missing or unfinished"
            => "run in this database: DROP INDEX IF EXISTS users_search_idx; {INDEX}",
    ))
}
