//! Every rate limit: one variant of [`Rule`] and one row each. Nothing here counts; the limiter and the database do.

use std::{net::IpAddr, time::Duration};

use crate::ports::Charge;

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(30 * 24);

/// Makes the rules from the table. `default` rows are settings, which are called `DOORCODE_LIMIT_` and the rule's name in
/// capitals; `fixed` rows are not; `times` and `part` rows follow another rule.
macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal $kind:ident $size:tt,)+) => {
        /// A rate limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[doc = $doc])+ $rule,)+ }

        impl Rule {
            /// Every rule, in the order of the table.
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
    /// Codes for one address requested from one network.
    SendPair "send.pair" default (3 / QUARTER, "5/30m"),
    /// Codes for one address requested from all networks together.
    SendAddress "send.address" default (6 / QUARTER, "10/30m"),
    /// Codes for one address in a day; the last of these emails carries a sign-in link.
    SendAddressDay "send.address.day" default (12 / DAY, "20/1d"),
    /// Codes that the known devices of one account request in a day.
    SendAccount "send.account" times (2, SendAddressDay),
    /// Codes requested from one IPv4 address or IPv6 /64; four times as many from its /56, sixteen times from its /48.
    SendNetwork "send.network" default (30 / QUARTER, "100/15m"),
    /// Emails of the whole instance. After half of them, each network has a share.
    SendInstance "send.instance" default (100_000 / DAY, "5000/1d"),
    /// Share of `send.instance` for an IPv4 /24 or IPv6 /48.
    SendShare "send.share" part (200, SendInstance),
    /// Share of `send.instance` for an IPv4 /16 or IPv6 /32.
    SendShareWide "send.share.wide" part (40, SendInstance),
    /// Codes, links and undo tokens from one network that have expired or never existed. Of all that a network presents,
    /// twenty times as many.
    VerifyNetwork "verify.network" default (30 / MINUTE, "60/1m"),
    /// Codes, links and undo tokens from one network, valid ones included. It bounds what a network makes us read.
    VerifyAll "verify.all" times (20, VerifyNetwork),
    /// Wrong codes for one address, counted in the database.
    GuessAccount "guess.account" default (20 / DAY, "10/1d"),
    /// Wrong codes for one address over a longer time, counted in the database.
    GuessAccountMonth "guess.account.month" default (100 / MONTH, "50/30d"),
    /// Refreshes of one session.
    RefreshSession "refresh.session" default (30 / MINUTE, "60/1m"),
    /// Operations of one session, or of one network for anonymous callers. A long response counts as several. All sessions
    /// of one network together have ten times as many.
    ApiCaller "api.caller" default (600 / MINUTE, "1200/1m"),
    /// Operations of all sessions that use one network.
    ApiNetwork "api.network" times (10, ApiCaller),
    /// Changes of one's own profile.
    ProfilePerson "profile.person" fixed (20 / HOUR),
    /// Exports of one's own data, each of which reads a lot.
    ExportPerson "export.person" fixed (3 / HOUR),
    /// Rows that refusals to one network add to the audit trail, in one process.
    AuditNetwork "audit.network" fixed (100 / HOUR),
}

struct Row {
    help: &'static str,
    names: [&'static str; 3],
    size: Size,
}

enum Size {
    /// A setting.
    Default {
        quota: Quota,
        example: &'static str,
    },
    Fixed(Quota),
    /// This many times another rule.
    Times(u32, Rule),
    /// Another rule divided by this.
    Part(u32, Rule),
}

impl Rule {
    /// The name, such as `send.pair`.
    pub const fn name(self) -> &'static str {
        self.row().names[0]
    }

    /// What it limits, in one or two sentences.
    pub const fn help(self) -> &'static str {
        self.row().help
    }

    /// The name of the environment variable, the default and an example, if it is a setting.
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
    /// The same window with this many times the count.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { count: self.count.saturating_mul(factor), ..self }
    }

    /// A fraction of the count, rounded up.
    #[must_use]
    pub fn part(self, parts: u32, of: u32) -> Self {
        let count = (u64::from(self.count) * u64::from(parts)).div_ceil(u64::from(of));
        Self { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }

    /// The same, or this count if the count is less.
    #[must_use]
    pub fn at_least(self, count: u32) -> Self {
        Self { count: self.count.max(count), ..self }
    }

    /// One unit of a rule.
    pub const fn charge(self, rule: Rule, key: String) -> Charge {
        Charge { rule: rule.name(), key, limit: self.count, window: self.window, cooldown: None, counts: true }
    }

    /// One unit for an IPv4 address or an IPv6 /64. The /56 and the /48 around it are charged too: they have four and
    /// sixteen times the quota, however many networks lie in them.
    pub fn by_network(self, rule: Rule, ip: IpAddr) -> Vec<Charge> {
        let tiers = [(64, 1), (56, 4), (48, 16)].into_iter().zip(rule.row().names);
        let charges = tiers
            .map(|((bits, factor), name)| Charge { rule: name, ..self.times(factor).charge(rule, network(ip, bits)) });
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

/// The limits of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    quotas: [Option<Quota>; Rule::ALL.len()],
    /// Shortest time that the first refusal of `send.pair` lasts.
    pub send_cooldown: Duration,
    /// Wrong attempts that a challenge survives, `guess.challenge`, counted in the database.
    pub code_tries: u32,
    /// Digits in a code.
    pub code_length: usize,
    /// How long a code is valid.
    pub code_ttl: Duration,
}

impl Limits {
    /// The quota of a rule.
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

    /// One unit of a rule.
    pub fn charge(&self, rule: Rule, key: String) -> Charge {
        self.quota(rule).charge(rule, key)
    }

    /// One unit of a rule that counts networks, see [`Quota::by_network`].
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

/// Wrong attempts after which a known device is forgotten.
pub const DEVICE_WRONG_TRIES: u32 = 100;
/// How long a device is remembered after its last sign-in.
pub const DEVICE_LIFETIME: Duration = Duration::from_hours(180 * 24);
/// Age from which the known devices of an account may use the emails of the instance that are reserved for them.
pub const ESTABLISHED: Duration = Duration::from_hours(7 * 24);
/// How long the holder of the old address can undo a change of it.
pub const EMAIL_CHANGE_UNDO: Duration = Duration::from_hours(7 * 24);
/// How long the link of a notice can disown a session.
pub const DISOWN: Duration = Duration::from_hours(7 * 24);
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
