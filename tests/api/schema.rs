//! The database schema, on SQLite and PostgreSQL: it migrates up and down, matches the entities, and refuses invalid
//! rows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use doorcode::{
    db::{Db, entity, migrate, statement},
    error::Error,
};
use migration::MigratorTrait;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityName, EntityTrait, Iterable,
    PaginatorTrait, QueryFilter, Value, prelude::Expr,
};
use uuid::Uuid;

use crate::{
    database::{empty_database_of, every_backend, fresh_database, fresh_database_of},
    rows::{Rows, bad_values, insert, moment},
};

const INDEXES: [&str; 45] = [
    "api_keys_expires_at_idx",
    "api_keys_revoked_at_idx",
    "api_keys_user_id_id_idx",
    "audit_events_actor_id_id_idx",
    "audit_events_address_id_idx",
    "audit_events_forget_idx",
    "audit_events_ip_address_idx",
    "audit_events_kind_id_idx",
    "audit_events_network_idx",
    "audit_events_session_id_idx",
    "audit_events_statistics_idx",
    "audit_events_subject_id_id_idx",
    "authentications_session_id_at_idx",
    "authorization_codes_expires_at_idx",
    "authorization_codes_session_id_idx",
    "devices_expires_at_idx",
    "devices_forget_idx",
    "devices_user_id_idx",
    "email_changes_expires_at_idx",
    "email_changes_user_id_idx",
    "email_codes_budget_key_attempted_at_idx",
    "email_codes_expires_at_idx",
    "email_codes_forget_idx",
    "email_codes_person_idx",
    "outbox_finished_at_idx",
    "outbox_next_attempt_at_idx",
    "password_tries_at_idx",
    "password_tries_budget_key_at_idx",
    "sessions_client_id_idx",
    "sessions_device_id_idx",
    "sessions_ended_at_idx",
    "sessions_expires_at_idx",
    "sessions_forget_idx",
    "sessions_open_idx",
    "sessions_parent_id_idx",
    "sessions_rotated_at_idx",
    "sessions_user_id_id_idx",
    "sign_in_links_expires_at_idx",
    "signing_keys_signs_from_idx",
    "users_deleted_at_idx",
    "users_external_id_idx",
    "users_list_created_at_idx",
    "users_list_email_idx",
    "users_list_last_sign_in_at_idx",
    "users_list_name_key_idx",
];

/// Table name -> column name -> whether the column may be null.
type Columns = BTreeMap<String, BTreeMap<String, bool>>;

