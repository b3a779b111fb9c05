//! Tests of contrast and shades.

use super::*;

fn colour(text: &str) -> Colour {
    Colour::parse(text).unwrap()
}

#[test]
fn contrast_is_that_of_wcag() {
    for (one, other, ratio) in [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#2c4fd4", "#ffffff", 6.61),
        ("#ff0000", "#ffffff", 4.0),
    ] {
        let found = colour(one).contrast(colour(other));
        assert!((found - ratio).abs() < 0.01, "{one} on {other}: {found}");
        assert!((found - colour(other).contrast(colour(one))).abs() < 1e-9);
    }
}

#[test]
fn only_six_hexadecimal_digits_are_a_colour() {
    assert_eq!(colour("#0A2540").to_string(), "#0a2540");
    for text in ["", "#", "0a2540", "#fff", "#0a25400", "#0a254g", "#+12345", "red", "#é2540"] {
        assert_eq!(Colour::parse(text), None, "{text}");
    }
}

#[test]
fn every_accepted_accent_can_be_read_in_every_role() {
    let mut accepted = 0;
    for step in 0..9 * 9 * 9_u16 {
        let part = |value: u16| u8::try_from(value % 9 * 31).unwrap();
        let accent = Colour([part(step / 81), part(step / 9), part(step)]);
        for background in [LIGHT, DARK] {
            let Ok(shades) = Shades::of(accent, &background) else { continue };
            accepted += 1;
            assert!(shades.accent.contrast(shades.on_accent) >= TEXT, "{shades:?}");
            assert!(shades.over.contrast(shades.on_accent) >= TEXT, "{shades:?}");
            for behind in [background.page, background.card] {
                assert!(shades.text.contrast(behind) >= TEXT, "{shades:?}");
                assert!(shades.text.contrast(behind.with(accent, 18)) >= TEXT, "{shades:?}");
            }
        }
    }
    assert!(accepted > 700, "{accepted}");
}

#[test]
fn an_accent_that_cannot_be_seen_is_refused_with_its_ratio_and_what_is_needed() {
    let wrong = Shades::of(colour("#0a2540"), &DARK).unwrap_err();
    assert_eq!(wrong, "has a contrast of 1.14:1 with the dark background #16181c, but buttons need 3:1");
    let wrong = Shades::of(colour("#ffe066"), &LIGHT).unwrap_err();
    assert!(wrong.contains("with the light background #ffffff, but buttons need 3:1"), "{wrong}");
}
