//! Rate limits on operations of any kind: per session, per network, and per IPv6 prefix that contains the network.

use crate::harness::{Client, TestApp};
use doorcode::limits::Rule;

async fn few() -> TestApp {
    TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "5/1m".into()))).await
}

async fn answered(caller: &Client<'_>, calls: usize) -> usize {
    let mut answered = 0;
    for _ in 0..calls {
        let answer = caller.me().await;
        match answer.status.as_u16() {
            200 => answered += 1,
            429 => assert_eq!(answer.code(), "RATE_LIMITED"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_has_an_operation_limit_for_all_its_sessions() {
    let app = few().await;
    let network = app.guest().ip.to_string();
    let mut in_all = 0;
    for number in 0..13 {
        let guest = app.guest();
        let session = guest.with_bearer(&guest.sign_in(&format!("many{number}@example.com")).await.access);
        let here = answered(&session.at_ip(&network), 6).await;
        assert_eq!(here, if number < 10 { 5 } else { 0 }, "session {number}");
        in_all += here;
        if number == 12 {
            assert_eq!(
                answered(&session, 6).await,
                5,
                "the session's own limit is unused, which shows on another network"
            );
        }
    }
    assert_eq!(in_all, 50);
    assert_eq!(
        answered(&app.guest().at_ip(&network), 6).await,
        5,
        "the session's operations did not count for anonymous callers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_ipv6_network_does_not_multiply_the_operation_limit() {
    let app = few().await;
    let (guest, prefix) = (app.guest(), app.v6_prefix());
    let mut in_all = 0;
    // Sends from 6 /64s in each of 6 /56s in each of 2 /48s. The limits are 5 per /64, 20 per /56 and 80 per /48.
    for (half, expected) in [(0, 80), (1, 80)] {
        let mut here = 0;
        for part in 0..6 {
            for subnet in 0..6 {
                let network = prefix_of(&prefix, half, part, subnet);
                here += answered(&guest.at_ip(&network), 6).await;
            }
        }
        assert_eq!(here, expected);
        in_all += here;
    }
    assert_eq!(in_all, 160);
}

fn prefix_of(prefix: &str, half: u16, part: u16, subnet: u16) -> String {
    // The prefix of this test is a /48. The neighbouring /48 differs in the lowest bit.
    let (start, last) = prefix.rsplit_once(':').unwrap();
    let last = u16::from_str_radix(last, 16).unwrap() ^ half;
    format!("{start}:{last:x}:{:x}::1", (part << 8) | subnet)
}
