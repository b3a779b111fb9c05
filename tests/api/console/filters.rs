//! Filters of the audit trail by network, session and email address, as a list and live.

use doorcode::{
    db::entity::Role,
    domain::audit::{list::Filter, network::Place},
};
use sea_orm::EntityTrait;
use serde_json::json;

use super::{kinds, trail};
use crate::harness::{TestApp, other_than};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_address_and_by_network() {
    let app = TestApp::new().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    for ip in ["203.0.113.7", "203.0.113.8", "203.0.114.7", "2001:db8::7", "2001:db8::1:0:0:8", "2001:db8:0:1::7"] {
        app.guest().at_ip(ip).login("stranger@example.com").await;
    }
    for (network, expected) in [
        ("203.0.113.7", 1),
        ("203.0.113.9", 0),
        ("203.0.113.0/24", 2),
        ("203.0.113.99/24", 2),
        ("::ffff:203.0.113.7", 1),
        ("2001:DB8:0::7", 1),
        ("2001:db8::/64", 2),
        ("2001:db8:0:1::/64", 1),
        ("198.51.100.0/24", 0),
    ] {
        let found = kinds(&manager, json!({ "network": network })).await;
        assert_eq!(found.len(), expected, "{network}: {found:?}");
        assert!(found.iter().all(|kind| kind == "CODE_REQUESTED"), "{found:?}");
    }
    let both = json!({ "network": "203.0.113.0/24", "kinds": ["SIGNED_IN"] });
    assert_eq!(kinds(&manager, both).await, [""; 0]);
    for wrong in ["", "203.0.113", "203.0.113.0/16", "2001:db8::/48", "localhost", "203.0.113.7'--"] {
        let answer = trail(&manager, json!({ "network": wrong })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "network");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_their_session() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let other = app.guest().sign_in("ada@example.com").await;
    ada.change("updateProfile", json!({ "name": "Ada" }), "__typename").await.field("updateProfile");
    ada.change("endSession", json!({ "id": other.session }), "__typename").await.field("endSession");
    let input = json!({ "id": ada.signed_in.session });
    admin.change("endUserSession", input, "__typename").await.field("endUserSession");

    let of = async |session: &str| kinds(&admin, json!({ "sessionId": session })).await;
    assert_eq!(of(&ada.signed_in.session).await, ["SESSION_ENDED", "PROFILE_CHANGED", "SIGNED_IN"]);
    assert_eq!(of(&other.session).await, ["SESSION_ENDED", "SIGNED_IN"], "not in the session that ended it");
    assert_eq!(of(&admin.signed_in.session).await, ["SIGNED_IN"]);

    // The UUID of a token's `sid` is accepted too, and no other type of id.
    let found = trail(&admin, json!({ "sessionId": other.session, "kinds": ["SIGNED_IN"] })).await;
    assert_eq!(found.field("auditEvents")["nodes"][0]["sessionId"], other.session.as_str());
    let sessions = doorcode::db::entity::sessions::Entity::find().all(app.ctx().db.read()).await.unwrap();
    let mut by_uuid = 0;
    for session in sessions {
        by_uuid += kinds(&admin, json!({ "sessionId": session.id })).await.len();
    }
    assert_eq!(by_uuid, 6);
    for wrong in ["", "x", &admin.signed_in.user] {
        let answer = trail(&admin, json!({ "sessionId": wrong })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "sessionId");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_find_events_by_an_address_without_an_account() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let (guest, email) = (app.guest(), "stranger@example.com");
    let challenge = guest.challenge(email).await;
    let code = app.last_code_for(email).await;
    guest.verify(&challenge, &other_than(&code)).await;
    let input = json!({ "email": email, "password": "seven otters at noon" });
    guest.change("login", input, "__typename").await.field("login");
    guest.challenge("other@example.com").await;

    let expected = ["WRONG_PASSWORD", "WRONG_CODE", "CODE_REQUESTED"];
    assert_eq!(kinds(&admin, json!({ "email": email })).await, expected);
    assert_eq!(kinds(&admin, json!({ "email": "Stranger@Example.com" })).await, expected, "the canonical form");
    assert_eq!(kinds(&admin, json!({ "email": email, "kinds": ["WRONG_CODE"] })).await, ["WRONG_CODE"]);
    assert_eq!(kinds(&admin, json!({ "email": "nobody@example.com" })).await, [""; 0]);

    // Managers do not see the hashes, so they cannot select by them.
    let manager = app.person("manager@example.com", Role::Manager).await;
    let answer = trail(&manager, json!({ "email": email })).await;
    assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text);
    assert_eq!(app.refused("PERMISSION_DENIED").await, 1);
}

/// A manager sees neither the network nor the session of an event about a deleted user, so the filters must not select by
/// them.
#[tokio::test(flavor = "multi_thread")]
async fn managers_do_not_find_events_about_deleted_users_by_network_or_session() {
    let app = TestApp::new().await;
    let (admin, manager) =
        (app.person("admin@example.com", Role::Admin).await, app.person("manager@example.com", Role::Manager).await);
    app.make("ada@example.com", Role::User).await;
    let ada = app.guest().at_ip("203.0.113.7").sign_in("ada@example.com").await;
    let filters = [
        json!({ "network": "203.0.113.7", "kinds": ["SIGNED_IN"] }),
        json!({ "network": "203.0.113.0/24", "kinds": ["SIGNED_IN"] }),
        json!({ "sessionId": ada.session, "kinds": ["SIGNED_IN"] }),
    ];
    for (condition, is_hidden) in [("1 = 0", false), ("email = 'ada@example.com'", true)] {
        app.sql(&format!("UPDATE users SET status = 'DELETED', deleted_at = updated_at WHERE {condition}")).await;
        for filter in &filters {
            let expected = if is_hidden { vec![] } else { vec!["SIGNED_IN"] };
            assert_eq!(kinds(&manager, filter.clone()).await, expected, "{filter}");
            assert_eq!(kinds(&admin, filter.clone()).await, ["SIGNED_IN"], "{filter}");
        }
    }
    app.sql("DELETE FROM users WHERE email = 'ada@example.com'").await;
    for filter in &filters {
        assert_eq!(kinds(&manager, filter.clone()).await, [""; 0], "an erased user is as hidden: {filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_fits_the_same_events_live_as_in_the_list() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    for (ip, email) in
        [("203.0.113.7", "ada@example.com"), ("203.0.113.8", "bob@example.com"), ("::7", "ada@example.com")]
    {
        app.guest().at_ip(ip).sign_in(email).await;
    }
    let events = doorcode::db::entity::audit_events::Entity::find().all(app.ctx().db.read()).await.unwrap();
    let sessions = events.iter().filter_map(|event| event.session_id);
    let places = ["203.0.113.7", "203.0.113.0/24", "::7", "::/64"].map(|text| Place::parse(text).unwrap());
    let labels = app.ctx().vault.address_labels("ada@example.com").collect::<Vec<_>>();
    let filters = sessions
        .map(|session| Filter { session: Some(session), ..Filter::default() })
        .chain(places.map(|place| Filter { place: Some(place), ..Filter::default() }))
        .chain([Filter { labels: Some(labels), ..Filter::default() }]);
    for filter in filters {
        let input = match &filter {
            Filter { session: Some(session), .. } => json!({ "sessionId": session }),
            Filter { place: Some(Place::Address(ip)), .. } => json!({ "network": ip }),
            Filter { place: Some(Place::Network(network)), .. } => json!({ "network": network.to_string() }),
            _ => json!({ "email": "ada@example.com" }),
        };
        let listed = kinds(&admin, input.clone()).await;
        let mut fitting: Vec<_> = events.iter().filter(|event| filter.fits(event)).collect();
        fitting.sort_by_key(|event| std::cmp::Reverse(event.id));
        assert!(!listed.is_empty(), "{input}");
        assert_eq!(listed, fitting.iter().map(|event| event.kind.clone()).collect::<Vec<_>>(), "{input}");
    }
}
