//! Every mail in every language, with hostile input.

use super::{
    super::{
        device::describe_device,
        message::{Code, Disown, Link, Undo},
        payload::samples::{CODE, DISOWN, LINK, PAGE, UNDO},
    },
    *,
};
use crate::db::entity::Role;

fn content(message: Message, locale: Locale) -> Content {
    Content {
        message,
        page: PAGE.to_owned(),
        locale,
        lifetime: Duration::from_mins(5),
        brand: "Doorcode".to_owned(),
        theme: Theme::default(),
        device: describe_device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        network: Some("203.0.113.7".to_owned()),
        asked_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
    }
}

fn code_mail(locale: Locale) -> Content {
    content(Message::Code(Code(CODE.into())), locale)
}

/// One of each matching letter.
fn mails(locale: Locale, fits: fn(&Message) -> bool) -> impl Iterator<Item = Content> {
    Message::samples().into_iter().filter(fits).map(move |message| content(message, locale))
}

/// Letters that show an origin.
fn asked_mails(locale: Locale) -> impl Iterator<Item = Content> {
    mails(locale, |message| message.row().origin.is_some())
}

/// Letters that show no origin, such as those about administrators.
fn mails_by_administrators(locale: Locale) -> impl Iterator<Item = Content> {
    mails(locale, |message| message.row().origin.is_none())
}

fn every_mail() -> Vec<Content> {
    Locale::ALL.into_iter().flat_map(|locale| mails(locale, |_| true)).collect()
}

/// The HTML body as a reader would copy it.
fn without_tags(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let mut text = String::new();
    let mut inside = true;
    for char in body.chars() {
        match char {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(char),
            _ => {}
        }
    }
    text
}

#[test]
fn every_language_shows_the_code_grouped_and_lets_it_be_copied_as_digits() {
    let has_code = |message: &Message| message.code().is_some();
    for content in Locale::ALL.into_iter().flat_map(|locale| mails(locale, has_code)) {
        let mail = render(&content).unwrap();
        assert!(mail.text.contains("\n    1234 5678\n"), "{}", mail.text);
        assert!(mail.text.contains(" 12345678\n"), "{}", mail.text);
        assert!(mail.html.contains(">1234</span><span"), "{}", mail.html);
        assert!(without_tags(&mail.html).contains("12345678"));
    }
}

#[test]
fn every_language_shows_origin_and_lifetime() {
    let minutes = ["5 minutes", "5 Minuten", "5\u{a0}minutes", "5 minutos", "5 分"];
    let hours = ["24 hours", "24 Stunden", "24\u{a0}heures", "24 horas", "24 時間"];
    let days = ["7 days", "7 Tage", "7\u{a0}jours", "7 días", "7 日間"];
    let devices =
        ["Firefox on Linux", "Firefox auf Linux", "Firefox sur Linux", "Firefox en Linux", "Linux の Firefox"];
    let spelled = [(5, minutes), (24 * 60, hours), (7 * 24 * 60, days)];
    for (index, locale) in Locale::ALL.into_iter().enumerate() {
        for (count, lifetimes) in spelled {
            for mail in asked_mails(locale) {
                let has_secret = mail.message.carried().is_some();
                let mail = render(&Content { lifetime: Duration::from_mins(count), ..mail }).unwrap();
                let lifetime = if has_secret { lifetimes[index] } else { "" };
                for part in [&mail.text.replace('\n', " "), &mail.html] {
                    for expected in [lifetime, devices[index], "203.0.113.7", "2026-09-21 14:13 UTC"] {
                        assert!(part.contains(expected), "{locale:?} lacks {expected}: {part}");
                    }
                }
                assert!(mail.html.contains(&format!("<html lang=\"{}\">", locale.as_str())));
            }
        }
    }
}

#[test]
fn a_mail_about_an_administrators_action_shows_no_origin() {
    for locale in Locale::ALL {
        let words = words(locale);
        for content in mails_by_administrators(locale) {
            assert!(content.network.is_some() && content.device.is_some(), "the input has an origin");
            let mail = render(&content).unwrap();
            let facts = ["203.0.113.7", "Firefox", "2026-09-21", words.request_origin, words.sign_in_origin];
            for fact in facts.into_iter().chain([words.network]) {
                assert!(!mail.text.contains(fact) && !mail.html.contains(fact), "{locale:?}, {fact}: {}", mail.text);
            }
        }
    }
}

