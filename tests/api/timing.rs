//! Whether time tells a known address from a stranger's. The two are asked in turn, so that a slow moment of the machine
//! hits both, and a third kind of sample, known against known, says how much difference is noise.

use std::time::Instant;

use serde_json::json;

use crate::harness::TestApp;

const SAMPLES: usize = 1_000;
/// Far below what a network hides, and far above what these machines can measure in a quiet moment.
const BOUND_MICROS: f64 = 150.0;

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn time_does_not_tell_whether_an_address_has_an_account() {
    let app = TestApp::alone(|flags| {
        flags.signup = Some("closed".into());
        for limit in [&mut flags.limit_send_pair, &mut flags.limit_send_address, &mut flags.limit_send_address_day] {
            *limit = Some("1000000/1h".into());
        }
        for limit in [&mut flags.limit_send_network, &mut flags.limit_send_instance, &mut flags.limit_api_caller] {
            *limit = Some("1000000/1h".into());
        }
    })
    .await;
    let addresses = ["known1@example.com", "known2@example.com", "stranger@example.com"];
    for email in &addresses[..2] {
        app.make(email, doorcode::db::entity::Role::User).await;
    }
    let guest = app.guest();
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..SAMPLES + 50 {
        // The order changes with the round, so that no kind always comes after the same other.
        for place in 0..3 {
            let kind = (place + round) % 3;
            let start = Instant::now();
            let answer = guest.login_with(json!({ "email": addresses[kind] })).await;
            let micros = start.elapsed().as_secs_f64() * 1e6;
            assert_eq!(answer.field("login")["__typename"], "CodeSent");
            if round >= 50 {
                times[kind].push(micros);
            }
        }
    }
    let [first, second, stranger] = times.map(median);
    let (noise, signal) = ((first - second).abs(), (stranger - f64::midpoint(first, second)).abs());
    println!(
        "medians: known {first:.0} and {second:.0} µs, stranger {stranger:.0} µs; noise {noise:.1}, signal {signal:.1}"
    );
    assert!(signal < BOUND_MICROS.max(3.0 * noise), "known {first:.0} and {second:.0} µs, stranger {stranger:.0} µs");
}
