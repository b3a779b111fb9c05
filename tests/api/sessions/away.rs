//! Limiter outages. Without the limiter, codes are neither sent nor checked, but signed-in users can continue.

use std::sync::atomic::Ordering;

use super::{log_out_with, refreshed, status_of_me};
use crate::harness::{SignedIn, TestApp, other_than};

#[tokio::test(flavor = "multi_thread")]
async fn without_the_limiter_only_signed_in_users_can_continue() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let challenge = guest.challenge("new@example.com").await;
    let code = app.last_code_for("new@example.com").await;
    let mails = app.count("outbox", "1 = 1").await;

    app.limiter.away.store(true, Ordering::SeqCst);
    assert_eq!(status_of_me(&guest, &signed_in.access).await, 200);
    let (access, refresh) = refreshed(&guest, &signed_in.refresh).await;
    assert_eq!(status_of_me(&guest, &access).await, 200);
    let login = guest.login_with(serde_json::json!({ "email": "new@example.com" })).await;
    assert_eq!((login.status.as_u16(), login.code()), (200, "UNAVAILABLE"));
    for typed in [code.clone(), other_than(&code)] {
        let verify = guest.verify_answer(&challenge, &typed).await;
        assert_eq!((verify.status.as_u16(), verify.code()), (200, "UNAVAILABLE"));
    }
    assert_eq!(
        app.count("email_codes", "attempts > 0 OR units > 0").await,
        1,
        "only the code from before the outage was counted"
    );
    assert_eq!(app.count("email_codes", "email = 'new@example.com' AND consumed_at IS NOT NULL").await, 0);
    assert_eq!(app.count("outbox", "1 = 1").await, mails);
    assert_eq!(log_out_with(&guest, &refresh).await["__typename"], "LoggedOut", "signing out does not use the limiter");

    app.limiter.away.store(false, Ordering::SeqCst);
    SignedIn::read(&guest.verify(&challenge, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_limiter_each_process_limits_refreshes() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let guest = app.guest();
    let mut refresh = guest.sign_in("ada@example.com").await.refresh;
    app.limiter.away.store(true, Ordering::SeqCst);
    for _ in 0..30 {
        (_, refresh) = refreshed(&guest, &refresh).await;
    }
    let refused = guest.refresh(&refresh).await;
    assert_eq!(refused["__typename"], "RateLimited");
    (_, refresh) = refreshed(&guest.via(&replica), &refresh).await;
    app.limiter.away.store(false, Ordering::SeqCst);
    refreshed(&guest, &refresh).await;
}
