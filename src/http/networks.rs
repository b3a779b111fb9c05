//! The networks that contain an IP address, and their shares of a limit. One host often controls a whole IPv6 /64, and
//! one customer a /56 or /48. A limit per address would not stop them, so each of these networks has a limit.

use std::net::IpAddr;

use ipnet::IpNet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Narrow,
    Middle,
    Wide,
}

/// Returns the networks that contain an address, the narrowest first.
pub(super) fn networks(ip: IpAddr) -> impl Iterator<Item = (Width, IpNet)> {
    use Width::{Middle, Narrow, Wide};
    let ip = ip.to_canonical();
    let lengths: &[(Width, u8)] = match ip {
        IpAddr::V4(_) => &[(Narrow, 32), (Middle, 24)],
        IpAddr::V6(_) => &[(Narrow, 64), (Middle, 56), (Wide, 48)],
    };
    lengths.iter().filter_map(move |(width, length)| Some((*width, IpNet::new(ip, *length).ok()?.trunc())))
}

/// Maximum amount for one network of each width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// An IPv4 address or an IPv6 `/64`: a host, a household, an office.
    pub narrow: usize,
    /// An IPv4 `/24` or an IPv6 `/56`.
    pub middle: usize,
    /// An IPv6 `/48`.
    pub wide: usize,
}

impl Shares {
    /// Shares of 1/64, 1/32 and 1/16 of the total. The narrow share is at least `least`, and the wider shares are 2 and
    /// 4 times the narrow one.
    pub const fn of(all: usize, least: usize) -> Self {
        let narrow = if all / 64 > least { all / 64 } else { least };
        Self { narrow, middle: 2 * narrow, wide: 4 * narrow }
    }

    pub(super) const fn for_width(self, width: Width) -> usize {
        match width {
            Width::Narrow => self.narrow,
            Width::Middle => self.middle,
            Width::Wide => self.wide,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ip: &str) -> Vec<String> {
        networks(ip.parse().unwrap()).map(|(_, network)| network.to_string()).collect()
    }

    #[test]
    fn an_address_is_in_two_networks_of_ipv4_or_three_of_ipv6() {
        assert_eq!(of("192.0.2.7"), ["192.0.2.7/32", "192.0.2.0/24"]);
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_eq!(of("2001:db8:1:2345::7"), ["2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"]);
    }

    #[test]
    fn no_network_has_more_than_a_sixteenth_of_a_large_total() {
        assert_eq!(Shares::of(10_000, 16), Shares { narrow: 156, middle: 312, wide: 624 });
        assert_eq!(Shares::of(512, 16), Shares { narrow: 16, middle: 32, wide: 64 });
    }
}
