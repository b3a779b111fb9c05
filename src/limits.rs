//! All rate limits. Each [`Rule`] is one rate limit, counted by the limiter or in the database.

use std::{net::IpAddr, time::Duration};

use crate::ports::Charge;

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(30 * 24);

/// Defines the rules. A `default` row can be changed with a setting, whose name is `DOORCODE_LIMIT_` followed by the
/// rule in capitals. A `fixed` row cannot be changed. The quota of a `times` or `part` row is a multiple or a fraction
/// of another rule's quota.
macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal $kind:ident $size:tt,)+) => {
        /// A rate limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[doc = $doc])+ $rule,)+ }

        impl Rule {
            /// All rules, in the order of their definition.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$rule => Row {
                        help: concat!($($doc, "\n",)+),
                        names: [$name, concat!($name, ".56"), concat!($name, ".48")],
                        size: rules!(@size $kind $size),
                    },)+
                }
            }
        }
    };
    (@size default ($count:literal / $window:expr, $example:literal)) => {
        Size::Default { quota: Quota { count: $count, window: $window }, example: $example }
    };
    (@size fixed ($count:literal / $window:expr)) => { Size::Fixed(Quota { count: $count, window: $window }) };
    (@size times ($factor:literal, $rule:ident)) => { Size::Times($factor, Rule::$rule) };
    (@size part ($divisor:literal, $rule:ident)) => { Size::Part($divisor, Rule::$rule) };
}

rules! {
    /// Codes for one address, requested from one network.
    SendPair "send.pair" default (3 / QUARTER, "5/30m"),
    /// Codes for one address, requested from all networks.
    SendAddress "send.address" default (6 / QUARTER, "10/30m"),
    /// Codes for one address per day. The last of these emails contains a sign-in link.
    SendAddressDay "send.address.day" default (12 / DAY, "20/1d"),
    /// Codes per day requested by the known devices of one account.
    SendAccount "send.account" times (2, SendAddressDay),
    /// Codes requested from one IPv4 address or IPv6 /64. The limit is 4 times as high for its /56, and 16 times for
    /// its /48.
    SendNetwork "send.network" default (30 / QUARTER, "100/15m"),
    /// Emails sent by the whole instance. Once half of the limit is used, each network is limited to a share.
    SendInstance "send.instance" default (100_000 / DAY, "5000/1d"),
    /// Share of `send.instance` for an IPv4 /24 or IPv6 /48.
    SendShare "send.share" part (200, SendInstance),
    /// Share of `send.instance` for an IPv4 /16 or IPv6 /32.
    SendShareWide "send.share.wide" part (40, SendInstance),
    /// Expired or unknown codes, links and undo tokens from one network. If valid ones are included, 20
    /// times as many are allowed.
    VerifyNetwork "verify.network" default (30 / MINUTE, "60/1m"),
    /// All codes, links and undo tokens from one network. Bounds the database reads that a network can cause.
    VerifyAll "verify.all" times (20, VerifyNetwork),
    /// Wrong codes for one address. Counted in the database.
    GuessAccount "guess.account" default (20 / DAY, "10/1d"),
    /// Wrong codes for one address over a longer time. Counted in the database.
    GuessAccountMonth "guess.account.month" default (100 / MONTH, "50/30d"),
    /// Wrong passwords for one account. Counted in the database. Codes have a budget of their own.
    GuessPassword "guess.password" default (20 / DAY, "10/1d"),
    /// Wrong passwords for one account over a longer time. Counted in the database.
    GuessPasswordMonth "guess.password.month" default (100 / MONTH, "50/30d"),
    /// Wrong passwords from one IPv4 address or IPv6 /64. The limit is 4 times as high for its /56, 16 times for its
    /// /48.
    PasswordNetwork "password.network" default (10 / MINUTE, "20/1m"),
    /// Wrong passwords from one network in a day.
    PasswordNetworkDay "password.network.day" default (100 / DAY, "200/1d"),
    /// Wrong passwords of the whole instance.
    PasswordInstance "password.instance" default (100_000 / DAY, "10000/1d"),
    /// Token refreshes of one session.
    RefreshSession "refresh.session" default (30 / MINUTE, "60/1m"),
    /// Operations of one session or API key, or of one network for anonymous callers. A long response counts as several.
    /// The limit is 10 times as high for all sessions and keys of one network together.
    ApiCaller "api.caller" default (600 / MINUTE, "1200/1m"),
    /// Operations of all sessions and API keys in one network.
    ApiNetwork "api.network" times (10, ApiCaller),
    /// Changes by a user to their own profile.
    ProfilePerson "profile.person" fixed (20 / HOUR),
    /// Exports by a user of their own data, which read many rows.
    ExportPerson "export.person" fixed (3 / HOUR),
    /// Sign-ins of a user to other applications.
    AuthorizePerson "authorize.person" fixed (60 / HOUR),
    /// API keys that a user creates or rotates.
    ApiKeyPerson "api.key.person" fixed (10 / HOUR),
    /// Links to set a new password that administrators send to a user.
    ResetPerson "reset.person" fixed (3 / HOUR),
    /// Audit rows for refusals to one network, per process.
    AuditNetwork "audit.network" fixed (100 / HOUR),
}

