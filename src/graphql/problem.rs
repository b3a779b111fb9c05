//! Problems: results that the user can act on, such as a wrong code. `problems!` has one row for each type. The message
//! is in the language of the request; the code is for programs.

mod sentences;

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, Enum, Interface, Object, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use chrono::{DateTime, Utc};

use self::sentences::Sentence;
use crate::{
    domain::{Ctx, Wait, credential::password::policy::Weakness, mail::template::Locale, user::email_change::Unusable},
    email_address,
    settings::PASSWORD_MAX,
};

/// Makes each type, its member of [`ProblemCode`], named after it, and its member of [`Problem`].
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $field:ident: $type:ty,)* })+) => {
        /// The kind of a problem. More members will be added: show the `message` of one that you don't know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub enum ProblemCode { $($(#[doc = $doc])+ $name,)+ }

        /// A problem that the user can act on. Select `... on Problem { message code }` in every result, so that
        /// problems added later are readable too.
        #[derive(Interface)]
        #[graphql(
            field(
                name = "message",
                ty = "&Message",
                desc = "The message to show to the user, in the first language of `Accept-Language` that is en, de, fr, \
                        es or ja (default: English)."
            ),
            field(name = "code", ty = "ProblemCode", desc = "The kind of problem, for programs.")
        )]
        pub(super) enum Problem { $($name($name),)+ }

        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug)]
            pub struct $name {
                message: Message,
                $($(#[doc = $about])+ pub $field: $type,)*
            }

            $(#[doc = $doc])+
            #[Object]
            impl $name {
                /// The message to show to the user.
                async fn message(&self) -> &Message {
                    &self.message
                }

                /// The kind of problem, for programs.
                async fn code(&self) -> ProblemCode {
                    ProblemCode::$name
                }

                $(
                    $(#[doc = $about])+
                    async fn $field(&self) -> &$type {
                        &self.$field
                    }
                )*
            }
        )+
    };
}

problems! {
    /// The input is not an email address that can be used here.
    InvalidEmail {}
    /// The code is wrong. The attempt counts.
    InvalidCode {
        /// The number of attempts that are left for this challenge.
        attempts_left: i32,
    }
    /// The code, link or token doesn't work: it has expired, was used, has no attempts left, or never existed.
    CodeExpired {}
    /// The session has ended, or the token is unknown. Sign in again.
    SessionEnded {}
    /// A rate limit refused the call.
    RateLimited {
        /// The number of seconds to wait before trying again.
        retry_after: i32,
        /// The time after which the same call is accepted, unless other calls use up the limit first.
        retry_at: DateTime<Utc>,
    }
    /// Another account uses this address.
    EmailTaken {}
    /// The change would leave no active administrator.
    LastAdmin {}
    /// The email address or the password is wrong. The result is the same for an unknown address, an account without a
    /// password and a suspended account.
    InvalidCredentials {}
    /// The new password does not meet the policy.
    WeakPassword {
        /// Every reason, not only the first.
        reasons: Vec<WeakPasswordReason>,
    }
}

/// Why a password does not meet the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WeakPasswordReason {
    /// It has fewer characters than `PasswordPolicy.minLength`.
    TooShort,
    /// It has more characters than `PasswordPolicy.maxLength`.
    TooLong,
    /// It is one of the most common passwords.
    Common,
    /// It is known from a data breach.
    Breached,
    /// It is the email address, the name of the user or the name of the service, or built around one of them.
    ContainsIdentity,
}

/// A message that is resolved in the language of the request.
#[derive(Clone, Debug)]
pub struct Message(Content);

#[derive(Clone, Debug)]
enum Content {
    Fixed(&'static Sentence),
    Wait { seconds: i32 },
    Weak { reasons: Vec<WeakPasswordReason>, lengths: (u32, u32) },
}

impl Message {
    /// The text in a language.
    pub fn text(&self, locale: Locale) -> Cow<'static, str> {
        match &self.0 {
            Content::Fixed(sentence) => sentence.text(locale).into(),
            Content::Wait { seconds } => sentences::WAIT.with(locale, &duration(*seconds, locale)).into(),
            Content::Weak { reasons, lengths } => {
                let texts: Vec<_> = reasons.iter().map(|reason| reason.text(*lengths, locale)).collect();
                // Japanese has no spaces between sentences.
                texts.join(if locale == Locale::Ja { "" } else { " " }).into()
            }
        }
    }

