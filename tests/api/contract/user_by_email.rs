//! `user(email:)`: the same person, permissions and cost as by id, and no way to learn whose address exists.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

async fn user(client: &Client<'_>, arguments: Value) -> Answer {
    let query = "query($id: ID, $email: EmailAddress) { user(id: $id, email: $email) { id email } }";
    client.query(query, arguments).await
}

/// The answer apart from its request id, the statements, and how many denials were noted.
async fn traces(app: &TestApp, client: &Client<'_>, arguments: Value) -> (Value, Vec<String>, i32) {
    let before = app.refused("PERMISSION_DENIED").await;
    app.take_statements();
    let mut json = user(client, arguments).await.json;
    let statements = app.take_statements();
    if let Some(id) = json.pointer_mut("/errors/0/extensions/requestId") {
        *id = Value::Null;
    }
    (json, statements, app.refused("PERMISSION_DENIED").await - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_by_address_as_by_id() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let guest = app.person("guest@example.com", Role::Guest).await;
    let gone = app.person("gone@example.com", Role::User).await;
    admin.change("deleteUser", json!({ "id": gone.signed_in.user }), "__typename").await.field("deleteUser");
    // The first denial of an hour is written at once, and those that follow are counted.
    for client in [&ada, &guest] {
        client.query("{ users { totalCount } }", json!({})).await;
    }
    let anonymous = app.guest();
    let people = [("ada@example.com", &ada), ("manager@example.com", &manager), ("gone@example.com", &gone)];
    let viewers: [&Client<'_>; 5] = [&admin, &manager, &ada, &guest, &anonymous];
    for (number, client) in viewers.into_iter().enumerate() {
        for (email, person) in people {
            let (by_id, its_statements, its_denials) =
                traces(&app, client, json!({ "id": person.signed_in.user })).await;
            let (by_email, statements, denials) = traces(&app, client, json!({ "email": email.to_uppercase() })).await;
            assert_eq!(by_email, by_id, "{email} for {number}");
            assert_eq!((statements.len(), denials), (its_statements.len(), its_denials), "{email} for {number}");
        }
        let hidden = traces(&app, client, json!({ "email": "gone@example.com" })).await;
        let absent = traces(&app, client, json!({ "email": "nobody@example.com" })).await;
        let code = if number == 4 { "UNAUTHENTICATED" } else { "NOT_FOUND" };
        assert_eq!(absent.0["errors"][0]["extensions"]["code"], code);
        // Administrators see deleted people.
        assert_eq!(hidden == absent, number > 0, "for {number}: {hidden:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_asked_for_by_exactly_one_argument() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let id = &admin.signed_in.user;
    for (arguments, field) in [
        (json!({}), "id"),
        (json!({ "id": null, "email": null }), "id"),
        (json!({ "id": id, "email": "admin@example.com" }), "email"),
        (json!({ "email": "admin" }), "email"),
        (json!({ "id": "x" }), "id"),
    ] {
        let answer = user(&admin, arguments.clone()).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{arguments}");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], field, "{arguments}");
    }
    for arguments in [json!({ "id": id }), json!({ "id": id, "email": null }), json!({ "email": "Admin@EXAMPLE.com" })]
    {
        assert_eq!(user(&admin, arguments).await.field("user")["email"], "admin@example.com");
    }
}
