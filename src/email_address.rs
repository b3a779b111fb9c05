//! Canonical email addresses: ASCII, lower case, at most 254 bytes. Different spellings of a domain become one value,
//! but dots and plus parts stay. Refuses input that a mail program could interpret as anything but one mailbox.

use std::{borrow::Cow, fmt};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Maximum length of a canonical address (RFC 5321, a path without brackets).
const MAX_BYTES: usize = 254;
/// Maximum length of the part before the @ (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// Maximum length of the input. A domain in its own script can be up to four times as long as in ASCII.
const MAX_INPUT_BYTES: usize = 1024;

/// A canonical email address. Two addresses are equal if they are the same mailbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Why a text is not an email address. The messages are for users and never repeat the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Longer than mail servers accept.
    #[error("This email address is too long. It can have at most 254 characters, with at most 64 before the @.")]
    TooLong,
    /// No `@`, or nothing on one side of it.
    #[error("Enter an email address such as you@example.com.")]
    Shape,
    /// Invalid part before the @.
    #[error(
        "The part before the @ can have the letters a to z, digits, single dots between them, and the characters \
         !#$%&'*+/=?^_`{{|}}~- (no hyphen at the start)."
    )]
    Local,
    /// The part after the @ is not a domain that can receive mail.
    #[error("The part after the @ must be a domain that can receive email, such as example.com.")]
    Domain,
}

impl EmailAddress {
    /// Parses an address as typed by a user. Ignores spaces around it.
    pub fn parse(input: &str) -> Result<Self, InvalidEmail> {
        // Check the length first, to bound the work.
        if input.len() > MAX_INPUT_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        // Do not trim line breaks: they are attempts at header injection, not typos.
        let text = input.trim_matches([' ', '\t']);
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(InvalidEmail::Shape);
        }
        check_local(local)?;
        let domain = canonical_domain(domain)?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        if canonical.len() > MAX_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        Ok(Self(canonical))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`, in ASCII.
    pub fn domain(&self) -> &str {
        // There is exactly one `@`.
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address without its `+…` part, which most providers deliver to the same mailbox. Use it only for limits: two
    /// accounts may differ only in this part, and may belong to different people.
    pub fn mailbox(&self) -> Cow<'_, str> {
        match self.0.split_once('+') {
            Some((name, _)) if !name.is_empty() && !name.contains('@') => {
                Cow::Owned(format!("{name}@{}", self.domain()))
            }
            _ => Cow::Borrowed(&self.0),
        }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for EmailAddress {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The canonical form of a domain: ASCII, lower case, at least two labels.
pub fn canonical_domain(input: &str) -> Result<String, InvalidEmail> {
    if input.len() > MAX_INPUT_BYTES {
        return Err(InvalidEmail::TooLong);
    }
    // UTS 46 normalizes scripts, widths and case, and checks lengths. STD3 allows only letters, digits and hyphens, so
    // address literals in brackets are refused.
    let ascii = Uts46::new()
        .to_ascii(input.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
        .map_err(|_| InvalidEmail::Domain)?;
    let (_, top) = ascii.rsplit_once('.').ok_or(InvalidEmail::Domain)?;
    // No top-level domain starts with a digit; `127.0.0.1` and `1.0x7f` are IP addresses.
    if !top.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(InvalidEmail::Domain);
    }
    Ok(ascii.into_owned())
}

/// Accepts a dot-atom (RFC 5322, 3.2.3) of at most 64 bytes that programs cannot mistake for an option.
fn check_local(local: &str) -> Result<(), InvalidEmail> {
    if local.len() > MAX_LOCAL_BYTES {
        return Err(InvalidEmail::TooLong);
    }
    let atoms = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    if !atoms || local.starts_with('-') {
        return Err(InvalidEmail::Local);
    }
    Ok(())
}

/// Whether a byte is allowed in an atom (RFC 5322, 3.2.3).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Instant};

    use super::*;

    fn canonical(input: &str) -> Result<String, InvalidEmail> {
        EmailAddress::parse(input).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn the_mailbox_of_an_address_has_no_sub_address() {
        for (address, mailbox) in [
            ("a@example.com", "a@example.com"),
            ("a+b@example.com", "a@example.com"),
            ("a+b+c@example.com", "a@example.com"),
            ("a+@example.com", "a@example.com"),
            ("+b@example.com", "+b@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(address).unwrap().mailbox(), mailbox);
        }
    }

    #[test]
    fn addresses_are_trimmed_and_become_lower_case() {
        assert_eq!(canonical(" \tAda.Lovelace+Maths@Example.COM  "), Ok("ada.lovelace+maths@example.com".to_owned()));
    }

    #[test]
    fn dots_and_plus_parts_are_kept() {
        let all: HashSet<_> = ["ada@example.com", "a.da@example.com", "ada+x@example.com"]
            .iter()
            .map(|input| canonical(input).unwrap())
            .collect();
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn a_domain_in_its_own_script_and_its_ascii_form_are_one_address() {
        for (typed, ascii) in [
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@faß.example", "ada@xn--fa-hia.example"),
            ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@ｅｘａｍｐｌｅ。com", "ada@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(typed), EmailAddress::parse(ascii), "{typed}");
            assert_eq!(canonical(typed).as_deref(), Ok(ascii));
        }
        // A look-alike is a different domain.
        assert_eq!(canonical("ada@\u{435}xample.com"), Ok("ada@xn--xample-2of.com".to_owned()));
    }

    #[test]
    fn every_allowed_character_is_accepted() {
        for local in ["!#$%&'*+-/=?^_`{|}~", "a", "0", "a-b", "o'brien", "_x", "a.b.c"] {
            let input = format!("{local}@example.com");
            assert_eq!(canonical(&input), Ok(input));
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of inputs")]
    fn invalid_inputs_are_refused() {
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long_domain = format!("a@{}com", "b.".repeat(130));
        for input in [
            "",
            " ",
            "@",
            "a",
            "a@",
            "@example.com",
            "example.com",
            "a@localhost",
            "a@com",
            "a@.com",
            "a@example..com",
            "a@example.com.",
            "a@.example.com",
            "a@-example.com",
            "a@example-.com",
            "a@ex--ample.com",
            "a@exa_mple.com",
            "a@xn--a.com",
            "a@xn--.com",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@::1",
            "a@1.0x7f",
            "a@example.123",
            "a@exam\u{ff20}ple.com",
            "a@\u{2100}.com",
            "a@example.com/path",
            "a@example.com:25",
            "a@%65xample.com",
            "-oQ/tmp@b.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a b@example.com",
            "a@exam ple.com",
            "a @example.com",
            "a@ example.com",
            "a\u{a0}@example.com",
            "a\u{200b}@example.com",
            "a@b@example.com",
            "a\0@example.com",
            "a@example.com\0",
            "a@example.com\r\n",
            "\na@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a\r\n@example.com",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "<a@example.com>",
            "Ada <a@example.com>",
            "\"a b\"@example.com",
            "\"a\"@example.com",
            "a(comment)@example.com",
            "a\\@example.com",
            "a:b@example.com",
            "a[1]@example.com",
            "\u{ff41}da@example.com",
            "\u{430}da@example.com",
            "ad\u{131}@example.com",
            "K\u{212a}@example.com",
            "a\u{ff20}example.com",
            "\u{1b}[31ma@example.com",
            "a\u{202e}@example.com",
            &long_label,
            &long_domain,
        ] {
            assert!(EmailAddress::parse(input).is_err(), "{input:?} was accepted");
        }
    }

