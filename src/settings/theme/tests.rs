//! Tests of the settings of a theme.

use std::fs;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x40\x00\x00\x00\x10\x08\x06\x00\x00\x00";

#[test]
fn the_kind_of_a_logo_is_that_of_its_content() {
    assert_eq!(kind_of(PNG), Ok(LogoKind::Png));
    for svg in [
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        "\u{feff}<?xml version=\"1.0\"?>\n<!-- a > b -->\n<!DOCTYPE svg PUBLIC \"x\" \"y\">\n<svg\n>",
        "<svg>",
    ] {
        assert_eq!(kind_of(svg.as_bytes()), Ok(LogoKind::Svg), "{svg}");
    }
    for other in [
        "",
        "<!doctype html><svg>",
        "<html><svg></svg></html>",
        "<svgx>",
        "<!-- <svg> ",
        "GIF89a",
        "\u{89}PNG\r\n\u{1a}\n",
    ] {
        assert!(kind_of(other.as_bytes()).is_err(), "{other}");
    }
    assert!(kind_of(b"<svg>\xff").is_err(), "not UTF-8");
}

#[test]
fn a_large_logo_is_refused_by_size_and_by_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logo.svg");
    fs::write(&file, format!("<svg>{}</svg>", " ".repeat(100 * 1024))).unwrap();
    assert!(Logo::read(&file).unwrap_err().contains("larger than 102400 bytes"));
    assert!(Logo::read(&folder.path().join("missing")).unwrap_err().contains("cannot be read"));
    let mut wide = PNG.to_vec();
    wide[18] = 0x10;
    assert!(kind_of(&wide).unwrap_err().contains("4160 by 16 pixels"));
    wide[18..20].fill(0);
    assert!(kind_of(&wide).unwrap_err().contains("0 by 16 pixels"));
}

#[test]
fn an_accent_is_one_colour_or_one_for_each_theme() {
    let both = accent("#635bff").unwrap();
    assert_eq!((both.light.accent, both.dark.accent), (both.dark.accent, both.light.accent));
    let pair = accent("#0a2540, #7aa7ff").unwrap();
    assert_eq!(pair.light.accent.to_string(), "#0a2540");
    assert_eq!(
        (pair.light.on_accent.to_string(), pair.dark.on_accent.to_string()),
        ("#ffffff".into(), "#000000".into())
    );
    assert_eq!(Accent::default(), accent(BLUES).unwrap());
    let wrong = accent("#0a2540").unwrap_err();
    assert!(wrong.contains("dark background") && wrong.ends_with("or another one for both"), "{wrong}");
    for text in ["blue", "#fff", "#635bff,", "#635bff,#635bff,#635bff", "rgb(1,2,3)", "#635bff;}"] {
        assert!(accent(text).is_err(), "{text}");
    }
}

#[test]
fn links_lead_to_web_pages_and_help_also_to_an_address() {
    for text in ["https://example.com/terms", "http://localhost:8000/x", "https://example.com/a?b=c#d"] {
        assert!(page(text).is_ok() && support(text).is_ok(), "{text}");
    }
    assert_eq!(support("mailto:help@example.com").unwrap().as_str(), "mailto:help@example.com");
    for text in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://example.com/",
        "//example.com",
        "https://",
        "https://ada:secret@example.com",
        "mailto:",
        "mailto:help",
        "mailto:a@example.com,b@example.com",
        "mailto:a@example.com?bcc=b@example.com",
        "tel:123",
    ] {
        assert!(support(text).is_err() && page(text).is_err(), "{text}");
    }
    assert!(page("mailto:help@example.com").is_err());
}

#[test]
fn help_is_shown_as_an_address_or_a_page() {
    for (set, shown) in
        [("mailto:help@example.com", "help@example.com"), ("https://example.com/", "https://example.com")]
    {
        let theme = Theme { support: Some(support(set).unwrap()), ..Theme::default() };
        assert_eq!(theme.support_text(), Some(shown));
    }
    assert_eq!(Theme::default().support_text(), None);
}
