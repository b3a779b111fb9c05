//! The daily mail ceiling, the maximum number of emails that an instance sends per day. Neither a few networks nor
//! newly created accounts can use it up for all users.

use std::sync::atomic::Ordering;

use doorcode::{db::entity::Role, limits::Rule, observability::metrics::Observed, settings::ServeFlags};

use super::kind;
use crate::harness::{Client, TestApp};

const WEEK: f64 = 7.0 * 86_400.0;

/// An application with this ceiling. Uses an in-memory limiter, because all applications on the same Redis would share
/// the ceiling.
async fn with_ceiling(mails: u32, change: impl FnOnce(&mut ServeFlags)) -> TestApp {
    TestApp::alone(|flags| {
        flags.limits.insert(Rule::SendInstance, format!("{mails}/1d"));
        change(flags);
    })
    .await
}

/// A client with a known device of a new user.
async fn known<'a>(app: &'a TestApp, email: &str) -> Client<'a> {
    let guest = app.guest();
    let signed_in = guest.sign_in(email).await;
    guest.with_device(&signed_in.device)
}

async fn is_sent(who: &Client<'_>, email: &str) -> bool {
    match kind(&who.login(email).await) {
        "CodeSent" => true,
        "RateLimited" => false,
        other => panic!("{other}"),
    }
}

/// Requests a code for this many different addresses, each from a new network without a known device. Returns the
/// number of accepted requests.
async fn crowd(app: &TestApp, name: &str, calls: usize) -> usize {
    let mut sent = 0;
    for number in 0..calls {
        sent += usize::from(is_sent(&app.guest(), &format!("{name}{number}@example.com")).await);
    }
    sent
}

fn budget(app: &TestApp, part: &str) -> u64 {
    let text = app.ctx().metrics.text(Observed::default()).unwrap();
    let start = format!("doorcode_mail_budget_total{{part=\"{part}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{text}"));
    line.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_the_daily_mail_ceiling_is_reserved_for_known_devices() {
    let app = with_ceiling(10, |_| {}).await;
    let owner = known(&app, "known@example.com").await;
    app.clock.pass(WEEK);
    assert_eq!(crowd(&app, "n", 12).await, 8);
    for _ in 0..2 {
        assert!(is_sent(&owner, "known@example.com").await);
    }
    assert!(!is_sent(&owner, "known@example.com").await);
    assert_eq!(
        [budget(&app, "open"), budget(&app, "shared"), budget(&app, "reserve")],
        [6, 3, 2],
        "including the first sign-in"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn new_accounts_cannot_use_the_reserve_for_known_devices() {
    let app = with_ceiling(40, |flags| {
        flags.limits.insert(Rule::SendAddressDay, "3/1d".into());
        flags.limits.insert(Rule::SendPair, "9/15m".into());
    })
    .await;
    let owner = [known(&app, "owner@example.com").await, known(&app, "owner@example.com").await];
    let other = known(&app, "other@example.com").await;
    app.clock.pass(WEEK - 60.0);
    let mut fresh = Vec::new();
    for number in 0..4 {
        fresh.push(known(&app, &format!("fresh{number}@example.com")).await);
    }
    assert_eq!(crowd(&app, "n", 40).await, 28, "of thirty-two emails for strangers");
    assert!(!is_sent(&owner[0], "owner@example.com").await, "a minute before the account is a week old");
    app.clock.pass(61.0);
    for (number, device) in fresh.iter().enumerate() {
        assert!(!is_sent(device, &format!("fresh{number}@example.com")).await, "{number}");
    }
    // A user's known devices may request at most twice the daily limit of an address, so one account cannot use up the
    // reserve.
    for call in 0..8 {
        assert_eq!(is_sent(&owner[call % 2], "owner@example.com").await, call < 6, "{call}");
    }
    assert!(is_sent(&other, "other@example.com").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_mail_is_scarce_each_network_is_limited_to_its_share() {
    let app = with_ceiling(200, |flags| drop(flags.limits.insert(Rule::SendNetwork, "8/15m".into()))).await;
    let guest = app.guest();
    let mut number = 0;
    // Seven requests per client address, the limit for strangers.
    let mut send_from = async |network: &str, calls: usize| {
        let mut sent = 0;
        for call in 0..calls {
            number += 1;
            let here = guest.at_ip(&format!("{network}.{}", call / 7));
            sent += usize::from(is_sent(&here, &format!("n{number}@example.com")).await);
        }
        sent
    };
    assert_eq!(send_from("198.51.100", 120).await, 108, "half of the ceiling, and a share of the rest");
    assert_eq!(send_from("198.51.101", 14).await, 0, "the wider network has used up its share, too");
    for network in ["203.0.113", "192.0.2", "100.64.0", "100.65.0", "100.66.0", "100.67.0"] {
        assert_eq!(send_from(network, 14).await, 8, "{network}");
    }
    assert_eq!(send_from("100.68.0", 14).await, 4, "strangers have used up their part of the ceiling");
    assert_eq!(send_from("100.69.0", 14).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn decoys_do_not_count_for_the_daily_ceiling_but_are_refused_once_it_is_reached() {
    let app = with_ceiling(10, |flags| flags.signup = Some("closed".into())).await;
    for number in 0..12 {
        app.make(&format!("real{number}@example.com"), Role::User).await;
    }
    assert_eq!(crowd(&app, "nobody", 40).await, 40);
    let mut seen = Vec::new();
    for name in ["real5@example.com", "nobody5@example.com"] {
        if name == "real5@example.com" {
            assert_eq!(crowd(&app, "real", 5).await, 5, "half of the ceiling: the decoys did not count");
        }
        app.take_statements();
        app.limiter.calls.store(0, Ordering::SeqCst);
        assert!(is_sent(&app.guest(), name).await);
        seen.push((app.take_statements(), app.limiter.calls.load(Ordering::SeqCst)));
    }
    assert_eq!(seen[0], seen[1], "decoys and emails run the same statements when mail is scarce");
    assert_eq!(crowd(&app, "nobody", 10).await, 10);
    assert!(is_sent(&app.guest(), "real6@example.com").await);
    assert!(is_sent(&app.guest(), "real7@example.com").await);
    assert!(!is_sent(&app.guest(), "real8@example.com").await);
    assert!(
        !is_sent(&app.guest(), "nobody50@example.com").await,
        "the refusal does not reveal whether there is an account"
    );
}
