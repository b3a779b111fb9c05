//! The signing keys, for `doorcode doctor`: whether the server secret opens them, whether the newest has the configured
//! algorithm, and how old it is. Nothing here makes or seals a key.

use jsonwebtoken::Algorithm;

use crate::{
    doctor::finding::Finding,
    domain::{
        Ctx,
        keys::{algorithm, list, open},
    },
    error::Result,
};

const KEYS: &str = "signing keys";
/// A key that leaked unnoticed should not be good for ever. A year is what most certificates and policies grant.
const OLD_DAYS: i64 = 365;

pub(super) async fn examine(ctx: &Ctx) -> Result<Vec<Finding>> {
    let now = ctx.now();
    let rows: Vec<_> =
        list(ctx).await?.into_iter().filter(|row| row.retires_at.is_none_or(|retires_at| retires_at > now)).collect();
    // A key that is published and does not sign yet counts as the newest: the rotation has been done.
    let Some(newest) = rows.first().cloned() else {
        return Ok(vec![Finding::ok(KEYS, "none yet; the first start makes one")]);
    };
    let total = rows.len();
    let shut: Vec<_> = rows.into_iter().filter(|row| open(ctx, row.clone()).is_none()).collect();
    let wanted = algorithm(ctx.settings.tokens.algorithm);
    let is_wanted = newest.algorithm.parse::<Algorithm>().is_ok_and(|known| known == wanted);
    let (known, closed, days) = (&newest.algorithm, shut.len(), (now - newest.created_at).num_days());
    Ok(vec![
        finding!(KEYS, ok "{total}, the newest {known}; the secret opens them",
            problem if shut.iter().any(|row| row.id == newest.id) => "DOORCODE_SECRET does not open {closed} of {total}"
                => "set DOORCODE_SECRET to the secret that sealed them, or to 'new,old' while it rotates: with this one \
                    everybody has to sign in again",
            // After a secret that leaked was replaced, which must not come back.
            warning if closed > 0 => "DOORCODE_SECRET does not open {closed} of {total}, the newest not among them"
                => "nothing, if that is of a secret that leaked: its tokens are refused until it retires; else \
                    DOORCODE_SECRET='new,old'",
            warning if !is_wanted => "the newest is {known}, and DOORCODE_TOKEN_ALG is {wanted:?}"
                => "the next start makes a key of the algorithm that is set; correct DOORCODE_TOKEN_ALG if that is not \
                    meant",
        ),
        finding!("key age", ok "{days} days",
            warning if days > OLD_DAYS => "{days} days" => "doorcode keys rotate, which signs nobody out",
        ),
    ])
}
