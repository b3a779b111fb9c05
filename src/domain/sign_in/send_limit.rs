//! Rate limits of sends and verifications: turns the rules in `limits` into charges for the limiter. The guessing
//! budget is kept in the database with the codes; see `budget.rs`.

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

/// A granted send.
pub(in crate::domain) struct Granted {
    /// Whether the next send for this address and network would be refused.
    pub pair_is_spent: bool,
    /// Whether this is the address's last mail of the day.
    pub day_is_spent: bool,
    /// The refusal that applies if this request does not create the address's link. Set if the address's daily quota
    /// was spent before, so that of concurrent requests only the one that creates the link sends a mail.
    pub one_more: Option<Refusal>,
}

/// A refusal that is not recorded yet.
pub(in crate::domain) struct Refusal {
    charge: Charge,
    wait: Wait,
}

impl Refusal {
    /// Records the refusal in the audit trail and returns the wait.
    pub(in crate::domain) async fn record(self, ctx: &Ctx, origin: &Origin) -> Result<Wait> {
        let Self { charge, wait } = self;
        audit::record_refusal(ctx, wait.now, origin, charge.rule, &charge.key, charge.window).await?;
        Ok(wait)
    }
}

/// The requester and recipient of a send.
pub(in crate::domain) struct Sender<'a> {
    pub origin: &'a Origin,
    pub email: &'a EmailAddress,
    pub device: Option<KnownDevice>,
    /// Whether the address has a valid sign-in link.
    pub has_link: bool,
    /// Whether a mail would really be sent; `false` for a decoy.
    pub is_mail: bool,
    /// Whether the address has a fixed code. Automated tests and reviewers sign in often and get no mail, so only their
    /// network is charged. That limits the rows that anonymous callers can write.
    pub is_test: bool,
}

#[derive(Clone, Copy)]
pub(in crate::domain) struct KnownDevice {
    pub id: Uuid,
    pub account: Uuid,
    /// Whether the account is old enough for the reserved quota, which anyone could otherwise get with a new account.
    pub is_established: bool,
}

/// Charges one send. One limiter call, and one more each if the instance's daily mail is scarce and if the address's
/// daily quota is spent. A known device has a separate pair limit, is exempt from the address's quotas, and may use the
/// fifth of the network's quota that is reserved for known devices.
///
/// A user is never locked out. If the address's daily quota is spent and its mailbox has no valid link (the request for
/// the last mail was interrupted, or the link was used), one more mail with a link is granted. Others cannot use up
/// that link.
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
            // A mailbox can have any number of sub-addresses without a link, so all of them share one extra mail a day.
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
            Err(refusal) => return Ok(Err(refusal.record(ctx, sender.origin).await?)),
        }
    }
}

/// Whether a charge of this rule took the last unit.
fn is_spent(charges: &[Charge], last: u32, rule: Rule) -> bool {
    charges.iter().enumerate().any(|(at, charge)| charge.rule == rule.name() && last & (1 << at) != 0)
}

/// The charges of a send, except those of networks and the instance. `mailbox` holds the pseudonyms of the address
/// without its `+…` part. During secret rotation there are several, and all are charged, so that every replica counts
/// the same sends.
fn send_charges(limits: &Limits, sender: &Sender<'_>, mailbox: &[String]) -> Vec<Charge> {
    let pair = |key| Charge { cooldown: Some(limits.send_cooldown), ..limits.charge(Rule::SendPair, key) };
    let unknown_device = |address: &String| {
        [
            pair(format!("{address}@{}", network(sender.origin.ip, 64))),
            limits.charge(Rule::SendAddress, address.clone()),
            limits.charge(Rule::SendAddressDay, address.clone()),
        ]
    };
    match sender.device {
        // All devices of an account share one quota, so that an account gets no more mail than an address.
        Some(device) => {
            vec![pair(format!("device:{}", device.id)), limits.charge(Rule::SendAccount, device.account.to_string())]
        }
        None => mailbox.iter().flat_map(unknown_device).collect(),
    }
}

/// The part of a network's quota that the sender may use: all of it for a known device, four fifths otherwise.
fn shared(quota: Quota, sender: &Sender<'_>) -> Quota {
    if sender.device.is_some() { quota } else { quota.part(4, 5) }
}

/// Charges a presented code, link or undo token before the database is read, to limit the reads of one network.
pub(in crate::domain) async fn take_verify(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    take_from_network(ctx, origin, Rule::VerifyAll, now).await
}

/// Charges a presented code, link or undo token that turned out to be expired, used or unknown. Valid ones are not
/// charged: their attempts and budgets in the database limit them. So made-up codes from a network cannot block others
/// in that network from using a valid one.
pub(in crate::domain) async fn take_miss(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    take_from_network(ctx, origin, Rule::VerifyNetwork, now).await
}

/// Asks whether a network may request a code, before work that is worth protecting. Charges nothing.
pub(in crate::domain) async fn ask_network(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let quota = ctx.settings.limits.quota(Rule::SendNetwork).part(4, 5);
    let charges: Vec<_> = quota
        .by_network(Rule::SendNetwork, origin.ip)
        .into_iter()
        .map(|charge| Charge { counts: false, ..charge })
        .collect();
    match take(ctx, &charges, now).await? {
        Ok(_) => Ok(None),
        Err(refusal) => Ok(Some(refusal.record(ctx, origin).await?)),
    }
}

async fn take_from_network(ctx: &Ctx, origin: &Origin, rule: Rule, now: DateTime<Utc>) -> Result<Option<Wait>> {
    match take(ctx, &ctx.settings.limits.by_network(rule, origin.ip), now).await? {
        Ok(_) => Ok(None),
        Err(refusal) => Ok(Some(refusal.record(ctx, origin).await?)),
    }
}

/// Takes the charges. Returns a bit mask of those that took the last unit. Fails if the limiter is unavailable.
async fn take(ctx: &Ctx, charges: &[Charge], now: DateTime<Utc>) -> Result<Result<u32, Refusal>> {
    let verdict = ctx.limiter.take(charges, now).await.map_err(|error| {
        tracing::error!(%error, "the limiter is unavailable: codes are neither sent nor checked until it is back");
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
        Origin { ip: ip.parse().unwrap(), user_agent: None, request_id: "r".into(), session: None }
    }

    #[test]
    fn a_known_device_has_a_separate_pair_limit_and_no_address_limits() {
        let limits = Limits::default();
        let origin = origin("192.0.2.1");
        let (email, mailbox) = (EmailAddress::parse("a@example.com").unwrap(), ["a".to_owned()]);
        let sender =
            |device| Sender { origin: &origin, email: &email, device, has_link: false, is_mail: true, is_test: false };
        let unknown = send_charges(&limits, &sender(None), &mailbox);
        let rules: Vec<_> = unknown.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.address", "send.address.day"]);
        let device = KnownDevice { id: Uuid::nil(), account: Uuid::max(), is_established: false };
        let known = send_charges(&limits, &sender(Some(device)), &mailbox);
        let rules: Vec<_> = known.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.account"]);
        assert_ne!(known[0].key, unknown[0].key);
        // A fifth of the network's quota is reserved for known devices.
        let quota = limits.quota(Rule::SendNetwork);
        assert_eq!((shared(quota, &sender(None)).count, shared(quota, &sender(Some(device))).count), (24, 30));
        assert_eq!(shared(Quota { count: 1, ..quota }, &sender(None)).count, 1);
    }
}
