//! Who asks, and what they may. Every permission decision is a function here that gives a value which only it
//! can make; a domain function that needs the permission takes the value. No permission is an `if` elsewhere.

use std::net::IpAddr;

use super::{Error, Result};
use crate::db::entity::{sessions, users};

/// Where a request comes from, for limits, mails and the audit trail.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Client address, after trusted proxies.
    pub ip: IpAddr,
    /// Client software, cut to what fits the table.
    pub user_agent: Option<String>,
    /// As in the answer's `x-request-id`.
    pub request_id: String,
}

/// The network that limits count by: the IPv4 address, or the IPv6 prefix of so many bits.
pub fn network(ip: IpAddr, v6_bits: u32) -> String {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6_bits).unwrap_or(0);
            format!("{}/{v6_bits}", std::net::Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

/// A person and the session they came with, both checked on this very request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub user: users::Model,
    /// Their session.
    pub session: sessions::Model,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// From where.
    pub origin: Origin,
    /// As whom; nobody when no token was sent.
    pub signed_in: Option<SignedIn>,
}

/// Proof that somebody is signed in; what they hold is theirs to read and to end.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    viewer: &'a Viewer,
    signed_in: &'a SignedIn,
}

impl<'a> Person<'a> {
    /// Who.
    pub fn user(self) -> &'a users::Model {
        &self.signed_in.user
    }

    /// By which session.
    pub fn session(self) -> &'a sessions::Model {
        &self.signed_in.session
    }

    /// The person themselves, if that is whom the id is of. Others are not theirs to see.
    pub fn own_user(self, id: uuid::Uuid) -> Result<&'a SignedIn> {
        if self.signed_in.user.id == id { Ok(self.signed_in) } else { Err(Error::NotFound) }
    }

    /// From where.
    pub fn origin(self) -> &'a Origin {
        &self.viewer.origin
    }
}

impl Viewer {
    /// The person who asks, or [`Error::Unauthenticated`].
    pub fn person(&self) -> Result<Person<'_>> {
        let signed_in = self.signed_in.as_ref().ok_or(Error::Unauthenticated)?;
        Ok(Person { viewer: self, signed_in })
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_prefix() {
        let cases = [
            ("192.0.2.7", 64, "192.0.2.7"),
            ("::ffff:192.0.2.7", 64, "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2ff:3:4:5:6", 56, "2001:db8:1:200::/56"),
            ("2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::/48"),
        ];
        for (address, bits, expected) in cases {
            assert_eq!(network(address.parse().unwrap(), bits), expected);
        }
    }
}