struct Row {
    help: &'static str,
    names: [&'static str; 3],
    size: Size,
}

enum Size {
    /// Configurable.
    Default {
        quota: Quota,
        example: &'static str,
    },
    Fixed(Quota),
    /// This many times the quota of another rule.
    Times(u32, Rule),
    /// The quota of another rule divided by this number.
    Part(u32, Rule),
}

impl Rule {
    /// The name, such as `send.pair`. IPv6 /56 and /48 networks are counted under the same name with a suffix.
    pub const fn name(self) -> &'static str {
        self.row().names[0]
    }

    /// The description for the help and the documentation.
    pub const fn help(self) -> &'static str {
        self.row().help
    }

    /// The environment variable, default and example. `None` if the rule is not configurable.
    pub fn setting(self) -> Option<(String, Quota, &'static str)> {
        let Size::Default { quota, example } = self.row().size else { return None };
        let variable = format!("DOORCODE_LIMIT_{}", self.name().replace('.', "_").to_uppercase());
        Some((variable, quota, example))
    }
}

/// A number of units in a sliding window, written `3/15m` in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of units.
    pub count: u32,
    /// Length of the window.
    pub window: Duration,
}

impl Quota {
    /// Multiplies the count.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { count: self.count.saturating_mul(factor), ..self }
    }

    /// Multiplies the count by `parts / of`, rounded up.
    #[must_use]
    pub fn part(self, parts: u32, of: u32) -> Self {
        let count = (u64::from(self.count) * u64::from(parts)).div_ceil(u64::from(of));
        Self { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }

    /// Raises the count to `count` if it is lower.
    #[must_use]
    pub fn at_least(self, count: u32) -> Self {
        Self { count: self.count.max(count), ..self }
    }

    /// Returns a charge of one unit against this quota.
    pub const fn charge(self, rule: Rule, key: String) -> Charge {
        Charge { rule: rule.name(), key, limit: self.count, window: self.window, cooldown: None, counts: true }
    }

    /// Returns charges of one unit for an IPv4 address, or for an IPv6 /64 and its /56 and /48. The /56 has 4 times the
    /// quota and the /48 has 16 times.
    pub fn by_network(self, rule: Rule, ip: IpAddr) -> Vec<Charge> {
        let tiers = [(64, 1), (56, 4), (48, 16)].into_iter().zip(rule.row().names);
        let charges = tiers
            .map(|((bits, factor), name)| Charge { rule: name, ..self.times(factor).charge(rule, network(ip, bits)) });
        charges.take(if ip.to_canonical().is_ipv6() { 3 } else { 1 }).collect()
    }
}

/// Returns the network that an address counts for: the IPv4 address itself, or its IPv6 prefix of `v6_bits` bits.
pub fn network(ip: IpAddr, v6_bits: u32) -> String {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6_bits).unwrap_or(0);
            format!("{}/{v6_bits}", std::net::Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

/// The limits of a server, with the values from its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    quotas: [Option<Quota>; Rule::ALL.len()],
    /// After `send.pair` admitted a code, its next refusal lasts at least this long.
    pub send_cooldown: Duration,
    /// Maximum number of wrong codes per challenge (`guess.challenge`). Counted in the database.
    pub code_tries: u32,
    /// Number of digits in a code.
    pub code_length: usize,
    /// How long a code is valid.
    pub code_ttl: Duration,
}

impl Limits {
    /// Returns the quota of a rule: the one that was set, or else the rule's own.
    pub fn quota(&self, rule: Rule) -> Quota {
        let set = self.quotas.get(rule as usize).copied().flatten();
        set.unwrap_or_else(|| match rule.row().size {
            Size::Default { quota, .. } | Size::Fixed(quota) => quota,
            Size::Times(factor, other) => self.quota(other).times(factor),
            Size::Part(divisor, other) => self.quota(other).part(1, divisor),
        })
    }

    /// Sets the quota of a rule.
    pub fn set(&mut self, rule: Rule, quota: Quota) {
        if let Some(slot) = self.quotas.get_mut(rule as usize) {
            *slot = Some(quota);
        }
    }

    /// Returns a charge of one unit against the quota of a rule.
    pub fn charge(&self, rule: Rule, key: String) -> Charge {
        self.quota(rule).charge(rule, key)
    }

    /// Returns the charges of [`Quota::by_network`] against the quota of a rule.
    pub fn by_network(&self, rule: Rule, ip: IpAddr) -> Vec<Charge> {
        self.quota(rule).by_network(rule, ip)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quotas: [None; Rule::ALL.len()],
            send_cooldown: Duration::from_mins(5),
            code_tries: 3,
            code_length: 8,
            code_ttl: Duration::from_mins(5),
        }
    }
}

/// Number of wrong codes from a known device after which the device is forgotten.
pub const DEVICE_WRONG_TRIES: u32 = 100;
/// How long a device is remembered after its last sign-in.
pub const DEVICE_LIFETIME: Duration = Duration::from_hours(180 * 24);
/// Minimum age of an account before its known devices may use the reserved part of `send.instance`.
pub const ESTABLISHED: Duration = Duration::from_hours(7 * 24);
/// Number of API keys that a user can have, without those that are revoked or expired.
pub const API_KEYS: u64 = 20;
/// How long the old address can undo an email change.
pub const EMAIL_CHANGE_UNDO: Duration = Duration::from_hours(7 * 24);
/// How long the link of a notice can disown a session.
pub const DISOWN: Duration = Duration::from_hours(7 * 24);
/// How long an authorization code is valid.
pub const AUTHORIZATION_CODE: Duration = MINUTE;
/// How long a sign-in link is valid.
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
