//! The queue is fair: users take turns.

use serde_json::json;

use crate::harness::{START, Verificai, order};

#[tokio::test]
async fn a_user_with_many_analyses_does_not_delay_others() {
    let app = Verificai::new().await;
    let (ada, bob, eve) = (
        app.sign_in("ada@example.com").await,
        app.sign_in("bob@example.com").await,
        app.sign_in("eve@example.com").await,
    );
    let prompt = app.preset(&ada, "Bug hunt").await;
    let start = async |token: &str, key: String| app.data(token, START, order(&prompt, &key, &[("a.rs", "x")])).await;
    for number in 0..20 {
        start(&ada, format!("a{number}")).await;
    }
    let taken = async || {
        let job = verificai::queue::take(&app.app.ctx, std::time::Duration::from_secs(30)).await.unwrap().unwrap();
        let key = "SELECT idempotency_key FROM analyses WHERE id = $1";
        let db = &app.app.ctx.db;
        let row = doorcode::db::statement(db.backend(), key, [job.id.into()]);
        let row = sea_orm::ConnectionTrait::query_one_raw(db.read(), row).await.unwrap().unwrap();
        row.try_get::<String>("", "idempotency_key").unwrap()
    };
    assert_eq!([taken().await, taken().await], ["a0", "a1"]);
    for number in 0..3 {
        start(&bob, format!("b{number}")).await;
        start(&eve, format!("e{number}")).await;
    }
    let mut order = Vec::new();
    for _ in 0..9 {
        order.push(taken().await);
    }
    for (round, three) in order.chunks(3).enumerate() {
        let mut three = three.to_vec();
        three.sort();
        let expected = [format!("a{}", round + 2), format!("b{round}"), format!("e{round}")];
        assert_eq!(three, expected, "{order:?}");
    }
    let left = app.data(&ada, "{ analyses(status: QUEUED) { totalCount } }", json!({})).await;
    assert_eq!(left["analyses"]["totalCount"], 15);
}
