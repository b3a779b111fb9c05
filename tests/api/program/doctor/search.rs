//! What `doorcode doctor` says of searches, and that its advice works as it stands.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use sea_orm::{ConnectionTrait, DbBackend};

use super::Setup;
use crate::{
    database::{every_backend, fresh_database_of},
    smtp_server::embedded_only,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_unavailable_is_told_and_the_advice_turns_it_on() {
    if embedded_only() {
        return;
    }
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let setup = Setup::new(&database);
        setup.examine().assert_told("ok", "search", "address or name");
        if backend != DbBackend::Postgres {
            continue;
        }
        let db = database.connect().await;
        let index = async || {
            let sql = "SELECT pg_get_indexdef('users_search_idx'::regclass) AS sql";
            let row = db.read().query_one_raw(doorcode::db::statement(backend, sql, [])).await.unwrap();
            row.unwrap().try_get::<String>("", "sql").unwrap()
        };
        let migrated = index().await;
        for (damage, seen) in [
            ("DROP EXTENSION pg_trgm CASCADE", "pg_trgm was not allowed"),
            ("DROP INDEX users_search_idx", "users_search_idx is missing"),
            ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_search_idx'::regclass", "unfinished"),
        ] {
            db.write().execute_unprepared(damage).await.unwrap();
            let report = setup.examine();
            report.assert_told("warning", "search", seen);
            let finding = report.findings.iter().find(|finding| finding["check"] == "search").unwrap();
            let (_, advice) = finding["advice"].as_str().unwrap().split_once("database: ").unwrap();
            // As somebody types it, because an index that is built concurrently takes no transaction.
            let mut psql = Command::new("psql")
                .args([&database.url, "-qv", "ON_ERROR_STOP=1", "-f", "-"])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            psql.stdin.take().unwrap().write_all(advice.as_bytes()).unwrap();
            assert!(psql.wait().unwrap().success(), "{advice}");
            setup.examine().assert_told("ok", "search", "address or name");
            assert_eq!(index().await, migrated);
        }
        db.close().await.unwrap();
    }
}
