//! Search for a part of an address or a name: what it finds, in which order, who sees it, what it costs, and what
//! happens on a PostgreSQL server without `pg_trgm`.

use std::collections::HashSet;

use doorcode::{
    db::{entity::Role, migrate},
    domain::{
        housekeeping,
        user::search::{Missing, missing},
    },
};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{everybody, page, seed, signed_in_as, texts, users, users_answer, walk};
use crate::{
    database::{TestDatabase, empty_database_of, every_backend},
    harness::{Client, TestApp, on_servers},
};

/// The words of `doorcode doctor`, apart from `CONCURRENTLY`.
const ALLOW: &str = "CREATE EXTENSION pg_trgm; \
    CREATE INDEX users_search_idx ON users USING gin ((email || chr(10) || name_key) gin_trgm_ops);";

/// What a term finds by address, and that `totalCount` agrees.
async fn found(client: &Client<'_>, term: &str) -> Vec<String> {
    let filter = json!({ "search": term });
    let list = users(client, json!({ "first": 100, "filter": filter, "orderBy": { "field": "EMAIL" } })).await;
    let found = texts(&list, "email");
    assert_eq!(list["totalCount"], found.len(), "{term}");
    found
}

async fn name(app: &TestApp, email: &str, name: &str) {
    let key = doorcode::domain::user::name::key(name);
    app.sql(&format!("UPDATE users SET name = '{name}', name_key = '{key}' WHERE email = '{email}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_part_of_an_address_or_a_name_is_found_in_any_case() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    for (email, named) in [
        ("ada@example.com", "Ada King LOVELACE"),
        ("bea.loveday@example.org", "李小龙"),
        ("cleo@example.net", "Ὀδυσσεὺς Müller"),
    ] {
        app.make(email, Role::User).await;
        name(&app, email, named).await;
    }
    let (ada, bea, cleo) = ("ada@example.com", "bea.loveday@example.org", "cleo@example.net");
    for (term, expected) in [
        ("LOVE", vec![ada, bea]),
        ("velac", vec![ada]),
        ("king lo", vec![ada]),
        ("@example.n", vec![cleo]),
        ("ada@example.com", vec![ada]),
        ("  ada@ ", vec![ada]),
        ("李小龙", vec![bea]),
        ("ΥΣΣΕ", vec![cleo]),
        ("ὺΣ M", vec![cleo]),
        ("üLL", vec![cleo]),
        ("mul", vec![]),
        ("comada", vec![]),
        ("com ada", vec![]),
        ("zzzzz", vec![]),
    ] {
        assert_eq!(found(&admin, term).await, expected, "{term}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_character_of_a_term_is_text() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let named = [
        ("a_b@example.com", r"50%_off \o/"),
        ("axb@example.com", r#"say "hi" OR (x*)"#),
        ("a-b@example.com", "NEAR(a b) -c ^d {e}: f+g"),
    ];
    for (email, text) in named {
        app.make(email, Role::User).await;
        name(&app, email, text).await;
    }
    let (under, x, dash) = ("a_b@example.com", "axb@example.com", "a-b@example.com");
    for (term, expected) in [
        ("a_b", vec![under]),
        ("%_off", vec![under]),
        (r"\o/", vec![under]),
        (r"f \o", vec![under]),
        ("%%%", vec![]),
        ("___", vec![]),
        (r"\\\", vec![]),
        (r#""hi""#, vec![x]),
        (r#"" OR (x"#, vec![x]),
        (r#"""""#, vec![]),
        ("(x*", vec![x]),
        ("near(a b) -C ^D", vec![dash]),
        ("{e}: f+g", vec![dash]),
        ("text:a", vec![]),
        ("exa* OR com", vec![]),
        ("' OR 1=1 --", vec![]),
        ("$1$", vec![]),
    ] {
        assert_eq!(found(&admin, term).await, expected, "{term}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_of_two_characters_is_bad_input_and_so_is_one_longer_than_an_address() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    for term in ["", "ab", " a ", "ab\ncd", &"é".repeat(255)] {
        let answer = users_answer(&admin, json!({ "filter": { "search": term } })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{term:?}");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "filter.search", "{term:?}");
    }
    let both = json!({ "filter": { "search": "ab", "namePrefix": "a\0b" } });
    let problems = users_answer(&admin, both).await.json["errors"][0]["extensions"]["problems"].clone();
    assert_eq!(problems.as_array().unwrap().len(), 2, "all that is wrong at once: {problems}");
    assert_eq!(found(&admin, &"é".repeat(254)).await, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_matches_more_than_five_thousand_comes_newest_first_whatever_was_asked() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 5_200, 1).await;
    let mut expected = everybody(&app).await;
    expected.retain(|user| user.email.contains("@example."));
    expected.sort_by_key(|user| std::cmp::Reverse((user.created_at, user.id)));
    let expected: Vec<_> = expected.into_iter().map(|user| user.email).collect();
    assert!(expected.len() > 5_000);
    for order in [json!(null), json!({ "field": "EMAIL" }), json!({ "field": "CREATED_AT" })] {
        for forward in [true, false] {
            let fetch = async |mut arguments: Value| {
                arguments["filter"] = json!({ "search": "@EXAMPLE." });
                arguments["orderBy"] = order.clone();
                users(&admin, arguments).await
            };
            let mut cursor = None;
            for number in 0..3 {
                let list = fetch(page(forward, 90, cursor.as_deref())).await;
                let (start, end) = (number * 90, number * 90 + 90);
                let range = if forward { start..end } else { expected.len() - end..expected.len() - start };
                assert_eq!(texts(&list, "email"), expected[range], "{order}, forward: {forward}, page {number}");
                assert_eq!(list["totalCount"], expected.len());
                let edge = if forward { "endCursor" } else { "startCursor" };
                cursor = list["pageInfo"][edge].as_str().map(str::to_owned);
            }
        }
    }
    // Few of them: any order works.
    let sorted = json!({ "first": 100, "filter": { "search": "ivanova.1-1" }, "orderBy": { "field": "EMAIL" } });
    let few = texts(&users(&admin, sorted).await, "email");
    assert!(few.len() > 1 && few.is_sorted(), "{few:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_outgrows_its_order_between_two_pages_says_so() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 4_900, 1).await;
    let ask = json!({ "first": 2, "filter": { "search": "@example." }, "orderBy": { "field": "EMAIL" } });
    let list = users(&admin, ask.clone()).await;
    assert!(texts(&list, "email").is_sorted());
    seed(&app, 200, 2).await;
    let mut next = ask;
    next["after"] = list["pageInfo"]["endCursor"].clone();
    let answer = users_answer(&admin, next).await;
    assert_eq!((answer.code(), &answer.json["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("after")));
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_through_a_search_gives_every_match_once() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 300, 1).await;
    let everybody = everybody(&app).await;
    let is_match = |user: &&_| {
        let user: &doorcode::db::entity::users::Model = user;
        user.email.contains("ova") || user.name_key.contains("ova")
    };
    let expected: HashSet<_> = everybody.iter().filter(is_match).map(|user| user.email.clone()).collect();
    assert!(expected.len() > 7, "more than a page");
    for field in ["CREATED_AT", "EMAIL", "NAME", "LAST_SIGN_IN_AT"] {
        for forward in [true, false] {
            let fetch = async |mut arguments: Value| {
                arguments["filter"] = json!({ "search": "ova" });
                arguments["orderBy"] = json!({ "field": field });
                users(&admin, arguments).await
            };
            let seen = walk(fetch, forward, 7, "email", async |_| {}).await;
            assert_eq!(seen.len(), expected.len(), "{field}, forward: {forward}");
            assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected, "{field}, forward: {forward}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_name_or_address_is_found_and_the_former_one_is_not() {
    let app = TestApp::new().await;
    let admin = app.person("root@lists.example", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let renamed = ada.change("updateProfile", json!({ "name": "Ada Byron" }), "__typename").await;
    assert!(renamed.json["errors"].is_null(), "{}", renamed.text);
    assert_eq!(found(&admin, "byron").await, ["ada@example.com"]);
    let input = json!({ "id": ada.signed_in.user, "email": "countess@example.org", "name": "Augusta" });
    admin.change("updateUser", input, "__typename").await.field("updateUser");
    for (term, expected) in [("byron", None), ("ada@", None), ("augus", Some(())), ("tess@ex", Some(()))] {
        let expected: Vec<_> = expected.map(|()| "countess@example.org").into_iter().collect();
        assert_eq!(found(&admin, term).await, expected, "{term}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_people_are_found_by_administrators_alone_and_erased_people_by_none() {
    let app = TestApp::new().await;
    let admin = app.person("root@lists.example", Role::Admin).await;
    let manager = app.person("manager@lists.example", Role::Manager).await;
    let gone = app.person("zqxjkv@example.com", Role::User).await;
    admin.change("deleteUser", json!({ "id": gone.signed_in.user }), "__typename").await.field("deleteUser");
    assert_eq!(found(&admin, "qxjk").await, ["zqxjkv@example.com"]);
    assert_eq!(found(&manager, "qxjk").await, [] as [&str; 0]);
    let trigrams = async || app.count("user_search_data", "instr(block, CAST('zqx' AS BLOB)) > 0").await;
    assert!(on_servers() || trigrams().await > 0);
    app.clock.pass(31.0 * 86_400.0);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().people, 1);
    let admin = app.guest().with_bearer(&app.guest().sign_in("root@lists.example").await.access);
    assert_eq!(found(&admin, "qxjk").await, [] as [&str; 0]);
    if !on_servers() {
        assert_eq!(trigrams().await, 0, "no part of the address is left in the index");
        assert_eq!(app.count("user_search_texts", "text LIKE '%qxjk%'").await, 0, "nor beside it");
        app.sql("INSERT INTO user_search (user_search, rank) VALUES ('integrity-check', 1)").await;
        app.sql("VACUUM").await;
        assert_eq!(found(&admin, "manager@li").await, ["manager@lists.example"], "rows may be renumbered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_is_for_managers_and_administrators() {
    let app = TestApp::new().await;
    for role in ["GUEST", "USER"] {
        let client = signed_in_as(&app, role).await;
        assert_eq!(users_answer(&client, json!({ "filter": { "search": "lists" } })).await.code(), "FORBIDDEN");
    }
    let anonymous = users_answer(&app.guest(), json!({ "filter": { "search": "lists" } })).await;
    assert_eq!(anonymous.code(), "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_index_search_is_unavailable_and_every_other_list_works() {
    if !on_servers() {
        return;
    }
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    assert_eq!(missing(&app.ctx().db).await.unwrap(), None);
    app.sql("DROP INDEX users_search_idx").await;
    assert_eq!(missing(&app.ctx().db).await.unwrap(), Some(Missing::Index));
    app.sql("DROP EXTENSION pg_trgm").await;
    assert_eq!(missing(&app.ctx().db).await.unwrap(), Some(Missing::Extension));
    for filter in [json!({ "search": "lists" }), json!({ "search": "lists", "emailPrefix": "admin" })] {
        let answer = users_answer(&admin, json!({ "filter": filter })).await;
        assert_eq!(answer.code(), "UNAVAILABLE");
        assert!(answer.text.contains("doorcode doctor"), "{}", answer.text);
    }
    assert_eq!(users(&admin, json!({ "filter": { "emailPrefix": "admin" } })).await["totalCount"], 1);
    app.sql(ALLOW).await;
    assert_eq!(found(&admin, "n@lists").await, ["admin@lists.example"], "and works as soon as it is allowed");
}

/// Migrates up, down and up again without the extension, and allows it afterwards.
async fn migrate_without_extension(database: &TestDatabase, root: &impl ConnectionTrait, why: &str) {
    let db = database.connect().await;
    for _ in 0..2 {
        migrate::up(&db).await.unwrap();
        assert!(migrate::is_current(&db).await.unwrap(), "{why}");
        assert_eq!(missing(&db).await.unwrap(), Some(Missing::Extension), "{why}");
        migrate::down(&db, 1).await.unwrap();
    }
    migrate::up(&db).await.unwrap();
    root.execute_unprepared(ALLOW).await.unwrap();
    assert_eq!(missing(&db).await.unwrap(), None, "{why}");
    migrate::down(&db, 1).await.unwrap();
    migrate::up(&db).await.unwrap();
    assert_eq!(missing(&db).await.unwrap(), None, "{why}: an extension that is there is used");
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migration_survives_every_refusal_of_the_extension() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    for code in ["58P01", "0A000", "25006", "42501"] {
        let database = empty_database_of(DbBackend::Postgres).await;
        let root = database.connect().await;
        let refuse = format!(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$; \
             CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') \
             EXECUTE FUNCTION refuse()"
        );
        root.write().execute_unprepared(&refuse).await.unwrap();
        let db = database.connect().await;
        migrate::up(&db).await.unwrap();
        assert_eq!(missing(&db).await.unwrap(), Some(Missing::Extension), "{code}");
        db.close().await.unwrap();
        root.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_create_extensions_can_migrate_and_search_is_allowed_later() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    let mut database = empty_database_of(DbBackend::Postgres).await;
    let root = database.connect().await;
    let role = format!("doorcode_plain_{}", Uuid::now_v7().simple());
    let make = format!("CREATE ROLE {role} LOGIN PASSWORD 'plain'; GRANT ALL ON SCHEMA public TO {role}");
    root.write().execute_unprepared(&make).await.unwrap();
    let owners = database.url.clone();
    let mut url = Url::parse(&owners).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("plain")).unwrap();
    database.url = url.into();
    migrate_without_extension(&database, root.write(), "no privilege").await;
    database.url = owners;
    root.write().execute_unprepared(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    root.close().await.unwrap();
}
