//! The policy's edges as tables, and the embedded list.

use std::{env, fs, iter, time::Instant};

use proptest::prelude::*;
use xorf::{BinaryFuse16, DmaSerializable as _};

use super::{
    Weakness::{Breached, Common, ContainsIdentity, TooLong, TooShort},
    filter::lowercase_key,
    *,
};

fn check(min: usize, typed: &str) -> Vec<Weakness> {
    weaknesses_of(min, typed, "ada.lovelace@example.com", Some("Ada Lovelace"), "Doorcode")
}

fn weaknesses_of(min: usize, typed: &str, email: &str, name: Option<&str>, brand: &str) -> Vec<Weakness> {
    let email = EmailAddress::parse(email).unwrap();
    weaknesses(min, &Password::new(typed), &Identity { email: Some(&email), name, brand }, false)
}

/// A filter file of these keys.
fn file_of(mut keys: Vec<u64>) -> Vec<u8> {
    keys.sort_unstable();
    keys.dedup();
    let filter = BinaryFuse16::try_from(&keys).unwrap();
    let mut file = vec![0; BinaryFuse16::DESCRIPTOR_LEN];
    filter.dma_copy_descriptor_to(&mut file);
    file.extend_from_slice(filter.dma_fingerprints());
    file
}

#[test]
fn length_is_counted_in_characters_after_nfc_and_one_decides() {
    let long = |length: usize| "x7 Q".chars().cycle().take(length).collect::<String>();
    for (typed, min, expected) in [
        ("", 8, vec![TooShort]),
        ("x7Qp9zL", 8, vec![TooShort]),
        ("x7Qp9zLk", 8, vec![]),
        ("x7Qp9zLk", 9, vec![TooShort]),
        (&long(256), 8, vec![]),
        (&long(257), 8, vec![TooLong]),
        (&long(1025), 8, vec![TooLong]),
        // 256 characters of up to four bytes, and of three scalar values each before NFC.
        (&"\u{1f511}".repeat(256), 8, vec![]),
        (&"\u{1f511}".repeat(257), 8, vec![TooLong]),
        (&"u\u{308}\u{304}".repeat(256), 8, vec![]),
        (&"u\u{308}\u{304}".repeat(257), 8, vec![TooLong]),
        (&"\u{3b1}\u{313}\u{300}\u{345}".repeat(256), 8, vec![]),
        (&"\u{3b1}\u{313}\u{300}\u{345}".repeat(257), 8, vec![TooLong]),
        // A family is one picture of seven scalar values.
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}", 8, vec![TooShort]),
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}!", 8, vec![]),
        // Marks without a composed form count each.
        ("q\u{308}q\u{308}q\u{308}q\u{308}", 8, vec![]),
        ("u\u{308}u\u{308}u\u{308}u\u{308}", 8, vec![TooShort]),
        ("  x7Qp  ", 8, vec![]),
        (" x7Qp ", 8, vec![TooShort]),
        ("x7\0p9z\0k", 8, vec![]),
        ("\0\0\0\0\0\0\0\0", 8, vec![]),
    ] {
        assert_eq!(check(min, typed), expected, "{typed:?} with a minimum of {min}");
    }
}

#[test]
fn only_the_normal_form_is_changed() {
    for (typed, kept) in [
        ("gru\u{308}n e\u{301}", "gr\u{fc}n \u{e9}"),
        ("gr\u{fc}n \u{e9}", "gr\u{fc}n \u{e9}"),
        ("q\u{323}\u{307}", "q\u{323}\u{307}"),
        ("q\u{307}\u{323}", "q\u{323}\u{307}"),
        ("\u{212b}", "\u{c5}"),
        // Compatibility forms are different characters.
        ("\u{fb01} \u{ff41}", "\u{fb01} \u{ff41}"),
        ("  both ends\t\n", "  both ends\t\n"),
        ("a\0b\0", "a\0b\0"),
        ("PassWord", "PassWord"),
        ("", ""),
    ] {
        assert_eq!(Password::new(typed).expose(), kept, "{typed:?}");
    }
    for length in [257, 1024] {
        let typed = "\u{1f511}".repeat(length);
        assert_eq!(Password::new(&typed).expose(), typed);
    }
}