    #[test]
    fn lengths_are_checked_in_the_canonical_form() {
        let local = "l".repeat(64);
        let label = "d".repeat(61);
        // 64 + 1 + 3 * 62 + 3 = 254
        let longest = format!("{local}@{label}.{label}.{label}.com");
        assert_eq!(longest.len(), 254);
        assert_eq!(canonical(&longest), Ok(longest));
        assert_eq!(canonical(&format!("{local}@{label}.{label}.{label}d.com")), Err(InvalidEmail::TooLong));
        assert_eq!(canonical(&format!("l{local}@example.com")), Err(InvalidEmail::TooLong));
        let wide = format!("a@{}.com", "ü".repeat(50));
        assert!(canonical(&wide).is_ok_and(|address| address.is_ascii() && address.len() <= 254));
    }

    #[test]
    fn long_inputs_are_refused_without_parsing() {
        for filling in ["a", "@", ".", " ", "ü", "\u{308}", "xn--", "a@"] {
            let input = filling.repeat(10_240 / filling.len());
            let start = Instant::now();
            for _ in 0..1000 {
                assert_eq!(EmailAddress::parse(&input), Err(InvalidEmail::TooLong));
            }
            assert!(start.elapsed().as_millis() < 500, "{filling:?} took {:?} for 1,000 inputs", start.elapsed());
        }
    }

    #[test]
    fn the_longest_parsed_input_is_cheap() {
        for filling in ["ü", "\u{308}", "a\u{308}\u{323}", "。", "ß.", "xn--bcher-kva."] {
            let input = format!("a@{}", filling.repeat(1020 / filling.len()));
            let start = Instant::now();
            for _ in 0..100 {
                assert!(EmailAddress::parse(&input).is_err());
            }
            // 20 ms each, in a debug build on a busy machine.
            assert!(start.elapsed().as_millis() < 2_000, "{filling:?} took {:?} for 100 inputs", start.elapsed());
        }
    }

    #[test]
    fn canonical_addresses_parse_to_themselves() {
        for input in ["Ada@Bücher.example", "A.B+c@EXAMPLE.org", "x@xn--bcher-kva.example"] {
            let once = EmailAddress::parse(input).unwrap();
            assert_eq!(EmailAddress::parse(once.as_str()), Ok(once.clone()));
            assert_eq!(once.to_string(), once.as_str());
        }
        assert_eq!(EmailAddress::parse("a@Bücher.example").unwrap().domain(), "xn--bcher-kva.example");
    }

    #[test]
    fn a_refusal_is_a_sentence_without_the_input() {
        for input in ["canary", "canary@", "-canary@example.com", "canary@canary", &"canary".repeat(999)] {
            let refusal = EmailAddress::parse(input).unwrap_err();
            let sentence = refusal.to_string();
            assert!(!sentence.contains("canary") && sentence.ends_with('.'), "{sentence}");
            assert!(!format!("{refusal:?}").contains("canary"));
        }
    }
}
