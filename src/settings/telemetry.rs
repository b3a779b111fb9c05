//! What the process tells of itself: its log and its traces. Nothing here is about what it does.

use secrecy::SecretString;
use url::Url;

use super::{ServeFlags, parse, problems::Reader};
use crate::observability::{Log, LogEmails, LogFormat, Traces};

pub(super) fn log(reader: &mut Reader, flags: &ServeFlags, in_development: bool) -> Log {
    let format = if in_development { LogFormat::Text } else { LogFormat::Json };
    let formats = |text: &str| parse::choice(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
    let emails = |text: &str| parse::choice(text, &[("hashed", LogEmails::Hashed), ("plain", LogEmails::Plain)]);
    Log {
        filter: reader.or("DOORCODE_LOG", flags.log.as_deref(), "info".to_owned(), "info", parse::log_filter),
        format: reader.or("DOORCODE_LOG_FORMAT", flags.log_format.as_deref(), format, "json", formats),
        emails: reader.or("DOORCODE_LOG_EMAILS", flags.log_emails.as_deref(), LogEmails::Hashed, "hashed", emails),
    }
}

pub(super) fn traces(reader: &mut Reader, flags: &ServeFlags) -> Option<Traces> {
    let example = "http://collector.example.com:4318";
    let endpoint =
        reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", flags.otel_exporter_otlp_endpoint.as_deref(), example, endpoint);
    let raw = flags.otel_exporter_otlp_headers.as_deref();
    let headers = reader.or("OTEL_EXPORTER_OTLP_HEADERS", raw, Vec::new(), "'authorization=Bearer …'", headers);
    let raw = flags.otel_service_name.as_deref();
    let service = |text: &str| parse::printable(text, 64);
    let service = reader.or("OTEL_SERVICE_NAME", raw, "doorcode".to_owned(), "doorcode", service);
    let ratio = reader.or("DOORCODE_TRACE_RATIO", flags.trace_ratio.as_deref(), 1.0, "0.1", ratio);
    Some(Traces { endpoint: endpoint?, headers, service, ratio })
}

/// The base of a collector, to which every kind of telemetry adds its path.
fn endpoint(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("is not an http:// or https:// URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("has more than scheme, host, port and path; secrets go into OTEL_EXPORTER_OTLP_HEADERS".to_owned());
    }
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// `name=value` with commas between, values percent-encoded, as OpenTelemetry has it.
fn headers(text: &str) -> Result<Vec<(String, SecretString)>, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("has a part that is not name=value")?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().map_err(|_| "has a bad value")?;
        let name = name.trim().to_ascii_lowercase();
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name || value.chars().any(char::is_control) || !value.is_ascii() {
            return Err("has a part that cannot be a header");
        }
        Ok((name, SecretString::from(value.into_owned())))
    };
    text.split(',').map(pair).collect::<Result<_, _>>().map_err(str::to_owned)
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    if (0.0..=1.0).contains(&ratio) { Ok(ratio) } else { Err("is not between 0 and 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_path_of_traces_is_added_to_the_base() {
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
    fn headers_are_read_as_opentelemetry_writes_them() {
        let read = headers("Authorization=Bearer%20abc, x-tenant=one").unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(read, [("authorization", "Bearer abc"), ("x-tenant", "one")]);
        for text in ["authorization", "=x", "a b=c", "a=%0d%0ab", "a=%ff"] {
            assert!(headers(text).is_err(), "{text}");
        }
    }
}
