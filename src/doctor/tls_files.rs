//! The certificate and key of the public listener, for `doorcode doctor`: until when the one is good, and who can read
//! the other. Whether they are a pair says whoever serves with them. The key is never opened here.

use std::path::Path;

use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::certificate;
use crate::{doctor::finding::Finding, files};

/// A chain of certificates has a few thousand bytes.
const LARGEST: u64 = 1024 * 1024;

/// Looks at a pair that can be served with.
pub(super) fn examine(certificate: &Path, key: &Path, now: DateTime<Utc>) -> Vec<Finding> {
    vec![lifetime(first(certificate).and_then(|it| certificate::ends(&it)), now), privacy(key)]
}

/// The server's own, which comes before those of its authorities.
fn first(file: &Path) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(&files::read(file, LARGEST).ok()?).ok()
}

fn lifetime(ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    const CHECK: &str = "tls certificate";
    let advice = "renew it, and see why nothing did; new files are taken without a restart";
    let Some(ends) = ends else {
        let advice = "see when it ends with openssl x509 -noout -enddate -in FILE";
        return Finding::warning(CHECK, "its end cannot be read", advice);
    };
    let day = ends.format("%F");
    match ends - now {
        left if left.num_seconds() < 0 => {
            Finding::problem(CHECK, format!("is over since {day}, and every browser refuses it"), advice)
        }
        left if left.num_days() < certificate::SOON => Finding::warning(CHECK, format!("good until {day}"), advice),
        _ => Finding::ok(CHECK, format!("good until {day}")),
    }
}

/// A group that may read it is how some machines share a key; everybody is too many.
fn privacy(key: &Path) -> Finding {
    const CHECK: &str = "tls key";
    let name = key.display();
    match files::open_to_all(key, 0o006) {
        Ok(None) => Finding::ok(CHECK, "others cannot read it"),
        Ok(Some(mode)) => {
            let seen = format!("others can read {name} (mode {:o})", mode & 0o7777);
            let advice =
                format!("chmod 600 {name}, and chown it to the user of the server; get a new one if others did");
            Finding::warning(CHECK, seen, advice)
        }
        Err(_) => {
            let advice = "let the user of the server read it and the folders above it";
            Finding::warning(CHECK, format!("{name} cannot be looked at"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_certificate_is_told_of_two_weeks_before_its_end_and_wrong_after_it() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        for (left, state) in [
            (TimeDelta::days(15), State::Ok),
            (TimeDelta::days(13), State::Warning),
            (TimeDelta::seconds(1), State::Warning),
            (TimeDelta::seconds(-1), State::Problem),
        ] {
            assert_eq!(lifetime(Some(now + left), now).state, state, "{left}");
        }
        assert_eq!(lifetime(None, now).state, State::Warning);
    }
}
