//! Identifies the caller: finds the client's address behind trusted proxies and checks the bearer token. A forwarding
//! header counts only if a trusted proxy sent it, and a token only while its session is open. Database lookups have the
//! usual timeout.

pub(super) mod language;
pub(super) mod meter;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use async_graphql::parser::types::OperationType;
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use ipnet::IpNet;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    domain::{
        Ctx,
        access::{KeyHolder, Origin, Principal, SignedIn},
        credential::api_key::{self, Presented},
        session,
        token::{self, Claims},
    },
    error::{Error, Result},
    graphql::document::Operation,
};

/// Maximum length of a stored `User-Agent` header, in bytes. Sessions and audit events store the header, and every list
/// of them returns it.
const MAX_USER_AGENT: usize = 256;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, as a request extension. Each request determines it once.
#[derive(Clone, Copy)]
pub(super) struct Caller(pub IpAddr);

impl Caller {
    pub(super) fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical());
        Self(client_address(trusted, peer, request.headers()))
    }
}

pub(super) fn origin(parts: &Parts, request_id: &str) -> Origin {
    let ip = parts.extensions.get().map_or(Ipv4Addr::UNSPECIFIED.into(), |Caller(ip)| *ip);
    let user_agent = parts.headers.get(header::USER_AGENT).map(|value| sanitize_user_agent(value.as_bytes()));
    Origin { ip, user_agent, request_id: request_id.to_owned(), session: None }
}

fn sanitize_user_agent(user_agent: &[u8]) -> String {
    let text = String::from_utf8_lossy(user_agent);
    let mut text: String = text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect();
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    text
}

/// Returns the rightmost address in the forwarding headers that is not a trusted proxy. The client could have forged
/// everything to the left of that address. Most proxies set either `Forwarded` or `X-Forwarded-For` and pass the other
/// header through unchanged. If the headers name different clients, both are ignored.
fn client_address(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !is_trusted(trusted, peer) {
        return peer;
    }
    let forwarded = headers.contains_key(header::FORWARDED).then(|| forwarded(headers));
    let x_forwarded = headers.contains_key(X_FORWARDED_FOR).then(|| x_forwarded_for(headers));
    match (forwarded, x_forwarded) {
        (Some(hops), None) | (None, Some(hops)) => rightmost(trusted, peer, hops),
        (Some(one), Some(other)) => {
            let (one, other) = (rightmost(trusted, peer, one), rightmost(trusted, peer, other));
            if one == other { one } else { peer }
        }
        (None, None) => peer,
    }
}

fn is_trusted(trusted: &[IpNet], ip: IpAddr) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

fn rightmost(trusted: &[IpNet], peer: IpAddr, hops: Vec<Option<IpAddr>>) -> IpAddr {
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        // Nothing before an unreadable address can be trusted.
        let Some(ip) = hop else { break };
        client = ip;
        if !is_trusted(trusted, client) {
            break;
        }
    }
    client
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers, &X_FORWARDED_FOR).map(address).collect()
}

fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let node = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
        address(node.trim_matches('"'))
    };
    elements(headers, &header::FORWARDED).map(node).collect()
}

/// Returns the elements of a header that is a comma-separated list. A header value that is not text becomes a single
/// unreadable element.
fn elements<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap_or("?").split(',').map(str::trim))
}

/// Parses an IP address, with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    ip.ok().map(|ip: IpAddr| ip.to_canonical())
}

/// The content of the `Authorization` header.
pub(super) enum Bearer {
    /// No header.
    None,
    /// A token with a valid signature whose session has not been looked up yet.
    Claims(Arc<Claims>),
    /// A well-formed API key that has not been looked up yet.
    Presented(Presented),
    /// An API key that is valid for this request.
    Key(Box<KeyHolder>),
    /// A header without a valid token, or several headers.
    Bad,
}

impl Bearer {
    /// Whether the caller has proved who it is.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self, Self::Claims(_) | Self::Key(_))
    }

    /// Returns the session that a valid token names, even if that session has ended.
    pub(super) fn session(&self) -> Option<Uuid> {
        if let Self::Claims(claims) = self { Some(claims.sid) } else { None }
    }
}

/// Verifies the signature of the bearer token, or the checksum of an API key. Queries the database only if the signing
/// key is unknown to this process.
pub(super) async fn bearer(ctx: &Ctx, headers: &HeaderMap) -> Result<Bearer> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(Bearer::None);
    };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let (Some(token), None) = (token, values.next()) else {
        return Ok(Bearer::Bad);
    };
    if token.starts_with(api_key::PREFIX) {
        return Ok(Presented::parse(&SecretString::from(token)).map_or(Bearer::Bad, Bearer::Presented));
    }
    match ctx.db.in_time(token::verify(ctx, token)).await {
        Ok(claims) => Ok(Bearer::Claims(claims)),
        Err(Error::Unauthenticated) => Ok(Bearer::Bad),
        Err(error) => Err(error),
    }
}

