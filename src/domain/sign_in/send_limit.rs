//! Who is charged how much for a send or a verification: the rules of `limits` turned into charges of the limiter.
//! The guessing budget of an account is not here: the database keeps it, beside the codes.

mod ceiling;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::ceiling::Claim;
use crate::{
    domain::{Ctx, Wait, access::Origin, audit, sign_in::challenge, vault},
    email_address::EmailAddress,
    error::{Error, Result},
    limits::{Limits, Quota, Rule, network},
    ports::{Charge, Verdict},
};

/// What a granted send tells.
pub(in crate::domain) struct Granted {
    /// The next one for this address and network would be refused.
    pub pair_is_spent: bool,
    /// The address has had its last mail of the day.
    pub day_is_spent: bool,
    /// The day had been spent before. This mail goes out only if it makes the address's link; if somebody else did in the
    /// meantime, the refusal stands.
    pub one_more: Option<Refusal>,
}

/// What a limit said, until it is told.
pub(in crate::domain) struct Refusal {
    charge: Charge,
    wait: Wait,
}

impl Refusal {
    /// Notes it in the audit trail; until when to wait.
    pub(in crate::domain) async fn tell(self, ctx: &Ctx, origin: &Origin) -> Result<Wait> {
        let Self { charge, wait } = self;
        audit::record_refusal(ctx, wait.now, origin, charge.rule, &charge.key, charge.window).await?;
        Ok(wait)
    }
}

/// Who asks for a send, and for whom.
pub(in crate::domain) struct Sender<'a> {
    /// From where.
    pub origin: &'a Origin,
    /// The address.
    pub email: &'a EmailAddress,
    /// The known device that asks.
    pub device: Option<KnownDevice>,
    /// Whether the address has a sign-in link that works.
    pub has_link: bool,
    /// Whether a mail would really go out.
    pub is_mail: bool,
    /// Whether the address has a fixed code. Automated tests and reviewers sign in all day, and no mail is sent to them, so
    /// only their network is charged: it bounds the rows that strangers can write this way.
    pub is_test: bool,
}

/// A device that signed in before.
#[derive(Clone, Copy)]
pub(in crate::domain) struct KnownDevice {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub account: Uuid,
    /// Whether the account is old enough for what is kept from strangers. Whoever makes accounts today is a stranger.
    pub is_established: bool,
}

/// Charges one send, in one call of the limiter; in one more when the day's mail of the instance is scarce, and when the
/// address's day is spent. A known device has a pair of its own, is exempt from the address's allowances, and may use the
/// fifth of the network's that strangers cannot.
///
/// The door never closes: when the address's day is spent and nothing that works lies in its mailbox (the last mail was
/// cut off, or its link was used), one more mail is granted for a link, which no stranger can use up.
pub(in crate::domain) async fn take_send(
    ctx: &Ctx,
    sender: &Sender<'_>,
    now: DateTime<Utc>,
) -> Result<Result<Granted, Wait>> {
    let limits = &ctx.settings.limits;
    let claim = Claim {
        ip: sender.origin.ip,
        is_established: sender.device.is_some_and(|device| device.is_established),
        is_mail: sender.is_mail,
    };
    let mailbox = sender.email.mailbox();
    let keys: Vec<_> = challenge::address_key(ctx, &mailbox).all().map(vault::label).collect();
    let (mut one_more, mut is_scarce) = (None, false);
    loop {
        let mut charges = if sender.is_test { Vec::new() } else { send_charges(limits, sender, &keys) };
        if one_more.is_some() {
            charges.retain(|charge| {
                ![Rule::SendAddress, Rule::SendAddressDay].iter().any(|rule| rule.name() == charge.rule)
            });
            // A mailbox has any number of sub-addresses, each without a link: all of them share one more mail a day.
            if mailbox != sender.email.as_str() {
                let once = Quota { count: 1, ..limits.quota(Rule::SendAddressDay) };
                charges.extend(keys.iter().map(|key| once.charge(Rule::SendAddressDay, format!("{key}:more"))));
            }
        }
        let network = shared(limits.quota(Rule::SendNetwork), sender);
        charges.extend(network.by_network(Rule::SendNetwork, sender.origin.ip));
        charges.extend(claim.charges(limits, is_scarce));
        match take(ctx, &charges, now).await? {
            Ok(last) => {
                if sender.is_mail {
                    ctx.metrics.budgeted(claim.part(is_scarce));
                }
                return Ok(Ok(Granted {
                    pair_is_spent: is_spent(&charges, last, Rule::SendPair),
                    day_is_spent: one_more.is_some() || is_spent(&charges, last, Rule::SendAddressDay),
                    one_more,
                }));
            }
            Err(refusal)
                if refusal.charge.rule == Rule::SendAddressDay.name() && !sender.has_link && one_more.is_none() =>
            {
                one_more = Some(refusal);
            }
            Err(refusal) if refusal.charge.rule == Rule::SendInstance.name() && !is_scarce => is_scarce = true,
            Err(refusal) => return Ok(Err(refusal.tell(ctx, sender.origin).await?)),
        }
    }
}