#[test]
fn a_mail_without_known_origin_has_no_empty_section() {
    for locale in Locale::ALL {
        let words = words(locale);
        for content in asked_mails(locale) {
            let mail = render(&Content { device: None, network: None, ..content }).unwrap();
            for heading in [words.request_origin, words.sign_in_origin, "2026-09-21", "<h2"] {
                assert!(!mail.text.contains(heading) && !mail.html.contains(heading), "{}", mail.text);
            }
            assert!(mail.text.contains("\n\n-- \n") && !mail.text.contains("\n\n\n"), "{}", mail.text);
        }
    }
}

/// All visible lines of a mail, without those that are equal in every language.
fn lines_of(content: &Content) -> Vec<String> {
    let mail = render(content).unwrap();
    // The unwrapped paragraphs of the text part, then the lines of the HTML part, which has the button.
    let paragraphs = mail.text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    let html = without_tags(&mail.html);
    let lines = paragraphs.chain([mail.subject]).chain(html.lines().map(str::to_owned));
    let is_common = |line: &str| {
        line == "Doorcode" || line.starts_with("https://") || line.chars().all(|char| " 12345678".contains(char))
    };
    lines.map(|line| line.trim().to_owned()).filter(|line| !is_common(line)).collect()
}

#[test]
fn mails_in_two_languages_share_no_sentence() {
    let mut seen = std::collections::HashMap::new();
    for content in every_mail() {
        for line in lines_of(&content) {
            let first = *seen.entry(line.clone()).or_insert(content.locale);
            assert_eq!(first, content.locale, "in both: {line}");
        }
    }
    assert!(seen.len() > 5 * 40, "{} sentences", seen.len());
}

#[test]
fn no_mail_in_another_language_holds_english_words() {
    const ENGLISH: [&str; 9] = ["the", "you", "your", "this", "address", "and", "link", "open", "account"];
    let english = |content: &Content| {
        let lines = lines_of(content).join(" ").to_lowercase();
        let words: Vec<_> = lines.split(|char: char| !char.is_alphabetic()).collect();
        // "Link" is also German.
        ENGLISH
            .into_iter()
            .filter(|word| content.locale != Locale::De || *word != "link")
            .any(|word| words.contains(&word))
    };
    for content in every_mail() {
        assert_eq!(english(&content), content.locale == Locale::En, "{:?}", lines_of(&content));
    }
}

#[test]
fn every_mail_has_the_same_shape_in_every_language() {
    let shape = |locale| {
        let all = mails(locale, |_| true);
        all.map(|content| {
            let parts = parts(&content).unwrap();
            assert!(!parts.subject.is_empty() && !parts.heading.is_empty() && !parts.footer.is_empty());
            let paragraphs = parts.before.iter().chain(&parts.after);
            assert!(paragraphs.clone().all(|text| !text.trim().is_empty() && text.trim() == text));
            let names_brand = paragraphs.filter(|text| text.contains("Doorcode")).count() > 0;
            assert!(names_brand && parts.subject.contains("Doorcode"), "{locale:?}: {}", parts.subject);
            (parts.before.len(), parts.after.len(), parts.code.is_some(), parts.link.is_some(), parts.origin.is_some())
        })
        .collect::<Vec<_>>()
    };
    let english = shape(Locale::En);
    for locale in Locale::ALL {
        assert_eq!(shape(locale), english, "{locale:?}");
    }
}

#[test]
fn mails_of_one_language_have_distinct_subjects_and_openings() {
    for locale in Locale::ALL {
        let mut subjects = std::collections::HashSet::new();
        let mut openings = std::collections::HashSet::new();
        for content in mails(locale, |_| true) {
            let parts = parts(&content).unwrap();
            // These share their subject with the letter before, and the second its opening too.
            let is_without_link = matches!(content.message, Message::NewDeviceWithoutLink);
            let is_same = is_without_link || matches!(content.message, Message::EmailChangedForYou);
            assert_ne!(subjects.insert(parts.subject.clone()), is_same, "{}", parts.subject);
            assert_ne!(openings.insert(parts.before[0].clone()), is_without_link, "{}", parts.before[0]);
        }
    }
}

