//! Query plans of lists: statements must read index ranges and must not scan tables. The tests create twenty thousand
//! users. `tests/lists-at-scale` sets another number in `DOORCODE_TEST_PEOPLE`; the tests then also limit the execution
//! time.

use std::io::Write;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::{seed, signed_in_as, users};
use crate::harness::{Client, TestApp, on_servers};

/// Searches that must walk the index of trigrams, which differs by database.
const FEW_FOUND: &str = ", few found";
/// Searches that end early.
const MANY_FOUND: &str = ", many found";

/// Maximum milliseconds for a list statement on PostgreSQL. Checked only if `DOORCODE_TEST_PEOPLE` is set.
const MOST_MILLIS: f64 = 10.0;

fn scale() -> Option<u64> {
    std::env::var("DOORCODE_TEST_PEOPLE").ok().map(|people| people.parse().unwrap())
}

/// Prints a measurement to standard error if `DOORCODE_TEST_PEOPLE` is set.
fn report(line: &str) {
    if scale().is_some() {
        std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

async fn explain(app: &TestApp, prefix: &str, statement: &Statement) -> Vec<sea_orm::QueryResult> {
    let explained = Statement { sql: format!("{prefix} {}", statement.sql), ..statement.clone() };
    app.ctx().db.read().query_all_raw(explained).await.unwrap()
}

/// Checks that the statement scans no table, and that no subquery sorts more rows than its limit.
async fn check_sqlite(app: &TestApp, what: &str, statement: &Statement) {
    let plan = explain(app, "EXPLAIN QUERY PLAN", statement).await;
    let steps: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
    let start = std::time::Instant::now();
    app.ctx().db.read().query_all_raw(statement.clone()).await.unwrap();
    report(&format!("{:7.2} ms  {what}", start.elapsed().as_secs_f64() * 1e3));
    let searches = steps.iter().any(|step| step.starts_with("SCAN user_search VIRTUAL TABLE INDEX"));
    assert!(searches || !what.contains(FEW_FOUND), "{what}: {steps:#?}\n{}", statement.sql);
    // Sorting devices is allowed: a user has few, and their sort column changes too often for an index.
    let mut in_part = false;
    for step in &steps {
        let table = ["users", "audit_events", "sessions", "devices"]
            .iter()
            .any(|table| step.contains(&format!("SCAN {table}")));
        let in_order =
            step.contains("SCAN audit_events USING") && step.contains("INDEX sqlite_autoindex_audit_events_1");
        assert!(!table || in_order || step.contains("COVERING INDEX"), "{what}: {steps:#?}\n{}", statement.sql);
        in_part = step.starts_with("CO-ROUTINE slice") || (in_part && !step.starts_with("SCAN slice"));
        let sorts = in_part && step.contains("TEMP B-TREE") && !statement.sql.contains("FROM devices");
        assert!(!sorts, "{what}: {steps:#?}\n{}", statement.sql);
    }
}

/// Numbers from a PostgreSQL query plan: rows read, and tables scanned.
#[derive(Default)]
struct Done {
    looked_at: f64,
    read_whole: Vec<String>,
}

impl Done {
    fn add(&mut self, node: &Value) {
        let number = |name: &str| node[name].as_f64().unwrap_or_default();
        let kind = node["Node Type"].as_str().unwrap();
        if kind.contains("Scan") && !kind.contains("Subquery") && !kind.contains("Bitmap Index") {
            let rows =
                number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
            self.looked_at += rows * number("Actual Loops");
        }
        if kind == "Seq Scan" {
            self.read_whole.push(node["Relation Name"].to_string());
        }
        for child in node["Plans"].as_array().unwrap_or(&Vec::new()) {
            self.add(child);
        }
    }
}

async fn check_postgres(app: &TestApp, what: &str, most_rows: f64, statement: &Statement) {
    // Takes the fastest of several runs: the first run fills caches, and other processes slow down some runs.
    let time = |plan: &Value, name: &str| plan[0][name].as_f64().unwrap();
    let mut plan = Value::Null;
    for _ in 0..if scale().is_some() { 4 } else { 1 } {
        let rows = explain(app, "EXPLAIN (ANALYZE, FORMAT JSON)", statement).await;
        let tried: Value = rows[0].try_get("", "QUERY PLAN").unwrap();
        if plan.is_null() || time(&tried, "Execution Time") < time(&plan, "Execution Time") {
            plan = tried;
        }
    }
    let searches = plan.to_string().contains("users_search_idx");
    assert!(searches || !what.contains(FEW_FOUND), "{what}: {plan:#}\n{}", statement.sql);
    let mut done = Done::default();
    done.add(&plan[0]["Plan"]);
    let (planning, running) = (time(&plan, "Planning Time"), time(&plan, "Execution Time"));
    report(&format!("{running:7.2} ms, {planning:6.2} ms to plan, {:7} rows  {what}", done.looked_at));
    // If a statement reads half of a table of twenty thousand rows, a scan is as good as an index.
    let small = scale().is_none() && most_rows >= BESIDE;
    // A search that nearly everybody matches has seen enough after five thousand rows, however it reads them.
    let small = small || what.contains(MANY_FOUND);
    let whole: Vec<_> = done.read_whole.iter().filter(|table| !small && *table != "\"devices\"").collect();
    assert!(whole.is_empty(), "{what} reads {whole:?}: {plan:#}\n{}", statement.sql);
    assert!(done.looked_at <= most_rows, "{what} reads {} rows: {plan:#}\n{}", done.looked_at, statement.sql);
    let timed = scale().is_some() && most_rows <= BESIDE;
    assert!(!timed || running <= MOST_MILLIS, "{what} takes {running} ms: {plan:#}\n{}", statement.sql);
}

/// Runs a query, and checks the plan of every statement except the lookup of the caller.
async fn check(app: &TestApp, client: &Client<'_>, what: &str, most_rows: f64, query: &str, variables: Value) -> Value {
    app.take_statements();
    let answer = client.query(query, variables).await;
    assert!(answer.json["errors"].is_null(), "{what}: {}", answer.text);
    let statements = app.take_statements_and_values();
    for statement in statements.iter().filter(|statement| !statement.sql.contains("\"sessions\".\"disowned_at\"")) {
        if statement.sql.starts_with("UPDATE") {
            continue;
        }
        if on_servers() {
            check_postgres(app, what, most_rows, statement).await;
        } else {
            check_sqlite(app, what, statement).await;
        }
    }
    app.take_statements();
    answer.json["data"].clone()
}

const PEOPLE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $filter: UserFilter, \
    $orderBy: UserOrder) { users(first: $first, after: $after, last: $last, before: $before, filter: $filter, \
    orderBy: $orderBy) { nodes { email } pageInfo { endCursor } } }";
const TRAIL: &str = "query($first: Int, $after: String, $filter: AuditFilter) { \
    auditEvents(first: $first, after: $after, filter: $filter) { nodes { kind } pageInfo { endCursor } } }";
/// Maximum rows read by a page with up to twelve ranges: each reads a page and one more row. [`BESIDE`] is the maximum
/// for a filter on a column other than the sort column.
const RANGES: f64 = 12.0 * 101.0;
const BESIDE: f64 = 24_000.0;
/// No maximum. A common prefix in another sort order reads every user with the prefix, but must not scan the table.
const WIDE: f64 = f64::INFINITY;

async fn ready(app: &TestApp) -> Client<'_> {
    let people = scale().unwrap_or(20_000);
    let admin = signed_in_as(app, "ADMIN").await;
    let start = std::time::Instant::now();
    seed(app, people, 1).await;
    report(&format!("{people} people in {:?}", start.elapsed()));
    if on_servers() {
        for table in ["users", "sessions", "devices", "audit_events"] {
            app.sql(&format!("VACUUM ANALYZE {table}")).await;
        }
    }
    admin
}

