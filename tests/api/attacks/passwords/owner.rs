//! A stranger who burns an allowance closes at most the password door for unknown devices. The owner always gets in.

use doorcode::limits::Rule;

use super::{DAY, OTHER, PASSWORD, guess, kind, login, owner};
use crate::harness::{SignedIn, TestApp, other_than};

async fn burn(app: &TestApp) {
    for _ in 0..25 {
        guess(app, "ada@example.com", OTHER).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_burns_the_budget_keeps_the_owner_out_by_no_other_door() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "3/1d".into()))).await;
    let owner = owner(&app, "ada@example.com").await;
    burn(&app).await;
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "RateLimited", "an unknown device");
    let known = app.guest().with_device(&owner.device);
    let again = SignedIn::read(&login(&known, "ada@example.com", PASSWORD).await);
    assert_eq!(again.user, owner.user, "a known device");
    assert_eq!(app.count("email_codes", "units > 0").await, 0, "the budget of codes is untouched");
    let challenge = app.guest().challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let wrong = app.guest().verify(&challenge, &other_than(&code)).await;
    assert_eq!(wrong["attemptsLeft"], 2, "all attempts of a code");
    SignedIn::read(&app.guest().verify(&challenge, &code).await);
    app.guest().login("ada@example.com").await;
    let link = app.last_link_for("ada@example.com").await;
    assert_eq!(SignedIn::read(&app.guest().verify_link(&link).await).user, owner.user, "a link");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gets_one_notice_a_day_about_a_closed_door() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    app.guest().sign_in("none@example.com").await;
    let before = app.mails_for("ada@example.com").await.len();
    for day in 1..=3 {
        burn(&app).await;
        assert_eq!(app.mails_for("ada@example.com").await.len() - before, day);
        app.clock.pass(DAY / 2.0);
        burn(&app).await;
        assert_eq!(app.mails_for("ada@example.com").await.len() - before, day);
        app.clock.pass(DAY / 2.0 + 1.0);
    }
    let mails = app.mails_for("none@example.com").await.len();
    for _ in 0..25 {
        guess(&app, "none@example.com", OTHER).await;
        guess(&app, "stranger@example.com", OTHER).await;
    }
    assert_eq!(app.mails_for("none@example.com").await.len(), mails, "no password, no notice");
    assert!(app.mails_for("stranger@example.com").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_who_burns_the_networks_allowance_does_not_stop_a_known_device() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let office = app.guest();
    for number in 0..12 {
        login(&office, &format!("user{number}@example.com"), OTHER).await;
    }
    assert_eq!(kind(&login(&office, "ada@example.com", PASSWORD).await), "RateLimited", "an unknown device");
    let known = office.with_device(&owner.device);
    for number in 0..10 {
        assert_eq!(kind(&login(&known, "ada@example.com", OTHER).await), "InvalidCredentials", "{number}");
    }
    assert_eq!(
        kind(&login(&known, "ada@example.com", PASSWORD).await),
        "RateLimited",
        "it has an allowance of its own"
    );
    app.clock.pass(61.0);
    assert_eq!(kind(&login(&known, "ada@example.com", PASSWORD).await), "SignedIn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_token_of_another_account_gives_no_allowance() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let thief = owner(&app, "thief@example.com").await;
    burn(&app).await;
    let foreign = app.guest().with_device(&thief.device);
    assert_eq!(kind(&login(&foreign, "ada@example.com", PASSWORD).await), "RateLimited");
    let (guest, devices) = (app.guest(), app.count("devices", "1 = 1").await);
    let foreign = guest.with_device(&thief.device);
    for _ in 0..12 {
        login(&foreign, "bob@example.com", OTHER).await;
    }
    assert_eq!(kind(&login(&guest, "thief@example.com", PASSWORD).await), "RateLimited", "the network is charged");
    assert_eq!(app.count("devices", "1 = 1").await, devices, "and the device is still known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_device_gets_a_hundred_guesses_and_is_forgotten() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let thief = app.guest().with_device(&owner.device);
    let mut compared = 0;
    while app.count("devices", "1 = 1").await == 1 {
        assert_eq!(kind(&login(&thief, "ada@example.com", OTHER).await), "InvalidCredentials");
        app.clock.pass(900.0);
        compared += 1;
    }
    assert_eq!(compared, 101, "the last one is not compared");
    assert_eq!(app.count("password_tries", "1 = 1").await, 100);
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "SignedIn", "others are not affected");
}
