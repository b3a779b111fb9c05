use std::time::{Duration, Instant};

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    kind: String,
    password: String,
    hash: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../../../tests/moving/vectors.json")).unwrap()
}

/// A hash whose last part has the given length in base64.
fn with_key(begin: &str, length: usize) -> String {
    format!("{begin}{}", "A".repeat(length))
}

#[test]
fn hashes_of_the_original_libraries_match_their_password_and_no_other() {
    for Vector { kind, password, hash } in vectors() {
        assert_eq!(admit(&hash), Ok(()), "{kind}: {hash}");
        let scheme = Scheme::read(&hash).ok().unwrap();
        assert!(scheme.matches(&password), "{kind}: {hash} is {password:?}");
        let mut changed = password.clone().into_bytes();
        changed[0] ^= 1;
        let changed = String::from_utf8_lossy(&changed).into_owned();
        let shorter: String = password.chars().skip(1).collect();
        for wrong in [changed.as_str(), "", &shorter, &format!("{password} ")] {
            // Of the longest password, bcrypt does not read the end.
            let is_cut = kind.contains("bcrypt") && !kind.contains("sha256") && wrong.get(..72) == password.get(..72);
            assert_eq!(scheme.matches(wrong), is_cut && password.len() > 72, "{kind}: {hash} and {wrong:?}");
        }
    }
}

#[test]
fn a_vector_exists_for_every_prefix() {
    let vectors = vectors();
    for (prefix, _) in PREFIXES {
        // Libraries that write this one are the same as for its neighbour.
        let same = match prefix {
            "argon2$argon2i$" => "argon2$argon2id$",
            "bcrypt$$2a$" => "bcrypt$$2b$",
            "bcrypt_sha256$$2a$" => "bcrypt_sha256$$2b$",
            "$pbkdf2-sha1$" => "$pbkdf2$",
            prefix => prefix,
        };
        assert!(vectors.iter().any(|vector| vector.hash.starts_with(same)), "{prefix}");
    }
}

#[test]
fn every_hash_that_is_cut_or_changed_in_form_is_refused() {
    for Vector { kind, hash, .. } in vectors() {
        for end in 0..hash.len() {
            let Some(cut) = hash.get(..end) else { continue };
            let key = cut.rsplit('$').next().unwrap_or_default();
            // Most notations do not say how long the key is.
            let has_all_parts = cut.matches('$').count() == hash.matches('$').count();
            let is_shorter_key = has_all_parts && key.len() >= 22 && !kind.contains("bcrypt");
            assert!(Scheme::read(cut).is_err() || is_shorter_key, "{kind}: {cut}");
        }
        for changed in [format!("{hash}$"), format!("{hash}\n"), format!(" {hash}"), hash.replacen('$', "$$", 1)] {
            assert!(Scheme::read(&changed).is_err(), "{kind}: {changed}");
        }
    }
}

#[test]
fn what_libraries_make_by_default_is_allowed() {
    let (salt, key) = ("c2FsdHNhbHRzYWx0", "A".repeat(43));
    for (library, begin) in [
        ("argon2-cffi", "$argon2id$v=19$m=65536,t=3,p=4$"),
        ("passlib", "$pbkdf2-sha512$25000$"),
        ("passlib", "$scrypt$ln=16,r=8,p=1$"),
        ("better-auth", "$scrypt$ln=14,r=16,p=1$"),
        ("OWASP", "$pbkdf2-sha256$600000$"),
    ] {
        assert_eq!(admit(&format!("{begin}{salt}${key}")), Ok(()), "{library}: {begin}");
    }
    for (library, hash) in [
        ("Django", format!("pbkdf2_sha256$1200000$salt${key}=")),
        ("Django", format!("scrypt$16384$salt$8$5${key}=")),
        ("bcrypt", "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde".to_owned()),
    ] {
        assert_eq!(admit(&hash), Ok(()), "{library}: {hash}");
    }
}

