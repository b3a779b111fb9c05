//! The password policy: which passwords a user may choose. It applies when a password is set, never at login.

pub mod breached;
mod filter;
mod identity;
#[cfg(test)]
mod tests;

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use self::filter::PasswordFilter;
use crate::{email_address::EmailAddress, settings};

/// Maximum length of a password, in Unicode scalar values after NFC.
pub const MAX_LENGTH: usize = settings::PASSWORD_MAX as usize;

/// Number of typed characters that are read. NFC joins at most four characters into one, so more than 1,024 are too
/// long in any case and the rest is not needed to refuse them.
const MAX_TYPED: usize = 4 * MAX_LENGTH + 1;

/// A password in NFC, wiped when dropped. Nothing else is changed: whitespace and NUL are part of the password.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Normalizes what the user typed. Of an input over 1,024 characters, which no account can have as its password,
    /// only the first 1,025 are kept: the result is always [`Weakness::TooLong`].
    pub fn new(typed: &str) -> Self {
        let end = typed.char_indices().nth(MAX_TYPED).map_or(typed.len(), |(end, _)| end);
        Self(collect(typed[..end].nfc()))
    }

    /// The password in plain text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in Unicode scalar values.
    fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Shorter than the configured minimum.
    TooShort,
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// On the embedded list of common passwords, in any case.
    Common,
    /// On the operator's list of breached passwords.
    Breached,
    /// Equal to, or built around, the user's address or name or the brand.
    ContainsIdentity,
}

/// What a password must not be built around.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Email address of the account, if known.
    pub email: Option<&'a EmailAddress>,
    /// Display name, if known.
    pub name: Option<&'a str>,
    /// Name of the service.
    pub brand: &'a str,
}

/// All reasons to refuse `password`, in the order of [`Weakness`]; empty if it is acceptable. `min` is the minimum
/// length in Unicode scalar values. `is_breached` says whether the operator's list has it.
pub fn weaknesses(min: usize, password: &Password, identity: &Identity<'_>, is_breached: bool) -> Vec<Weakness> {
    let length = password.length();
    let is_common = PasswordFilter::common().is_some_and(|list| list.contains(password));
    [
        (Weakness::TooShort, length < min),
        (Weakness::TooLong, length > MAX_LENGTH),
        (Weakness::Common, is_common),
        (Weakness::Breached, is_breached),
        (Weakness::ContainsIdentity, identity::is_core_of(password, identity)),
    ]
    .into_iter()
    .filter_map(|(weakness, applies)| applies.then_some(weakness))
    .collect()
}

/// Collects characters into a string that is wiped when dropped. It is allocated once, because growing it would leave
/// parts of the password in freed memory.
fn collect(chars: impl Iterator<Item = char> + Clone) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(chars.clone().map(char::len_utf8).sum()));
    text.extend(chars);
    text
}
