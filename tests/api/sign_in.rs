//! Signing in with a code or a link: what works, what is refused, and that a refusal does not reveal whether an account
//! exists.

use doorcode::db::entity::{Role, UserStatus};
use serde_json::json;

use crate::harness::{SignedIn, TestApp, other_than};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_sign_in_refresh_and_sign_out() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let sent = guest.login(" Ada@Example.COM ").await;
    assert_eq!(sent["email"], "ada@example.com");
    assert_eq!((sent["codeLength"].as_i64(), sent["attemptsLeft"].as_i64()), (Some(8), Some(3)));
    let code = app.last_code_for("ada@example.com").await;
    assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let signed_in = SignedIn::read(&guest.verify(sent["challenge"].as_str().unwrap(), &code).await);
    assert!(signed_in.is_new);

    let person = guest.with_bearer(&signed_in.access);
    let me = person.me().await;
    assert_eq!(me.field("me")["email"], "ada@example.com");
    assert_eq!(me.field("me")["role"], "USER");
    let refreshed = person.refresh(&signed_in.refresh).await;
    let access = refreshed["tokens"]["accessToken"].as_str().unwrap();
    assert_eq!(guest.with_bearer(access).me().await.field("me")["id"], signed_in.user.as_str());
    let out = guest.with_bearer(access).logout().await;
    assert_eq!(out.field("logout")["sessionId"], signed_in.session.as_str());
    for token in [access, &signed_in.access] {
        let refused = guest.with_bearer(token).me().await;
        assert_eq!((refused.status.as_u16(), refused.code()), (401, "UNAUTHENTICATED"));
    }
    assert!(!guest.sign_in("ada@example.com").await.is_new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("once@example.com").await;
    let code = app.last_code_for("once@example.com").await;
    SignedIn::read(&guest.verify(&challenge, &code).await);
    assert_eq!(guest.verify(&challenge, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("email_codes", "attempts = 1 AND units = 0").await, 1, "a reused code changes no counter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_expires_after_five_minutes() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.challenge("time@example.com").await;
    let code = app.last_code_for("time@example.com").await;
    app.clock.pass(299.0);
    SignedIn::read(&guest.verify(&first, &code).await);
    let second = guest.challenge("time@example.com").await;
    let code = app.last_code_for("time@example.com").await;
    app.clock.pass(301.0);
    assert_eq!(guest.verify(&second, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("email_codes", "consumed_at IS NULL AND attempts = 0").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_code_stays_invalid_when_the_clock_jumps_back() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("jump@example.com").await;
    let code = app.last_code_for("jump@example.com").await;
    SignedIn::read(&guest.verify(&challenge, &code).await);
    for seconds in [-600.0, 1200.0] {
        app.clock.pass(seconds);
        assert_eq!(guest.verify(&challenge, &code).await["__typename"], "CodeExpired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_codes_end_a_challenge() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("three@example.com").await;
    let code = app.last_code_for("three@example.com").await;
    for left in [2, 1, 0] {
        let answer = guest.verify(&challenge, &other_than(&code)).await;
        assert_eq!((answer["__typename"].as_str(), answer["attemptsLeft"].as_i64()), (Some("InvalidCode"), Some(left)));
    }
    assert_eq!(guest.verify(&challenge, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("sessions", "1 = 1").await, 0);
    assert_eq!(app.count("audit_events", "kind = 'WRONG_CODE'").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_keeps_the_earlier_code_valid_and_does_not_reset_the_attempts() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("again@example.com").await;
    let first = app.last_code_for("again@example.com").await;
    guest.verify(&challenge, &other_than(&first)).await;
    let resent = guest.resend("again@example.com", &challenge).await;
    assert_eq!(resent["challenge"], challenge.as_str());
    assert_eq!(resent["attemptsLeft"], 2);
    let second = app.last_code_for("again@example.com").await;
    assert_ne!(first, second);
    let mut wrong = other_than(&first);
    if wrong == second {
        wrong = other_than(&other_than(&second)).replace('0', "9");
    }
    assert_eq!(guest.verify(&challenge, &wrong).await["attemptsLeft"], 1);
    assert_eq!(app.count("email_codes", "units = 3").await, 1, "a wrong code costs one unit per live code");
    SignedIn::read(&guest.verify(&challenge, &first).await);
    assert_eq!(app.count("email_codes", "units = 3").await, 1, "only the units of the right code are returned");
    assert_eq!(guest.verify(&challenge, &second).await["__typename"], "CodeExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_resend_the_earlier_code_still_expires_on_time() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("own@example.com").await;
    let first = app.last_code_for("own@example.com").await;
    app.clock.pass(200.0);
    guest.resend("own@example.com", &challenge).await;
    let second = app.last_code_for("own@example.com").await;
    app.clock.pass(120.0);
    if first != second {
        assert_eq!(guest.verify(&challenge, &first).await["__typename"], "InvalidCode");
    }
    SignedIn::read(&guest.verify(&challenge, &second).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_ignores_an_expired_challenge_or_one_of_another_address() {
    let app = TestApp::new().await;
    let (owner, stranger) = (app.guest(), app.guest());
    let challenge = owner.challenge("owner@example.com").await;
    let code = app.last_code_for("owner@example.com").await;
    let sent = stranger.resend("stranger@example.com", &challenge).await;
    assert_eq!(sent["__typename"], "CodeSent");
    assert_ne!(sent["challenge"], challenge.as_str());
    let own = app.last_code_for("stranger@example.com").await;
    assert_eq!(stranger.verify(&challenge, &own).await["__typename"], "InvalidCode");
    SignedIn::read(&owner.verify(&challenge, &code).await);
    for dead in [challenge.as_str(), "x", "", &"A".repeat(22)] {
        let sent = app.guest().resend("owner@example.com", dead).await;
        assert_eq!((sent["__typename"].as_str(), sent["attemptsLeft"].as_i64()), (Some("CodeSent"), Some(3)));
        assert_ne!(sent["challenge"], dead);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_only_for_the_browser_that_asked() {
    let app = TestApp::new().await;
    let owner = app.guest();
    let owners = owner.challenge("mine@example.com").await;
    let code = app.last_code_for("mine@example.com").await;
    let strangers = app.guest().challenge("mine@example.com").await;
    assert_eq!(app.guest().verify(&strangers, &code).await["__typename"], "InvalidCode");
    SignedIn::read(&owner.verify(&owners, &code).await);
}

/// Simulates an attacker who can write to the database but does not know the server secret.
#[tokio::test(flavor = "multi_thread")]
async fn the_hash_of_a_code_covers_its_address_challenge_and_purpose() {
    let app = TestApp::new().await;
    let thief = app.guest();
    let challenge = thief.challenge("thief@example.com").await;
    let code = app.last_code_for("thief@example.com").await;
    app.sql("UPDATE email_codes SET email = 'victim@example.com'").await;
    assert_eq!(thief.verify(&challenge, &code).await["__typename"], "InvalidCode", "another address");
    app.sql("UPDATE email_codes SET email = 'thief@example.com'").await;
    let person = app.guest().with_bearer(&SignedIn::read(&thief.verify(&challenge, &code).await).access);

    let mine = app.guest().challenge("both@example.com").await;
    let code = app.last_code_for("both@example.com").await;
    let theirs = app.guest().challenge("both@example.com").await;
    let newest = "(SELECT id FROM email_codes WHERE email = 'both@example.com' ORDER BY id DESC LIMIT 1)";
    let oldest = newest.replace("DESC", "ASC");
    let hash = format!("(SELECT code_hash FROM email_codes WHERE id = {oldest})");
    app.sql(&format!("UPDATE email_codes SET code_hash = {hash} WHERE id = {newest}")).await;
    assert_eq!(app.guest().verify(&theirs, &code).await["__typename"], "InvalidCode", "another handle");
    SignedIn::read(&app.guest().verify(&mine, &code).await);

    let input = json!({ "email": "new@example.com" });
    let sent = person.change("changeEmail", input, "... on CodeSent { challenge }").await;
    let challenge = sent.field("changeEmail")["challenge"].as_str().unwrap().to_owned();
    let code = app.last_code_for("new@example.com").await;
    app.sql("UPDATE email_codes SET purpose = 'sign_in', user_id = NULL WHERE email = 'new@example.com'").await;
    assert_eq!(app.guest().verify(&challenge, &code).await["__typename"], "InvalidCode", "another purpose");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_codes_are_refused_and_not_counted() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("shape@example.com").await;
    for code in ["", "1234567", "123456789", "abcdefgh", "1234567８", "'; DROP TABLE users; --"] {
        let answer = guest.verify_answer(&challenge, code).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, "BAD_USER_INPUT"), "{code}");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "code");
    }
    for code in [json!(12_345_678), json!(null), json!(["12345678"]), json!({})] {
        let query = "mutation($input: VerifyInput!) { verify(input: $input) { __typename } }";
        let answer = guest.query(query, json!({ "input": { "challenge": challenge, "code": code } })).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "BAD_USER_INPUT"), "{code}: {}", answer.text);
    }
    assert_eq!(app.count("email_codes", "attempts > 0").await, 0);
    let code = app.last_code_for("shape@example.com").await;
    SignedIn::read(&guest.verify(&challenge, &format!(" {}-{} ", &code[..4], &code[4..])).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_challenges_look_like_expired_codes() {
    let app = TestApp::new().await;
    for challenge in ["", "x", &"A".repeat(22), &"A".repeat(5_000), "../../etc/passwd"] {
        assert_eq!(app.guest().verify(challenge, "12345678").await["__typename"], "CodeExpired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_addresses_are_reported_and_not_counted() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let long = format!("{}@example.com", "a".repeat(10_000));
    for email in [
        "",
        "ada",
        "a@b",
        "a@localhost",
        "a b@example.com",
        "a@example.com\r\nBcc: x@y.com",
        "<a@example.com>",
        "-oQ/tmp@example.com",
        "a\0@example.com",
        "а@example.com",
        &long,
    ] {
        let answer = guest.login(email).await;
        assert_eq!(answer["__typename"], "InvalidEmail", "{email:?}");
    }
    assert_eq!(app.count("email_codes", "1 = 1").await, 0);
    assert_eq!(app.limiter.calls.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_may_not_sign_in_get_the_same_response_but_no_mail() {
    let app = TestApp::with(|flags| flags.signup = Some("domains:example.com,bücher.example".into())).await;
    app.make("suspended@example.com", Role::User).await;
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    let allowed = ["a@example.com", "b@xn--bcher-kva.example"];
    let refused = ["suspended@example.com", "c@other.example", "d@sub.example.com"];
    for email in allowed.iter().chain(&refused) {
        let guest = app.guest();
        let sent = guest.login(email).await;
        let keys: Vec<_> = sent.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["__typename", "attemptsLeft", "challenge", "codeLength", "email", "expiresAt", "resendAt"]);
        let mails = app.mails_for(email).await.len();
        assert_eq!(mails, usize::from(allowed.contains(email)), "{email}");
        let wrong = guest.verify(sent["challenge"].as_str().unwrap(), "00000000").await;
        assert_eq!(wrong["attemptsLeft"], 2, "{email}");
    }
    assert_eq!(app.count("outbox", "state = 'DECOY'").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_suspended_after_requesting_a_code_cannot_sign_in() {
    let app = TestApp::new().await;
    let guest = app.guest();
    guest.sign_in("late@example.com").await;
    let challenge = guest.challenge("late@example.com").await;
    let code = app.last_code_for("late@example.com").await;
    app.set_status("late@example.com", UserStatus::Suspended).await;
    assert_eq!(guest.verify(&challenge, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("sessions", "1 = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_with_a_valid_bearer_replaces_that_session() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.sign_in("re@example.com").await;
    let other = guest.sign_in("other@example.com").await;
    let again = guest.with_bearer(&first.access).sign_in("re@example.com").await;
    assert_eq!(guest.with_bearer(&first.access).me().await.code(), "UNAUTHENTICATED");
    assert_eq!(guest.with_bearer(&again.access).me().await.field("me")["email"], "re@example.com");
    guest.with_bearer(&other.access).sign_in("re@example.com").await;
    assert_eq!(
        guest.with_bearer(&other.access).me().await.field("me")["email"],
        "other@example.com",
        "another user's session stays open"
    );
    app.guest().with_bearer("rubbish").sign_in("re@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_test_code_signs_in_without_mail_and_is_audited() {
    let until = (chrono::TimeDelta::days(30), "%Y-%m-%d");
    let date = (doorcode::ports::Clock::now(&crate::harness::ManualClock::starting_now()) + until.0).format(until.1);
    let codes = format!("review@example.com=83120475@{date},boss@example.com=27491836@{date}");
    let app = TestApp::with(|flags| flags.test_codes = Some(codes)).await;
    let guest = app.guest();
    let challenge = guest.challenge("review@example.com").await;
    assert!(app.mails_for("review@example.com").await.is_empty());
    SignedIn::read(&guest.verify(&challenge, "83120475").await);
    assert_eq!(app.count("audit_events", "kind = 'TEST_CODE_USED'").await, 1);

    // Set the role with SQL, because no command gives a privileged role to an address with a fixed code.
    app.make("boss@example.com", Role::User).await;
    app.sql("UPDATE users SET role = 'ADMIN' WHERE email = 'boss@example.com'").await;
    let challenge = guest.challenge("boss@example.com").await;
    assert_eq!(
        guest.verify(&challenge, "27491836").await["__typename"],
        "InvalidCode",
        "a fixed code does not work for a privileged user"
    );
    SignedIn::read(&guest.verify(&challenge, &app.last_code_for("boss@example.com").await).await);

    app.clock.pass(31.0 * 86_400.0);
    let challenge = guest.challenge("review@example.com").await;
    assert_eq!(guest.verify(&challenge, "83120475").await["__typename"], "InvalidCode", "the fixed code has expired");
    assert_eq!(app.mails_for("review@example.com").await.len(), 1, "the address gets codes by email again");
}

/// An application with a fixed test code for this address, valid for thirty days.
async fn with_test_code(email: &str) -> TestApp {
    let now = doorcode::ports::Clock::now(&crate::harness::ManualClock::starting_now());
    let until = (now + chrono::TimeDelta::days(30)).format("%Y-%m-%d");
    let codes = format!("{email}=83120475@{until}");
    TestApp::with(|flags| flags.test_codes = Some(codes)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_a_fixed_code_is_limited_only_by_its_network() {
    let app = with_test_code("review@example.com").await;
    let reviewer = app.guest();
    // Strangers may use four fifths of the thirty codes per network.
    for _ in 0..24 {
        assert_eq!(reviewer.login("review@example.com").await["__typename"], "CodeSent");
    }
    assert_eq!(reviewer.login("review@example.com").await["__typename"], "RateLimited");
    assert_eq!(app.guest().login("review@example.com").await["__typename"], "CodeSent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_test_code_does_not_sign_in_a_promoted_user() {
    for (role, signed_in) in [("USER", true), ("MANAGER", false), ("ADMIN", false)] {
        let app = with_test_code("review@example.com").await;
        app.make("review@example.com", Role::User).await;
        let guest = app.guest();
        let challenge = guest.challenge("review@example.com").await;
        // Simulates a role change by a replica whose settings do not contain the fixed code yet.
        app.sql(&format!("UPDATE users SET role = '{role}'")).await;
        let outcome = guest.verify(&challenge, "83120475").await;
        assert_eq!(outcome["__typename"], if signed_in { "SignedIn" } else { "CodeExpired" }, "{role}");
        assert_eq!(app.count("sessions", "1 = 1").await, i64::from(signed_in));
        assert_eq!(app.count("users", "last_sign_in_at IS NOT NULL").await, i64::from(signed_in));
        assert_eq!(guest.verify(&challenge, "83120475").await["__typename"], "CodeExpired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_a_fixed_test_code_gets_no_role_above_user() {
    let app = with_test_code("review@example.com").await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let saved = "__typename ... on UserSaved { user { id } }";
    let refused = |field: &str, answer: crate::harness::Answer| {
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text);
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], field);
        assert!(answer.text.contains("DOORCODE_TEST_CODES"), "{}", answer.text);
    };
    let create = |role: &str| json!({ "email": "review@example.com", "role": role, "invite": false });
    refused("role", admin.change("createUser", create("MANAGER"), saved).await);
    let manager = app.person("manager@example.com", Role::Manager).await.signed_in.user;
    let moved = json!({ "id": manager, "email": "review@example.com" });
    refused("email", admin.change("updateUser", moved, saved).await);
    let made = admin.change("createUser", create("GUEST"), saved).await;
    let id = made.field("createUser")["user"]["id"].clone();
    for role in ["MANAGER", "ADMIN"] {
        refused("role", admin.change("updateUser", json!({ "id": id, "role": role }), saved).await);
    }
    let raised = admin.change("updateUser", json!({ "id": id, "role": "USER" }), saved).await;
    assert_eq!(raised.field("updateUser")["__typename"], "UserSaved");
    app.clock.pass(31.0 * 86_400.0);
    app.set_role("review@example.com", Role::Admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_in_the_requested_language() {
    let app = TestApp::new().await;
    for (locale, lang) in [("de-CH", "lang=\"de\""), ("ja", "lang=\"ja\""), ("xx", "lang=\"en\"")] {
        let email = format!("{}@example.com", locale.to_lowercase());
        app.guest().login_with(json!({ "email": email, "locale": locale })).await.field("login");
        assert!(app.mails_for(&email).await[0].html.contains(lang), "{locale}");
    }
}
