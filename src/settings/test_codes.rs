//! Fixed codes for single addresses. Each has a date, must not be obvious, and is logged as a warning.

use chrono::NaiveDate;
use secrecy::SecretString;

use super::{
    TestCode,
    parse::{self, Parsed, is_repetition},
};
use crate::email_address::EmailAddress;

const MAX_DAYS: i64 = 90;

/// One entry of the list: `address=code@date`.
enum Entry {
    /// Valid.
    Valid(TestCode),
    /// Expired on this date.
    Expired(EmailAddress, NaiveDate),
}

/// The valid codes, and a warning for each entry as the rest of a sentence that starts with the variable. `digits` is
/// `None` if the code length is invalid.
pub(super) fn parse(text: &str, today: NaiveDate, digits: Option<usize>) -> Parsed<(Vec<TestCode>, Vec<String>)> {
    let mut valid: Vec<TestCode> = Vec::new();
    let mut warnings = Vec::new();
    for entry in parse::list(text, |entry| parse_entry(entry, today, digits))? {
        match entry {
            Entry::Valid(code) if valid.iter().any(|other| other.email == code.email) => {
                return Err("has two codes for the same address".to_owned());
            }
            Entry::Valid(code) => {
                let (email, until) = (&code.email, code.until);
                warnings.push(format!("has a fixed code that signs in as {email} until {until}"));
                valid.push(code);
            }
            Entry::Expired(email, until) => {
                warnings.push(format!("has a code for {email} that expired on {until} and is ignored"));
            }
        }
    }
    Ok((valid, warnings))
}

/// Splits from the end, because an address may contain `=`, but the code and the date contain no `@`.
fn parse_entry(entry: &str, today: NaiveDate, digits: Option<usize>) -> Parsed<Entry> {
    let (rest, date) = entry.rsplit_once('@').ok_or("is not address=code@date")?;
    let (address, code) = rest.rsplit_once('=').ok_or("is not address=code@date")?;
    let email = EmailAddress::parse(address).map_err(|_| "has no valid email address before the =")?;
    let until = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| date.len() == "2027-01-31".len());
    let until = until.ok_or("has no date such as 2027-01-31 after the code")?;
    if until < today {
        return Ok(Entry::Expired(email, until));
    }
    if until.signed_duration_since(today).num_days() > MAX_DAYS {
        return Err(format!("ends more than {MAX_DAYS} days from now"));
    }
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("has a code with characters other than digits".to_owned());
    }
    if let Some(digits) = digits.filter(|digits| *digits != code.len()) {
        return Err(format!("has a code that is not {digits} digits long"));
    }
    if is_sequence(code.as_bytes()) || is_repetition(code.as_bytes()) {
        return Err("has a code that is easy to guess: a sequence or a repetition".to_owned());
    }
    Ok(Entry::Valid(TestCode { email, code: SecretString::from(code), until }))
}

/// Whether the digits count up or down by one. 9 and 0 are adjacent.
fn is_sequence(digits: &[u8]) -> bool {
    let steps = |step: u8| digits.windows(2).all(|pair| (pair[0] - b'0' + step) % 10 == pair[1] - b'0');
    steps(1) || steps(9)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
    }

    fn read(text: &str) -> Parsed<(Vec<TestCode>, Vec<String>)> {
        parse(text, today(), Some(8))
    }

    #[test]
    fn a_code_is_valid_through_its_last_day_with_a_warning() {
        let (codes, warnings) =
            read("Review+a=b@Example.com=83120475@2026-11-21, qa@example.org=40917263@2027-02-19").unwrap();
        assert_eq!(codes[0].email.as_str(), "review+a=b@example.com");
        assert_eq!(codes[0].code.expose_secret(), "83120475");
        assert_eq!(codes[1].until, NaiveDate::from_ymd_opt(2027, 2, 19).unwrap());
        assert!(warnings.len() == 2 && warnings[1].contains("qa@example.org until 2027-02-19"), "{warnings:?}");
        assert!(!format!("{codes:?}{warnings:?}").contains("83120475"));
    }

    #[test]
    fn an_expired_code_is_ignored_with_a_warning() {
        let (codes, warnings) = read("review@example.com=83120475@2026-11-20").unwrap();
        assert!(codes.is_empty());
        assert!(warnings.len() == 1 && warnings[0].contains("ignored"), "{warnings:?}");
    }

    #[test]
    fn obvious_codes_are_refused() {
        for code in [
            "11111111", "00000000", "12345678", "87654321", "01234567", "98765432", "89012345", "12121212", "12341234",
            "12312312",
        ] {
            let refusal = read(&format!("review@example.com={code}@2027-01-31")).unwrap_err();
            assert!(refusal.contains("a sequence or a repetition") && !refusal.contains(code), "{refusal}");
        }
    }

    #[test]
    fn every_part_of_an_entry_is_checked() {
        for (entry, wrong) in [
            ("review@example.com=83120475@2027-02-20", "90 days"),
            ("review@example.com=83120475", "address=code@date"),
            ("review@example.com@2027-01-31", "address=code@date"),
            ("review=83120475@2027-01-31", "no valid email address"),
            ("review@example.com=83120475@2027-1-31", "no date"),
            ("review@example.com=83120475@2027-02-30", "no date"),
            ("review@example.com=83120475@", "no date"),
            ("review@example.com=8312047@2027-01-31", "8 digits"),
            ("review@example.com=@2027-01-31", "8 digits"),
            ("review@example.com=8312 475@2027-01-31", "other than digits"),
            ("review@example.com=８3120475@2027-01-31", "other than digits"),
            ("review@example.com=83120475@2027-01-31,", "entry 2 that is empty"),
            ("a@example.com=83120475@2027-01-31,A@example.com=40917263@2027-01-31", "two codes for the same address"),
        ] {
            let refusal = read(entry).unwrap_err();
            assert!(refusal.contains(wrong), "{entry}: {refusal}");
        }
    }
}
