//! The networks that events are found by: the /24 of an IPv4 address or the /64 of an IPv6 address. An event stores its
//! network beside its address, so that a filter by either reads an index.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::db::entity::audit_events;

/// Number of bits of a network.
const fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 24 } else { 64 }
}

/// The stored name of the network of an address.
pub(super) fn of(ip: IpAddr) -> String {
    let ip = ip.to_canonical();
    IpNet::new_assert(ip, bits(ip)).trunc().to_string()
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This address.
    Address(IpAddr),
    /// All addresses of a network.
    Network(IpNet),
}

/// Why a text is not a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Give an IP address, an IPv4 network with /24 or an IPv6 network with /64.")]
pub struct InvalidPlace;

impl Place {
    /// Parses an address, or a network such as `203.0.113.0/24`. The host bits of a network are ignored.
    ///
    /// # Errors
    ///
    /// If it is neither, or a network of another size.
    pub fn parse(text: &str) -> Result<Self, InvalidPlace> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Address(ip.to_canonical()));
        }
        let network: IpNet = text.parse().map_err(|_| InvalidPlace)?;
        let fits = network.prefix_len() == bits(network.addr());
        if fits { Ok(Self::Network(network.trunc())) } else { Err(InvalidPlace) }
    }

    /// The column that has it, and the stored value.
    pub(super) fn stored(self) -> (&'static str, String) {
        match self {
            Self::Address(ip) => ("ip_address", ip.to_string()),
            Self::Network(network) => ("network", network.to_string()),
        }
    }

    /// Whether an event comes from here.
    pub(super) fn contains(self, event: &audit_events::Model) -> bool {
        let (column, value) = self.stored();
        let stored = if column == "network" { &event.network } else { &event.ip_address };
        stored.as_ref() == Some(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_network_of_the_stored_size_is_a_place() {
        let stored = |text| Place::parse(text).map(Place::stored).unwrap();
        for (text, column, value) in [
            ("203.0.113.7", "ip_address", "203.0.113.7"),
            ("::ffff:203.0.113.7", "ip_address", "203.0.113.7"),
            ("2001:DB8:0:2:3::7", "ip_address", "2001:db8:0:2:3::7"),
            ("203.0.113.0/24", "network", "203.0.113.0/24"),
            ("203.0.113.7/24", "network", "203.0.113.0/24"),
            ("2001:db8:0:2::9/64", "network", "2001:db8:0:2::/64"),
        ] {
            assert_eq!(stored(text), (column, value.to_owned()), "{text}");
        }
        for (ip, network) in [
            ("203.0.113.7", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.0/24"),
            ("2001:db8:0:2:3::7", "2001:db8:0:2::/64"),
        ] {
            assert_eq!(of(ip.parse().unwrap()), network);
        }
        for wrong in ["", "203.0.113", "203.0.113.0/16", "203.0.113.7/32", "2001:db8::/48", "::/64/", "example.com"] {
            assert_eq!(Place::parse(wrong), Err(InvalidPlace), "{wrong}");
        }
    }
}
