//! Removes secrets from findings before they are printed.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{doctor::finding::Finding, settings::Settings};

/// Shorter secrets are not hidden, because they may occur in our own text by chance.
const SHORTEST_SECRET: usize = 6;

pub(super) fn hide(settings: &Settings, findings: &mut [Finding]) {
    let Settings { database_url, redis_url, smtp_url, .. } = settings;
    let urls = [Some(database_url), redis_url.as_ref(), smtp_url.as_ref()];
    let mut secrets: Vec<Zeroizing<String>> = urls.into_iter().flatten().flat_map(passwords).collect();
    let whole = settings.secrets.iter().chain(settings.test_codes.iter().map(|code| &code.code));
    let whole = whole.chain(settings.traces.iter().flat_map(|traces| traces.headers.iter().map(|(_, value)| value)));
    secrets.extend(whole.map(|secret| Zeroizing::new(secret.expose_secret().to_owned())));
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    for finding in findings {
        for secret in &secrets {
            finding.seen = finding.seen.replace(secret.as_str(), "[hidden]");
        }
    }
}

/// The passwords in a URL, both encoded and decoded.
fn passwords(url: &SecretString) -> Vec<Zeroizing<String>> {
    let text = url.expose_secret();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let userinfo = rest.rsplit_once('@').map_or("", |(userinfo, _)| userinfo);
    let mut found = vec![userinfo.split_once(':').map_or("", |(_, password)| password).to_owned()];
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name.contains("password"));
    found.extend(pairs.map(|(_, value)| value.into_owned()));
    let decoded = percent_decode_str(&found[0]).decode_utf8_lossy().into_owned();
    found.push(decoded);
    found.into_iter().map(Zeroizing::new).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::settings::ServeFlags;

    #[test]
    fn finds_encoded_and_decoded_passwords() {
        let found = |url: &str| passwords(&SecretString::from(url)).iter().map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(found("smtps://u:p%40ss:w@h?ca=x"), ["p%40ss:w", "p@ss:w"]);
        assert!(found("redis+sentinel://a:1,b:2/s?sentinel_password=hunter22").contains(&"hunter22".to_owned()));
        assert!(found("postgres://h/db?password=hunter23").contains(&"hunter23".to_owned()));
    }

    #[test]
    fn every_secret_is_hidden() {
        let flags = ServeFlags {
            database_url: Some("postgres://u:canary-1@db/x".into()),
            redis_url: Some("redis://:canary-3@cache".into()),
            smtp_url: Some("smtps://u:canary-4@mail".into()),
            otel_exporter_otlp_endpoint: Some("http://collector:4318".into()),
            otel_exporter_otlp_headers: Some("authorization=canary-5".into()),
            ..ServeFlags::default()
        };
        let settings = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH).unwrap();
        let seen = "canary-1 canary-3 canary-4 canary-5 stay";
        let mut findings = [Finding::ok("settings", seen)];
        hide(&settings, &mut findings);
        assert_eq!(findings[0].seen, "[hidden] [hidden] [hidden] [hidden] stay");
    }
}
