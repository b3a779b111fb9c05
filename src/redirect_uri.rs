//! Redirect URIs of clients: which ones can be registered, and which requested URI matches a registered one. They match
//! as text, except for the port of a loopback address, which native applications choose at run time (RFC 8252, 7.3).

use std::fmt;

use url::Url;

/// Maximum length.
const LONGEST: usize = 1_000;
/// Hosts whose port may differ. `localhost` is not one of them, because it may resolve to another machine.
const ANY_PORT: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// A redirect URI that a client registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Parses a URI that a client registers: `https`, `http` on loopback, or a private scheme such as
    /// `com.example.app:/callback`. It must be in the form in which browsers write it, so that comparing the text
    /// compares what a browser opens.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence that starts with the URI.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("is longer than {LONGEST} bytes, or has a blank or a character outside ASCII"));
        }
        if text.contains(['#', '*', '\\']) {
            return Err("has a fragment, a `*` or a backslash; redirect URIs are compared as text".to_owned());
        }
        let url = Url::parse(text).map_err(|_| "is not a complete URL".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user name or a password".to_owned());
        }
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) | ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => {}
            ("http", _) => return Err("is not https://, which all hosts except loopback need".to_owned()),
            // A dot is what tells a private scheme from `javascript:` and other schemes of browsers.
            (scheme, _) if scheme.contains('.') => {}
            _ => return Err("is neither https:// nor a private scheme such as com.example.app:/callback".to_owned()),
        }
        let is_bare_origin = url.path() == "/" && url.query().is_none() && url.as_str().strip_suffix('/') == Some(text);
        if url.as_str() != text && !is_bare_origin {
            return Err(format!("is not in the form in which browsers write it: {url}"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The registered text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a requested URI is this one.
    pub fn admits(&self, requested: &str) -> bool {
        requested == self.0 || any_port(requested).is_some_and(|parts| any_port(&self.0) == Some(parts))
    }

    /// The origin of a web page; `None` for a private scheme.
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        matches!(url.scheme(), "https" | "http").then(|| url.origin().ascii_serialization())
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A loopback URI without its port: its host, and what follows the port.
fn any_port(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) = ANY_PORT.into_iter().find_map(|host| Some((host, uri.strip_prefix(host)?)))?;
    let rest = match rest.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = port.split_at(digits);
            port.parse::<u16>().ok().filter(|number| *number != 0 && !port.starts_with('0'))?;
            rest
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(registered: &str, requested: &str) -> bool {
        RedirectUri::parse(registered).unwrap().admits(requested)
    }

    #[test]
    fn web_loopback_and_private_uris_can_be_registered() {
        for uri in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/callback?from=doorcode",
            "https://app.example.com:8443/callback",
            "http://localhost:5173/callback",
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
            "com.example.app:/callback",
        ] {
            assert_eq!(RedirectUri::parse(uri).map(|uri| uri.0), Ok(uri.to_owned()));
        }
    }

    #[test]
    fn a_uri_that_could_lead_elsewhere_cannot_be_registered() {
        for uri in [
            "",
            "/callback",
            "app.example.com/callback",
            "http://app.example.com/callback",
            "http://127.0.0.1.example.com/callback",
            "https://*.example.com/callback",
            "https://app.example.com/callback#",
            "https://app.example.com/callback#part",
            "https://user@app.example.com/callback",
            "https://user:word@app.example.com/callback",
            "https://app.example.com\\@evil.example/callback",
            "https://app.example.com/a/../callback",
            "https://APP.example.com/callback",
            "https://app.example.com:443/callback",
            "https://app.example.com/call back",
            "https://app.example.com/caf\u{e9}",
            "https://app.example.com/\r\nset-cookie: a=b",
            "javascript:alert(1)",
            "data:text/html,hello",
            "file:///etc/passwd",
            "urn:ietf:wg:oauth:2.0:oob",
            &format!("https://app.example.com/{}", "a".repeat(LONGEST)),
        ] {
            assert!(RedirectUri::parse(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_requested_uri_matches_as_text() {
        let registered = "https://app.example.com/callback";
        assert!(admits(registered, registered));
        for other in [
            "https://app.example.com/callback/",
            "https://app.example.com/callback/../evil",
            "https://app.example.com/callback?next=https://evil.example",
            "https://app.example.com/Callback",
            "https://app.example.com:443/callback",
            "https://app.example.com.evil.example/callback",
            "https://app.example.com@evil.example/callback",
            "https://evil.example/callback",
            "http://app.example.com/callback",
            " https://app.example.com/callback",
        ] {
            assert!(!admits(registered, other), "{other}");
        }
        assert!(!admits("http://localhost:5173/callback", "http://localhost:5174/callback"));
        assert!(!admits("https://app.example.com", "https://app.example.com/"));
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        for (host, other) in [("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
            let registered = format!("http://{host}/callback?a=b");
            for port in ["", ":1", ":51004", ":65535"] {
                assert!(admits(&registered, &format!("http://{host}{port}/callback?a=b")), "{host}{port}");
            }
            assert!(admits(&format!("http://{host}:7777/callback"), &format!("http://{host}:8888/callback")));
            for wrong in [
                format!("http://{host}:/callback?a=b"),
                format!("http://{host}:0/callback?a=b"),
                format!("http://{host}:080/callback?a=b"),
                format!("http://{host}:65536/callback?a=b"),
                format!("http://{host}:1@evil.example/callback?a=b"),
                format!("http://{host}@evil.example/callback?a=b"),
                format!("http://{host}.evil.example/callback?a=b"),
                format!("http://{host}:1/callback?a=c"),
                format!("http://{host}:1/other?a=b"),
                format!("https://{host}:1/callback?a=b"),
                format!("http://{other}:1/callback?a=b"),
                "http://localhost:1/callback?a=b".to_owned(),
            ] {
                assert!(!admits(&registered, &wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn only_a_web_page_has_an_origin() {
        let origin = |uri| RedirectUri::parse(uri).unwrap().origin();
        assert_eq!(origin("https://app.example.com/callback").as_deref(), Some("https://app.example.com"));
        assert_eq!(origin("http://127.0.0.1:8080/callback").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(origin("com.example.app:/callback"), None);
    }
}