#[test]
fn hostile_parameters_are_refused_without_being_tried() {
    let start = Instant::now();
    let salt = "c2FsdHNhbHRzYWx0";
    let many = "A".repeat(4_000);
    for (hash, expected) in [
        ("$argon2id$v=19$m=65537,t=1,p=1$", "MiB"),
        ("$argon2id$v=19$m=4294967295,t=4294967295,p=1$", "MiB"),
        ("$argon2id$v=19$m=65536,t=17,p=1$", "seconds"),
        ("$argon2id$v=19$m=8,t=4294967295,p=1$", "seconds"),
        ("$argon2i$v=19$m=8,t=99999999999,p=1$", "whole number"),
        ("$argon2i$v=19$m=8,t=-1,p=1$", "whole number"),
        ("$argon2i$v=19$m=8,t=0,p=1$", "these parameters"),
        ("$argon2i$v=18$m=8,t=1,p=1$", "versions"),
        ("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAA$", "parameters"),
        ("$scrypt$ln=17,r=8,p=1$", "MiB"),
        ("$scrypt$ln=63,r=8,p=1$", "these parameters"),
        ("$scrypt$ln=16,r=4294967295,p=1$", "these parameters"),
        ("$scrypt$ln=15,r=8,p=4096$", "seconds"),
        ("$scrypt$ln=1,r=65536,p=4096$", "MiB"),
        ("$pbkdf2-sha256$4294967295$", "seconds"),
        ("$pbkdf2-sha512$0$", "iterations"),
    ] {
        let hash = with_key(&format!("{hash}{salt}$"), 43);
        let refused = admit(&hash).unwrap_err().to_string();
        assert!(refused.contains(expected), "{hash}: {refused}");
    }
    for (hash, expected) in [
        ("$2b$15$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde", "seconds"),
        ("$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde", "seconds"),
        ("$2b$32$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde", "cost"),
        ("$2b$00$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde", "cost"),
        ("scrypt$3$salt$8$1$AAAAAAAAAAAAAAAAAAAAAAAA", "power of two"),
        ("scrypt$0$salt$8$1$AAAAAAAAAAAAAAAAAAAAAAAA", "power of two"),
        // A key of one byte would match one password in 256.
        ("$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$AA", "16 to 128 bytes"),
        ("$pbkdf2-sha256$1000$$AAAAAAAAAAAAAAAAAAAAAA", "salt"),
        ("$pbkdf2-sha256$i=1000,l=64$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA", "length"),
        ("$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$%%%%%%%%%%%%%%%%%%%%%%", "base64"),
        ("correct horse battery staple", "is no hash"),
        ("", "is no hash"),
        ("$1$salt$AAAAAAAAAAAAAAAAAAAAAA", "is no hash"),
        ("$argon2d$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA", "is no hash"),
        (many.as_str(), "1,024"),
    ] {
        let refused = admit(hash).unwrap_err().to_string();
        assert!(refused.contains(expected), "{hash}: {refused}");
    }
    assert!(start.elapsed() < Duration::from_secs(1), "nothing was computed");
}

#[test]
fn the_most_expensive_hashes_that_are_allowed_take_about_a_second() {
    let salt = "c2FsdHNhbHRzYWx0";
    for hash in [
        with_key(&format!("$argon2id$v=19$m=65536,t=16,p=1${salt}$"), 43),
        "$2b$14$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde".to_owned(),
        with_key(&format!("$scrypt$ln=15,r=15,p=4${salt}$"), 43),
        with_key(&format!("$pbkdf2-sha256$1300000${salt}$"), 43),
        with_key(&format!("$pbkdf2-sha512$1300000${salt}$"), 86),
        with_key(&format!("$pbkdf2$1300000${salt}$"), 27),
    ] {
        assert_eq!(admit(&hash), Ok(()), "{hash}");
        let (scheme, start) = (Scheme::read(&hash).ok().unwrap(), Instant::now());
        assert!(!scheme.matches("wrong"));
        let took = start.elapsed();
        eprintln!("{took:?} {hash}");
        // Other tests run at the same time.
        assert!(took < Duration::from_secs(6), "{took:?}: {hash}");
    }
}