#[tokio::test]
async fn the_schema_migrates_up_down_and_up_again() {
    for backend in every_backend() {
        let database = empty_database_of(backend).await;
        let db = database.connect().await;
        assert!(!migrate::is_current(&db).await.unwrap());
        assert!(migrate::status(&db).await.unwrap().iter().all(|(_, applied)| !applied));

        migrate::up(&db).await.unwrap();
        let first = (columns_of(&db).await, indexes_of(&db).await);
        assert_eq!(search_objects(&db).await.len(), if backend == DbBackend::Postgres { 1 } else { 9 }, "{backend:?}");
        assert!(migrate::is_current(&db).await.unwrap());
        migrate::up(&db).await.unwrap();

        migrate::down(&db, 1).await.unwrap();
        assert!(!columns_of(&db).await["audit_events"].contains_key("network"));
        assert!(indexes_of(&db).await.contains_key("audit_events_at_idx"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!columns_of(&db).await["users"].contains_key("external_id"));
        migrate::down(&db, 1).await.unwrap();
        let columns = columns_of(&db).await;
        assert!(!columns.contains_key("clients") && !columns["sessions"].contains_key("parent_id"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!columns_of(&db).await.contains_key("api_keys"));
        migrate::down(&db, 1).await.unwrap();
        assert_eq!(search_objects(&db).await, [] as [&str; 0], "{backend:?}");
        migrate::down(&db, 1).await.unwrap();
        assert!(!columns_of(&db).await.contains_key("passwords"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!indexes_of(&db).await.contains_key("audit_events_address_idx"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!indexes_of(&db).await.contains_key("email_codes_person_idx"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!indexes_of(&db).await.contains_key("audit_events_forget_idx"));
        migrate::down(&db, 1).await.unwrap();
        assert!(!migrate::is_current(&db).await.unwrap());
        assert!(!columns_of(&db).await.contains_key("email_changes"));
        migrate::down(&db, u32::MAX).await.unwrap();
        assert!(columns_of(&db).await.is_empty(), "{backend:?}");
        assert!(indexes_of(&db).await.is_empty(), "{backend:?}");

        migrate::up(&db).await.unwrap();
        assert_eq!(first, (columns_of(&db).await, indexes_of(&db).await), "{backend:?}");
    }
}

#[tokio::test]
async fn users_deleted_before_the_deletion_time_was_stored_are_erased_in_time() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let rows = Rows::new();
        rows.insert_all(&db).await;
        migrate::down(&db, 10).await.unwrap();
        db.write().execute_unprepared("UPDATE users SET status = 'DELETED'").await.unwrap();
        migrate::up(&db).await.unwrap();
        let deleted = entity::users::Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!(deleted.deleted_at, Some(deleted.updated_at), "{backend:?}");
    }
}

#[tokio::test]
async fn four_processes_can_migrate_at_once() {
    for backend in every_backend() {
        let database = empty_database_of(backend).await;
        let mut processes = Vec::new();
        for _ in 0..4 {
            processes.push(database.connect().await);
        }
        let racing: Vec<_> =
            processes.iter().cloned().map(|db| tokio::spawn(async move { migrate::up(&db).await })).collect();
        for process in racing {
            process.await.unwrap().unwrap();
        }
        let applied = migrate::status(&processes[0]).await.unwrap();
        assert_eq!(applied.len(), migration::Migrator::migrations().len());
        assert!(applied.iter().all(|(_, applied)| *applied), "{backend:?}");
    }
}

#[tokio::test]
async fn a_program_older_than_the_schema_still_starts() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_newer', 0)";
        db.write().execute_unprepared(newer).await.unwrap();
        migrate::up(&db).await.unwrap();
        assert!(migrate::is_current(&db).await.unwrap());
        assert!(migrate::down(&db, 1).await.is_err(), "a program must not revert a migration that it does not know");
    }
}

#[tokio::test]
async fn every_entity_has_the_columns_of_its_table() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let mut entities = Columns::new();
        declare(&mut entities, entity::users::Entity);
        declare(&mut entities, entity::devices::Entity);
        declare(&mut entities, entity::sessions::Entity);
        declare(&mut entities, entity::authentications::Entity);
        declare(&mut entities, entity::passwords::Entity);
        declare(&mut entities, entity::api_keys::Entity);
        declare(&mut entities, entity::password_tries::Entity);
        declare(&mut entities, entity::email_codes::Entity);
        declare(&mut entities, entity::sign_in_links::Entity);
        declare(&mut entities, entity::email_changes::Entity);
        declare(&mut entities, entity::outbox::Entity);
        declare(&mut entities, entity::audit_events::Entity);
        declare(&mut entities, entity::signing_keys::Entity);
        declare(&mut entities, entity::clients::Entity);
        declare(&mut entities, entity::authorization_codes::Entity);
        assert_eq!(entities, columns_of(&db).await, "{backend:?}");
    }
}

