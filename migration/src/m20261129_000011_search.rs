//! What a search for a part of an address or a name walks: an index of trigrams over both, with a line break between
//! them. On PostgreSQL it needs the extension `pg_trgm`, which not every server allows: without it the step succeeds,
//! `search` is unavailable and `doorcode doctor` says why.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's comment.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = if manager.get_database_backend() == DbBackend::Postgres { POSTGRES } else { SQLITE };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The extension stays: another application may have come to use it.
        let sql = if manager.get_database_backend() == DbBackend::Postgres {
            "DROP INDEX IF EXISTS users_search_idx"
        } else {
            "DROP TRIGGER user_search_added; DROP TRIGGER user_search_changed; DROP TRIGGER user_search_removed; \
             DROP TABLE user_search; DROP TABLE user_search_texts"
        };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

/// Every refusal to create the extension is survived, because servers word it differently: no privilege, no files, a
/// read-only catalog, a list of allowed extensions. The extension may be in a schema outside the search path. As in the
/// steps before, the index of a very large table may have been created beforehand.
const POSTGRES: &str = r"
DO $$
DECLARE
  place text;
BEGIN
  BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'search is unavailable until pg_trgm is there: %', SQLERRM;
  END;
  SELECT quote_ident(nspname) INTO place
    FROM pg_opclass JOIN pg_namespace ON pg_namespace.oid = opcnamespace
    WHERE opcname = 'gin_trgm_ops' AND has_schema_privilege(opcnamespace, 'USAGE') LIMIT 1;
  IF place IS NOT NULL THEN
    EXECUTE format('CREATE INDEX IF NOT EXISTS users_search_idx ON users USING gin ((email || chr(10) || name_key) %s.gin_trgm_ops)', place);
  END IF;
END
$$";

/// The texts have numbers of their own, because `VACUUM` and a restored dump may renumber the rows of `users`. The
/// index holds no text; with `secure-delete` nothing of an erased person stays in it.
const SQLITE: &str = "
CREATE TABLE user_search_texts (number INTEGER PRIMARY KEY, user_id BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE VIRTUAL TABLE user_search USING fts5(
  text, content = 'user_search_texts', content_rowid = 'number', tokenize = 'trigram case_sensitive 1');
INSERT INTO user_search (user_search, rank) VALUES ('secure-delete', 1);
INSERT INTO user_search_texts (user_id, text) SELECT id, email || char(10) || name_key FROM users;
INSERT INTO user_search (user_search) VALUES ('rebuild');
CREATE TRIGGER user_search_added AFTER INSERT ON users BEGIN
  INSERT INTO user_search_texts (user_id, text) VALUES (new.id, new.email || char(10) || new.name_key);
  INSERT INTO user_search (rowid, text) SELECT number, text FROM user_search_texts WHERE user_id = new.id;
END;
CREATE TRIGGER user_search_changed AFTER UPDATE OF email, name_key ON users
WHEN old.email <> new.email OR old.name_key <> new.name_key BEGIN
  INSERT INTO user_search (user_search, rowid, text)
    SELECT 'delete', number, text FROM user_search_texts WHERE user_id = old.id;
  UPDATE user_search_texts SET text = new.email || char(10) || new.name_key WHERE user_id = old.id;
  INSERT INTO user_search (rowid, text) SELECT number, text FROM user_search_texts WHERE user_id = old.id;
END;
CREATE TRIGGER user_search_removed AFTER DELETE ON users BEGIN
  INSERT INTO user_search (user_search, rowid, text)
    SELECT 'delete', number, text FROM user_search_texts WHERE user_id = old.id;
  DELETE FROM user_search_texts WHERE user_id = old.id;
END;";
