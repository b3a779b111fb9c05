//! Rejects requests for unknown hosts on development servers. Without this check, a web page could point its domain at
//! this machine (DNS rebinding) and then read the inbox from the same origin. Production has no inbox, and its
//! cookie needs the `Origin` of the public URL, so production servers accept any host.

use std::net::IpAddr;

use axum::{
    Extension,
    extract::{Request, State},
    http::{header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::response::{Refusal, RequestId, accept::MediaType};
use crate::settings::{Mode, Settings};

#[derive(Clone)]
pub(super) struct Hosts {
    /// The host of `DOORCODE_PUBLIC_URL`.
    public: String,
    /// Whether to accept any IP address as a host. An IP address is safe, because a DNS rebinding attack needs a domain
    /// name.
    any_address: bool,
}

impl Hosts {
    /// Returns the known hosts of a development server. `None` in production, where every host is accepted.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let public = canonical(settings.public_url.host_str().unwrap_or_default());
        (settings.mode == Mode::Development).then_some(Self { public, any_address: settings.expose_development })
    }

    /// Whether all hosts that a request names are known. A request that names no host is accepted: it does not come
    /// from a browser, because browsers always send a host.
    fn knows(&self, request: &Request) -> bool {
        let headers = request.headers().get_all(header::HOST).iter();
        let headers = headers.map(|host| host.to_str().ok()?.parse::<Authority>().ok());
        let target = request.uri().authority().cloned().map(Some);
        headers.chain(target).all(|named| named.is_some_and(|named| self.is_own(named.host())))
    }

    fn is_own(&self, host: &str) -> bool {
        let host = canonical(host);
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) if self.any_address || address.to_canonical().is_loopback() => true,
            Err(_) if host == "localhost" || host.ends_with(".localhost") => true,
            _ => host == self.public,
        }
    }
}

/// Returns the host in lower case and without a trailing dot.
fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Rejects requests for unknown hosts.
pub(super) async fn check(
    State(hosts): State<Option<Hosts>>,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    if hosts.is_none_or(|hosts| hosts.knows(&request)) {
        return next.run(request).await;
    }
    let message = "This development server only accepts localhost and the host of DOORCODE_PUBLIC_URL. Use one \
        of them, or set DOORCODE_PUBLIC_URL to the address you use.";
    Refusal::misdirected(message).respond(&id, MediaType::Json)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use chrono::DateTime;

    use super::*;
    use crate::settings::ServeFlags;

    #[test]
    fn only_development_servers_check_the_host() {
        let of = |flags| Hosts::of(&Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH).unwrap());
        let development = of(ServeFlags::default()).unwrap();
        assert_eq!((development.public.as_str(), development.any_address), ("localhost", false));
        let exposed = of(ServeFlags { expose_development: Some("true".into()), ..ServeFlags::default() }).unwrap();
        assert!(exposed.any_address);
        let production = ServeFlags {
            mode: Some("production".into()),
            secret: Some("hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU".into()),
            smtp_url: Some("smtps://smtp.example.com".into()),
            mail_from: Some("no-reply@example.com".into()),
            public_url: Some("https://login.example.com".into()),
            ..ServeFlags::default()
        };
        assert!(of(production).is_none());
    }

    fn hosts(any_address: bool) -> Hosts {
        Hosts { public: canonical("dev.Example.com"), any_address }
    }

    fn knows(hosts: &Hosts, uri: &str, host: Option<&[u8]>) -> bool {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        hosts.knows(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_development_server_accepts_only_loopback_hosts_and_its_public_host() {
        for own in [
            "localhost",
            "localhost:4000",
            "LOCALHOST.:1",
            "app.localhost:5173",
            "127.0.0.1:4000",
            "127.9.9.9",
            "[::1]:4000",
            "[::ffff:127.0.0.1]",
            "dev.example.com",
            "DEV.example.com:443",
        ] {
            assert!(knows(&hosts(false), "/", Some(own.as_bytes())), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "localhost@evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example:80",
            "evil.dev.example.com",
            "localhost, evil.example",
            "localhost evil.example",
            "0.0.0.0:4000",
            "192.168.1.5:4000",
            "[2001:db8::1]",
            "[localhost]",
            "2130706433",
        ] {
            assert!(!knows(&hosts(false), "/", Some(foreign.as_bytes())), "{foreign}");
        }
        assert!(!knows(&hosts(false), "/", Some(b"\xff")));
        assert!(knows(&hosts(false), "/", None), "a request without a host does not come from a browser");
    }

    #[test]
    fn an_exposed_server_accepts_any_ip_address_but_no_other_domain() {
        for (host, expected) in [
            ("192.168.1.5:4000", true),
            ("[2001:db8::1]:4000", true),
            ("0.0.0.0", true),
            ("dev.example.com", true),
            ("evil.example", false),
            ("192.168.1.5.evil.example", false),
        ] {
            assert_eq!(knows(&hosts(true), "/", Some(host.as_bytes())), expected, "{host}");
        }
    }

    #[test]
    fn the_host_in_the_request_target_is_checked_too() {
        for (uri, host, expected) in [
            ("http://evil.example/graphql", Some("localhost"), false),
            ("http://localhost/graphql", Some("evil.example"), false),
            ("http://localhost/graphql", Some("localhost"), true),
            ("http://evil.example/graphql", None, false),
        ] {
            assert_eq!(knows(&hosts(false), uri, host.map(str::as_bytes)), expected, "{uri} {host:?}");
        }
    }
}
