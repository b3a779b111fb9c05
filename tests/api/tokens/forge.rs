//! Signs arbitrary tokens with the real key, which it decrypts as the program does. If the server refuses such a token,
//! it checks the header or claim itself, and not only the signature.

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorcode::domain::{keys, vault::Purpose};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::harness::TestApp;

/// The signing key, header and claims of a valid token.
pub(super) struct Forge {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) jwk: Value,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Forge {
    /// Reads a valid token, and decrypts the key that signed it.
    pub(super) async fn of(app: &TestApp, token: &str) -> Self {
        let (header, claims) = read(token);
        let ctx = app.ctx();
        let rows = keys::list(ctx).await.unwrap();
        let row = rows.into_iter().find(|row| header["kid"] == row.id.to_string()).unwrap();
        let private = ctx.vault.open(Purpose::SigningKey, row.id.as_bytes(), &row.sealed).unwrap();
        let algorithm: Algorithm = row.algorithm.parse().unwrap();
        let key = match algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&private),
            Algorithm::ES256 => EncodingKey::from_ec_der(&private),
            Algorithm::RS256 => rsa_key(&private),
            _ => EncodingKey::from_secret(&private),
        };
        Self { header, claims, jwk: row.public_jwk.unwrap_or_default(), algorithm, key }
    }

    /// A token with this header, these claims and a valid signature.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        sign_with(&self.key, self.algorithm, header, claims)
    }

    /// The token with some claims replaced, signed again. `Value::Null` sets a claim to null. [`Forge::without`]
    /// removes one.
    pub(super) fn claiming(&self, changes: Value) -> String {
        self.sign(&self.header, &changed(&self.claims, changes))
    }

    pub(super) fn without(&self, claim: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        self.sign(&self.header, &claims)
    }

    /// The token with some header fields replaced, signed again.
    pub(super) fn headed(&self, changes: Value) -> String {
        self.sign(&changed(&self.header, changes), &self.claims)
    }

    /// The public key in every encoding that a careless verifier could use as a shared secret.
    pub(super) fn public_bytes(&self) -> Vec<Vec<u8>> {
        let mut forms = vec![
            self.jwk.to_string().into_bytes(),
            self.header["kid"].as_str().unwrap().as_bytes().to_vec(),
            Vec::new(),
        ];
        let parts: Vec<_> = ["x", "y", "n"].iter().filter_map(|part| self.jwk[*part].as_str()).collect();
        for part in &parts {
            forms.push(part.as_bytes().to_vec());
            forms.push(URL_SAFE_NO_PAD.decode(part).unwrap());
        }
        let raw: Vec<u8> = parts.iter().flat_map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let prefix = match self.algorithm {
            Algorithm::EdDSA => "302a300506032b6570032100",
            Algorithm::ES256 => "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
            _ => return forms,
        };
        let der = [unhex(prefix), raw].concat();
        let pem = pem("PUBLIC KEY", &der);
        forms.extend([der, pem.trim_end().as_bytes().to_vec(), pem.into_bytes()]);
        forms
    }
}

/// Reads an RSA key in PKCS#8 form. The token library only accepts RSA keys as PEM.
pub(super) fn rsa_key(private: &[u8]) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem("PRIVATE KEY", private).as_bytes()).unwrap()
}

fn pem(what: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {what}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        writeln!(pem, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    writeln!(pem, "-----END {what}-----").unwrap();
    pem
}

/// The header and claims of a token, without checking its signature.
pub(super) fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.');
    let mut next = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
    (next(), next())
}

pub(super) fn kid(token: &str) -> String {
    read(token).0["kid"].as_str().unwrap().to_owned()
}

/// Signs a header and claims with this key.
pub(super) fn sign_with(key: &EncodingKey, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let message = unsigned(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// The first two segments of a token, without a signature.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let segment = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", segment(header), segment(claims))
}

pub(super) fn changed(object: &Value, changes: Value) -> Value {
    let mut object = object.clone();
    let Value::Object(changes) = changes else { panic!("the changes must be a JSON object") };
    object.as_object_mut().unwrap().extend(changes);
    object
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
