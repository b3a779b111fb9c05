//! The look of an operator in every mail.

use super::*;
use crate::settings::Logo;

fn theme(logo: Option<(LogoKind, &'static [u8])>) -> Theme {
    let logo = logo.map(|(kind, bytes)| std::sync::Arc::new(Logo { kind, bytes: Bytes::from_static(bytes) }));
    Theme { logo, support: Some("mailto:help@example.com".parse().unwrap()), ..Theme::default() }
}

#[test]
fn every_mail_has_the_logo_inside_it_and_names_the_address_for_help() {
    for content in every_mail() {
        let mail = render(&Content { theme: theme(Some((LogoKind::Png, b"png"))), ..content.clone() }).unwrap();
        assert_eq!(mail.logo.as_deref(), Some(&b"png"[..]));
        let image = format!("<img src=\"cid:{}\" alt=\"Doorcode\"", Mail::LOGO);
        assert_eq!(mail.html.matches("<img").count(), 1, "{}", mail.html);
        assert!(mail.html.contains(&image) && mail.html.matches("src=").count() == 1, "{}", mail.html);
        let help = format!("{} help@example.com", words(content.locale).need_help);
        assert!(mail.text.trim_end().ends_with(&help), "{}", mail.text);
        assert!(mail.html.contains("href=\"mailto:help@example.com\"") && mail.html.contains(">help@example.com</a>"));
    }
}

#[test]
fn a_logo_that_mail_clients_do_not_show_gives_way_to_the_name() {
    for logo in [None, Some((LogoKind::Svg, &b"<svg>"[..]))] {
        let mail = render(&Content { theme: theme(logo), ..code_mail(Locale::En) }).unwrap();
        assert!(mail.logo.is_none() && !mail.html.contains("<img"), "{}", mail.html);
        assert!(mail.html.contains(">Doorcode</p>"), "{}", mail.html);
    }
}

#[test]
fn buttons_and_links_have_the_accent_in_light_and_dark_clients() {
    let accent = Accent::default();
    let link = content(Message::NewDevice(Disown(DISOWN.into())), Locale::En);
    let html = render(&link).unwrap().html;
    for (shades, mark) in [(accent.light, ";"), (accent.dark, " !important;")] {
        let button = format!("background-color: {}{mark} color: {}{mark}", shades.accent, shades.on_accent);
        assert!(html.contains(&button), "{button} in {html}");
        assert!(html.contains(&format!("color: {}{mark}", shades.text)), "{html}");
    }
}