/// Whether one of the charges of a rule took the last that there was.
fn is_spent(charges: &[Charge], last: u32, rule: Rule) -> bool {
    charges.iter().enumerate().any(|(at, charge)| charge.rule == rule.name() && last & (1 << at) != 0)
}

/// What a send is charged to except for networks and the instance. `mailbox` is the address without its `+…`, as limits
/// know it: while secrets rotate it is charged under each of its names, so that what it spent under one holds under all.
fn send_charges(limits: &Limits, sender: &Sender<'_>, mailbox: &[String]) -> Vec<Charge> {
    let pair = |key| Charge { cooldown: Some(limits.send_cooldown), ..limits.charge(Rule::SendPair, key) };
    let stranger = |address: &String| {
        [
            pair(format!("{address}@{}", network(sender.origin.ip, 64))),
            limits.charge(Rule::SendAddress, address.clone()),
            limits.charge(Rule::SendAddressDay, address.clone()),
        ]
    };
    match sender.device {
        // All of an account's devices together: an account is worth no more mail than an address.
        Some(device) => {
            vec![pair(format!("device:{}", device.id)), limits.charge(Rule::SendAccount, device.account.to_string())]
        }
        None => mailbox.iter().flat_map(stranger).collect(),
    }
}

/// Strangers may use four fifths of what a network shares; the rest is for known devices.
fn shared(quota: Quota, sender: &Sender<'_>) -> Quota {
    if sender.device.is_some() { quota } else { quota.part(4, 5) }
}

/// Charges a code, a link or an undo token that somebody presents, before the database is asked whether it is live: a wide
/// bound, for what one network may have us read.
pub(in crate::domain) async fn take_verify(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    take_from_network(ctx, origin, Rule::VerifyAll, now).await
}

/// Charges one that is over or never was. What is live is bounded by its own tries and budgets in the database, so
/// strangers who make things up keep nobody of their network from a right code.
pub(in crate::domain) async fn take_miss(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    take_from_network(ctx, origin, Rule::VerifyNetwork, now).await
}

async fn take_from_network(ctx: &Ctx, origin: &Origin, rule: Rule, now: DateTime<Utc>) -> Result<Option<Wait>> {
    match take(ctx, &ctx.settings.limits.by_network(rule, origin.ip), now).await? {
        Ok(_) => Ok(None),
        Err(refusal) => Ok(Some(refusal.tell(ctx, origin).await?)),
    }
}

/// Takes the charges; which of them took the last that there was. A limiter that cannot be asked refuses.
async fn take(ctx: &Ctx, charges: &[Charge], now: DateTime<Utc>) -> Result<Result<u32, Refusal>> {
    let verdict = ctx.limiter.take(charges, now).await.map_err(|error| {
        tracing::error!(%error, "the limiter is away: codes are neither sent nor checked until it is back");
        Error::Unavailable(error.to_string())
    })?;
    Ok(match verdict {
        Verdict::Admitted { last } => Ok(last),
        Verdict::Refused { charge, retry_at } => {
            Err(Refusal { charge: charges[charge].clone(), wait: Wait { now, retry_at } })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(ip: &str) -> Origin {
        Origin { ip: ip.parse().unwrap(), user_agent: None, request_id: "r".into() }
    }

    #[test]
    fn a_known_device_is_exempt_from_the_addresses_allowances_and_has_a_pair_of_its_own() {
        let limits = Limits::default();
        let origin = origin("192.0.2.1");
        let (email, mailbox) = (EmailAddress::parse("a@example.com").unwrap(), ["a".to_owned()]);
        let sender =
            |device| Sender { origin: &origin, email: &email, device, has_link: false, is_mail: true, is_test: false };
        let stranger = send_charges(&limits, &sender(None), &mailbox);
        let rules: Vec<_> = stranger.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.address", "send.address.day"]);
        let device = KnownDevice { id: Uuid::nil(), account: Uuid::max(), is_established: false };
        let known = send_charges(&limits, &sender(Some(device)), &mailbox);
        let rules: Vec<_> = known.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.account"]);
        assert_ne!(known[0].key, stranger[0].key);
        // A fifth of what a network shares is kept for known devices.
        let quota = limits.quota(Rule::SendNetwork);
        assert_eq!((shared(quota, &sender(None)).count, shared(quota, &sender(Some(device))).count), (24, 30));
        assert_eq!(shared(Quota { count: 1, ..quota }, &sender(None)).count, 1);
    }
}
