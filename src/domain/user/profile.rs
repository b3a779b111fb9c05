//! What people change of themselves: name and language. Their address has its own file, for it takes two steps.

use serde_json::Value as Json;

use super::{
    lock::lock_own,
    manage::{differences, next, rename, write},
    name::Name,
};
use crate::{
    db::entity::users,
    domain::{
        Ctx, Edit, Wait,
        access::Member,
        audit::{self, Event, Kind},
        mail::template::Locale,
        rate_limit,
        transaction::Work,
    },
    error::Result,
    limits::Rule,
};

/// What is to change.
#[derive(Default)]
pub struct Profile {
    /// What they want to be called.
    pub name: Edit<Name>,
    /// The language of their mails; without one, that which they ask for when they sign in.
    pub locale: Edit<Locale>,
}

/// One of the languages that mails are written in, strictly: whoever chooses one wants that one.
pub fn language(tag: &str) -> Result<Locale, String> {
    let known = Locale::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(tag.trim()));
    known.ok_or_else(|| {
        let all: Vec<_> = Locale::ALL.into_iter().map(Locale::as_str).collect();
        format!("Emails are available in these languages: {}.", all.join(", "))
    })
}

/// Changes one's own profile. Three statements and one call of the limiter.
pub async fn update(ctx: &Ctx, member: Member<'_>, profile: Profile) -> Result<Result<users::Model, Wait>> {
    let (now, me) = (ctx.now(), member.user().id.to_string());
    if let Some(wait) = rate_limit::take(ctx, member.origin(), Rule::ProfilePerson, me, now).await? {
        return Ok(Err(wait));
    }
    let work = Work::begin(ctx).await?;
    let before = lock_own(&work, member).await?;
    let mut after = next(&before, now);
    rename(&mut after, profile.name);
    match profile.locale {
        Edit::Keep => {}
        Edit::Clear => after.locale = None,
        Edit::Set(locale) => after.locale = Some(locale.as_str().to_owned()),
    }
    let detail = differences(&before, &after);
    if detail.is_empty() {
        return Ok(Ok(before));
    }
    write(&*work, &after).await?;
    audit::record(ctx, &work, now, &[Event::own(Kind::ProfileChanged, *member, Json::Object(detail))]).await?;
    work.commit(ctx).await?;
    Ok(Ok(after))
}
