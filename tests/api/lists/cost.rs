//! The number of SQL statements per list: the same for one user and for a hundred.

use serde_json::json;

use super::{seed, signed_in_as};
use crate::harness::{Client, TestApp};

/// The number of statements of one query, including the lookup of the caller.
async fn statements(app: &TestApp, client: &Client<'_>, query: &str) -> usize {
    app.take_statements();
    let answer = client.query(query, json!({})).await;
    assert!(answer.json["errors"].is_null(), "{}", answer.text);
    app.take_statements().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_list_with_details_costs_the_same_for_one_and_a_hundred() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 150, 1).await;
    for _ in 0..3 {
        app.guest().sign_in("often@example.com").await;
    }
    let query = |people: usize| {
        format!(
            "{{ users(first: {people}) {{ totalCount nodes {{ sessions {{ nodes {{ id user {{ id }} }} totalCount }} \
             auditEvents {{ nodes {{ id actor {{ email }} subject {{ email }} }} }} devices {{ id }} }} }} }}"
        )
    };
    for people in [1, 2, 37, 100] {
        // Statements: caller, users, number of users, sessions, numbers of sessions, events, devices, actors and
        // subjects.
        assert_eq!(statements(&app, &admin, &query(people)).await, 8, "{people} people");
    }
    let whole = admin.query(&query(100), json!({})).await;
    let people = whole.field("users")["nodes"].as_array().unwrap().clone();
    assert_eq!(people.len(), 100);
    let events = people.iter().flat_map(|person| person["auditEvents"]["nodes"].as_array().unwrap());
    assert!(events.clone().count() > 100);
    assert!(events.clone().all(|event| event["actor"]["email"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sql_of_a_page_has_its_limit_unless_a_bound_value_chooses_the_rows() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let limited = |is_known: bool, name: &'static str, rest: &'static str| {
        let (app, admin) = (&app, &admin);
        async move {
            let query = format!("{{ {name}(first: 7{rest}) {{ nodes {{ id }} }} }}");
            app.take_statements();
            admin.query(&query, json!({})).await.field(name);
            let sql = app.take_statements().pop().unwrap();
            assert_eq!(sql.ends_with("LIMIT 8"), is_known, "{query}: {sql}");
        }
    };
    limited(true, "users", "").await;
    limited(true, "users", ", filter: { roles: [ADMIN] }").await;
    limited(true, "users", ", filter: { namePrefix: \"s\" }, orderBy: { field: NAME }").await;
    limited(true, "auditEvents", "").await;
    limited(false, "users", ", filter: { search: \"ova\" }").await;
    let by_another_index = ", filter: { namePrefix: \"s\" }, orderBy: { field: EMAIL }";
    limited(false, "users", by_another_index).await;
    limited(false, "auditEvents", ", filter: { network: \"192.0.2.1\" }").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unrequested_fields_are_not_read() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 20, 1).await;
    for (query, cost) in [
        ("{ users { nodes { email } } }", 2),
        ("{ users { totalCount } }", 3),
        ("{ users(first: 0) { a: totalCount b: totalCount c: totalCount } }", 3),
        ("{ users(orderBy: { field: NAME }, filter: { namePrefix: \"s\" }) { nodes { email } } }", 2),
        ("{ users(orderBy: { field: NAME }, filter: { emailPrefix: \"s\" }) { nodes { email } } }", 3),
        ("{ users(filter: { search: \"ova\" }) { nodes { email } } }", 3),
        ("{ users(filter: { search: \"@example\", emailPrefix: \"s\" }) { nodes { email } totalCount } }", 4),
        ("{ users(filter: { search: \"ova\", roles: [] }) { nodes { email } totalCount } }", 1),
        ("{ users(filter: { roles: [] }) { nodes { email } totalCount } }", 1),
        ("{ auditEvents { nodes { kind } } }", 2),
        ("{ auditEvents { nodes { kind } totalCount } }", 3),
        (
            "{ auditEvents(first: 100) { nodes { actor { name } subject { name sessions(first: 1) { totalCount } } } } }",
            5,
        ),
        ("{ me { sessions { nodes { id } } auditEvents { totalCount } } }", 4),
    ] {
        assert_eq!(statements(&app, &admin, query).await, cost, "{query}");
    }
}
