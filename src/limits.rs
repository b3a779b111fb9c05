//! Every limit on guessing, sending and asking, as data: name, default, and who is charged.
//! Nothing here counts; the limiter and the database do.

use std::{net::IpAddr, time::Duration};

use crate::ports::Charge;

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// So many units in a sliding window, written `3/15m` in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

impl Quota {
    /// The same window with this many times the count.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { count: self.count.saturating_mul(factor), ..self }
    }

    /// So many parts of it, rounded up.
    #[must_use]
    pub fn part(self, parts: u32, of: u32) -> Self {
        let count = (u64::from(self.count) * u64::from(parts)).div_ceil(u64::from(of));
        Self { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }

    /// The same, or this count if it is less.
    #[must_use]
    pub fn at_least(self, count: u32) -> Self {
        Self { count: self.count.max(count), ..self }
    }

    /// One unit of it.
    pub const fn charge(self, rule: &'static str, key: String) -> Charge {
        Charge { rule, key, limit: self.count, window: self.window, cooldown: None, counts: true }
    }

    /// One unit for an IPv4 address or an IPv6 /64. The /56 and the /48 around it are charged too: they have four and
    /// sixteen times the quota, however many networks lie in them.
    pub fn by_network(self, rules: NetworkRules, ip: IpAddr) -> Vec<Charge> {
        let tiers = [(64, 1), (56, 4), (48, 16)].into_iter().zip(rules);
        let charges = tiers.map(|((bits, factor), rule)| self.times(factor).charge(rule, network(ip, bits)));
        charges.take(if ip.to_canonical().is_ipv6() { 3 } else { 1 }).collect()
    }
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

/// The names of a rule that counts networks: for a network, for an IPv6 /56 and for a /48.
pub type NetworkRules = [&'static str; 3];

/// Codes asked for from one network.
pub const SEND_NETWORK: NetworkRules = ["send.network", "send.network.56", "send.network.48"];
/// Codes, links and undo tokens presented from one network that are over or never were.
pub const VERIFY_NETWORK: NetworkRules = ["verify.network", "verify.network.56", "verify.network.48"];
/// All that are presented from one network, good or not.
pub const VERIFY_ALL: NetworkRules = ["verify.all", "verify.all.56", "verify.all.48"];
/// How many times `verify.network` a network may present in all.
pub const GOOD_AND_BAD: u32 = 20;
/// Operations of callers without a token.
pub const API_CALLER: NetworkRules = ["api.caller", "api.caller.56", "api.caller.48"];
/// Operations of all sessions that one network uses.
pub const API_NETWORK: NetworkRules = ["api.network", "api.network.56", "api.network.48"];
/// How many times `api.caller` all sessions of one network have together.
pub const SESSIONS_OF_A_NETWORK: u32 = 10;

/// The rules, each with its default below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `send.pair`: codes for one address asked from one network.
    pub send_pair: Quota,
    /// How long the first refusal by `send.pair` lasts at least.
    pub send_cooldown: Duration,
    /// `send.address`: codes for one address from all networks together.
    pub send_address: Quota,
    /// `send.address.day`: the same over a day; its last mail carries a link.
    pub send_address_day: Quota,
    /// `send.network`: codes asked from one IPv4 address or IPv6 /64; four times that for its /56, sixteen for its /48.
    pub send_network: Quota,
    /// `send.instance`: mails of the whole instance, divided as `sign_in/allowance/ceiling.rs` says.
    pub send_instance: Quota,
    /// `verify.network`: codes, links and undo tokens presented from one network that are over or never were. Those that
    /// are live count only for `verify.all`, twenty times as much, which bounds what one network has us read.
    pub verify_network: Quota,
    /// `guess.account`: wrong tries against one address, counted in the database.
    pub guess_account: Quota,
    /// `guess.account.month`: the same over thirty days.
    pub guess_account_month: Quota,
    /// `refresh.session`: refreshes of one session.
    pub refresh_session: Quota,
    /// `api.caller`: operations of one session, or of one network when anonymous; a long answer counts as several. All
    /// sessions of a network together have ten times that, `api.network`.
    pub api_caller: Quota,
    /// `guess.challenge`: wrong tries a challenge survives, counted in the database.
    pub code_tries: u32,
    /// Digits in a code.
    pub code_length: usize,
    /// How long a code is good.
    pub code_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let quota = |count, window| Quota { count, window };
        Self {
            send_pair: quota(3, QUARTER),
            send_cooldown: Duration::from_mins(5),
            send_address: quota(6, QUARTER),
            send_address_day: quota(12, DAY),
            send_network: quota(30, QUARTER),
            send_instance: quota(100_000, DAY),
            verify_network: quota(30, MINUTE),
            guess_account: quota(20, DAY),
            guess_account_month: quota(100, 30 * DAY),
            refresh_session: quota(30, MINUTE),
            api_caller: quota(600, MINUTE),
            code_tries: 3,
            code_length: 8,
            code_ttl: Duration::from_mins(5),
        }
    }
}

/// `profile.person`: changes of one's own profile.
pub const PROFILE_PERSON: Quota = Quota { count: 20, window: HOUR };
/// `export.person`: copies of one's own data, each of which reads a lot.
pub const EXPORT_PERSON: Quota = Quota { count: 3, window: HOUR };
/// `audit.network`: rows that refusals to one network add to the audit trail, in one process. Four times that for an IPv6
/// /56, sixteen times for a /48.
pub const AUDIT_NETWORK: Quota = Quota { count: 100, window: HOUR };
/// Wrong tries after which a known device is forgotten.
pub const DEVICE_WRONG_TRIES: u32 = 100;
/// How long a device is remembered after its last sign-in.
pub const DEVICE_LIFETIME: Duration = Duration::from_hours(180 * 24);
/// How many times `send.address.day` the known devices of one account may ask in a day together, `send.account`.
pub const KNOWN_DEVICES: u32 = 2;
/// How old an account is before its known devices may use what is kept from strangers of the instance's mail.
pub const ESTABLISHED: Duration = Duration::from_hours(7 * 24);
/// How long the holder of the old address can undo a change of it.
pub const EMAIL_CHANGE_UNDO: Duration = Duration::from_hours(7 * 24);
/// How long a sign-in link is good.
pub const LINK_LIFETIME: Duration = DAY;

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