proptest! {
    #[test]
    fn reading_only_the_start_never_changes_whether_it_is_too_long(
        piece in "[a\u{e9}\u{308}\u{304}\u{345}\u{3b1}\u{313}\u{1f82}\u{1f511}\u{1100}\u{1161}\u{11a8}]{1,9}",
        times in 1_usize..1200,
    ) {
        let typed = piece.repeat(times);
        let length = typed.nfc().count();
        prop_assert_eq!(check(8, &typed).contains(&TooLong), length > MAX_LENGTH);
        if length <= MAX_LENGTH {
            prop_assert!(typed.nfc().eq(Password::new(&typed).expose().chars()));
        }
    }
}

#[test]
fn sixty_four_kilobytes_of_anything_are_refused_without_being_read() {
    for filling in ["a", " ", "\0", "\u{fc}", "\u{308}", "a\u{308}\u{323}", "\u{1f82}", "\u{1f511}", "lovelace"] {
        let typed = filling.repeat(65_536 / filling.len());
        let begun = Instant::now();
        for _ in 0..100 {
            assert!(check(8, &typed).contains(&TooLong));
        }
        // Twenty milliseconds each, in a debug build on a busy machine; reading all of it takes several times as long.
        assert!(begun.elapsed().as_millis() < 2_000, "{filling:?} took {:?} a hundred times", begun.elapsed());
        assert!(Password::new(&typed).length() <= 4 * MAX_TYPED);
    }
}

#[test]
fn a_password_is_printed_nowhere_and_allocated_once() {
    let password = Password::new("canary\u{308} canary");
    assert_eq!(format!("{password:?} {:?}", Some(&password)), "Password Some(Password)");
    for typed in ["canary", "gru\u{308}n", "\u{fb2c}\u{1d160}", "\u{344}\u{344}"] {
        let password = Password::new(typed);
        assert_eq!(password.0.capacity(), password.0.len(), "{typed:?}");
    }
}

#[test]
fn a_common_password_is_refused_in_any_case_and_only_as_it_is() {
    for typed in ["password", "123456", "qwertyuiop", "iloveyou1", "PassWord", "QWERTYUIOP", "trustno1", "P@ssw0rd"] {
        assert_eq!(check(6, typed), [Common], "{typed}");
    }
    for typed in ["password of a long sentence", " password", "password ", "p a s s w o r d", "correct horse battery"] {
        assert_eq!(check(6, typed), [], "{typed}");
    }
    // Cyrillic, in capitals and decomposed.
    assert_eq!(check(6, "ПАРОЛЬ"), [Common]);
    assert_eq!(check(6, "ИЦУКЕН".replace('И', "И\u{306}").as_str()), [Common]);
}

#[test]
fn twenty_thousand_random_passwords_are_not_common() {
    let list = PasswordFilter::common().unwrap();
    let mut state = 1_u64;
    let random = iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Password::new(&format!("{state:016x}"))
    });
    let common = random.take(20_000).filter(|password| list.contains(password)).count();
    assert!(common <= 4, "{common} of 20,000");
}

#[test]
fn a_password_built_around_the_account_is_refused() {
    for typed in [
        "doorcode2024",
        "2024Doorcode!",
        "D-o-o-r-c-o-d-e-1-2",
        "DOORCODEdoorcode",
        "ada.lovelace1",
        "Ada.Lovelace@Example.com",
        "ada lovelace 1815",
        "lovelace1815",
        "Lovelace-99999999",
        "ExampleCom1",
        "example123",
        "!!!example!!!!!!!!!!!!!!!!!!!!!!!",
        "Doorcode Example 123456",
    ] {
        assert_eq!(check(8, typed), [ContainsIdentity], "{typed}");
    }
    for typed in [
        "a long sentence with ada in it",
        "lovelace likes analytical engines",
        "an example of a good password",
        "doorcode and nine others",
        "adaadaadaada7",
        "!!!!!!!!!!!!",
        "door-Xk7zPq",
        "ecalevol7Qp",
        // The ending of the domain is no word of it.
        "com com com com",
    ] {
        assert_eq!(check(8, typed), [], "{typed}");
    }
}

