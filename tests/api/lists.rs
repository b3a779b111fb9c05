//! Lists of users, sessions and audit events: contents, order, permissions and cost. The tests compare results with a
//! naive scan of all rows. `plans` tests query plans, `people` and `trail` pages and filters, `search` searches,
//! `roles` permissions, and `cost` the number of statements.

mod cost;
mod people;
mod plans;
mod roles;
mod search;
mod trail;

use doorcode::{
    db::entity::{audit_events, users},
    seed,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

async fn signed_in_as<'a>(app: &'a TestApp, role: &str) -> Client<'a> {
    let email = format!("{}@lists.example", role.to_lowercase());
    app.guest().sign_in(&email).await;
    app.sql(&format!("UPDATE users SET role = '{role}' WHERE email = '{email}'")).await;
    let guest = app.guest();
    let signed_in = guest.sign_in(&email).await;
    guest.with_bearer(&signed_in.access)
}

/// Creates this many users. Each `number` gives a different set of users.
async fn seed(app: &TestApp, people: u64, number: u64) {
    seed::seed(app.ctx(), people, number, |_| {}).await.unwrap();
}

async fn everybody(app: &TestApp) -> Vec<users::Model> {
    users::Entity::find().all(app.ctx().db.read()).await.unwrap()
}

async fn every_event(app: &TestApp) -> Vec<audit_events::Model> {
    audit_events::Entity::find().all(app.ctx().db.read()).await.unwrap()
}

async fn users(client: &Client<'_>, arguments: Value) -> Value {
    users_answer(client, arguments).await.field("users").clone()
}

async fn users_answer(client: &Client<'_>, arguments: Value) -> crate::harness::Answer {
    let query = "query($first: Int, $after: String, $last: Int, $before: String, $filter: UserFilter, \
                 $orderBy: UserOrder) { users(first: $first, after: $after, last: $last, before: $before, \
                 filter: $filter, orderBy: $orderBy) { totalCount nodes { email } \
                 edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    client.query(query, arguments).await
}

async fn events(client: &Client<'_>, arguments: Value) -> Value {
    events_answer(client, arguments).await.field("auditEvents").clone()
}

async fn events_answer(client: &Client<'_>, arguments: Value) -> crate::harness::Answer {
    let query = "query($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) { \
                 auditEvents(first: $first, after: $after, last: $last, before: $before, filter: $filter) { \
                 totalCount nodes { id at kind } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    client.query(query, arguments).await
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    list["nodes"].as_array().unwrap().iter().map(|node| node[name].as_str().unwrap().to_owned()).collect()
}

/// Pseudo-random numbers, the same in every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The arguments of a page in one direction, from a cursor if there is one.
fn page(forward: bool, size: usize, cursor: Option<&str>) -> Value {
    if forward { json!({ "first": size, "after": cursor }) } else { json!({ "last": size, "before": cursor }) }
}

/// Reads a whole list page by page. Calls `between` after every page.
async fn walk(
    fetch: impl AsyncFn(Value) -> Value,
    forward: bool,
    size: usize,
    name: &str,
    mut between: impl AsyncFnMut(usize),
) -> Vec<String> {
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let list = fetch(page(forward, size, cursor.as_deref())).await;
        let mut found = texts(&list, name);
        if !forward {
            found.reverse();
        }
        seen.extend(found);
        let (more, end) = if forward { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
        if list["pageInfo"][more] == false {
            return seen;
        }
        cursor = list["pageInfo"][end].as_str().map(str::to_owned);
        pages += 1;
        between(pages).await;
    }
}
