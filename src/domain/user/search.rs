//! Searches users for a part of their address or name, by an index of trigrams: `pg_trgm` on PostgreSQL, FTS5 on
//! SQLite. The migration `search` creates the indexes.

use sea_orm::{ConnectionTrait, DbBackend};

use super::name;
use crate::{
    db::{self, Db},
    domain::range_query::Union,
    error::{Error, Result},
};

/// Minimum number of characters of a term: an index of trigrams cannot find fewer.
const SHORTEST: usize = 3;
/// Maximum number of characters: no address is longer.
const LONGEST: usize = 254;

/// Whether PostgreSQL has the index and can use it.
const HAS_INDEX: &str =
    "EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('users_search_idx') AND indisvalid)";

/// The error of a search on a server without the index.
pub(super) const UNAVAILABLE: Error =
    Error::Unsupported("Search is not available on this server. `doorcode doctor` says why and how to turn it on.");

/// A part of an address or a name, in the form that both are compared in. Every character stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term(String);

impl Term {
    /// Parses a term. Surrounding whitespace is removed. Fails with what is wrong with it, for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let term = name::key(text.trim());
        let length = term.chars().take(LONGEST + 1).count();
        if length < SHORTEST {
            return Err(format!("A search term needs at least {SHORTEST} characters."));
        }
        if length > LONGEST {
            return Err(format!("A search term can have at most {LONGEST} characters."));
        }
        // A line break separates address and name in the index, so no match can span both.
        if term.chars().any(char::is_control) {
            return Err("A search term must be a single line without control characters.".into());
        }
        Ok(Self(term))
    }

    /// SQL that finds the users by the index: what stands between `FROM` and `AND`.
    pub(super) fn found(&self, union: &mut Union) -> String {
        if union.backend() == DbBackend::Postgres {
            let pattern = union.bind(self.pattern());
            return format!("users WHERE (email || chr(10) || name_key) LIKE {pattern}");
        }
        // The order of a cross join is fixed: SQLite starts at the index.
        let phrase = union.bind(self.phrase());
        format!(
            "user_search CROSS JOIN user_search_texts ON user_search_texts.number = user_search.rowid \
             CROSS JOIN users ON users.id = user_search_texts.user_id WHERE user_search MATCH {phrase}"
        )
    }

    /// An SQL condition on one user, without the index.
    pub(super) fn is_in_row(&self, union: &mut Union) -> String {
        let position = if union.backend() == DbBackend::Postgres { "strpos" } else { "instr" };
        let term = union.bind(self.0.clone());
        format!("{position}(email, {term}) > 0 OR {position}(name_key, {term}) > 0")
    }

    /// An SQL expression for the number of matches, at most `most`; NULL without the index.
    pub(super) fn count(&self, union: &mut Union, most: &str) -> String {
        if union.backend() == DbBackend::Postgres {
            let found = self.found(union);
            // PostgreSQL plans a materialized query for all of its rows, but reads only as many as are needed. With the
            // limit inside, it might read the whole table in the hope of finding enough early.
            return format!(
                "(CASE WHEN {HAS_INDEX} THEN (WITH found AS MATERIALIZED (SELECT 1 FROM {found}) \
                 SELECT COUNT(*) FROM (SELECT 1 FROM found LIMIT {most}) AS first) END)"
            );
        }
        let phrase = union.bind(self.phrase());
        format!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM user_search WHERE user_search MATCH {phrase} LIMIT {most}) AS first)"
        )
    }

    /// A pattern of `LIKE` that stands for the term alone.
    fn pattern(&self) -> String {
        let escape = |char| if matches!(char, '%' | '_' | '\\') { vec!['\\', char] } else { vec![char] };
        format!("%{}%", self.0.chars().flat_map(escape).collect::<String>())
    }

    /// A phrase of FTS5, in which only the quotation mark has a meaning.
    fn phrase(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// Why search is unavailable on this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The server does not offer the extension.
    Files,
    /// The extension was not created in this database.
    Extension,
    /// The extension is there, but its index is missing or was left unfinished.
    Index,
}

/// What search lacks on this server; `None` if it is available. For `doorcode doctor`; one statement.
pub async fn missing(db: &Db) -> Result<Option<Missing>> {
    if db.backend() == DbBackend::Sqlite {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {HAS_INDEX} AS index, EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') AS extension, \
         EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') AS files"
    );
    let row = db.read().query_one_raw(db::statement(db.backend(), &sql, [])).await?;
    let is_there = |name| row.as_ref().map_or(Ok(false), |row| row.try_get::<bool>("", name));
    Ok(match (is_there("index")?, is_there("extension")?, is_there("files")?) {
        (true, ..) => None,
        (false, true, _) => Some(Missing::Index),
        (false, false, true) => Some(Missing::Extension),
        (false, false, false) => Some(Missing::Files),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_lower_case_and_has_three_to_254_characters_of_one_line() {
        assert_eq!(Term::parse(" ÉMILE Σς "), Ok(Term("émile σσ".into())));
        assert_eq!(Term::parse("李小龙"), Ok(Term("李小龙".into())));
        for short in ["", "  ", "ab", " ab ", "李小"] {
            assert!(Term::parse(short).is_err(), "{short:?}");
        }
        assert!(Term::parse(&"é".repeat(254)).is_ok());
        for bad in ["é".repeat(255), "ab\ncd".into(), "ab\0cd".into()] {
            assert!(Term::parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_character_of_a_term_stands_for_itself() {
        let term = Term::parse(r#"100%_\" OR "a*"#).unwrap();
        assert_eq!(term.pattern(), r#"%100\%\_\\" or "a*%"#);
        assert_eq!(term.phrase(), r#""100%_\"" or ""a*""#);
    }
}
