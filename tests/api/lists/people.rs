//! Pages and filters of the user list, compared with a naive scan.

use std::{cmp::Ordering, collections::HashSet};

use chrono::{DateTime, Utc};
use doorcode::db::entity::{Role, UserStatus};
use serde_json::{Value, json};

use super::{Draws, everybody, seed, signed_in_as, texts, users, users_answer, walk};
use crate::harness::TestApp;

const FIELDS: [&str; 4] = ["CREATED_AT", "EMAIL", "NAME", "LAST_SIGN_IN_AT"];
const ORDERS: [(&str, bool); 8] = [
    ("CREATED_AT", false),
    ("CREATED_AT", true),
    ("EMAIL", false),
    ("EMAIL", true),
    ("NAME", false),
    ("NAME", true),
    ("LAST_SIGN_IN_AT", false),
    ("LAST_SIGN_IN_AT", true),
];

fn order_by((field, descending): (&str, bool)) -> Value {
    json!({ "field": field, "direction": if descending { "DESC" } else { "ASC" } })
}

/// Compares two users as the list must order them.
fn compare((field, descending): (&str, bool), one: &users::Model, other: &users::Model) -> Ordering {
    let name = |user: &users::Model| user.name.as_deref().unwrap_or_default().to_lowercase();
    let ascending = match field {
        "CREATED_AT" => one.created_at.cmp(&other.created_at),
        "EMAIL" => one.email.cmp(&other.email),
        "NAME" => name(one).cmp(&name(other)),
        _ => one.last_sign_in_at.cmp(&other.last_sign_in_at),
    };
    let ascending = ascending.then(one.id.cmp(&other.id));
    if descending { ascending.reverse() } else { ascending }
}