#[test]
fn a_changed_role_is_named_in_the_mails_language() {
    let named = [
        (Role::Admin, ["Administrator", "Administrator", "Administrateur", "Administrador", "管理者"]),
        (Role::Manager, ["Manager", "Manager", "Gestionnaire", "Gestor", "マネージャー"]),
        (Role::User, ["User", "Benutzer", "Utilisateur", "Usuario", "ユーザー"]),
        (Role::Guest, ["Guest", "Gast", "Invité", "Invitado", "ゲスト"]),
    ];
    for (role, names) in named {
        for (locale, name) in Locale::ALL.into_iter().zip(names) {
            let mail = render(&content(Message::RoleChanged(role), locale)).unwrap();
            let (end, text) = (if locale == Locale::Ja { "」です。" } else { "." }, mail.text.replace('\n', ""));
            assert!(text.contains(&format!("{name}{end}")) && mail.html.contains(&format!("{name}{end}")), "{text}");
        }
    }
}

#[test]
fn no_subject_carries_the_code_or_the_link() {
    for content in every_mail() {
        let subject = render(&content).unwrap().subject;
        assert!(!subject.contains(|char: char| char.is_ascii_digit()), "{subject}");
        assert!(!subject.contains("http") && !subject.contains("Zm9v"), "{subject}");
    }
}

#[test]
fn plain_text_stays_within_78_columns_except_for_the_link() {
    for content in every_mail() {
        let mail = render(&content).unwrap();
        for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
            assert!(plain::columns_of(line) <= 78, "{line}");
            assert!(line == "-- " || line == line.trim_end(), "trailing spaces in {line:?}");
        }
        assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
        assert!(!mail.text.ends_with("\n\n") && mail.text.contains("\n\n-- \n"), "{}", mail.text);
    }
}

#[test]
fn a_mail_with_a_link_carries_it_whole_and_no_digits_to_type() {
    for content in every_mail() {
        let mail = render(&content).unwrap();
        let Shown::Link(url, _) = content.message.shown(&content.page) else {
            assert!(!mail.text.contains("http") && !mail.html.contains("href"), "{}", mail.text);
            continue;
        };
        assert!([LINK, UNDO, DISOWN, PAGE].contains(&url), "{url}");
        assert!(mail.text.lines().any(|line| line == url), "{}", mail.text);
        assert_eq!(mail.html.matches(&format!("href=\"{url}\"")).count(), 2, "{}", mail.html);
        assert_eq!(mail.html.matches("href=").count(), 2, "{}", mail.html);
        assert!(!mail.html.contains("class=\"code\""));
    }
}

#[test]
fn a_link_that_is_not_a_web_address_makes_no_mail() {
    for url in ["javascript:alert(1)", "https://a b", "https://a\r\nb", "data:text/html,x", "ftp://a", "//a", ""] {
        let links = [
            Message::Link(Link(url.into())),
            Message::EmailChanged(Undo(url.into())),
            Message::NewDevice(Disown(url.into())),
        ];
        let on_page =
            Message::samples().into_iter().filter(|message| matches!(message.shown(PAGE), Shown::Link(PAGE, _)));
        for message in links.into_iter().chain(on_page) {
            let content = Content { page: url.to_owned(), ..content(message, Locale::En) };
            assert!(matches!(render(&content), Err(Error::Internal(_))), "{url}");
        }
    }
}

#[test]
fn a_hostile_brand_is_cleaned_in_every_mail() {
    for content in every_mail() {
        let brand = "<img src=x>{{7*7}}\r\n.\r\nBcc: eve@example.com\u{202e}".to_owned();
        let mail = render(&Content { brand, ..content }).unwrap();
        assert!(mail.subject.contains("<img src=x>{{7*7}} . Bcc: eve@example.com"), "{}", mail.subject);
        assert!(!mail.subject.contains(['\r', '\n', '\u{202e}']), "{}", mail.subject);
        // Our own line breaks may fall anywhere; none of the brand's may remain.
        assert!(mail.text.replace('\n', " ").contains("<img src=x>{{7*7}} . Bcc: eve@example.com"), "{}", mail.text);
        assert!(!mail.text.contains(['\r', '\u{202e}']) && !mail.text.contains("\n.\n"), "{}", mail.text);
        assert!(mail.html.contains("&#60;img src=x&#62;{{7*7}} . Bcc"), "{}", mail.html);
        assert!(!mail.html.contains("<img") && !mail.html.contains(['\r', '\u{202e}']), "{}", mail.html);
    }
}

