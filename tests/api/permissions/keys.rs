//! Uses every field with API keys, with and without each scope, and with the token of another application, which is
//! like a key with `PROFILE_READ`. The result must match the column "API key" of the permissions page. None of them may
//! see or do more than a session of its owner.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{
    changes::{Case, sides},
    fields::{self, Types},
    page::{Column, Key, Page, SCOPES, Side},
    people::{Being, being, delete, snapshot, wide_limits},
    reads::{Known, WAYS, Way, known, selection},
};
use crate::{
    api_keys::create,
    harness::{Answer, Client, TestApp},
    oauth::{NOTES, register, sign_in_to},
};

/// The sets of scopes to test: none, each, and all.
fn sets() -> Vec<Vec<&'static str>> {
    let each = SCOPES.iter().map(|scope| vec![*scope]);
    [vec![]].into_iter().chain(each).chain([SCOPES.to_vec()]).collect()
}

/// The fields on the way to an object, as `Type.field`, and the scopes that may read an account at its end.
fn steps<'a>(types: &Types, way: &Way) -> (Vec<String>, Vec<&'a str>) {
    let (mut of, mut fields, mut account) = ("Query".to_owned(), Vec::new(), Vec::new());
    for name in way.path.split('/').filter(|step| types["Query"].of.contains_key(*step) || !is_index(step)) {
        if name.is_empty() {
            continue;
        }
        if types[&of].kind != "OBJECT" {
            way.query.split("... on ").nth(1).unwrap().split(' ').next().unwrap().clone_into(&mut of);
        }
        account = match name {
            "me" => vec!["PROFILE_READ"],
            "user" if of != "Query" => account,
            "user" | "node" | "_entities" if of == "Query" => vec!["PROFILE_READ", "PEOPLE_READ"],
            "users" | "actor" | "subject" => vec!["PEOPLE_READ"],
            _ => account,
        };
        fields.push(format!("{of}.{name}"));
        of.clone_from(&types[&of].of[name]);
    }
    (fields, account)
}

fn is_index(step: &str) -> bool {
    step == "*" || step.parse::<usize>().is_ok()
}

fn is_granted(key: &Key, scopes: &[&str], account: &[&str]) -> bool {
    match key {
        Key::Never => false,
        Key::Nothing | Key::Ignored => true,
        Key::Scopes(needed) => needed.iter().any(|scope| scopes.contains(&scope.as_str())),
        Key::Account => account.iter().any(|scope| scopes.contains(scope)),
    }
}

/// Whether the key may see this user at all, which is checked when the user is looked up.
fn may_see(way: &Way, scopes: &[&str], side: Side) -> bool {
    let needed = match (way.root, way.query.contains("EVENT"), side) {
        ("node", true, _) => "AUDIT_READ",
        ("user" | "node" | "_entities", _, Side::Own) => {
            return ["PROFILE_READ", "PEOPLE_READ"].iter().any(|scope| scopes.contains(scope));
        }
        ("user" | "node" | "_entities", _, _) => "PEOPLE_READ",
        _ => return true,
    };
    scopes.contains(&needed)
}

struct Owner<'a> {
    known: Known<'a>,
    keys: Vec<(Vec<&'static str>, Client<'a>)>,
}

async fn owner<'a>(app: &'a TestApp, root: &Being<'_>) -> Owner<'a> {
    let being = being(app, "owner", Role::Admin).await;
    let mut keys = Vec::new();
    for scopes in sets() {
        let (key, _) = create(&being.client, &scopes).await;
        keys.push((scopes, app.guest().with_bearer(&key)));
    }
    register(app).await;
    keys.push((vec!["PROFILE_READ"], of_application(app, &being).await));
    Owner { known: known(root, being).await, keys }
}

/// A client of the token that another application got from the session of this user.
async fn of_application<'a>(app: &'a TestApp, being: &Being<'_>) -> Client<'a> {
    let tokens = sign_in_to(&app.guest(), being.client.bearer.as_deref().unwrap(), NOTES).await;
    app.guest().with_bearer(&tokens.access)
}

