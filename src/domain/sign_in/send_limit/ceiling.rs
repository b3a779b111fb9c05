//! The most mails of a day, `send.instance`, and how they are divided, so that a few networks or accounts cannot spend them
//! for everybody. The first half goes to whoever asks first. From there to four fifths every network has a share. The last
//! fifth is for known devices of accounts that are a week old, and there networks have shares as well. Nothing here counts.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    limits::{Limits, Rule},
    ports::Charge,
};

/// What one network may take once the day's mail is no longer there for everybody: the rule, the bits of an IPv4 and of an
/// IPv6 network. README.md has the arithmetic.
const SHARES: [(Rule, u8, u8); 2] = [(Rule::SendShare, 24, 48), (Rule::SendShareWide, 16, 32)];

/// Who asks, as far as the day's mail is concerned.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// From where.
    pub ip: IpAddr,
    /// Whether it is a known device of an account that is old enough.
    pub is_established: bool,
    /// Whether a mail really goes out. A decoy only asks: it is refused when a mail would be, and spends nothing.
    pub is_mail: bool,
}

impl Claim {
    /// What one mail is charged to: while there is enough for everybody the ceiling alone, and then a network's shares too.
    /// Decoys take from the shares like mails: else the moment at which a network's share ends would tell them apart.
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
                // Never less than what one address may ask in one window, however small the ceiling is.
                limits.quota(rule).at_least(limits.quota(Rule::SendNetwork).count).charge(rule, self.network(v4, v6))
            }));
        }
        charges
    }

    /// What the metric calls the part of the day's mail that this comes from.
    pub(super) const fn part(self, is_scarce: bool) -> &'static str {
        match (self.is_established, is_scarce) {
            (_, false) => "open",
            (false, true) => "shared",
            (true, true) => "reserve",
        }
    }

    /// Strangers cannot spend the shares of known devices.
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

    fn said(claim: Claim, is_scarce: bool) -> Vec<(String, u32)> {
        let charges = claim.charges(&Limits::default(), is_scarce);
        charges.iter().map(|charge| (format!("{}:{}", charge.rule, charge.key), charge.limit)).collect()
    }

    fn pairs(expected: &[(&str, u32)]) -> Vec<(String, u32)> {
        expected.iter().map(|(key, limit)| ((*key).to_owned(), *limit)).collect()
    }

    #[test]
    fn the_ceiling_is_divided_as_the_documentation_says() {
        let stranger = claim("198.51.100.7");
        assert_eq!(said(stranger, false), pairs(&[("send.instance:all", 50_000)]));
        let shares = [
            ("send.instance:all", 80_000),
            ("send.share:198.51.100.0/24", 500),
            ("send.share.wide:198.51.0.0/16", 2_500),
        ];
        assert_eq!(said(stranger, true), pairs(&shares));
        let shares = [
            ("send.instance:all", 80_000),
            ("send.share:2001:db8:7::/48", 500),
            ("send.share.wide:2001:db8::/32", 2_500),
        ];
        assert_eq!(said(claim("2001:db8:7:8::9"), true), pairs(&shares));
        assert_eq!(said(claim("::ffff:198.51.100.7"), true)[1].0, "send.share:198.51.100.0/24");

        let known = Claim { is_established: true, ..stranger };
        assert_eq!(said(known, false), pairs(&[("send.instance:all", 80_000)]));
        assert_eq!(
            said(known, true)[..2],
            pairs(&[("send.instance:all", 100_000), ("send.share:known:198.51.100.0/24", 500)])
        );
    }

    #[test]
    fn a_decoy_only_asks_for_the_day_and_takes_from_the_shares_like_a_mail() {
        let decoy = Claim { is_mail: false, ..claim("198.51.100.7") };
        let counts: Vec<_> = decoy.charges(&Limits::default(), true).iter().map(|charge| charge.counts).collect();
        assert_eq!(counts, [false, true, true]);
        assert_eq!(said(decoy, true), said(claim("198.51.100.7"), true), "and meets the same limits");
    }
}