#[test]
fn untrusted_text_is_shown_as_text() {
    let hostile = Content {
        brand: "<img src=x>{{7*7}}\r\nBcc: eve@example.com".to_owned(),
        device: Some("<script>\r\n.\r\nevil</script>".to_owned()),
        network: Some("203.0.113.7\r\n<b>".to_owned()),
        ..code_mail(Locale::En)
    };
    let mail = render(&hostile).unwrap();
    assert_eq!(mail.subject, "Your sign-in code for <img src=x>{{7*7}} Bcc: eve@example.com");
    assert!(mail.text.contains("<img src=x>{{7*7}} Bcc:"), "{}", mail.text);
    assert!(mail.text.contains("    Device: <script> . evil</script>\n"), "{}", mail.text);
    assert!(!mail.text.contains('\r') && !mail.text.contains("\n.\n"));
    assert!(mail.html.contains("&#60;img src=x&#62;{{7*7}}"), "{}", mail.html);
    assert!(!mail.html.contains("<img") && !mail.html.contains("<script"));
    // A network that is not an IP address is dropped, not cleaned.
    assert!(!mail.text.contains("203.0.113.7") && !mail.html.contains("203.0.113.7"));
}

#[test]
fn html_loads_nothing_and_supports_dark_mode() {
    for content in every_mail() {
        let html = render(&content).unwrap().html;
        for loader in ["<img", "src=", "url(", "@import", "<link", "<script", "<iframe", "srcset"] {
            assert!(!html.contains(loader), "{loader} in {html}");
        }
        // Each link appears twice, as button and as text. There are no other URLs.
        let links = if let Shown::Link(url, _) = content.message.shown(PAGE) { html.matches(url).count() } else { 0 };
        assert_eq!(html.matches("http").count(), links);
        assert!(html.contains("prefers-color-scheme: dark") && html.contains("name=\"color-scheme\""));
    }
}

#[test]
fn a_lifetime_is_never_overstated() {
    let words = words(Locale::En);
    assert_eq!(spell(Duration::from_secs(119), words), "1 minute");
    assert_eq!(spell(Duration::from_mins(5), words), "5 minutes");
    assert_eq!(spell(Duration::from_mins(90), words), "90 minutes");
    assert_eq!(spell(Duration::from_hours(1), words), "1 hour");
    assert_eq!(spell(Duration::from_hours(24), words), "24 hours");
    assert_eq!(spell(Duration::from_hours(36), words), "36 hours");
    assert_eq!(spell(Duration::from_hours(48), words), "2 days");
    assert_eq!(spell(Duration::from_secs(7 * 86_400 + 59), words), "7 days");
    assert_eq!(spell(Duration::from_secs(7 * 86_400 - 1), words), "6 days");
}

#[test]
fn language_tags_match_by_primary_subtag_with_english_as_fallback() {
    let chosen = |tag| Locale::negotiate(Some(tag)).as_str();
    assert_eq!(["de", "de-CH", "DE_at", "ja-JP", "fr-CA", "es-419"].map(chosen), ["de", "de", "de", "ja", "fr", "es"]);
    assert_eq!(["en-GB", "pt", "deu", "", "-", "\r\n", "ｄｅ"].map(chosen), ["en"; 7]);
    assert_eq!(Locale::negotiate(None), Locale::En);
}

#[test]
fn devices_are_described_from_a_fixed_list() {
    let cases = [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Some("Firefox on Linux")),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
             Mobile/15E148 Safari/604.1",
            Some("Safari on iPhone"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            Some("Chrome on Windows"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
             Safari/537.36 Edg/140.0.0.0",
            Some("Edge on Windows"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            Some("Chrome on Android"),
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
             Safari/605.1.15",
            Some("Safari on macOS"),
        ),
        ("curl/8.9.1", Some("curl")),
        ("Something (Windows NT 10.0)", Some("Windows")),
        ("MyApp <b>1.0</b>\r\n", None),
        ("", None),
    ];
    for (user_agent, expected) in cases {
        assert_eq!(describe_device(user_agent).as_deref(), expected, "{user_agent}");
    }
}

#[path = "template_theme_tests.rs"]
mod theme;