#[test]
fn identities_of_every_shape_are_recognised() {
    for (typed, email, name, brand) in [
        ("Ada@example.com", "ada@example.com", None, "Doorcode"),
        ("joe@x.io", "joe@x.io", None, "Doorcode"),
        ("JoeXio12", "joe@x.io", None, "Doorcode"),
        ("b\u{fc}cher2024", "a@b\u{fc}cher.example", None, "Doorcode"),
        ("BU\u{308}CHER2024", "a@b\u{fc}cher.example", None, "Doorcode"),
        ("acme2024", "a@mail.acme.co.uk", None, "Doorcode"),
        ("mailing-lists", "ada+mailing.lists@x.io", None, "Doorcode"),
        ("STRASSER1", "a@x.io", Some("Jos\u{e9} Stra\u{df}er"), "Doorcode"),
        ("jose\u{301}stra\u{df}er", "a@x.io", Some("Jose\u{301} Stra\u{df}er"), "Doorcode"),
        ("jos\u{e9}1815", "a@x.io", Some("Jose\u{301} X"), "Doorcode"),
        ("\u{39f}\u{394}\u{3a5}\u{3a3}\u{3a3}\u{395}\u{3a5}\u{3a3}1", "a@x.io", Some("Οδυσσεύς Οδυσσευς"), "Doorcode"),
        ("山田太郎2024", "a@x.io", Some("山田 太郎"), "Doorcode"),
        ("Acme&Sons 1", "a@x.io", None, "ACME & Sons, Ltd."),
    ] {
        let found = weaknesses_of(8, typed, email, name, brand);
        assert_eq!(found, [ContainsIdentity], "{typed} of {email}, {name:?}, {brand}");
    }
    for (typed, email, name, brand) in [
        ("ada 7Qp9 zLk", "ada@x.io", Some("Ada"), "X"),
        ("x7Qp9zLk", "a@x.io", Some(""), ""),
        ("x7Qp9zLk", "a@x.io", Some("\u{1f511}\u{1f511}\u{1f511}\u{1f511}"), "----"),
        ("\u{1f511}\u{1f511}\u{1f511}\u{1f511}x7Qp9", "a@x.io", Some("\u{1f511}\u{1f511}\u{1f511}\u{1f511}"), "----"),
    ] {
        assert_eq!(weaknesses_of(8, typed, email, name, brand), [], "{typed} of {email}, {name:?}, {brand}");
    }
}

#[test]
fn all_reasons_are_given_at_once_and_in_order() {
    let email = EmailAddress::parse("ada@qwerty.example").unwrap();
    let identity = Identity { email: Some(&email), name: None, brand: "Doorcode" };
    for (typed, expected) in [
        ("qwerty", vec![TooShort, Common, Breached, ContainsIdentity]),
        ("x7Qp9zLk", vec![Breached]),
        (&"qwerty".repeat(43), vec![TooLong, Breached, ContainsIdentity]),
    ] {
        assert_eq!(weaknesses(8, &Password::new(typed), &identity, true), expected, "{typed}");
        let others: Vec<_> = expected.into_iter().filter(|weakness| *weakness != Breached).collect();
        assert_eq!(weaknesses(8, &Password::new(typed), &identity, false), others, "{typed}");
    }
}

#[test]
fn a_damaged_filter_is_not_opened() {
    let file = file_of((0..1000).collect());
    let opens = |file: &[u8]| PasswordFilter::open(file).is_some();
    assert!(opens(&file));
    for length in [0, 19, 20, 21, file.len() - 2, file.len() - 1] {
        assert!(!opens(&file[..length]), "{length} bytes");
    }
    assert!(!opens(&[&file[..], &[0, 0]].concat()));
    // The seed may be anything; the three lengths may not.
    for at in 8..BinaryFuse16::DESCRIPTOR_LEN {
        let mut damaged = file.clone();
        damaged[at] ^= 0x40;
        assert!(!opens(&damaged), "byte {at}");
    }
    let shifted = [&[0][..], &file].concat();
    assert!(!opens(&shifted[1..]), "an odd address");
}

/// Writes the filter of the passwords in `$PASSWORDS`, one a line, to `$FILTER`.
#[test]
#[ignore = "no test but the generator, which tests/common-passwords runs"]
fn build_the_filter_of_common_passwords() {
    let list = fs::read_to_string(env::var("PASSWORDS").unwrap()).unwrap();
    let file = file_of(list.lines().map(|line| lowercase_key(&Password::new(line))).collect());
    let filter = PasswordFilter::open(&file).unwrap();
    assert!(list.lines().all(|line| filter.contains(&Password::new(line))));
    fs::write(env::var("FILTER").unwrap(), file).unwrap();
}
