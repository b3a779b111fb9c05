//! Pages and filters of the audit trail, compared with a naive scan of all events.

use doorcode::{db::entity::audit_events, domain::audit::Kind};
use serde_json::{Value, json};

use super::{Draws, events, events_answer, every_event, seed, signed_in_as, texts, users, walk};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_returns_every_event_once_newest_first_in_both_directions() {
    let app = TestApp::new().await;
    let manager = signed_in_as(&app, "MANAGER").await;
    seed(&app, 150, 1).await;
    let mut times: Vec<_> = every_event(&app).await.iter().map(|event| (event.id, event.at)).collect();
    times.sort();
    let expected: Vec<_> = times.iter().rev().map(|(_, at)| *at).collect();
    for forward in [true, false] {
        let mut seen = walk(async |page| events(&manager, page).await, forward, 41, "at", async |_| {}).await;
        if !forward {
            seen.reverse();
        }
        let seen: Vec<chrono::DateTime<chrono::Utc>> = seen.iter().map(|at| at.parse().unwrap()).collect();
        assert_eq!(seen, expected, "forward: {forward}");
    }
    let walked = walk(
        async |page| events(&manager, page).await,
        true,
        41,
        "id",
        async |_| {
            app.clock.pass(1.0);
            app.guest().sign_in("new@example.com").await;
        },
    )
    .await;
    assert_eq!(walked.len(), expected.len(), "new events are newer than the current page");
}

/// The GraphQL ids of the users with these addresses.
async fn ids_of(client: &crate::harness::Client<'_>, emails: &[String]) -> Vec<Value> {
    let mut ids = Vec::new();
    for email in emails {
        let list = users(client, json!({ "filter": { "emailPrefix": email } })).await;
        ids.push(list["edges"][0]["node"]["id"].clone());
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn trail_filters_match_a_naive_scan() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    seed(&app, 150, 1).await;
    let people: Vec<_> = super::everybody(&app).await.into_iter().take(20).collect();
    let ids = ids_of(&admin, &people.iter().map(|user| user.email.clone()).collect::<Vec<_>>()).await;
    // Also create events whose actor acts on another user.
    for user in &people[10..] {
        let hex = |id: uuid::Uuid| id.simple().to_string();
        let literal =
            |id| if crate::harness::on_servers() { format!("'{}'", hex(id)) } else { format!("x'{}'", hex(id)) };
        let (actor, subject) = (literal(people[0].id), literal(user.id));
        app.sql(&format!("UPDATE audit_events SET actor_id = {actor} WHERE subject_id = {subject}")).await;
    }
    let all = every_event(&app).await;
    let mut draws = Draws(2);
    for round in 0..200 {
        let mut maybe = |likely: usize| draws.below(100) < likely;
        let wants = [maybe(40), maybe(30), maybe(30), maybe(30), maybe(30)];
        let kinds = [*draws.one_of(Kind::ALL), Kind::SignedIn, *draws.one_of(&[Kind::SignedUp, Kind::SignedIn])];
        let (actor, subject) = (draws.below(2) * draws.below(20), draws.below(20));
        let (from, before) = (draws.one_of(&all).at, draws.one_of(&all).at);
        let fits = |event: &&audit_events::Model| {
            (!wants[0] || kinds.iter().any(|kind| kind.as_str() == event.kind))
                && (!wants[1] || event.actor_id == Some(people[actor].id))
                && (!wants[2] || event.subject_id == Some(people[subject].id))
                && (!wants[3] || event.at >= from)
                && (!wants[4] || event.at < before)
        };
        let mut expected: Vec<_> = all.iter().filter(fits).collect();
        expected.sort_by_key(|event| std::cmp::Reverse(event.id));
        let filter = json!({
            "kinds": wants[0].then(|| kinds.map(Kind::as_str)),
            "actorId": wants[1].then(|| &ids[actor]),
            "subjectId": wants[2].then(|| &ids[subject]),
            "from": wants[3].then_some(from),
            "before": wants[4].then_some(before),
        });
        let list = events(&admin, json!({ "first": 100, "filter": filter })).await;
        assert_eq!(list["totalCount"], expected.len(), "round {round}: {filter}");
        let times =
            texts(&list, "at").iter().map(|at| at.parse().unwrap()).collect::<Vec<chrono::DateTime<chrono::Utc>>>();
        assert_eq!(
            times,
            expected.iter().take(100).map(|event| event.at).collect::<Vec<_>>(),
            "round {round}: {filter}"
        );
        if list["pageInfo"]["hasNextPage"] == true {
            let after = json!({ "first": 7, "after": list["pageInfo"]["endCursor"], "filter": filter });
            let times = texts(&events(&admin, after).await, "at");
            let next: Vec<_> = expected.iter().skip(100).take(7).map(|event| event.at).collect();
            let times = times.iter().map(|at| at.parse().unwrap()).collect::<Vec<chrono::DateTime<chrono::Utc>>>();
            assert_eq!(times, next, "round {round}: {filter}");
        }
    }
    assert_eq!(events(&admin, json!({ "filter": { "kinds": [] } })).await["totalCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_written_after_the_clock_went_back_is_found_by_its_time() {
    let app = TestApp::new().await;
    let manager = signed_in_as(&app, "MANAGER").await;
    let late = doorcode::ports::Clock::now(&*app.clock);
    // Ids always increase, but the time of an event can be earlier than that of the event before.
    app.clock.pass(-300.0);
    app.guest().challenge("back@example.com").await;
    app.clock.pass(300.0);
    let filter =
        json!({ "before": late - chrono::TimeDelta::seconds(200), "from": late - chrono::TimeDelta::seconds(400) });
    let found = events(&manager, json!({ "filter": filter })).await;
    assert_eq!(texts(&found, "kind"), ["CODE_REQUESTED"]);
    assert_eq!(found["totalCount"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_and_cursors_are_bad_input_in_the_trail() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let list = events(&admin, json!({ "first": 1 })).await;
    let event = list["nodes"][0]["id"].as_str().unwrap();
    let people = users(&admin, json!({ "first": 1 })).await;
    let foreign = people["pageInfo"]["endCursor"].as_str().unwrap();
    for forged in ["", "x", event] {
        for field in ["actorId", "subjectId"] {
            let answer = events_answer(&admin, json!({ "filter": { field: forged } })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
            assert_eq!(answer.json["errors"][0]["extensions"]["field"], field);
        }
    }
    for forged in ["", "x", event, foreign] {
        for (size, field) in [("first", "after"), ("last", "before")] {
            let answer = events_answer(&admin, json!({ size: 1, field: forged })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
            assert_eq!(answer.json["errors"][0]["extensions"]["field"], field);
        }
    }
}