fn merged(mut one: Value, other: &Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_returns_every_user_once_in_every_order_and_direction() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 200, 1).await;
    // Give many users the same sort value.
    app.sql("UPDATE users SET created_at = '2026-01-01T00:00:00+00:00' WHERE email LIKE 'a%'").await;
    let mut everybody = everybody(&app).await;
    for order in ORDERS {
        everybody.sort_by(|one, other| compare(order, one, other));
        let expected: Vec<_> = everybody.iter().map(|user| user.email.clone()).collect();
        for forward in [true, false] {
            let fetch = async |page| users(&admin, merged(page, &json!({ "orderBy": order_by(order) }))).await;
            let mut seen = walk(fetch, forward, 37, "email", async |_| {}).await;
            if !forward {
                seen.reverse();
            }
            assert_eq!(seen, expected, "{order:?}, forward: {forward}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ups_between_two_pages_do_not_shift_users() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 60, 1).await;
    let mut number = 100;
    for order in ORDERS {
        for forward in [true, false] {
            let before: HashSet<_> = everybody(&app).await.into_iter().map(|user| user.email).collect();
            let fetch = async |page| users(&admin, merged(page, &json!({ "orderBy": order_by(order) }))).await;
            let seen = walk(fetch, forward, 30, "email", async |_| {
                number += 1;
                seed(&app, 3, number).await;
            })
            .await;
            let once: HashSet<_> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "no duplicates: {order:?}, forward: {forward}");
            assert!(once.is_superset(&before), "no user is missing: {order:?}, forward: {forward}");
        }
    }
}

/// A user filter, as JSON for the API and as a Rust predicate.
struct Wanted {
    email: Option<String>,
    name: Option<String>,
    search: Option<String>,
    roles: Option<Vec<Role>>,
    statuses: Option<Vec<UserStatus>>,
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Wanted {
    fn draw(draws: &mut Draws, everybody: &[users::Model]) -> Self {
        let prefix = |draws: &mut Draws, text: &str| {
            let length = 1 + draws.below(4);
            text.chars().take(length).collect::<String>()
        };
        let mut maybe = |likely: usize| draws.below(100) < likely;
        let wants = [maybe(35), maybe(35), maybe(30), maybe(30), maybe(30), maybe(30), maybe(35)];
        let searched = draws.one_of(everybody);
        let searched =
            if draws.below(2) == 0 || searched.name.is_none() { &searched.email } else { &searched.name_key };
        let start = draws.below(searched.chars().count() - 3);
        let search: String = searched.chars().skip(start).take(3 + draws.below(4)).collect();
        let (email, name) = (&draws.one_of(everybody).email, draws.one_of(everybody).name.clone().unwrap_or_default());
        let (email, name) = (prefix(draws, email), prefix(draws, &name));
        let roles = [Role::Guest, Role::User, Role::Manager, Role::Admin];
        let statuses = [UserStatus::Active, UserStatus::Suspended, UserStatus::Deleted];
        let roles = vec![*draws.one_of(&roles), *draws.one_of(&roles)];
        let statuses = vec![*draws.one_of(&statuses), *draws.one_of(&statuses)];
        let (from, before) = (draws.one_of(everybody).created_at, draws.one_of(everybody).created_at);
        Self {
            email: wants[0].then_some(email),
            name: wants[1].then_some(name),
            // Spaces around a term are no part of it.
            search: (wants[6] && search.trim() == search).then_some(search),
            roles: wants[2].then_some(roles),
            statuses: wants[3].then_some(statuses),
            from: wants[4].then_some(from),
            before: wants[5].then_some(before),
        }
    }

    fn json(&self) -> Value {
        let role = |role: &Role| doorcode::domain::user::role_name(*role);
        let status = |status: &UserStatus| doorcode::domain::user::status_name(*status);
        json!({
            "emailPrefix": self.email.as_ref().map(|prefix| prefix.to_uppercase()),
            "namePrefix": self.name.as_ref().map(|prefix| format!(" {prefix} ")),
            "search": self.search.as_ref().map(|term| term.to_uppercase()),
            "roles": self.roles.as_ref().map(|roles| roles.iter().map(role).collect::<Vec<_>>()),
            "statuses": self.statuses.as_ref().map(|all| all.iter().map(status).collect::<Vec<_>>()),
            "createdFrom": self.from,
            "createdBefore": self.before,
        })
    }

    fn fits(&self, user: &users::Model) -> bool {
        let name = user.name.as_deref().unwrap_or_default().to_lowercase();
        self.email.as_ref().is_none_or(|prefix| user.email.starts_with(prefix))
            && self.name.as_ref().is_none_or(|prefix| name.starts_with(prefix.trim().to_lowercase().as_str()))
            && self.search.as_ref().is_none_or(|term| user.email.contains(term) || user.name_key.contains(term))
            && self.roles.as_ref().is_none_or(|roles| roles.contains(&user.role))
            && self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&user.status))
            && self.from.is_none_or(|from| user.created_at >= from)
            && self.before.is_none_or(|before| user.created_at < before)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn user_filters_match_a_naive_scan() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 400, 1).await;
    let everybody = everybody(&app).await;
    let mut draws = Draws(1);
    for round in 0..250 {
        let wanted = Wanted::draw(&mut draws, &everybody);
        let order = (*draws.one_of(&FIELDS), draws.below(2) == 0);
        let mut expected: Vec<_> = everybody.iter().filter(|user| wanted.fits(user)).collect();
        expected.sort_by(|one, other| compare(order, one, other));
        let expected: Vec<_> = expected.into_iter().map(|user| user.email.clone()).collect();
        let asked = json!({ "filter": wanted.json(), "orderBy": order_by(order), "first": 100 });
        let list = users(&admin, asked.clone()).await;
        assert_eq!(list["totalCount"], expected.len(), "round {round}: {asked}");
        assert_eq!(texts(&list, "email"), expected[..expected.len().min(100)], "round {round}: {asked}");
        // Also read backwards, from a cursor in the middle.
        if let Some(edge) = list["edges"].as_array().unwrap().last() {
            let asked =
                json!({ "filter": wanted.json(), "orderBy": order_by(order), "last": 5, "before": edge["cursor"] });
            let place = expected.len().min(100) - 1;
            assert_eq!(
                texts(&users(&admin, asked).await, "email"),
                expected[place.saturating_sub(5)..place],
                "round {round}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_are_literal_and_have_no_wildcards() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let guest = app.guest();
    for email in ["a_b@example.com", "axb@example.com", "100%@example.com"] {
        guest.sign_in(email).await;
    }
    app.sql("UPDATE users SET name = 'Ωmega', name_key = 'ωmega' WHERE email = 'axb@example.com'").await;
    app.sql("UPDATE users SET name = '\u{10ffff}', name_key = '\u{10ffff}' WHERE email = 'a_b@example.com'").await;
    for (filter, expected) in [
        (json!({ "emailPrefix": "A_" }), vec!["a_b@example.com"]),
        (json!({ "emailPrefix": "%" }), vec![]),
        (json!({ "emailPrefix": "100%" }), vec!["100%@example.com"]),
        (json!({ "namePrefix": "Ω" }), vec!["axb@example.com"]),
        (json!({ "namePrefix": "\u{10ffff}" }), vec!["a_b@example.com"]),
        (json!({ "namePrefix": "' OR 1=1 --" }), vec![]),
        (json!({ "roles": [] }), vec![]),
        (json!({ "emailPrefix": " ", "statuses": ["SUSPENDED"] }), vec![]),
    ] {
        let list = users(&admin, json!({ "filter": filter })).await;
        assert_eq!(texts(&list, "email"), expected, "{filter}");
        assert_eq!(list["totalCount"], expected.len(), "{filter}");
    }
    for (filter, field) in [
        (json!({ "emailPrefix": "a".repeat(255) }), "emailPrefix"),
        (json!({ "namePrefix": "a".repeat(101) }), "namePrefix"),
        (json!({ "namePrefix": "a\0b" }), "namePrefix"),
    ] {
        let answer = users_answer(&admin, json!({ "filter": filter })).await;
        assert_eq!(
            (answer.code(), &answer.json["errors"][0]["extensions"]["field"]),
            ("BAD_USER_INPUT", &json!(field))
        );
    }
    let far = json!({ "createdFrom": "-200000-01-01T00:00:00Z", "createdBefore": "+200000-01-01T00:00:00Z" });
    assert_eq!(users(&admin, json!({ "filter": far })).await["totalCount"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_sorted_newest_first_or_by_the_prefix_field() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 300, 1).await;
    let mut everybody = everybody(&app).await;
    for (filter, order) in [
        (json!({}), ("CREATED_AT", true)),
        (json!({ "emailPrefix": "s" }), ("EMAIL", false)),
        (json!({ "namePrefix": "s" }), ("NAME", false)),
        (json!({ "emailPrefix": "s", "namePrefix": "s" }), ("CREATED_AT", true)),
    ] {
        let implied = users(&admin, json!({ "first": 100, "filter": filter })).await;
        let said = users(&admin, json!({ "first": 100, "filter": filter, "orderBy": order_by(order) })).await;
        assert_eq!(implied, said, "{filter}");
        assert!(!texts(&said, "email").is_empty());
    }
    everybody.sort_by(|one, other| compare(("EMAIL", false), one, other));
    let ascending = users(&admin, json!({ "first": 3, "orderBy": { "field": "EMAIL" } })).await;
    let expected: Vec<_> = everybody.iter().take(3).map(|user| user.email.clone()).collect();
    assert_eq!(texts(&ascending, "email"), expected, "ascending by default");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_order_or_an_unknown_user_is_bad_input() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 50, 1).await;
    let mut cursors = Vec::new();
    for order in ORDERS {
        let list = users(&admin, json!({ "first": 3, "orderBy": order_by(order) })).await;
        cursors.push((order, list["pageInfo"]["endCursor"].as_str().unwrap().to_owned()));
    }
    let me = admin.me().await.field("me")["id"].as_str().unwrap().to_owned();
    let mut forged: Vec<_> = ["", "x", "' OR 1=1 --", "Pg", &me, &"A".repeat(9_000)].map(str::to_owned).to_vec();
    let events = super::events(&admin, json!({ "first": 1 })).await;
    forged.push(events["pageInfo"]["endCursor"].as_str().unwrap().to_owned());
    for (order, own) in &cursors {
        let foreign = cursors.iter().filter(|(of, _)| of != order).map(|(_, cursor)| cursor);
        for cursor in foreign.chain(&forged) {
            for (size, field) in [("first", "after"), ("last", "before")] {
                let answer = users_answer(&admin, json!({ size: 3, field: cursor, "orderBy": order_by(*order) })).await;
                assert_eq!(answer.code(), "BAD_USER_INPUT", "{order:?} {cursor}");
                assert_eq!(answer.json["errors"][0]["extensions"]["field"], field);
                assert!(answer.text.len() < 1_000, "the forged value is not echoed");
            }
        }
        users(&admin, json!({ "first": 3, "after": own, "orderBy": order_by(*order) })).await;
    }
    for size in [json!({ "first": 101 }), json!({ "first": -1 }), json!({ "first": 1, "last": 1 })] {
        assert_eq!(users_answer(&admin, size).await.code(), "BAD_USER_INPUT");
    }
    let none = users(&admin, json!({ "first": 0 })).await;
    assert_eq!((&none["nodes"], &none["pageInfo"]["hasNextPage"]), (&json!([]), &json!(true)));
}
