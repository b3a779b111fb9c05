//! The signing keys, for `doorcode doctor`: whether the server secret opens them, whether the one that signs is of the
//! algorithm that is set, and how old it is. Nothing here makes a key or seals one anew.

use crate::{
    doctor::finding::Finding,
    domain::{
        Ctx,
        keys::{algorithm, list, open},
    },
    error::Result,
};
use jsonwebtoken::Algorithm;

/// A key that leaked unnoticed should not be good for ever. A year is what most certificates and policies grant.
const OLD_DAYS: i64 = 365;

/// What there is to say of the keys.
pub(super) async fn examine(ctx: &Ctx) -> Result<Vec<Finding>> {
    const KEYS: &str = "signing keys";
    const AGE: &str = "key age";
    let now = ctx.now();
    let rows: Vec<_> =
        list(ctx).await?.into_iter().filter(|row| row.retires_at.is_none_or(|retires_at| retires_at > now)).collect();
    // One that is published and does not sign yet is the newest, too: what is to be done has been done.
    let Some(newest) = rows.first().cloned() else {
        return Ok(vec![Finding::ok(KEYS, "none yet; the first start makes one")]);
    };
    let total = rows.len();
    let shut: Vec<_> = rows.into_iter().filter(|row| open(ctx, row.clone()).is_none()).collect();
    let wanted = algorithm(ctx.settings.tokens.algorithm);
    let known = newest.algorithm.parse::<Algorithm>().ok();
    let standing = if shut.iter().any(|row| row.id == newest.id) {
        let advice = "set DOORCODE_SECRET to the secret that sealed them, or to 'new,old' while it rotates: with this one \
                      everybody has to sign in again";
        Finding::problem(KEYS, format!("DOORCODE_SECRET does not open {} of {total}", shut.len()), advice)
    } else if !shut.is_empty() {
        // After a secret that leaked was replaced, which must not come back.
        let advice = "nothing, if that is of a secret that leaked: its tokens are refused until it retires; else \
                      DOORCODE_SECRET='new,old'";
        let seen = format!("DOORCODE_SECRET does not open {} of {total}, the newest not among them", shut.len());
        Finding::warning(KEYS, seen, advice)
    } else if known != Some(wanted) {
        let advice = "the next start makes a key of the algorithm that is set; correct DOORCODE_TOKEN_ALG if that is not \
                      meant";
        Finding::warning(
            KEYS,
            format!("the newest is {}, and DOORCODE_TOKEN_ALG is {wanted:?}", newest.algorithm),
            advice,
        )
    } else {
        Finding::ok(KEYS, format!("{total}, the newest {}; the secret opens them", newest.algorithm))
    };
    let days = (now - newest.created_at).num_days();
    let age = if days > OLD_DAYS {
        Finding::warning(AGE, format!("{days} days"), "doorcode keys rotate, which signs nobody out")
    } else {
        Finding::ok(AGE, format!("{days} days"))
    };
    Ok(vec![standing, age])
}
