//! Who is charged how much for a send or a verification: the rules of `limits` turned into charges of the limiter.
//! The guessing budget of an account is not here: the database keeps it, beside the codes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    domain::{
        Ctx, Error, Result, Wait, audit,
        limits::{Limits, Quota},
        policy::{Origin, network},
    },
    ports::{Charge, Verdict},
};

/// What a granted send tells.
pub(in crate::domain) struct Granted {
    /// The next one for this address and network would be refused.
    pub pair_is_spent: bool,
    /// The address has had its last mail of the day.
    pub day_is_spent: bool,
}

/// Who asks for a send, and for whom.
pub(in crate::domain) struct Sender<'a> {
    /// From where.
    pub origin: &'a Origin,
    /// The address, as limits know it.
    pub address: &'a str,
    /// The known device that asks.
    pub device: Option<Uuid>,
    /// Whether the address has a sign-in link that works.
    pub has_link: bool,
}

/// The positions that [`Granted`] is read from.
const PAIR: usize = 0;
const ADDRESS_DAY: usize = 2;

/// Charges one send. A known device has a pair of its own, is exempt from the address's allowances, and may use the
/// fifth of the shared ones that strangers cannot.
///
/// The door never closes: when the address's day is spent and nothing that works lies in its mailbox (the last mail was
/// cut off, or its link was used), one more mail is granted for a link, which no stranger can use up.
pub(in crate::domain) async fn take_send(
    ctx: &Ctx,
    sender: &Sender<'_>,
    now: DateTime<Utc>,
) -> Result<Result<Granted, Wait>> {
    let limits = &ctx.settings.limits;
    let own = send_charges(limits, sender);
    let shared = shared_charges(limits, sender);
    let known = sender.device.is_some();
    let all: Vec<_> = own.iter().chain(&shared).cloned().collect();
    let granted = |last: u32, day_is_spent| Granted { pair_is_spent: last & (1 << PAIR) != 0, day_is_spent };
    match ask(ctx, &all, now).await? {
        Verdict::Admitted { last } => Ok(Ok(granted(last, !known && last & (1 << ADDRESS_DAY) != 0))),
        Verdict::Refused { charge: ADDRESS_DAY, .. } if !known && !sender.has_link => {
            let without_address: Vec<_> = own.into_iter().take(1).chain(shared).collect();
            let verdict = ask(ctx, &without_address, now).await?;
            let outcome = admitted_or_refused(ctx, sender.origin, &without_address, verdict, now).await?;
            Ok(outcome.map(|last| granted(last, true)))
        }
        refused @ Verdict::Refused { .. } => {
            let outcome = admitted_or_refused(ctx, sender.origin, &all, refused, now).await?;
            Ok(outcome.map(|last| granted(last, false)))
        }
    }
}

fn send_charges(limits: &Limits, sender: &Sender<'_>) -> Vec<Charge> {
    let pair = |key| Charge { cooldown: Some(limits.send_cooldown), ..charge("send.pair", key, limits.send_pair) };
    let address = || sender.address.to_owned();
    match sender.device {
        Some(device) => vec![pair(format!("device:{device}"))],
        None => vec![
            pair(format!("{}@{}", sender.address, network(sender.origin.ip, 64))),
            charge("send.address", address(), limits.send_address),
            charge("send.address.day", address(), limits.send_address_day),
        ],
    }
}

fn shared_charges(limits: &Limits, sender: &Sender<'_>) -> Vec<Charge> {
    let (ip, known) = (sender.origin.ip, sender.device.is_some());
    let of_network = |rule, factor: u32, bits| {
        let quota = Quota { count: limits.send_network.count.saturating_mul(factor), ..limits.send_network };
        charge(rule, network(ip, bits), shared(quota, known))
    };
    let mut charges = vec![of_network("send.network", 1, 64)];
    if ip.to_canonical().is_ipv6() {
        charges.push(of_network("send.network.56", 4, 56));
        charges.push(of_network("send.network.48", 16, 48));
    }
    charges.push(charge("send.instance", "all".into(), shared(limits.send_instance, known)));
    charges
}

/// Charges one verification.
pub(in crate::domain) async fn take_verify(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let charges = [charge("verify.network", network(origin.ip, 64), ctx.settings.limits.verify_network)];
    let verdict = ask(ctx, &charges, now).await?;
    Ok(admitted_or_refused(ctx, origin, &charges, verdict, now).await?.err())
}

fn charge(rule: &'static str, key: String, quota: Quota) -> Charge {
    Charge { rule, key, limit: quota.count, window: quota.window, cooldown: None }
}

/// Strangers may use four fifths of what is shared; the rest is for known devices.
fn shared(quota: Quota, known: bool) -> Quota {
    let for_strangers = (u64::from(quota.count) * 4).div_ceil(5);
    let count = if known { quota.count } else { u32::try_from(for_strangers).unwrap_or(quota.count) };
    Quota { count, ..quota }
}

/// Takes the charges; a limiter that cannot be asked refuses.
async fn ask(ctx: &Ctx, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict> {
    ctx.limiter.take(charges, now).await.map_err(|error| {
        tracing::error!(%error, "the limiter is away: codes are neither sent nor checked until it is back");
        Error::Unavailable(error.to_string())
    })
}

/// What a verdict means to the caller; a refusal is noted in the audit trail.
async fn admitted_or_refused(
    ctx: &Ctx,
    origin: &Origin,
    charges: &[Charge],
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<Result<u32, Wait>> {
    match verdict {
        Verdict::Admitted { last } => Ok(Ok(last)),
        Verdict::Refused { charge, retry_at } => {
            let refused = &charges[charge];
            audit::record_refusal(ctx, now, origin, refused.rule, &refused.key, refused.window).await?;
            Ok(Err(Wait { now, retry_at }))
        }
    }
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
        let sender = |device| Sender { origin: &origin, address: "a", device, has_link: false };
        let stranger = send_charges(&limits, &sender(None));
        let rules: Vec<_> = stranger.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.address", "send.address.day"]);
        assert_eq!(stranger[ADDRESS_DAY].rule, "send.address.day");
        let known = send_charges(&limits, &sender(Some(Uuid::nil())));
        assert_eq!(known.len(), 1);
        assert_ne!(known[PAIR].key, stranger[PAIR].key);
    }

    #[test]
    fn a_fifth_of_what_is_shared_is_kept_for_known_devices() {
        let quota = Limits::default().send_network;
        assert_eq!((shared(quota, false).count, shared(quota, true).count), (24, 30));
        assert_eq!(shared(Quota { count: 1, ..quota }, false).count, 1);
    }
}
