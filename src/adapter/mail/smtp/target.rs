//! Parses `SMTP_URL` without connecting. Errors never contain the URL, because it can contain a password.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Certificate, TlsParameters, TlsVersion},
};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

const INSTEAD: &str = "write smtps://user:password@host:465, or smtp://user:password@host:587?tls=required";

/// How a connection to the mail server is encrypted.
pub(crate) enum Protection {
    /// TLS from the first byte.
    Implicit(TlsParameters),
    /// Mandatory STARTTLS.
    Upgrade(TlsParameters),
    /// Not encrypted. Allowed only to this machine, in development.
    Loopback,
}

/// The mail server to connect to, and how.
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protection: Protection,
    pub(crate) credentials: Option<Credentials>,
    /// The password, in plain text and in the encodings in which it is sent, so that errors can leave it out.
    pub(crate) secrets: Vec<SecretString>,
}

impl Target {
    /// Parses a URL. The error is one sentence that says what is wrong or what to write instead.
    pub(crate) fn parse(url: &SecretString, production: bool) -> Result<Self, String> {
        let url = Url::parse(url.expose_secret()).map_err(|_| format!("SMTP_URL is not a URL: {INSTEAD}"))?;
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(format!("SMTP_URL has an unknown scheme: {INSTEAD}")),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("SMTP_URL has something after its host: {INSTEAD} (a # in a password is %23)"));
        }
        let host = host(&url)?;
        let (required, authority) = options(&url, implicit)?;
        let (credentials, secrets) = credentials(&url)?;
        let protection = match (implicit, required) {
            (true, _) => Protection::Implicit(tls(&host, authority.as_deref())?),
            (false, true) => Protection::Upgrade(tls(&host, authority.as_deref())?),
            (false, false) if production => {
                return Err(format!("SMTP_URL would send sign-in codes unencrypted, refused in production: {INSTEAD}"));
            }
            (false, false) if !is_loopback(&host) => {
                return Err(format!("SMTP_URL would send sign-in codes unencrypted to another machine: {INSTEAD}"));
            }
            (false, false) if authority.is_some() => {
                return Err("SMTP_URL names a ca= for a connection without TLS: add tls=required".to_owned());
            }
            (false, false) => Protection::Loopback,
        };
        let port = match url.port() {
            Some(0) => return Err(format!("SMTP_URL has port 0: {INSTEAD}")),
            Some(port) => port,
            None if implicit => 465,
            None if required => 587,
            None => 25,
        };
        Ok(Self { host, port, protection, credentials, secrets })
    }
}

fn host(url: &Url) -> Result<String, String> {
    let host = url.host_str().unwrap_or_default();
    // A URL puts brackets around an IPv6 address; certificates and sockets do not.
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() || host.contains('%') || !host.is_ascii() {
        return Err(format!("SMTP_URL has no usable host: {INSTEAD}"));
    }
    Ok(host.to_ascii_lowercase())
}

/// Reads the options `tls=` and `ca=`. Returns whether STARTTLS is required, and the path of a private CA.
fn options(url: &Url, implicit: bool) -> Result<(bool, Option<String>), String> {
    let (mut required, mut authority) = (false, None);
    for (name, value) in url.query_pairs() {
        match (name.as_ref(), value.as_ref()) {
            ("tls", "required") if !implicit => required = true,
            ("tls", _) if implicit => return Err("SMTP_URL: smtps:// is always encrypted, leave out tls=".to_owned()),
            ("tls", _) => return Err("SMTP_URL: tls= must be required".to_owned()),
            ("ca", path) if !path.is_empty() => authority = Some(path.to_owned()),
            _ => {
                return Err(
                    "SMTP_URL has an unknown option: only tls=required and ca=/path/to/ca.pem are allowed".to_owned()
                );
            }
        }
    }
    Ok((required, authority))
}

fn credentials(url: &Url) -> Result<(Option<Credentials>, Vec<SecretString>), String> {
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        (!decoded.is_empty() && !decoded.contains(char::is_control)).then_some(decoded)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok((None, Vec::new())),
        (user, Some(password)) => match (decode(user), decode(password)) {
            (Some(user), Some(password)) => {
                let sent = [STANDARD.encode(&password), STANDARD.encode(format!("\0{user}\0{password}"))];
                let secrets = sent.into_iter().chain([password.clone()]).map(SecretString::from).collect();
                Ok((Some(Credentials::new(user, password)), secrets))
            }
            _ => Err("SMTP_URL has a user name or password that is empty or not percent-encoded UTF-8".to_owned()),
        },
        (_, None) => Err(format!("SMTP_URL has a user name but no password: {INSTEAD}")),
    }
}

/// Requires TLS 1.2 or newer and a certificate from a public CA, or from the private CA in the file `authority`.
fn tls(host: &str, authority: Option<&str>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned()).set_min_tls_version(TlsVersion::Tlsv12);
    if let Some(path) = authority {
        let pem = std::fs::read(path).map_err(|error| format!("SMTP_URL: ca={path} cannot be read: {error}"))?;
        if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
            return Err(format!("SMTP_URL: ca={path} contains no PEM certificate"));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|_| format!("SMTP_URL: ca={path} is not valid PEM"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|_| "SMTP_URL: cannot set up TLS; check the certificate in ca=".to_owned())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, production: bool) -> Result<Target, String> {
        Target::parse(&url.to_owned().into(), production)
    }

    #[test]
    fn unencrypted_urls_are_accepted_only_for_loopback_in_development() {
        for url in ["smtps://u:p@mail.example.com:465", "smtp://mail.example.com?tls=required", "smtps://[::1]"] {
            assert!(parse(url, true).is_ok() && parse(url, false).is_ok(), "{url}");
        }
        for url in ["smtp://127.0.0.1:25", "smtp://localhost", "smtp://[::1]:2525"] {
            assert!(parse(url, true).is_err() && parse(url, false).is_ok(), "{url}");
        }
        assert_eq!(parse("smtps://h", true).map(|target| target.port), Ok(465));
        assert_eq!(parse("smtp://h?tls=required", true).map(|target| target.port), Ok(587));
    }

    #[test]
    fn invalid_urls_are_refused_without_showing_the_password() {
        for url in [
            "nonsense",
            "http://u:hunter2@h",
            "smtp://u:hunter2@mail.example.com:587",
            "smtp://u:hunter2@127.0.0.1.example.com",
            "smtp://u:hunter2@h?tls=opportunistic",
            "smtps://u:hunter2@h?tls=none",
            "smtps://u:hunter2@h?verify=no",
            "smtps://u:hunter2@h/path",
            "smtps://u:hunter2@h#fragment",
            "smtps://u@h",
            "smtps://:hunter2@h",
            "smtps://u:hunter2%0d%0a@h",
            "smtps://u:hunter2@h:0",
            "smtps://u:hunter2@h?ca=/does/not/exist",
            "smtp://",
        ] {
            let refusal = parse(url, false).err().unwrap_or_else(|| panic!("{url} was accepted"));
            assert!(refusal.starts_with("SMTP_URL") && !refusal.contains("hunter2"), "{url}: {refusal}");
            assert_eq!(refusal.matches("SMTP_URL").count(), 1, "{refusal}");
        }
    }

    #[test]
    fn user_names_and_passwords_are_percent_decoded() {
        let target = parse("smtps://a%40b:p%3A%2f+@h", true).unwrap_or_else(|error| panic!("{error}"));
        let secrets: Vec<_> = target.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["cDovKw==", "AGFAYgBwOi8r", "p:/+"]);
    }
}
