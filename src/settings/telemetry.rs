//! Parsers for the settings of traces.

use secrecy::SecretString;
use url::Url;

use super::parse::Parsed;

/// The base URL of a collector, with the path for traces appended.
pub(super) fn endpoint(text: &str) -> Parsed<Url> {
    let mut url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("is not an http:// or https:// URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("has more than scheme, host, port and path; put secrets into OTEL_EXPORTER_OTLP_HEADERS".to_owned());
    }
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// `name=value` pairs separated by commas, with percent-encoded values, as OpenTelemetry defines it.
pub(super) fn headers(text: &str) -> Parsed<Vec<(String, SecretString)>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("has an entry that is not name=value")?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().map_err(|_| "has a bad value")?;
        let name = name.trim().to_ascii_lowercase();
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name || value.chars().any(char::is_control) || !value.is_ascii() {
            return Err("has an entry that is not a valid header");
        }
        Ok((name, SecretString::from(value.into_owned())))
    };
    text.split(',').map(pair).collect::<Result<_, _>>().map_err(str::to_owned)
}

pub(super) fn ratio(text: &str) -> Parsed<f64> {
    let ratio: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    if (0.0..=1.0).contains(&ratio) { Ok(ratio) } else { Err("is not between 0 and 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_path_for_traces_is_appended() {
        for (text, expected) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("https://example.com/otlp/", "https://example.com/otlp/v1/traces"),
        ] {
            assert_eq!(endpoint(text).unwrap().as_str(), expected);
        }
        for text in ["collector:4318", "grpc://collector", "http://user:pw@collector", "http://a/?key=1", "nonsense"] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_headers_as_opentelemetry_defines_them() {
        let read = headers("Authorization=Bearer%20abc, x-tenant=one").unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(read, [("authorization", "Bearer abc"), ("x-tenant", "one")]);
        for text in ["authorization", "=x", "a b=c", "a=%0d%0ab", "a=%ff"] {
            assert!(headers(text).is_err(), "{text}");
        }
    }
}
