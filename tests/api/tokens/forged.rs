//! Forged tokens. Tokens with a valid signature and an invalid header or claim show that the server checks each header
//! and claim. Tokens signed with an attacker's key show that a header cannot change how a token is checked.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::domain::keys;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    accepted,
    forge::{Forge, changed, read, rsa_key, sign_with, unsigned},
    refused, unlimited,
};
use crate::harness::{Client, TestApp};

const CLAIMS: [&str; 11] = ["iss", "aud", "sub", "sid", "exp", "iat", "nbf", "jti", "auth_time", "amr", "role"];

async fn forge_for<'a>(app: &'a TestApp, email: &str) -> (Client<'a>, String, Forge) {
    let guest = app.guest();
    let token = guest.sign_in(email).await.access;
    let forge = Forge::of(app, &token).await;
    accepted(&guest, &forge.claiming(json!({})), "the forging code creates valid tokens").await;
    (guest, token, forge)
}

/// An attacker's keys: the algorithm, the private key, and the public key as a JWK.
fn own_keys() -> Vec<(Algorithm, EncodingKey, Value)> {
    let ed = Ed25519KeyPair::generate().unwrap();
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let rsa = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = ec.public_key().as_ref();
    let (n, e) = (rsa.public_key().modulus(), rsa.public_key().exponent());
    let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
    vec![
        (
            Algorithm::EdDSA,
            EncodingKey::from_ed_der(ed.to_pkcs8().unwrap().as_ref()),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": text(ed.public_key().as_ref()) }),
        ),
        (
            Algorithm::ES256,
            EncodingKey::from_ec_der(ec.to_pkcs8v1().unwrap().as_ref()),
            json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) }),
        ),
        (
            Algorithm::RS256,
            rsa_key(AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref()),
            json!({ "kty": "RSA", "n": text(n), "e": text(e) }),
        ),
        (Algorithm::HS256, EncodingKey::from_secret(&[7; 32]), json!({ "kty": "oct", "k": text(&[7; 32]) })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_tokens_are_refused_in_every_spelling() {
    let app = TestApp::new().await;
    let (guest, token, forge) = forge_for(&app, "ada@example.com").await;
    let signature = token.rsplit('.').next().unwrap();
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("none "),
        json!(""),
        json!(null),
        json!(0),
        json!(["none"]),
        json!({}),
        json!("eddsa"),
        json!("EDDSA"),
    ] {
        let header = changed(&forge.header, json!({ "alg": alg }));
        let message = unsigned(&header, &forge.claims);
        for token in [
            message.clone(),
            format!("{message}."),
            format!("{message}.{signature}"),
            forge.sign(&header, &forge.claims),
        ] {
            refused(&guest, &token, &format!("alg {alg}")).await;
        }
    }
    let mut header = forge.header.clone();
    header.as_object_mut().unwrap().remove("alg");
    refused(&guest, &forge.sign(&header, &forge.claims), "no alg").await;
    let message = unsigned(&forge.header, &forge.claims);
    refused(&guest, &format!("{message}."), "the right alg and no signature").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_is_not_accepted_as_a_shared_secret() {
    for alg in ["EdDSA", "ES256", "RS256"] {
        let app = unlimited(alg).await;
        let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
        for secret in forge.public_bytes() {
            for (name, hmac) in [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
            {
                let key = EncodingKey::from_secret(&secret);
                for said in [name, alg] {
                    let header = changed(&forge.header, json!({ "alg": said }));
                    let token = sign_with(&key, hmac, &header, &forge.claims);
                    refused(
                        &guest,
                        &token,
                        &format!("{name}, signed with the public {alg} key as a secret, alg {said}"),
                    )
                    .await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_determines_the_algorithm_and_headers_cannot_supply_a_key() {
    for alg in ["EdDSA", "ES256", "RS256", "HS256"] {
        let app = unlimited(alg).await;
        let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
        for said in [
            "HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA",
            "ES512", "Ed25519",
        ] {
            if said != alg {
                refused(&guest, &forge.headed(json!({ "alg": said })), said).await;
            }
        }
        for (own, key, jwk) in own_keys() {
            let with_kid = changed(&jwk, json!({ "kid": forge.header["kid"], "alg": own, "use": "sig" }));
            for extra in [
                json!({}),
                json!({ "jwk": jwk }),
                json!({ "jwk": with_kid }),
                json!({ "jku": "https://attacker.example/jwks.json" }),
                json!({ "jku": "http://localhost:4000/.well-known/jwks.json" }),
                json!({ "x5u": "https://attacker.example/chain.pem" }),
                json!({ "x5c": ["MIIB"] }),
            ] {
                for kid in [forge.header["kid"].clone(), json!(Uuid::nil()), json!("mine")] {
                    let header = changed(&forge.header, extra.clone());
                    let header = changed(&header, json!({ "alg": own, "kid": kid }));
                    let token = sign_with(&key, own, &header, &forge.claims);
                    refused(&guest, &token, &format!("{own:?} with {extra} on {alg}")).await;
                }
            }
        }
        for ignored in [
            json!({ "jwk": forge.jwk }),
            json!({ "jku": "https://attacker.example/jwks.json" }),
            json!({ "x5u": "https://attacker.example/chain.pem" }),
            json!({ "x5c": 7 }),
            json!({ "jwk": "x" }),
        ] {
            let answer = guest.with_bearer(&forge.headed(ignored.clone())).me().await;
            assert!([200, 401].contains(&answer.status.as_u16()), "{ignored}: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_id_must_name_the_signing_key() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    let next = keys::rotate(app.ctx()).await.unwrap();
    doorcode::domain::token::reload(app.ctx()).await.unwrap();
    for kid in [
        json!(null),
        json!(7),
        json!(true),
        json!([forge.header["kid"]]),
        json!({ "kid": forge.header["kid"] }),
        json!(""),
        json!("../../../../etc/passwd"),
        json!("/dev/null"),
        json!("' OR '1'='1"),
        json!("'; DROP TABLE signing_keys; --"),
        json!("x' UNION SELECT 'secret"),
        json!("key\u{0}"),
        json!(format!("{}\n", forge.header["kid"].as_str().unwrap())),
        json!(format!("{} ", forge.header["kid"].as_str().unwrap())),
        json!(Uuid::nil()),
        json!(Uuid::max()),
        json!(next.id),
        forge.claims["sid"].clone(),
    ] {
        refused(&guest, &forge.headed(json!({ "kid": kid })), &format!("kid {kid}")).await;
    }
    let mut header = forge.header.clone();
    header.as_object_mut().unwrap().remove("kid");
    refused(&guest, &forge.sign(&header, &forge.claims), "no kid").await;
    assert_eq!(app.count("signing_keys", "1 = 1").await, 2);
    accepted(&guest, &forge.headed(json!({})), "unchanged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_type_or_with_critical_extensions_is_refused() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    for change in [
        json!({ "typ": null }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "jwt" }),
        json!({ "typ": "at" }),
        json!({ "typ": "at+jwt " }),
        json!({ "typ": "at+jws" }),
        json!({ "typ": "rt+jwt" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "" }),
        json!({ "typ": 7 }),
        json!({ "typ": ["at+jwt"] }),
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": ["http://example.com/unknown"] }),
        json!({ "crit": [] }),
        json!({ "crit": "exp" }),
        json!({ "crit": {} }),
    ] {
        refused(&guest, &forge.headed(change.clone()), &change.to_string()).await;
    }
    let mut header = forge.header.clone();
    header.as_object_mut().unwrap().remove("typ");
    refused(&guest, &forge.sign(&header, &forge.claims), "no typ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_claim_is_required_and_has_its_type() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    for claim in CLAIMS {
        refused(&guest, &forge.without(claim), &format!("no {claim}")).await;
        let as_text = forge.claims[claim].to_string();
        for wrong in [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!([forge.claims[claim]]),
            json!({ "value": forge.claims[claim] }),
            json!(-1.5e300),
            json!(as_text),
            json!(u64::MAX),
            json!(""),
        ] {
            // An empty `amr` list has the right type, and no check uses it.
            if claim == "amr" && wrong == json!([]) {
                continue;
            }
            refused(&guest, &forge.claiming(json!({ claim: wrong })), &format!("{claim}: {wrong}")).await;
        }
    }
    for claims in [json!(null), json!([]), json!("x"), json!({})] {
        refused(&guest, &forge.sign(&forge.header, &claims), &claims.to_string()).await;
        refused(&guest, &forge.sign(&claims, &forge.claims), &claims.to_string()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_claims_are_refused() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    let (_, other) = read(&guest.sign_in("other@example.com").await.access);
    for change in [
        json!({ "iss": "https://attacker.example" }),
        json!({ "iss": "http://localhost:4000/" }),
        json!({ "iss": "http://localhost:40000" }),
        json!({ "iss": "HTTP://LOCALHOST:4000" }),
        json!({ "aud": "https://attacker.example" }),
        json!({ "aud": "http://localhost:4000/" }),
        json!({ "aud": ["http://localhost:4000"] }),
        json!({ "aud": ["http://localhost:4000", "https://attacker.example"] }),
        json!({ "sub": other["sub"] }),
        json!({ "sid": other["sid"] }),
        json!({ "sub": Uuid::nil() }),
        json!({ "sid": Uuid::nil() }),
        json!({ "sid": forge.claims["jti"] }),
        json!({ "sub": forge.claims["sid"], "sid": forge.claims["sub"] }),
        json!({ "role": "ADMIN" }),
        json!({ "role": "MANAGER" }),
        json!({ "role": "GUEST" }),
        json!({ "role": "user" }),
        json!({ "role": "OWNER" }),
    ] {
        refused(&guest, &forge.claiming(change.clone()), &change.to_string()).await;
    }
    accepted(&guest, &forge.claiming(json!({ "scope": "all" })), "unknown claims are ignored").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_checked_with_five_seconds_of_leeway() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    let now = forge.claims["iat"].as_i64().unwrap();
    for (claim, at) in [("exp", now - 4), ("nbf", now + 4), ("iat", now + 4)] {
        accepted(&guest, &forge.claiming(json!({ claim: at })), &format!("{claim} within the leeway")).await;
    }
    for (claim, at) in [
        ("exp", now - 6),
        ("exp", 0),
        ("exp", -1),
        ("exp", i64::MIN),
        ("nbf", now + 6),
        ("nbf", i64::MAX),
        ("iat", now + 6),
        ("iat", i64::MAX),
    ] {
        refused(&guest, &forge.claiming(json!({ claim: at })), &format!("{claim} {}", at.saturating_sub(now))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_tokens_are_refused_unread() {
    let app = TestApp::new().await;
    let (guest, _, forge) = forge_for(&app, "ada@example.com").await;
    let padded = |target: usize| {
        (0..8usize)
            .flat_map(|head| (900..1_300usize).map(move |body| (head, body)))
            .map(|(head, body)| {
                let header = changed(&forge.header, json!({ "pad": "x".repeat(head) }));
                let claims = changed(&forge.claims, json!({ "pad": "x".repeat(body) }));
                (header, claims)
            })
            .find(|(header, claims)| unsigned(header, claims).len() + 87 == target)
            .map(|(header, claims)| forge.sign(&header, &claims))
            .expect("a token of that length")
    };
    let (longest, longer) = (padded(2_048), padded(2_049));
    assert_eq!((longest.len(), longer.len()), (2_048, 2_049));
    accepted(&guest, &longest, "2,048 characters").await;
    refused(&guest, &longer, "2,049 characters").await;
    refused(&guest, &"a".repeat(100_000), "100,000 characters").await;
}