#[tokio::test]
async fn every_index_exists() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let indexes = indexes_of(&db).await;
        assert_eq!(indexes.keys().map(String::as_str).collect::<Vec<_>>(), INDEXES, "{backend:?}");
        let partial: Vec<_> =
            indexes.iter().filter(|(_, sql)| sql.contains("WHERE")).map(|(name, _)| name.as_str()).collect();
        let expected = [
            "api_keys_expires_at_idx",
            "api_keys_revoked_at_idx",
            "audit_events_address_id_idx",
            "audit_events_forget_idx",
            "audit_events_ip_address_idx",
            "audit_events_network_idx",
            "audit_events_session_id_idx",
            "devices_forget_idx",
            "email_codes_forget_idx",
            "email_codes_person_idx",
            "outbox_finished_at_idx",
            "outbox_next_attempt_at_idx",
            "sessions_client_id_idx",
            "sessions_ended_at_idx",
            "sessions_forget_idx",
            "sessions_open_idx",
            "sessions_parent_id_idx",
            "sessions_rotated_at_idx",
            "users_deleted_at_idx",
            "users_external_id_idx",
        ];
        assert_eq!(partial, expected, "{backend:?}");
    }
}

#[tokio::test]
async fn a_row_that_violates_a_constraint_is_refused() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let good = Rows::new();
        good.insert_all(&db).await;
        for (table, column, bad, rule) in bad_values(&good) {
            let mut row = Rows::new().row(table);
            // The row is new, with one invalid value. Its foreign keys refer to the rows inserted before.
            for (name, value) in &mut row {
                if name == &"user_id" {
                    *value = good.user.into();
                }
                if name == &"device_id" {
                    *value = Value::Uuid(None);
                }
                if name == &column {
                    *value = bad.clone();
                }
            }
            let refused = insert(&db, table, row).await;
            let case = format!("{backend:?}: {table}.{column} = {bad:?}");
            match (rule, refused) {
                ("unique" | "foreign", Err(Error::Conflict)) => {}
                ("not null", Err(Error::Internal(text))) => {
                    assert!(text.to_lowercase().contains("not null") || text.contains("not-null"), "{case}: {text}");
                }
                ("check", Err(Error::Internal(text))) => {
                    assert!(text.contains(&format!("{table}_{column}_check")), "{case}: {text}");
                }
                (_, outcome) => panic!("{case}: {outcome:?}"),
            }
        }
    }
}

#[tokio::test]
async fn deleting_a_user_deletes_dependent_rows() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let rows = Rows::new();
        rows.insert_all(&db).await;

        entity::devices::Entity::delete_by_id(rows.device).exec(db.write()).await.unwrap();
        let session = entity::sessions::Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!(session.device_id, None, "a session remains when its device is deleted");

        entity::users::Entity::delete_by_id(rows.user).exec(db.write()).await.unwrap();
        assert_eq!(entity::sessions::Entity::find().count(db.read()).await.unwrap(), 0, "{backend:?}");
        assert_eq!(
            entity::audit_events::Entity::find().count(db.read()).await.unwrap(),
            1,
            "audit events remain when their users are deleted"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_uses_of_a_code_succeed_once() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let rows = Rows::new();
        rows.insert_all(&db).await;
        let racing: Vec<_> = (0..64)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    entity::email_codes::Entity::update_many()
                        .col_expr(entity::email_codes::Column::ConsumedAt, Expr::value(moment(0)))
                        .filter(entity::email_codes::Column::ConsumedAt.is_null())
                        .exec_with_returning(db.write())
                        .await
                        .unwrap()
                        .len()
                })
            })
            .collect();
        let mut winners = 0;
        for racer in racing {
            winners += racer.await.unwrap();
        }
        assert_eq!(winners, 1, "{backend:?}");
    }
}

#[tokio::test]
async fn timestamps_compare_and_sort_chronologically() {
    // SQLite compares the text that the driver writes: RFC 3339 with no, three or six digits of fraction, and always
    // "+00:00". The plus sign sorts before the point and all digits, so the shorter of two fractions with the same
    // digits sorts first.
    let micros =
        [0, 1, 10, 999, 1_000, 1_001, 99_999, 100_000, 100_001, 120_000, 123_456, 999_999, 1_000_000, 1_000_001];
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        for micro in micros.iter().rev() {
            let mut row = Rows::new();
            row.now = moment(*micro);
            insert(&db, "audit_events", row.row("audit_events")).await.unwrap();
        }
        let sorted = "SELECT at FROM audit_events ORDER BY at";
        let rows = db.read().query_all_raw(statement(backend, sorted, [])).await.unwrap();
        let moments: Vec<DateTime<Utc>> = rows.iter().map(|row| row.try_get("", "at").unwrap()).collect();
        assert_eq!(moments, micros.map(moment), "{backend:?}");
        for (position, micro) in micros.iter().enumerate() {
            let earlier = entity::audit_events::Entity::find()
                .filter(entity::audit_events::Column::At.lt(moment(*micro)))
                .count(db.read())
                .await
                .unwrap();
            assert_eq!(usize::try_from(earlier).unwrap(), position, "{backend:?}: before {micro}");
        }
    }
}

