//! Divides `send.instance`, the daily mail quota of the instance, so that a few networks or accounts cannot spend all
//! of it. The first half is first come, first served. From there to four fifths, every network has a share. The last
//! fifth is for known devices of accounts that are a week old, again with a share for each network.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    limits::{Limits, Rule},
    ports::Charge,
};

/// The shares of one network once the first half is spent: rule, IPv4 prefix length, IPv6 prefix length. The
/// arithmetic is in docs/operate/limits.md.
const SHARES: [(Rule, u8, u8); 2] = [(Rule::SendShare, 24, 48), (Rule::SendShareWide, 16, 32)];

/// The properties of a send that decide which part of the daily quota it may use.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub ip: IpAddr,
    /// Whether a known device of an old enough account makes the request.
    pub is_established: bool,
    /// Whether a mail is really sent. A decoy checks the quota without spending it, so it is refused when a mail would
    /// be.
    pub is_mail: bool,
}

impl Claim {
    /// The charges of one mail: only the daily quota at first, and the network's shares too once mail is scarce. Decoys
    /// spend the shares like real mails. Otherwise, the time at which a share is spent would reveal which mails are
    /// real.
    pub(super) fn charges(self, limits: &Limits, is_scarce: bool) -> Vec<Charge> {
        let (parts, of) = match (self.is_established, is_scarce) {
            (false, false) => (1, 2),
            (false, true) | (true, false) => (4, 5),
            (true, true) => (1, 1),
        };
        let ceiling = limits.quota(Rule::SendInstance).part(parts, of).charge(Rule::SendInstance, "all".into());
        let mut charges = vec![Charge { counts: self.is_mail, ..ceiling }];
        if is_scarce {
            charges.extend(SHARES.map(|(rule, v4, v6)| {
                // Even with a small quota, a share covers what one IP address may request in one window.
                limits.quota(rule).at_least(limits.quota(Rule::SendNetwork).count).charge(rule, self.network(v4, v6))
            }));
        }
        charges
    }

    /// The metric label of the part of the daily quota that the mail comes from.
    pub(super) const fn part(self, is_scarce: bool) -> &'static str {
        match (self.is_established, is_scarce) {
            (_, false) => "open",
            (false, true) => "shared",
            (true, true) => "reserve",
        }
    }

    /// The key of the network's share. Known devices have separate shares, which others cannot spend.
    fn network(self, v4: u8, v6: u8) -> String {
        let ip = self.ip.to_canonical();
        let network = IpNet::new(ip, if ip.is_ipv4() { v4 } else { v6 });
        let network = network.map_or_else(|_| ip.to_string(), |network| network.trunc().to_string());
        if self.is_established { format!("known:{network}") } else { network }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(ip: &str) -> Claim {
        Claim { ip: ip.parse().unwrap(), is_established: false, is_mail: true }
    }

    fn charged(claim: Claim, is_scarce: bool) -> Vec<(String, u32)> {
        let charges = claim.charges(&Limits::default(), is_scarce);
        charges.iter().map(|charge| (format!("{}:{}", charge.rule, charge.key), charge.limit)).collect()
    }

    fn pairs(expected: &[(&str, u32)]) -> Vec<(String, u32)> {
        expected.iter().map(|(key, limit)| ((*key).to_owned(), *limit)).collect()
    }

    #[test]
    fn the_ceiling_is_divided_as_the_documentation_says() {
        let unknown = claim("198.51.100.7");
        assert_eq!(charged(unknown, false), pairs(&[("send.instance:all", 50_000)]));
        let shares = [
            ("send.instance:all", 80_000),
            ("send.share:198.51.100.0/24", 500),
            ("send.share.wide:198.51.0.0/16", 2_500),
        ];
        assert_eq!(charged(unknown, true), pairs(&shares));
        let shares = [
            ("send.instance:all", 80_000),
            ("send.share:2001:db8:7::/48", 500),
            ("send.share.wide:2001:db8::/32", 2_500),
        ];
        assert_eq!(charged(claim("2001:db8:7:8::9"), true), pairs(&shares));
        assert_eq!(charged(claim("::ffff:198.51.100.7"), true)[1].0, "send.share:198.51.100.0/24");

        let known = Claim { is_established: true, ..unknown };
        assert_eq!(charged(known, false), pairs(&[("send.instance:all", 80_000)]));
        assert_eq!(
            charged(known, true)[..2],
            pairs(&[("send.instance:all", 100_000), ("send.share:known:198.51.100.0/24", 500)])
        );
    }

    #[test]
    fn a_decoy_only_asks_for_the_day_and_takes_from_the_shares_like_a_mail() {
        let decoy = Claim { is_mail: false, ..claim("198.51.100.7") };
        let counts: Vec<_> = decoy.charges(&Limits::default(), true).iter().map(|charge| charge.counts).collect();
        assert_eq!(counts, [false, true, true]);
        assert_eq!(charged(decoy, true), charged(claim("198.51.100.7"), true), "and meets the same limits");
    }
}