/// Looks up the owner of an API key. The caller has been charged before.
pub(super) async fn key(ctx: &Ctx, presented: &Presented) -> Result<Bearer> {
    match ctx.db.in_time(api_key::look_up(ctx, presented)).await {
        Ok(holder) => Ok(Bearer::Key(Box::new(holder))),
        Err(Error::Unauthenticated) => Ok(Bearer::Bad),
        Err(error) => Err(error),
    }
}

/// How an operation treats the bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BearerPolicy {
    /// The token is not read, because a client that signs in again may still send its expired token.
    Ignored,
    /// A valid token identifies the user. An invalid token is ignored.
    Optional,
    /// An invalid token fails the request.
    Strict,
}

impl BearerPolicy {
    /// Returns the policy for the root fields of an operation.
    pub(super) fn of(operation: &Operation) -> Self {
        match operation.mutation() {
            Some("refresh" | "register" | "requestPasswordReset" | "resendCode") => Self::Ignored,
            // The new session replaces the one of a valid token.
            Some("login" | "verify" | "verifyLink" | "resetPassword") => Self::Optional,
            None if operation.kind == OperationType::Query && operation.roots == ["signInOptions"] => Self::Ignored,
            _ => Self::Strict,
        }
    }
}

/// Looks up the user and session of a bearer token. The caller may be anonymous under this policy.
pub(super) async fn principal(ctx: &Ctx, bearer: Bearer, policy: BearerPolicy) -> Result<Principal> {
    let found = match (bearer, policy) {
        (Bearer::None, _) | (_, BearerPolicy::Ignored) => return Ok(Principal::Anonymous),
        (Bearer::Claims(claims), _) => ctx.db.in_time(session::look_up(ctx, &claims)).await.map(Principal::Session),
        // A key takes no part in a sign-in.
        (Bearer::Key(holder), BearerPolicy::Strict) => Ok(Principal::ApiKey(*holder)),
        (Bearer::Bad | Bearer::Presented(_) | Bearer::Key(_), _) => Err(Error::Unauthenticated),
    };
    match (found, policy) {
        (Err(Error::Unauthenticated), BearerPolicy::Optional) => Ok(Principal::Anonymous),
        // The new session would replace the one of the token, which must not end a session of another application.
        (Ok(Principal::Session(signed_in)), BearerPolicy::Optional) if signed_in.session.client_id.is_some() => {
            Ok(Principal::Anonymous)
        }
        (found, _) => found,
    }
}

/// Looks up the session for a WebSocket, which API keys cannot open. Returns `None` without a bearer token.
pub(super) async fn signed_in(ctx: &Ctx, bearer: &Bearer) -> Result<Option<SignedIn>> {
    match bearer {
        Bearer::None => Ok(None),
        Bearer::Claims(claims) => ctx.db.in_time(session::look_up(ctx, claims)).await.map(Some),
        Bearer::Bad | Bearer::Presented(_) | Bearer::Key(_) => Err(Error::Unauthenticated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        client_address(&trusted, peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn a_forwarding_header_from_an_untrusted_peer_is_ignored() {
        let forged = [("x-forwarded-for", "9.9.9.9"), ("forwarded", "for=9.9.9.9"), ("x-real-ip", "9.9.9.9")];
        assert_eq!(client(&[], "192.0.2.1", &forged), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &forged), "192.0.2.1");
    }

    #[test]
    fn a_user_agent_is_truncated_and_loses_control_characters() {
        for (name, bytes) in
            [("a".repeat(300), 256), ("a\0\n\u{85}b".into(), 2), ("é".repeat(300), 256), ("€".repeat(300), 255)]
        {
            assert_eq!(sanitize_user_agent(name.as_bytes()).len(), bytes, "{name}");
        }
        assert_eq!(sanitize_user_agent(&[b'\xff'; 300]).len(), 255, "each invalid byte becomes three");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_untrusted_address_is_the_client() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        let cases: [(&[(&'static str, &str)], &str); 12] = [
            (&[("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=9.9.9.9")], "10.0.0.1"),
            (&[("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "9.9.9.9")], "10.0.0.1"),
            (&[("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "9.9.9.9, 203.0.113.7")], "203.0.113.7"),
            (&[("x-forwarded-for", "9.9.9.9, 203.0.113.7")], "203.0.113.7"),
            (&[("x-forwarded-for", "9.9.9.9, 203.0.113.7, 10.1.1.1")], "203.0.113.7"),
            (&[("x-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "for=9.9.9.9, for=\"[2001:db8::1]:443\";proto=https, for=10.1.1.1")], "2001:db8::1"),
            (&[("forwarded", "For=203.0.113.7:1234")], "203.0.113.7"),
            (&[("x-forwarded-for", "::ffff:203.0.113.7")], "203.0.113.7"),
            (&[("x-forwarded-for", "203.0.113.7, unknown")], "10.0.0.1"),
            (&[("x-forwarded-for", "10.2.2.2")], "10.2.2.2"),
            (&[], "10.0.0.1"),
        ];
        for (headers, expected) in cases {
            assert_eq!(client(&trusted, "10.0.0.1", headers), expected, "{headers:?}");
        }
    }
}
