//! Known devices: what a device token does, and when it expires. The tests notice a known device because its `login`
//! counts against another limit than that of strangers.

use serde_json::json;

use crate::harness::{Client, SignedIn, TestApp};

/// Uses up the mail limit that strangers have for an address.
async fn use_up_limit(app: &TestApp, email: &str) {
    for _ in 0..20 {
        if app.guest().login(email).await["__typename"] == "RateLimited" {
            return;
        }
    }
    panic!("no limit for {email}");
}

/// Whether a `login` with this device token is accepted, although the limit for strangers is used up.
async fn is_known(app: &TestApp, token: &str, email: &str) -> bool {
    match app.guest().with_device(token).login(email).await["__typename"].as_str() {
        Some("CodeSent") => true,
        Some("RateLimited") => false,
        other => panic!("{other:?}"),
    }
}

async fn device_ids(client: &Client<'_>) -> Vec<String> {
    let answer = client.query("{ me { devices { id } } }", json!({})).await;
    let devices = answer.field("me")["devices"].as_array().unwrap();
    devices.iter().map(|device| device["id"].as_str().unwrap().to_owned()).collect()
}

async fn sign_in_from(client: &Client<'_>, device: &str, email: &str) -> SignedIn {
    client.with_device(device).sign_in(email).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_device_signs_in_as_a_stranger() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let other = guest.sign_in("other@example.com").await;
    use_up_limit(&app, "ada@example.com").await;
    assert!(is_known(&app, &signed_in.device, "ada@example.com").await);

    let person = guest.with_bearer(&signed_in.access);
    let ids = device_ids(&person).await;
    assert_eq!(ids.len(), 1);
    let forget = async |client: &Client<'_>| {
        let query = "mutation($input: ForgetDeviceInput!) { forgetDevice(input: $input) { deviceId } }";
        client.query(query, json!({ "input": { "id": ids[0] } })).await
    };
    assert_eq!(
        forget(&guest.with_bearer(&other.access)).await.code(),
        "NOT_FOUND",
        "only the owner can forget the device"
    );
    assert!(is_known(&app, &signed_in.device, "ada@example.com").await);
    assert_eq!(forget(&person).await.field("forgetDevice")["deviceId"], ids[0].as_str());
    assert!(!is_known(&app, &signed_in.device, "ada@example.com").await);
    assert_eq!(forget(&person).await.code(), "NOT_FOUND");
    assert_eq!(device_ids(&person).await, Vec::<String>::new());
    assert_eq!(app.count("audit_events", "kind = 'DEVICE_FORGOTTEN'").await, 1);
    person.me().await.field("me");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_forgotten_between_login_and_verify_becomes_a_new_device_with_a_notice() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.sign_in("ada@example.com").await;
    let person = guest.with_bearer(&first.access);
    let [forgotten] = &device_ids(&person).await[..] else { panic!("one device") };
    let known = app.guest().with_device(&first.device);
    let challenge = known.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let query = "mutation($input: ForgetDeviceInput!) { forgetDevice(input: $input) { deviceId } }";
    person.query(query, json!({ "input": { "id": forgotten } })).await.field("forgetDevice");
    let again = SignedIn::read(&known.verify(&challenge, &code).await);
    let ids = device_ids(&person).await;
    assert!(ids.len() == 1 && ids[0] != *forgotten, "{forgotten} {ids:?}");
    let notice = &app.mails_for("ada@example.com").await[0];
    assert!(notice.code.is_none() && notice.subject.contains("new device"), "{}", notice.subject);
    // The new device is now known, so its next sign-in sends no notice.
    guest.with_device(&again.device).sign_in("ada@example.com").await;
    assert_eq!(device_ids(&person).await, ids);
    assert!(app.mails_for("ada@example.com").await[0].code.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_token_of_another_account_is_ignored() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let ada = guest.sign_in("ada@example.com").await;
    let eve = guest.sign_in("eve@example.com").await;
    use_up_limit(&app, "ada@example.com").await;
    assert!(!is_known(&app, &eve.device, "ada@example.com").await);
    for garbage in ["", "x", &"A".repeat(43), &"A".repeat(5_000)] {
        assert!(!is_known(&app, garbage, "ada@example.com").await);
    }
    assert!(is_known(&app, &ada.device, "ada@example.com").await);
    let again = sign_in_from(&guest, &ada.device, "eve@example.com").await;
    assert_eq!(app.count("devices", "1 = 1").await, 3, "Ada's device is unchanged, and Eve has a new one");
    assert!(is_known(&app, &ada.device, "ada@example.com").await);
    assert!(!is_known(&app, &again.device, "ada@example.com").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_token_is_replaced_at_every_sign_in() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.sign_in("ada@example.com").await;
    let second = sign_in_from(&guest, &first.device, "ada@example.com").await;
    assert_ne!(first.device, second.device);
    assert_eq!(app.count("devices", "1 = 1").await, 1, "the token belongs to the same device");
    use_up_limit(&app, "ada@example.com").await;
    assert!(!is_known(&app, &first.device, "ada@example.com").await);
    assert!(is_known(&app, &second.device, "ada@example.com").await);
    let hidden = app.count("email_codes", "device_id IS NOT NULL").await;
    assert_eq!(hidden, 2, "the known device made one sign-in and one login");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_known_for_180_days_after_its_last_sign_in() {
    const LIFE: f64 = 180.0 * 86_400.0;
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.sign_in("ada@example.com").await;
    app.clock.pass(LIFE - 1.0);
    let second = sign_in_from(&guest, &first.device, "ada@example.com").await;
    assert_eq!(app.count("devices", "1 = 1").await, 1, "known on the last day");
    app.clock.pass(LIFE - 1.0);
    use_up_limit(&app, "ada@example.com").await;
    assert!(is_known(&app, &second.device, "ada@example.com").await);
    app.clock.pass(1.0);
    assert!(!is_known(&app, &second.device, "ada@example.com").await);
    let person = guest.with_bearer(&guest.sign_in("late@example.com").await.access);
    assert_eq!(device_ids(&person).await.len(), 1);
    app.clock.pass(1.0);
    doorcode::domain::housekeeping::purge(app.ctx()).await.unwrap();
    assert_eq!(app.count("devices", "1 = 1").await, 1, "the expired device is purged");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_devices_table_holds_no_usable_token() {
    use sea_orm::EntityTrait;
    let app = TestApp::new().await;
    let signed_in = app.guest().sign_in("ada@example.com").await;
    let row = doorcode::db::entity::devices::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap();
    assert_eq!(Some(&row.token_hash), doorcode::domain::device::token_hash(&signed_in.device).as_ref());
    use_up_limit(&app, "ada@example.com").await;
    let hash = doorcode::domain::vault::encode(row.token_hash.as_bytes());
    assert!(!is_known(&app, &hash, "ada@example.com").await);
}
