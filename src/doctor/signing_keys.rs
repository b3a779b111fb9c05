//! The signing keys: whether the server secret decrypts them, and the algorithm and age of the newest. Read-only.

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
/// Key age above which to warn. Most policies rotate yearly, so that an undetected leak does not last.
const OLD_DAYS: i64 = 365;

pub(super) async fn examine(ctx: &Ctx) -> Result<Vec<Finding>> {
    let now = ctx.now();
    let rows: Vec<_> =
        list(ctx).await?.into_iter().filter(|row| row.retires_at.is_none_or(|retires_at| retires_at > now)).collect();
    // A published key that does not sign yet counts as the newest, because it has been rotated.
    let Some(newest) = rows.first().cloned() else {
        return Ok(vec![Finding::ok(KEYS, "none yet; the first start creates one")]);
    };
    let total = rows.len();
    let sealed: Vec<_> = rows.into_iter().filter(|row| open(ctx, row.clone()).is_none()).collect();
    let wanted = algorithm(ctx.settings.tokens.algorithm);
    let is_wanted = newest.algorithm.parse::<Algorithm>().is_ok_and(|known| known == wanted);
    let (known, shut, days) = (&newest.algorithm, sealed.len(), (now - newest.created_at).num_days());
    Ok(vec![
        finding!(KEYS, ok "{total}, the newest {known}; the secret opens them",
            problem if sealed.iter().any(|row| row.id == newest.id) => "DOORCODE_SECRET does not open {shut} of {total}"
                => "set DOORCODE_SECRET to the secret that sealed them, or to 'new,old' during a rotation; with this \
                    one, everyone has to sign in again",
            // Normal after a leaked secret was replaced.
            warning if shut > 0 => "DOORCODE_SECRET does not open {shut} of {total}, the newest not among them"
                => "nothing if the old secret leaked: tokens of these keys are refused until they retire. Otherwise \
                    set DOORCODE_SECRET='new,old'",
            warning if !is_wanted => "the newest is {known}, and DOORCODE_TOKEN_ALG is {wanted:?}"
                => "the next start creates a key with the configured algorithm; correct DOORCODE_TOKEN_ALG if this is \
                    not intended",
        ),
        finding!("key age", ok "{days} days",
            warning if days > OLD_DAYS => "{days} days" => "doorcode keys rotate, which signs no one out",
        ),
    ])
}