#[tokio::test]
async fn every_test_gets_a_separate_database() {
    let (one, other) = (fresh_database().await, fresh_database().await);
    let (db, neighbour) = (one.connect().await, other.connect().await);
    assert!(migrate::is_current(&db).await.unwrap());
    let user = entity::users::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set("person@example.com".to_owned()),
        name: Set(None),
        role: Set(entity::Role::Admin),
        status: Set(entity::UserStatus::Active),
        created_at: Set(moment(0)),
        updated_at: Set(moment(1)),
        last_sign_in_at: Set(None),
        version: Set(1),
        name_key: Set(String::new()),
        locale: Set(None),
        deleted_at: Set(None),
        external_id: Set(None),
    };
    let written = user.insert(db.write()).await.unwrap();
    assert_eq!(entity::users::Entity::find().one(db.read()).await.unwrap(), Some(written));
    assert_eq!(entity::users::Entity::find().count(neighbour.read()).await.unwrap(), 0);
}

fn declare<E: EntityTrait + EntityName>(columns: &mut Columns, entity: E) {
    use sea_orm::{ColumnTrait, IdenStatic};
    let of_entity = E::Column::iter().map(|column| (column.as_str().to_owned(), column.def().is_null())).collect();
    columns.insert(entity.table_name().to_owned(), of_entity);
}

/// The objects that searches need, which differ by database.
async fn search_objects(db: &Db) -> Vec<String> {
    let sql = if db.backend() == DbBackend::Postgres {
        "SELECT indexname AS name FROM pg_indexes WHERE indexname = 'users_search_idx'"
    } else {
        "SELECT name FROM sqlite_master WHERE name LIKE 'user\\_search%' ESCAPE '\\' ORDER BY name"
    };
    let rows = db.read().query_all_raw(statement(db.backend(), sql, [])).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

/// The columns of all tables, except those that the migration library and searches keep.
async fn columns_of(db: &Db) -> Columns {
    let sql = if db.backend() == DbBackend::Postgres {
        "SELECT table_name AS t, column_name AS c, is_nullable = 'YES' AS n FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name <> 'seaql_migrations'"
    } else {
        "SELECT m.name AS t, p.name AS c, p.\"notnull\" = 0 AS n FROM sqlite_master m, pragma_table_info(m.name) p
         WHERE m.type = 'table' AND m.name <> 'seaql_migrations' AND m.name NOT LIKE 'user\\_search%' ESCAPE '\\'"
    };
    let mut columns = Columns::new();
    for row in db.read().query_all_raw(statement(db.backend(), sql, [])).await.unwrap() {
        let table: String = row.try_get("", "t").unwrap();
        columns.entry(table).or_default().insert(row.try_get("", "c").unwrap(), row.try_get("", "n").unwrap());
    }
    columns
}

/// The indexes that the migrations create, except that of searches, by name, with their SQL.
async fn indexes_of(db: &Db) -> BTreeMap<String, String> {
    let sql = if db.backend() == DbBackend::Postgres {
        "SELECT indexname AS name, indexdef AS sql FROM pg_indexes
         WHERE schemaname = current_schema() AND indexname LIKE '%\\_idx' AND indexname <> 'users_search_idx'"
    } else {
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    };
    let rows = db.read().query_all_raw(statement(db.backend(), sql, [])).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "sql").unwrap())).collect()
}
