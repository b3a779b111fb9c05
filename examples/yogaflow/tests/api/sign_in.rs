//! Sign-in is Doorcode's: this test only shows that all of it is there.

use serde_json::json;

use crate::harness::{Yoga, code};

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { __typename ... on SignedIn { \
    tokens { accessToken refreshToken } session { remembered } } } }";
const REFRESH: &str = "mutation($token: String!) { refresh(input: { refreshToken: $token }) { __typename \
    ... on Refreshed { tokens { accessToken } } } }";

#[tokio::test]
async fn a_user_registers_signs_in_with_a_password_refreshes_and_signs_out() {
    let yoga = Yoga::new().await;
    let (email, password) = ("ada@example.com", "a calm and quiet mountain");
    let register = "mutation($input: RegisterInput!) { register(input: $input) { ... on CodeSent { challenge } } }";
    let sent = yoga.ask(None, register, json!({ "input": { "email": email, "password": password } })).await;
    let registered = yoga.verify(email, &sent["data"]["register"]["challenge"]).await;
    assert_eq!(registered["session"]["remembered"], true, "{registered}");
    for remember in [true, false] {
        let input = json!({ "email": email, "password": password, "remember": remember });
        let signed_in = yoga.ask(None, LOGIN, json!({ "input": input })).await["data"]["login"].take();
        assert_eq!(signed_in["session"]["remembered"], remember, "{signed_in}");
        let refresh = signed_in["tokens"]["refreshToken"].as_str().unwrap();
        let refreshed = yoga.ask(None, REFRESH, json!({ "token": refresh })).await["data"]["refresh"].take();
        let token = refreshed["tokens"]["accessToken"].as_str().unwrap();
        let read = "{ me { email } poses { totalCount } }";
        let me = yoga.data(token, read, json!({})).await;
        assert_eq!((&me["me"]["email"], &me["poses"]["totalCount"]), (&json!(email), &json!(40)));
        yoga.data(token, "mutation { logout { __typename } }", json!({})).await;
        assert_eq!(code(&yoga.ask(Some(token), read, json!({})).await), "UNAUTHENTICATED");
        let ended = yoga.ask(None, REFRESH, json!({ "token": refresh })).await;
        assert_eq!(ended["data"]["refresh"]["__typename"], "SessionEnded");
    }
    let wrong = yoga.ask(None, LOGIN, json!({ "input": { "email": email, "password": "a guess at random" } })).await;
    assert_eq!(wrong["data"]["login"]["__typename"], "InvalidCredentials");
}
