//! Passwords made of what everyone knows about the account.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use zeroize::Zeroizing;

use super::{Identity, Password, collect};
use crate::email_address::EmailAddress;

/// Minimum length of a word that counts. Shorter ones are part of many other words.
const MIN_WORD: usize = 4;

/// Whether at least half of the letters and digits of the password, ignoring case and everything else, are occurrences
/// of the address, its local part, its domain, the name, the brand, or a word of these with at least four characters.
pub(super) fn is_core_of(password: &Password, identity: &Identity<'_>) -> bool {
    let text = fold(password.expose());
    let mut is_known = vec![false; text.len()];
    for word in words(identity) {
        for (at, _) in text.match_indices(word.as_str()) {
            is_known[at..at + word.len()].fill(true);
        }
    }
    let known = text.char_indices().filter(|(at, _)| is_known[*at]).count();
    known > 0 && 2 * known >= text.chars().count()
}

fn words(identity: &Identity<'_>) -> Vec<Zeroizing<String>> {
    let address = identity.email.map(EmailAddress::as_str).unwrap_or_default();
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let (domain, _) = idna::domain_to_unicode(identity.email.map(EmailAddress::domain).unwrap_or_default());
    // Every label but the last, because finding the main one takes a list of public suffixes.
    let labels = domain.rsplit_once('.').map_or("", |(labels, _)| labels);
    let name = identity.name.unwrap_or_default();
    let is_separator = |char: char| !char.is_alphanumeric() && !is_combining_mark(char);
    let parts = [local, labels, name, identity.brand].into_iter().flat_map(|text| text.split(is_separator));
    let words = [address, local, &domain, name, identity.brand].into_iter().chain(parts).map(fold);
    words.filter(|word| word.chars().count() >= MIN_WORD).collect()
}

/// Letters and digits only, case-folded. Uppercase first, because that also makes `ß` and `SS`, or `ς` and `Σ`, equal.
fn fold(text: &str) -> Zeroizing<String> {
    let chars = text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    collect(chars.filter(|char| char.is_alphanumeric()))
}
