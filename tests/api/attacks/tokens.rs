//! Forged and misused tokens, over a real socket. See `tokens::forged` for tokens that are forged in process with the
//! real signing key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{
    Allowed::{Harmless, Refused},
    Attack, JSON,
    graphql::{few, has_full_limits},
    json_call, run_attacks,
    target::{Target, http},
};

const ME: &str = r#"{"query":"{ me { email } }"}"#;

fn bearing(authorization: &str) -> Vec<u8> {
    http("POST", "/graphql", &[JSON, ("authorization", authorization)], ME)
}

fn segments(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_misused_tokens_are_refused_and_end_no_session() {
    let target = Target::new(few).await;
    let tokens = target.sign_in("ada@example.com").await;
    let (access, refresh) = (tokens["accessToken"].as_str().unwrap(), tokens["refreshToken"].as_str().unwrap());
    let (jwks, _) = target.send(&http("GET", "/.well-known/jwks.json", &[], "")).await;
    let attacks = [bearers(access, refresh, &jwks.unwrap().json["keys"][0]), swapped(access)].concat();
    run_attacks(&target, "token", &attacks).await;
    let me = target.send(&bearing(&format!("Bearer {access}"))).await.0.unwrap();
    assert_eq!(me.json["data"]["me"]["email"], "ada@example.com", "{}", me.text);
    has_full_limits(&target).await;
}

/// Invalid values for a refresh token. The server must return a problem as data, not an error, so that clients can
/// recover.
fn swapped(access: &str) -> Vec<Attack> {
    let refresh = |token: &str| {
        let query = "mutation($i: RefreshInput!) { refresh(input: $i) { __typename } }";
        json_call(&json!({ "query": query, "variables": { "i": { "refreshToken": token } } }).to_string())
    };
    let tokens = [
        ("an access token as the refresh token", access),
        ("an invented refresh token", "x"),
        ("an empty refresh token", ""),
    ];
    let attack = |(name, token): (&str, &str)| Attack::new(name, refresh(token), Harmless(200, "SessionEnded"));
    tokens.into_iter().map(attack).collect()
}

fn bearers(access: &str, refresh: &str, jwk: &Value) -> Vec<Attack> {
    let (header, claims) = segments(access);
    let mut forged: Vec<(String, String)> = flipped(access);
    let headed = |changes: Value| {
        let mut header = header.clone();
        header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let signature = access.rsplit('.').next().unwrap();
        format!("{}.{signature}", unsigned(&header, &claims))
    };
    for algorithm in ["none", "None", "NONE", "", "HS256", "ES256", "RS256", "PS256"] {
        forged.push((format!("alg {algorithm:?}"), headed(json!({ "alg": algorithm }))));
        let bare = format!("{}.", unsigned(&json!({ "alg": algorithm, "typ": header["typ"] }), &claims));
        forged.push((format!("alg {algorithm:?} without a signature"), bare));
    }
    let public = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    for (name, key) in
        [("public key", public), ("published key", jwk.to_string().into_bytes()), ("empty key", Vec::new())]
    {
        let message = unsigned(&json!({ "alg": "HS256", "typ": header["typ"], "kid": header["kid"] }), &claims);
        let key = EncodingKey::from_secret(&key);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        forged.push((format!("HS256 under the {name}"), format!("{message}.{signature}")));
    }
    for kid in
        ["../../../../dev/null", "' OR 1=1 --", "x' UNION SELECT 'a", "\0", "", "00000000-0000-0000-0000-000000000000"]
    {
        forged.push((format!("kid {kid:?}"), headed(json!({ "kid": kid }))));
    }
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/key")),
        ("jwk", jwk.clone()),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
    ] {
        forged.push((format!("header {name}"), headed(json!({ name: value }))));
    }
    forged.extend([
        ("the refresh token".into(), refresh.to_owned()),
        ("two segments".into(), access.rsplit_once('.').unwrap().0.to_owned()),
        ("five segments".into(), format!("{access}.a.a")),
        ("only dots".into(), "..".into()),
        ("a token of 12 kB".into(), format!("{access}{}", "A".repeat(12_000))),
        ("a deeply nested header".into(), format!("{}.a.a", URL_SAFE_NO_PAD.encode("[".repeat(6_000)))),
        ("the token with padding".into(), format!("{access}=")),
    ]);
    let refused = Refused(401, "UNAUTHENTICATED");
    let mut attacks: Vec<_> = forged
        .into_iter()
        .map(|(name, token)| Attack::new(name, bearing(&format!("Bearer {token}")), refused.clone()))
        .collect();
    attacks.push(Attack::new("Basic", bearing(&format!("Basic {access}")), refused.clone()));
    let twice = [JSON, ("authorization", &format!("Bearer {access}")), ("authorization", &format!("Bearer {access}"))];
    attacks.push(Attack::new("a valid bearer token twice", http("POST", "/graphql", &twice, ME), refused));
    let path = format!("/graphql?access_token={access}");
    attacks.push(Attack::new(
        "a token in the query",
        http("POST", &path, &[JSON], ME),
        Harmless(200, r#"{"me":null}"#),
    ));
    let cookie = [JSON, ("cookie", &format!("access_token={access}"))];
    attacks.push(Attack::new(
        "a token in a cookie",
        http("POST", "/graphql", &cookie, ME),
        Harmless(200, r#"{"me":null}"#),
    ));
    attacks
}

/// Copies of the token, each with one flipped bit in a different segment.
fn flipped(access: &str) -> Vec<(String, String)> {
    let parts: Vec<_> = access.split('.').collect();
    let flip = |which: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(parts[which]).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[which] = URL_SAFE_NO_PAD.encode(bytes);
        parts.join(".")
    };
    ["header", "claims", "signature"]
        .iter()
        .enumerate()
        .map(|(at, name)| (format!("a bit of the {name}"), flip(at)))
        .collect()
}