fn is_refused(answer: &Answer) -> bool {
    let code = answer.json["errors"][0]["extensions"]["code"].as_str();
    let is_refused = code == Some("INSUFFICIENT_SCOPE");
    if is_refused {
        assert_eq!(answer.status.as_u16(), 403, "{}", answer.text);
        assert!(answer.json["data"].is_null(), "{}", answer.text);
    }
    is_refused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_reads_only_what_the_permissions_page_grants_its_scopes_on_every_path() {
    let app = TestApp::alone(wide_limits).await;
    let (page, types) = (Page::read(), fields::of(&app).await);
    let root = being(&app, "root", Role::Admin).await;
    let owner = owner(&app, &root).await;
    let other = known(&root, being(&app, "other", Role::User).await).await;
    let (mut cases, mut shown, mut wrong) = (0, 0, Vec::new());
    for way in &WAYS {
        let (mut path, account) = steps(&types, way);
        // A field of an untabled type, such as an edge, has no row: it goes with the field that leads to it.
        path.retain(|step| !page.untabled.contains(step.split('.').next().unwrap()));
        for (side, of) in [(Side::Own, &owner.known), (Side::Other, &other)] {
            for field in types[way.to].fields.keys() {
                let only = fields::Type {
                    fields: types[way.to].fields.iter().filter(|(name, _)| *name == field).map(own).collect(),
                    ..types[way.to].clone()
                };
                let document = of.fill(way.query, 0, &selection(&only));
                let session = owner.known.being.client.query(&document, json!({})).await;
                let row =
                    if page.untabled.contains(way.to) { None } else { Some(page.row(&format!("{}.{field}", way.to))) };
                for (scopes, client) in &owner.keys {
                    let answer = client.query(&document, json!({})).await;
                    let path_is_granted = path.iter().all(|step| is_granted(&page.row(step).key, scopes, &account));
                    let granted = path_is_granted && row.is_none_or(|row| is_granted(&row.key, scopes, &account));
                    cases += 1;
                    let expected = match (granted, may_see(way, scopes, side)) {
                        (false, _) => "refused",
                        (true, false) => "NOT_FOUND",
                        (true, true) => "as the session",
                    };
                    let is_same = || answer.json["data"] == session.json["data"] || field == "current";
                    let found = match answer.json["errors"][0]["extensions"]["code"].as_str() {
                        _ if is_refused(&answer) => "refused",
                        Some("NOT_FOUND") => "NOT_FOUND",
                        None if is_same() => "as the session",
                        _ => "something else",
                    };
                    shown += usize::from(found == "as the session");
                    if found != expected {
                        wrong.push(format!("{document} with {scopes:?}: {found}, not {expected}: {}", answer.text));
                    }
                }
            }
        }
    }
    assert!(cases > 2_500 && shown > 500, "{cases}, {shown}");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

fn own<'a>((name, is_composite): (&'a String, &'a bool)) -> (String, bool) {
    (name.clone(), *is_composite)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_changes_only_what_the_permissions_page_grants_its_scopes() {
    let app = TestApp::alone(wide_limits).await;
    changes(&app, async |owner, needed| {
        let without = |removed: &[String]| -> Vec<_> {
            SCOPES.into_iter().filter(|scope| !removed.contains(&(*scope).to_owned())).collect()
        };
        let lacking = if let Key::Scopes(needed) = needed { without(needed) } else { SCOPES.to_vec() };
        let mut keys = vec![];
        for scopes in [vec![], lacking, SCOPES.to_vec()] {
            let (key, _) = create(&owner.client, &scopes).await;
            keys.push((scopes, app.guest().with_bearer(&key)));
        }
        keys
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_application_changes_what_a_key_with_profile_read_changes() {
    let app = TestApp::alone(wide_limits).await;
    register(&app).await;
    changes(&app, async |owner, _| vec![(vec!["PROFILE_READ"], of_application(&app, owner).await)]).await;
}

/// Calls every mutation with these keys of its owner. The calls end with the first that is granted.
async fn changes<'a>(app: &'a TestApp, keys: impl AsyncFn(&Being<'a>, &Key) -> Vec<(Vec<&'static str>, Client<'a>)>) {
    let (page, types) = (Page::read(), fields::of(app).await);
    let root = being(app, "root", Role::Admin).await;
    for field in types["Mutation"].fields.keys() {
        let needed = &page.row(&format!("Mutation.{field}")).key;
        let side = *sides(field).iter().find(|side| **side == Side::Other).unwrap_or(&sides(field)[0]);
        let mut case = Case::new(app, &root, field, Column::Admin, side).await;
        let owner = case.viewer.take().unwrap();
        if field == "restoreUser" {
            app.set_status(&case.other.email, doorcode::db::entity::UserStatus::Suspended).await;
        }
        let keys = keys(&owner, needed).await;
        let before = [snapshot(&root, &owner).await, snapshot(&root, &case.other).await];
        for (scopes, client) in keys {
            case.viewer = Some(Being { client, email: owner.email.clone(), role: owner.role, is: owner.is.clone() });
            let answer = case.call(app, field).await;
            let expected = !is_granted(needed, &scopes, &[]);
            assert_eq!(is_refused(&answer), expected, "{field} with {scopes:?}: {}", answer.text);
            if expected {
                let after = [snapshot(&root, &owner).await, snapshot(&root, &case.other).await];
                assert_eq!(after, before, "{field} with {scopes:?}");
            } else {
                assert!(answer.json["errors"].is_null(), "{field}: {}", answer.text);
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_cannot_subscribe() {
    let app = TestApp::alone(wide_limits).await;
    let page = Page::read();
    let owner = being(&app, "owner", Role::Admin).await;
    let (key, _) = create(&owner.client, &SCOPES).await;
    register(&app).await;
    let clients = [app.guest().with_bearer(&key), of_application(&app, &owner).await];
    for (field, row) in page.rows.iter().filter(|(name, _)| name.starts_with("Subscription.")) {
        assert_eq!(row.key, Key::Never, "{field}");
        let ways = ["text/event-stream", "application/json"];
        for (mut client, accept) in
            clients.iter().cloned().flat_map(|client| ways.map(|accept| (client.clone(), accept)))
        {
            client.headers.insert("accept", accept.parse().unwrap());
            let field = field.strip_prefix("Subscription.").unwrap();
            let answer = client.query(&format!("subscription {{ {field} {{ id }} }}"), Value::Null).await;
            assert!(is_refused(&answer), "{}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_see_deleted_users_unless_its_owner_does() {
    let app = TestApp::alone(wide_limits).await;
    let deleted = being(&app, "deleted", Role::User).await;
    delete(&app, &deleted).await;
    for (role, code) in [(Role::Manager, "NOT_FOUND"), (Role::Admin, "")] {
        let owner = being(&app, &format!("{role:?}").to_lowercase(), role).await;
        let (key, _) = create(&owner.client, &SCOPES).await;
        let query = format!("{{ user(id: \"{}\") {{ email }} }}", deleted.is.user);
        let answer = app.guest().with_bearer(&key).query(&query, json!({})).await;
        assert_eq!(answer.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default(), code, "{role:?}");
    }
}
