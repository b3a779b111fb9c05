//! Changes to a user's own name and language. Changing the email address takes two steps and is in `email_change.rs`.

use serde_json::Value as Json;

use super::{
    change_detail::differences,
    lock::lock_own,
    manage::{next, rename, write},
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

/// A change to a user's own profile.
#[derive(Default)]
pub struct Profile {
    /// The display name.
    pub name: Edit<Name>,
    /// The language of mails. Without one, the language requested at sign-in applies.
    pub locale: Edit<Locale>,
}

/// Parses a mail language, ignoring case. An explicit choice must not fall back to another language.
pub fn language(tag: &str) -> Result<Locale, String> {
    let known = Locale::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(tag.trim()));
    known.ok_or_else(|| {
        let all: Vec<_> = Locale::ALL.into_iter().map(Locale::as_str).collect();
        format!("Emails are available in these languages: {}.", all.join(", "))
    })
}

/// Changes the caller's profile. Three statements and one limiter call.
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
