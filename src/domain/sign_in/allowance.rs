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
pub(super) struct Granted {
    /// The next one for this address and network would be refused.
    pub pair_is_spent: bool,
    /// The address has had its last mail of the day.
    pub day_is_spent: bool,
}

/// The positions that [`Granted`] is read from.
const PAIR: usize = 0;
const ADDRESS_DAY: usize = 2;

/// Charges one send. A known device has a pair of its own, is exempt from the address's allowances, and may use the
/// fifth of the shared ones that strangers cannot.
pub(super) async fn take_send(
    ctx: &Ctx,
    origin: &Origin,
    address: &str,
    device: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Result<Granted, Wait>> {
    let limits = &ctx.settings.limits;
    let mut charges = send_charges(limits, origin, address, device);
    let known = device.is_some();
    let of_network = |factor: u32, bits| {
        let quota = Quota { count: limits.send_network.count.saturating_mul(factor), ..limits.send_network };
        let rule = if bits == 64 { "send.network" } else { "send.network.wide" };
        charge(rule, network(origin.ip, bits), shared(quota, known))
    };
    charges.push(of_network(1, 64));
    if origin.ip.to_canonical().is_ipv6() {
        charges.push(of_network(4, 56));
        charges.push(of_network(16, 48));
    }
    charges.push(charge("send.instance", "all".into(), shared(limits.send_instance, known)));
    let verdict = take(ctx, origin, &charges, now).await?;
    Ok(verdict.map(|last| Granted {
        pair_is_spent: last & (1 << PAIR) != 0,
        day_is_spent: !known && last & (1 << ADDRESS_DAY) != 0,
    }))
}

fn send_charges(limits: &Limits, origin: &Origin, address: &str, device: Option<Uuid>) -> Vec<Charge> {
    let pair = |key| Charge { cooldown: Some(limits.send_cooldown), ..charge("send.pair", key, limits.send_pair) };
    match device {
        Some(device) => vec![pair(format!("device:{device}"))],
        None => vec![
            pair(format!("{address}@{}", network(origin.ip, 64))),
            charge("send.address", address.to_owned(), limits.send_address),
            charge("send.address.day", address.to_owned(), limits.send_address_day),
        ],
    }
}

/// Charges one verification.
pub(super) async fn take_verify(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let charge = charge("verify.network", network(origin.ip, 64), ctx.settings.limits.verify_network);
    Ok(take(ctx, origin, &[charge], now).await?.err())
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
async fn take(ctx: &Ctx, origin: &Origin, charges: &[Charge], now: DateTime<Utc>) -> Result<Result<u32, Wait>> {
    let verdict = ctx.limiter.take(charges, now).await.map_err(|error| {
        tracing::error!(%error, "the limiter is away: codes are neither sent nor checked until it is back");
        Error::Unavailable(error.to_string())
    })?;
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
        let stranger = send_charges(&limits, &origin("192.0.2.1"), "a", None);
        let rules: Vec<_> = stranger.iter().map(|charge| charge.rule).collect();
        assert_eq!(rules, ["send.pair", "send.address", "send.address.day"]);
        assert_eq!(stranger[ADDRESS_DAY].rule, "send.address.day");
        let known = send_charges(&limits, &origin("192.0.2.1"), "a", Some(Uuid::nil()));
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