#[tokio::test(flavor = "multi_thread")]
async fn user_lists_are_read_by_index_ranges() {
    let app = TestApp::new().await;
    let admin = ready(&app).await;
    let filters = [
        ("all users", json!({})),
        ("administrators", json!({ "roles": ["ADMIN"] })),
        ("users", json!({ "roles": ["USER"] })),
        ("suspended", json!({ "statuses": ["SUSPENDED"] })),
        ("few addresses", json!({ "emailPrefix": "sebnem.iv" })),
        ("many addresses", json!({ "emailPrefix": "s" })),
        ("no address", json!({ "emailPrefix": "zzz" })),
        ("few names", json!({ "namePrefix": "Şebnem Ив" })),
        ("many names", json!({ "namePrefix": "s" })),
        ("few found", json!({ "search": "ivanova.1-77" })),
        ("some found", json!({ "search": "ivanova" })),
        ("none found", json!({ "search": "zzz.zzz" })),
        ("many found", json!({ "search": "@example." })),
        ("many found, few addresses", json!({ "search": "@example.", "emailPrefix": "sebnem.iv" })),
        ("a day", json!({ "createdFrom": "2026-01-01T00:00:00Z", "createdBefore": "2026-01-02T00:00:00Z" })),
        ("a month", json!({ "createdFrom": "2026-01-01T00:00:00Z", "createdBefore": "2026-02-01T00:00:00Z" })),
        ("a year", json!({ "createdFrom": "2025-06-01T00:00:00Z", "createdBefore": "2026-06-01T00:00:00Z" })),
    ];
    for field in ["CREATED_AT", "EMAIL", "NAME", "LAST_SIGN_IN_AT"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            for (name, filter) in &filters {
                let what = format!("{field} {direction}, {name}");
                let in_order = filter.get("roles").is_some() || filter.get("statuses").is_some();
                let most = match *name {
                    "all users" => RANGES,
                    _ if in_order => RANGES,
                    // Reads every user with the prefix, or perhaps all users for a long period. Fast only when sorted
                    // by the filtered column.
                    "many addresses" if field != "EMAIL" => WIDE,
                    "many names" if field != "NAME" => WIDE,
                    "a month" | "a year" if field != "CREATED_AT" => f64::INFINITY,
                    _ => BESIDE,
                };
                let ask = |arguments: Value| {
                    let mut variables = json!({ "filter": filter, "orderBy": order });
                    variables.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
                    variables
                };
                let page = check(&app, &admin, &what, most, PEOPLE, ask(json!({ "first": 100 }))).await;
                let cursor = page["users"]["pageInfo"]["endCursor"].clone();
                let (next, last) = (json!({ "first": 100, "after": cursor }), json!({ "last": 100 }));
                check(&app, &admin, &format!("{what}, next page"), most, PEOPLE, ask(next)).await;
                check(&app, &admin, &format!("{what}, last page"), most, PEOPLE, ask(last)).await;
                app.clock.pass(1.0);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_lists_and_user_details_are_read_by_index_ranges() {
    let app = TestApp::new().await;
    let admin = ready(&app).await;
    let list = users(&admin, json!({ "first": 1, "filter": { "emailPrefix": "sebnem." } })).await;
    let person = &list["edges"][0]["node"]["id"];
    // Earlier events of the user belong to a session and to a hashed address.
    let (session, email) = ("00000000-0000-7000-8000-000000000001", "wanted@example.com");
    let literal = session.replace('-', "");
    let literal = if on_servers() { format!("'{literal}'") } else { format!("x'{literal}'") };
    let label = app.ctx().vault.address_label(email);
    app.sql(&format!("UPDATE audit_events SET session_id = {literal} WHERE kind = 'SIGNED_UP'")).await;
    app.sql(&format!("UPDATE audit_events SET detail = '{{ \"address\": \"{label}\" }}' WHERE kind = 'SIGNED_IN'"))
        .await;
    if on_servers() {
        app.sql("VACUUM ANALYZE audit_events").await;
    }
    let month = json!({ "from": "2026-01-01T00:00:00Z", "before": "2026-02-01T00:00:00Z" });
    for (name, filter) in [
        ("everything", json!({})),
        ("two kinds", json!({ "kinds": ["SIGNED_IN", "SIGNED_UP"] })),
        ("a kind that never happened", json!({ "kinds": ["KEY_ROTATED"] })),
        ("about a user", json!({ "subjectId": person })),
        ("by a user", json!({ "actorId": person })),
        ("by and about a user", json!({ "actorId": person, "subjectId": person, "kinds": ["SIGNED_IN"] })),
        ("in a session", json!({ "sessionId": session })),
        ("from an address", json!({ "network": "198.51.100.7" })),
        ("from no address", json!({ "network": "198.51.101.7" })),
        ("from a network", json!({ "network": "198.51.100.0/24" })),
        ("of an address", json!({ "email": email })),
        ("of no address", json!({ "email": "nobody@example.com" })),
        ("a month", month.clone()),
        ("a kind in a month", json!({ "kinds": ["SIGNED_IN"], "from": month["from"], "before": month["before"] })),
    ] {
        let ask = |after: Value| json!({ "first": 100, "filter": filter, "after": after });
        let page = check(&app, &admin, &format!("events, {name}"), RANGES, TRAIL, ask(Value::Null)).await;
        let cursor = page["auditEvents"]["pageInfo"]["endCursor"].clone();
        check(&app, &admin, &format!("events, {name}, next page"), RANGES, TRAIL, ask(cursor)).await;
    }
    let all = "{ users(first: 100) { nodes { sessions { nodes { id } totalCount } endedSessions { nodes { id } totalCount } auditEvents { nodes { actor { email } \
               subject { email } } totalCount } devices { id } } } }";
    check(&app, &admin, "a hundred users with details", BESIDE, all, json!({})).await;
    let statistics = "query($from: DateTime!, $before: DateTime!, $kinds: [AuditKind!]) { \
                      auditStatistics(from: $from, before: $before, kinds: $kinds) { series { total } } }";
    check(&app, &admin, "statistics of a month", WIDE, statistics, month.clone()).await;
    let two = json!({ "from": month["from"], "before": month["before"], "kinds": ["SIGNED_IN", "KEY_ROTATED"] });
    check(&app, &admin, "statistics of two kinds", WIDE, statistics, two).await;
}