    /// The result of `deleteAccount`.
    pub(super) const fn account_deleted() -> Self {
        Self(Content::Fixed(&sentences::ACCOUNT_DELETED))
    }

    /// The result of `disownSession`.
    pub(super) const fn session_disowned() -> Self {
        Self(Content::Fixed(&sentences::SESSION_DISOWNED))
    }

    /// The result of `undoEmailChange`.
    pub(super) const fn email_change_undone(may_sign_in: bool) -> Self {
        let sentence = if may_sign_in { &sentences::CHANGE_UNDONE } else { &sentences::CHANGE_UNDONE_BUT_BLOCKED };
        Self(Content::Fixed(sentence))
    }
}

impl WeakPassword {
    /// The problem of a refused password.
    pub(super) fn of(domain: &Ctx, weaknesses: &[Weakness]) -> Self {
        let reasons = weaknesses.iter().map(|weakness| match weakness {
            Weakness::TooShort => WeakPasswordReason::TooShort,
            Weakness::TooLong => WeakPasswordReason::TooLong,
            Weakness::Common => WeakPasswordReason::Common,
            Weakness::Breached => WeakPasswordReason::Breached,
            Weakness::ContainsIdentity => WeakPasswordReason::ContainsIdentity,
        });
        Self::new(reasons.collect(), (domain.settings.password_min, PASSWORD_MAX))
    }
}

impl WeakPasswordReason {
    fn text(self, (shortest, longest): (u32, u32), locale: Locale) -> String {
        match self {
            Self::TooShort => sentences::PASSWORD_TOO_SHORT.with(locale, &shortest.to_string()),
            Self::TooLong => sentences::PASSWORD_TOO_LONG.with(locale, &longest.to_string()),
            Self::Common => sentences::PASSWORD_COMMON.text(locale).to_owned(),
            Self::Breached => sentences::PASSWORD_BREACHED.text(locale).to_owned(),
            Self::ContainsIdentity => sentences::PASSWORD_CONTAINS_IDENTITY.text(locale).to_owned(),
        }
    }
}

/// Formats a waiting time, rounded up so that the message never promises too much.
fn duration(seconds: i32, locale: Locale) -> String {
    const MINUTE: i32 = 60;
    const HOUR: i32 = 60 * MINUTE;
    const DAY: i32 = 24 * HOUR;
    let (unit, length) = match seconds {
        ..2 => return sentences::SECOND.text(locale).to_owned(),
        2..90 => (&sentences::SECONDS, 1),
        90..5401 => (&sentences::MINUTES, MINUTE),
        5401..129_601 => (&sentences::HOURS, HOUR),
        _ => (&sentences::DAYS, DAY),
    };
    let count = seconds / length + i32::from(seconds % length > 0);
    unit.with(locale, &count.to_string())
}

impl OutputType for Message {
    fn type_name() -> Cow<'static, str> {
        String::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        String::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        // Without a language of the request, English. Events have none, because they contain no messages.
        let locale = ctx.data_opt::<Locale>().copied().unwrap_or(Locale::En);
        Ok(Value::String(self.text(locale).into_owned()))
    }
}

/// The language that the client accepts, if it named one that Doorcode speaks.
pub(super) fn accepted(ctx: &Context<'_>) -> Option<Locale> {
    ctx.data_opt::<Locale>().copied()
}

impl From<email_address::InvalidEmail> for InvalidEmail {
    fn from(invalid: email_address::InvalidEmail) -> Self {
        Unusable::Invalid(invalid).into()
    }
}

impl From<Unusable> for InvalidEmail {
    fn from(reason: Unusable) -> Self {
        use email_address::InvalidEmail::{Domain, Local, Shape, TooLong};
        let sentence = match reason {
            Unusable::Invalid(TooLong) => &sentences::ADDRESS_TOO_LONG,
            Unusable::Invalid(Shape) => &sentences::ADDRESS_SHAPE,
            Unusable::Invalid(Local) => &sentences::ADDRESS_LOCAL,
            Unusable::Invalid(Domain) => &sentences::ADDRESS_DOMAIN,
            Unusable::Own => &sentences::OWN_ADDRESS,
            Unusable::ForeignDomain => &sentences::FOREIGN_DOMAIN,
        };
        Self { message: Message(Content::Fixed(sentence)) }
    }
}

