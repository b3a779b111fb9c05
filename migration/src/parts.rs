//! Shared parts of migrations: checks, foreign keys and indexes. Never change one: released migrations use it.

use sea_orm_migration::{
    prelude::*,
    sea_orm::DbBackend,
    sea_query::{Check, ColumnDef, ForeignKeyCreateStatement, IndexCreateStatement},
};

/// Adds a named check to a table. Logs show the name when a row is refused.
pub(crate) fn check(table: &'static str, rule: &'static str, sql: impl Into<String>) -> Check {
    Check::named(format!("{table}_{rule}_check"), Expr::cust(sql.into()))
}

/// Allows only the given values.
pub(crate) fn one_of(table: &'static str, column: &'static str, words: &[&str]) -> Check {
    check(table, column, format!("{column} IN ('{}')", words.join("', '")))
}

/// A SHA-256 or HMAC-SHA-256 digest. SQLite's `length` counts the bytes of a blob, and older versions lack
/// `octet_length`; on PostgreSQL `octet_length` is clearer.
pub(crate) fn thirty_two_bytes(backend: DbBackend, table: &'static str, column: &'static str) -> Check {
    let length = if backend == DbBackend::Postgres { "octet_length" } else { "length" };
    check(table, column, format!("{length}({column}) = 32"))
}

/// A canonical email address: lower case, and within SMTP's maximum length.
pub(crate) fn canonical_email(table: &'static str) -> Check {
    check(table, "email", "email = lower(email) AND length(email) <= 254")
}

/// A period whose end is not before its start.
pub(crate) fn ends_after_start(table: &'static str, column: &'static str) -> Check {
    check(table, column, format!("{column} >= created_at"))
}

/// A number with a minimum.
pub(crate) fn at_least(table: &'static str, column: &'static str, smallest: u8) -> Check {
    check(table, column, format!("{column} >= {smallest}"))
}

/// A counter with `start` as its default.
pub(crate) fn counter(column: &'static str, start: i32) -> ColumnDef {
    ColumnDef::new(column).integer().not_null().default(start).take()
}

/// A foreign key to another table's `id`.
pub(crate) fn reference(
    table: &'static str,
    column: &'static str,
    to: &'static str,
    gone: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("{table}_{column}_fkey")).from(table, column).to(to, "id").on_delete(gone).take()
}

/// An index over columns in this order.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.name(format!("{table}_{}_idx", columns.join("_"))).table(table);
    for column in columns {
        statement.col(*column);
    }
    statement
}

/// A partial index, for work queues that are small compared to their table.
pub(crate) fn partial_index(
    table: &'static str,
    column: &'static str,
    condition: &'static str,
) -> IndexCreateStatement {
    index(table, &[column]).and_where(Expr::cust(condition)).take()
}

/// Creates a table and its indexes.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    table: TableCreateStatement,
    indexes: impl IntoIterator<Item = IndexCreateStatement>,
) -> Result<(), DbErr> {
    manager.create_table(table).await?;
    for statement in indexes {
        manager.create_index(statement).await?;
    }
    Ok(())
}

/// Drops tables, and their indexes, in the given order.
pub(crate) async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}
