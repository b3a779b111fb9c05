//! Rate limits: what each limit counts, who is refused and for how long, and that the owner of an address can always
//! sign in. "Strangers" are clients without a known device.

mod callers;
mod ceiling;
mod door;
mod guesses;
mod misses;

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use doorcode::{
    db::entity::users,
    domain::audit::{self, Event, Kind},
    limits::Rule,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{SignedIn, TestApp, on_servers, other_than};

fn kind(answer: &Value) -> &str {
    answer["__typename"].as_str().unwrap()
}

fn retry_at(answer: &Value) -> DateTime<Utc> {
    assert_eq!(kind(answer), "RateLimited", "{answer}");
    answer["retryAt"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fourth_code_in_fifteen_minutes_is_refused_until_its_retry_time() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let start = doorcode::ports::Clock::now(&*app.clock);
    for _ in 0..3 {
        assert_eq!(kind(&guest.login("pair@example.com").await), "CodeSent");
        app.clock.pass(60.0);
    }
    let refused = guest.login("pair@example.com").await;
    assert_eq!(retry_at(&refused), start + chrono::TimeDelta::minutes(15));
    assert_eq!(refused["retryAfter"], 12 * 60);
    app.clock.set(retry_at(&refused) - chrono::TimeDelta::seconds(1));
    assert_eq!(kind(&guest.login("pair@example.com").await), "RateLimited");
    app.clock.set(retry_at(&refused) + chrono::TimeDelta::seconds(1));
    assert_eq!(kind(&guest.login("pair@example.com").await), "CodeSent");
    let rows = app.count("audit_events", "kind = 'LIMIT_REFUSED'").await;
    for _ in 0..5 {
        guest.login("pair@example.com").await;
    }
    let after = app.count("audit_events", "kind = 'LIMIT_REFUSED'").await;
    assert!(after - rows <= 1, "one audit row per rule, key and window");
    doorcode::domain::audit::refusals::write_counts(app.ctx()).await.unwrap();
    assert!(app.count("audit_events", "kind = 'LIMIT_REFUSED' AND count > 1").await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusing_the_fourth_code_starts_a_cooldown_of_five_minutes() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..3 {
        guest.login("cool@example.com").await;
    }
    app.clock.pass(14.0 * 60.0);
    let now = doorcode::ports::Clock::now(&*app.clock);
    let refused = guest.login("cool@example.com").await;
    assert_eq!(retry_at(&refused), now + chrono::TimeDelta::minutes(5));
    app.clock.pass(2.0 * 60.0);
    assert_eq!(
        kind(&guest.login("cool@example.com").await),
        "RateLimited",
        "the window admits the call, but the cooldown continues"
    );
    app.clock.pass(3.0 * 60.0 + 1.0);
    assert_eq!(kind(&guest.login("cool@example.com").await), "CodeSent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_is_not_charged_to_other_limits() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendNetwork, "10/15m".into()))).await;
    let guest = app.guest();
    for _ in 0..10 {
        guest.login("full@example.com").await;
    }
    // Three codes were sent and seven requests refused. Strangers may use eight of the network's ten, so five are left.
    for number in 0..5 {
        assert_eq!(kind(&guest.login(&format!("other{number}@example.com")).await), "CodeSent", "{number}");
    }
    assert_eq!(kind(&guest.login("other5@example.com").await), "RateLimited");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_limit_of_an_address_holds_across_networks() {
    let app = TestApp::new().await;
    let mut sent = 0;
    for _ in 0..40 {
        sent += usize::from(kind(&app.guest().login("bombed@example.com").await) == "CodeSent");
    }
    assert_eq!(sent, 6);
    assert_eq!(app.mails_for("bombed@example.com").await.len(), 6);
    for _ in 0..20 {
        app.clock.pass(901.0);
        for _ in 0..7 {
            app.guest().login("bombed@example.com").await;
        }
        app.drain_outbox().await;
    }
    assert_eq!(app.mails_for("bombed@example.com").await.len(), 12, "at most twelve emails a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn sub_addresses_share_the_mail_limit_of_their_mailbox_only() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let owner = guest.sign_in("vic+home@example.com").await;
    let mut sent = Vec::new();
    for number in 0..40 {
        let sub_address = format!("vic+{number}@example.com");
        sent.push(kind(&guest.login(&sub_address).await) == "CodeSent");
        sent.push(kind(&app.guest().login(&sub_address).await) == "CodeSent");
    }
    let count = |sent: &[bool]| sent.iter().filter(|sent| **sent).count();
    assert_eq!(count(&sent), 5, "six in fifteen minutes, including the owner's");
    assert_eq!(count(&sent.iter().step_by(2).copied().collect::<Vec<_>>()), 2, "three of the six from one network");
    for round in 0..20 {
        app.clock.pass(901.0);
        for number in 0..7 {
            let sub_address = format!("vic+{round}.{number}@example.com");
            sent.push(kind(&app.guest().login(&sub_address).await) == "CodeSent");
        }
    }
    assert_eq!(count(&sent), 12, "twelve a day, including the owner's, and one extra email");
    assert_eq!(
        kind(&app.guest().login("vic@example.com").await),
        "CodeSent",
        "the address without a tag has a separate limit"
    );
    let known = app.guest().with_device(&owner.device);
    assert_eq!(kind(&known.login("vic+home@example.com").await), "CodeSent", "known devices do not share this limit");
    assert_eq!(app.count("users", "1 = 1").await, 1);
    assert!(app.guest().sign_in("vic+away@elsewhere.example.com").await.is_new, "another mailbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_an_ipv6_network_share_its_limits() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendNetwork, "5/15m".into()))).await;
    let (guest, prefix) = (app.guest(), app.v6_prefix());
    let mut number = 0;
    let mut send = async |address: String| {
        number += 1;
        kind(&guest.at_ip(&address).login(&format!("v{number}@example.com")).await) == "CodeSent"
    };
    // Strangers may use four fifths of a limit: 4 codes per /64, 16 per /56, 64 per /48.
    for host in 0..4 {
        assert!(send(format!("{prefix}:100::{host}")).await);
    }
    assert!(!send(format!("{prefix}:100:ffff::1")).await, "the same /64");
    for subnet in 1..4 {
        for host in 0..4 {
            assert!(send(format!("{prefix}:10{subnet}::{host}")).await);
        }
    }
    assert!(!send(format!("{prefix}:1ff::1")).await, "another /64 of an exhausted /56");
    assert!(send(format!("{prefix}:200::1")).await, "another /56");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_gets_thirty_verifications_a_minute() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..30 {
        assert_eq!(kind(&guest.verify("AAAAAAAAAAAAAAAAAAAAAA", "12345678").await), "CodeExpired");
    }
    let refused = guest.verify("AAAAAAAAAAAAAAAAAAAAAA", "12345678").await;
    app.clock.set(retry_at(&refused) + chrono::TimeDelta::seconds(1));
    assert_eq!(kind(&guest.verify("AAAAAAAAAAAAAAAAAAAAAA", "12345678").await), "CodeExpired");
    assert_eq!(kind(&app.guest().verify("AAAAAAAAAAAAAAAAAAAAAA", "12345678").await), "CodeExpired");
}

/// Requests challenges and tries wrong codes, each challenge from a new network, until a limit refuses or `guesses` is
/// reached. Returns the number of wrong codes that were compared.
async fn attack(app: &TestApp, email: &str, guesses: usize) -> usize {
    let mut wrong = 0;
    while wrong < guesses {
        let stranger = app.guest();
        let sent = stranger.login(email).await;
        let Some(challenge) = sent["challenge"].as_str() else {
            break;
        };
        for _ in 0..3 {
            match kind(&stranger.verify(challenge, "00000000").await) {
                "InvalidCode" => wrong += 1,
                _ => return wrong,
            }
        }
    }
    wrong
}

fn generous_sends(flags: &mut doorcode::settings::ServeFlags) {
    flags.limits.insert(Rule::SendAddress, "1000/15m".into());
    flags.limits.insert(Rule::SendAddressDay, "1000/1d".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_allows_twenty_wrong_codes_a_day_across_networks() {
    let app = TestApp::with(generous_sends).await;
    assert_eq!(attack(&app, "target@example.com", 1_000).await, 20);
    let stranger = app.guest();
    let challenge = stranger.challenge("target@example.com").await;
    let refused = stranger.verify(&challenge, "00000000").await;
    app.clock.set(retry_at(&refused) - chrono::TimeDelta::seconds(2));
    assert_eq!(attack(&app, "target@example.com", 1).await, 0);
    app.clock.pass(3.0);
    assert!(attack(&app, "target@example.com", 1).await >= 1, "the returned retry time is exact");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_allows_a_hundred_wrong_codes_in_thirty_days() {
    let app = TestApp::with(generous_sends).await;
    let mut total = 0;
    for _ in 0..20 {
        total += attack(&app, "month@example.com", 1_000).await;
        app.clock.pass(86_401.0);
    }
    assert_eq!(total, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successful_sign_in_does_not_refund_guesses() {
    let app = TestApp::with(generous_sends).await;
    assert_eq!(attack(&app, "owner@example.com", 18).await, 18);
    app.guest().sign_in("owner@example.com").await;
    assert_eq!(attack(&app, "owner@example.com", 1_000).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_can_sign_in_while_strangers_exhaust_every_budget() {
    let app = TestApp::new().await;
    let owner = app.guest();
    let signed_in = owner.sign_in("owner@example.com").await;
    for _ in 0..30 {
        attack(&app, "owner@example.com", 1_000).await;
        app.clock.pass(30.0);
    }
    let owner = owner.with_device(&signed_in.device);
    let again = owner.sign_in("owner@example.com").await;
    assert!(!again.is_new);
    assert_ne!(again.device, signed_in.device, "the token rotates");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_guessing_budget_is_used_up_a_link_is_emailed_that_works_once() {
    let app = TestApp::with(generous_sends).await;
    attack(&app, "owner@example.com", 1_000).await;
    let owner = app.guest();
    let sent = owner.login("owner@example.com").await;
    assert_eq!(
        (kind(&sent), sent["codeLength"].as_i64()),
        ("CodeSent", Some(8)),
        "the response does not reveal that a link was sent"
    );
    let link = app.last_link_for("owner@example.com").await;
    // A second request, by a stranger, neither invalidates the link nor creates another one.
    app.guest().login("owner@example.com").await;
    assert_eq!(app.last_link_for("owner@example.com").await, link);
    assert_eq!(app.count("sign_in_links", "1 = 1").await, 1);
    SignedIn::read(&owner.verify_link(&link).await);
    assert_eq!(kind(&owner.verify_link(&link).await), "CodeExpired");
    owner.login("owner@example.com").await;
    let next = app.last_link_for("owner@example.com").await;
    assert_ne!(next, link);
    app.clock.pass(86_401.0);
    assert_eq!(kind(&owner.verify_link(&next).await), "CodeExpired", "a link is valid for one day");
    for forged in ["", "x", &"A".repeat(43), &other_than(&next)] {
        assert_eq!(kind(&app.guest().verify_link(forged).await), "CodeExpired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_email_within_the_daily_limit_contains_a_link() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "3/1d".into()))).await;
    for _ in 0..2 {
        app.guest().login("day@example.com").await;
        app.last_code_for("day@example.com").await;
    }
    let owner = app.guest();
    owner.login("day@example.com").await;
    let link = app.last_link_for("day@example.com").await;
    assert_eq!(kind(&app.guest().login("day@example.com").await), "RateLimited");
    SignedIn::read(&owner.verify_link(&link).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_codes_from_a_known_device_forget_only_the_device() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::SendPair, "1000/15m".into());
        flags.limits.insert(Rule::SendAddressDay, "1000/1d".into());
        flags.limits.insert(Rule::SendNetwork, "10000/15m".into());
        flags.limits.insert(Rule::VerifyNetwork, "10000/1m".into());
    })
    .await;
    let owner = app.guest();
    let signed_in = owner.sign_in("device@example.com").await;
    let known = owner.with_device(&signed_in.device);
    let mut wrong = 0;
    for _ in 0..34 {
        let challenge = known.challenge("device@example.com").await;
        for _ in 0..3 {
            wrong += usize::from(kind(&known.verify(&challenge, "00000000").await) == "InvalidCode");
        }
    }
    assert_eq!(wrong, 100);
    assert_eq!(app.count("devices", "1 = 1").await, 0);
    assert_eq!(app.count("audit_events", "kind = 'DEVICE_FORGOTTEN'").await, 1);
    SignedIn::read(&{
        let stranger = app.guest();
        let challenge = stranger.challenge("device@example.com").await;
        let code = app.last_code_for("device@example.com").await;
        stranger.verify(&challenge, &code).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_limiter_codes_are_neither_sent_nor_checked() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("on@example.com").await;
    let challenge = guest.challenge("on@example.com").await;
    let code = app.last_code_for("on@example.com").await;
    app.limiter.away.store(true, Ordering::SeqCst);
    let login = guest.login_with(serde_json::json!({ "email": "on@example.com" })).await;
    assert_eq!(login.code(), "UNAVAILABLE");
    assert_eq!(guest.verify_answer(&challenge, &code).await.code(), "UNAVAILABLE");
    assert_eq!(app.count("email_codes", "attempts > 0 AND consumed_at IS NULL").await, 0);
    assert_eq!(guest.with_bearer(&signed_in.access).me().await.field("me")["email"], "on@example.com");
    assert_eq!(kind(&guest.refresh(&signed_in.refresh).await), "Refreshed");
    app.limiter.away.store(false, Ordering::SeqCst);
    SignedIn::read(&guest.verify(&challenge, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_over_the_operation_limit_gets_429() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "5/1m".into()))).await;
    let guest = app.guest();
    for _ in 0..5 {
        assert_eq!(guest.me().await.status.as_u16(), 200);
    }
    let refused = guest.me().await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
    let header = |name: &str| refused.headers[name].to_str().unwrap().to_owned();
    let seconds = header("retry-after");
    assert!((1..=61).contains(&seconds.parse::<u32>().unwrap()), "{seconds}");
    assert_eq!(header("ratelimit-policy"), "\"api.caller\";q=5;w=60");
    assert_eq!(header("ratelimit"), format!("\"api.caller\";r=0;t={seconds}"));
    app.clock.pass(seconds.parse().unwrap());
    let admitted = guest.me().await;
    assert_eq!(admitted.status.as_u16(), 200, "the wait that the headers name is enough");
    assert!(!admitted.headers.contains_key("ratelimit"));
    assert_eq!(app.guest().me().await.status.as_u16(), 200, "another network has a separate limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_daily_mail_limit_one_extra_email_is_sent_if_no_link_is_valid() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "3/1d".into()))).await;
    for _ in 0..3 {
        app.guest().login("door@example.com").await;
    }
    // Simulates a third request that was charged but then failed, so there is no link.
    app.sql("DELETE FROM sign_in_links").await;
    let owner = app.guest();
    assert_eq!(kind(&owner.login("door@example.com").await), "CodeSent");
    let link = app.last_link_for("door@example.com").await;
    for _ in 0..5 {
        assert_eq!(kind(&app.guest().login("door@example.com").await), "RateLimited", "a valid link was already sent");
    }
    SignedIn::read(&owner.verify_link(&link).await);
    assert_eq!(
        kind(&owner.login("door@example.com").await),
        "CodeSent",
        "another email is allowed once the link is used"
    );
    SignedIn::read(&owner.verify_link(&app.last_link_for("door@example.com").await).await);
    let mails = app.mails_for("door@example.com").await;
    let ways_in = mails.iter().filter(|mail| mail.code.is_some() || mail.text.contains("#link=")).count();
    assert_eq!((ways_in, mails.len()), (5, 6), "the sixth email is the notice about the sign-in from a new device");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_emailed_again_is_valid_for_another_day() {
    let app = TestApp::with(generous_sends).await;
    attack(&app, "owner@example.com", 1_000).await;
    app.guest().login("owner@example.com").await;
    let link = app.last_link_for("owner@example.com").await;
    app.clock.pass(23.0 * 3600.0);
    app.guest().login("owner@example.com").await;
    assert_eq!(app.last_link_for("owner@example.com").await, link);
    app.clock.pass(23.0 * 3600.0);
    SignedIn::read(&app.guest().verify_link(&link).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_an_older_version_works_after_it_is_emailed_again() {
    let app = TestApp::with(generous_sends).await;
    attack(&app, "owner@example.com", 1_000).await;
    app.guest().login("owner@example.com").await;
    let link = app.last_link_for("owner@example.com").await;
    let other_hash = if on_servers() { "decode(repeat('00', 32), 'hex')" } else { "zeroblob(32)" };
    app.sql(&format!("UPDATE sign_in_links SET token_hash = {other_hash}")).await;
    assert_eq!(app.guest().verify_link(&link).await["__typename"], "CodeExpired");
    app.guest().login("owner@example.com").await;
    SignedIn::read(&app.guest().verify_link(&link).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_emailed_that_the_guessing_budget_would_refuse() {
    let app = TestApp::with(generous_sends).await;
    assert_eq!(attack(&app, "edge@example.com", 19).await, 20, "three codes per challenge");
    app.sql("UPDATE email_codes SET units = units - 1 WHERE units = 3 AND attempts = 3 AND id = (SELECT id FROM email_codes WHERE units = 3 ORDER BY id LIMIT 1)").await;
    let owner = app.guest();
    let challenge = owner.challenge("edge@example.com").await;
    let code = app.last_code_for("edge@example.com").await;
    // The budget has one unit left. A wrong code costs one unit per live code, so a second live code would exceed the
    // budget, and the second email contains a link instead.
    owner.resend("edge@example.com", &challenge).await;
    SignedIn::read(&owner.verify_link(&app.last_link_for("edge@example.com").await).await);
    assert_eq!(code.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_turn_a_fixed_test_code_into_a_link() {
    let until = doorcode::ports::Clock::now(&crate::harness::ManualClock::starting_now()) + chrono::TimeDelta::days(9);
    let codes = format!("review@example.com=83120475@{}", until.format("%Y-%m-%d"));
    let app = TestApp::with(|flags| {
        flags.test_codes = Some(codes);
        flags.limits.insert(Rule::SendAddressDay, "3/1d".into());
    })
    .await;
    for _ in 0..2 {
        app.guest().login("review@example.com").await;
    }
    let reviewer = app.guest();
    let challenge = reviewer.challenge("review@example.com").await;
    SignedIn::read(&reviewer.verify(&challenge, "83120475").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_still_gets_the_email_it_was_charged_for() {
    let app = TestApp::with(generous_sends).await;
    for number in 0..20_u64 {
        let email = format!("cut{number}@example.com");
        let guest = app.guest();
        let call = guest.login(&email);
        // Cancels the request at a different moment each time, from before the charge to after the commit.
        drop(tokio::time::timeout(std::time::Duration::from_micros(number * 300), call).await);
    }
    // The server still processes the cancelled requests.
    crate::harness::eventually("every charged email is queued", async || {
        let charged = app.limiter.calls.load(Ordering::SeqCst);
        charged >= 5 && app.count("outbox", "1 = 1").await == i64::try_from(charged).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_response_is_charged_as_several_operations() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "60/1m".into()))).await;
    let ada = app.person("ada@example.com", doorcode::db::entity::Role::User).await;
    let id = Some(users::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap().id);
    for _ in 0..10 {
        let detail = json!({ "long": "a".repeat(100_000) });
        let event = Event { kind: Kind::DataExported, origin: None, actor: id, subject: id, detail, email: None };
        audit::record_alone(app.ctx(), app.ctx().now(), event).await.unwrap();
    }
    let long = "{ me { auditEvents(first: 10) { nodes { detail } } } }";
    for _ in 0..3 {
        assert_eq!(ada.query(long, json!({})).await.status, 200, "a megabyte counts as sixteen operations");
    }
    for _ in 0..12 {
        assert_eq!(ada.me().await.status, 200);
    }
    let refused = ada.me().await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
}