impl InvalidCode {
    /// A wrong code, with the number of attempts that are left.
    pub fn new(attempts_left: u32) -> Self {
        let message = Message(Content::Fixed(&sentences::WRONG_CODE));
        Self { message, attempts_left: i32::try_from(attempts_left).unwrap_or(i32::MAX) }
    }
}

impl From<Wait> for RateLimited {
    fn from(wait: Wait) -> Self {
        let millis = (wait.retry_at - wait.now).num_milliseconds().max(1);
        let seconds = i32::try_from((millis + 999) / 1000).unwrap_or(i32::MAX);
        Self { message: Message(Content::Wait { seconds }), retry_after: seconds, retry_at: wait.retry_at }
    }
}

impl WeakPassword {
    /// The reasons, at least one, and the shortest and longest length that the policy allows.
    pub fn new(reasons: Vec<WeakPasswordReason>, lengths: (u32, u32)) -> Self {
        Self { message: Message(Content::Weak { reasons: reasons.clone(), lengths }), reasons }
    }
}

/// Constructors of problems with a fixed message.
macro_rules! fixed {
    ($($(#[doc = $doc:literal])+ $see:vis $name:ident::$new:ident = $sentence:ident,)+) => {
        $(impl $name {
            $(#[doc = $doc])+
            $see const fn $new() -> Self {
                Self { message: Message(Content::Fixed(&sentences::$sentence)) }
            }
        })+
    };
}

fixed! {
    /// A code that doesn't work.
    pub(super) CodeExpired::new = CODE_EXPIRED,
    /// The link of a notice that doesn't work.
    pub(super) CodeExpired::link = LINK_EXPIRED,
    /// A refresh token whose session has ended.
    pub(super) SessionEnded::new = SESSION_ENDED,
    /// A sign-out from a session that has ended.
    pub(super) SessionEnded::already = ALREADY_ENDED,
    /// An address of another account.
    pub(super) EmailTaken::new = EMAIL_TAKEN,
    /// An address that another account took while this one had lost it.
    pub(super) EmailTaken::lost = ADDRESS_LOST,
    /// A change to the last active administrator.
    pub(super) LastAdmin::new = LAST_ADMIN,
    /// A wrong address or password.
    pub InvalidCredentials::wrong = INVALID_CREDENTIALS,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_time_is_rounded_up_to_a_unit_that_people_use() {
        let cases = [
            (1, "1 second"),
            (2, "2 seconds"),
            (89, "89 seconds"),
            (90, "2 minutes"),
            (300, "5 minutes"),
            (301, "6 minutes"),
            (5_400, "90 minutes"),
            (5_401, "2 hours"),
            (86_400, "24 hours"),
            (129_601, "2 days"),
            (i32::MAX, "24856 days"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds, Locale::En), expected);
        }
        let message = |locale| Message(Content::Wait { seconds: 180 }).text(locale).into_owned();
        assert_eq!(message(Locale::De), "Zu viele Versuche. Versuchen Sie es in 3 Minuten erneut.");
        assert_eq!(message(Locale::Fr), "Trop de tentatives. Réessayez dans 3\u{a0}minutes.");
        assert_eq!(message(Locale::Es), "Demasiados intentos. Vuelve a intentarlo en 3 minutos.");
        assert_eq!(message(Locale::Ja), "試行回数が多すぎます。3 分後にもう一度お試しください。");
    }

    #[test]
    fn a_weak_password_has_a_sentence_for_each_reason() {
        use WeakPasswordReason::{Common, TooShort};
        let weak = WeakPassword::new(vec![TooShort, Common], (8, 256));
        assert_eq!(
            weak.message.text(Locale::En),
            "Use at least 8 characters. Too many people use this password. Choose another one."
        );
        assert_eq!(
            weak.message.text(Locale::Ja),
            "8 文字以上にしてください。よく使われているパスワードです。別のパスワードにしてください。"
        );
    }

    #[test]
    fn the_english_reasons_are_those_of_the_parser() {
        use email_address::InvalidEmail::{Domain, Local, Shape, TooLong};
        for reason in [TooLong, Shape, Local, Domain] {
            assert_eq!(InvalidEmail::from(reason).message.text(Locale::En), reason.to_string());
        }
    }
}
