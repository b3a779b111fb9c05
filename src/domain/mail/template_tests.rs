//! Every mail in every language, and everything hostile that could get into one.

use super::*;

const LINK: &str = "https://auth.example.com/#link=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4";

fn code_mail(locale: Locale) -> Content {
    Content {
        message: Message::Code { code: "12345678".to_owned().into() },
        locale,
        lifetime: Duration::from_mins(5),
        brand: "Doorcode".to_owned(),
        device: describe_device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        network: Some("203.0.113.7".to_owned()),
        asked_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
    }
}

fn link_mail(locale: Locale) -> Content {
    let message = Message::Link { url: LINK.to_owned().into() };
    Content { message, lifetime: Duration::from_hours(24), ..code_mail(locale) }
}

/// The text of a page as a reader would copy it.
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
    for locale in Locale::ALL {
        let mail = render(&code_mail(locale)).unwrap();
        assert!(mail.text.contains("\n    1234 5678\n"), "{}", mail.text);
        assert!(mail.text.contains(" 12345678\n"), "{}", mail.text);
        assert!(mail.html.contains(">1234</span><span"), "{}", mail.html);
        assert!(without_tags(&mail.html).contains("12345678"));
    }
}

#[test]
fn every_language_tells_where_the_request_came_from_and_how_long_the_secret_lasts() {
    let lasts = ["5 minutes", "5 Minuten", "5\u{a0}minutes", "5 minutos", "5 分"];
    let days = ["24 hours", "24 Stunden", "24\u{a0}heures", "24 horas", "24 時間"];
    let devices =
        ["Firefox on Linux", "Firefox auf Linux", "Firefox sur Linux", "Firefox en Linux", "Linux の Firefox"];
    for (index, locale) in Locale::ALL.into_iter().enumerate() {
        for (mail, lifetime) in [(code_mail(locale), lasts[index]), (link_mail(locale), days[index])] {
            let mail = render(&mail).unwrap();
            for part in [&mail.text.replace('\n', " "), &mail.html] {
                for expected in [lifetime, devices[index], "203.0.113.7", "2026-09-21 14:13 UTC"] {
                    assert!(part.contains(expected), "{locale:?} lacks {expected}: {part}");
                }
            }
            assert!(mail.html.contains(&format!("<html lang=\"{}\">", locale.as_str())));
        }
    }
}

#[test]
fn languages_share_no_sentence() {
    let mut seen = std::collections::HashSet::new();
    for locale in Locale::ALL {
        for content in [code_mail(locale), link_mail(locale)] {
            let mail = render(&content).unwrap();
            assert!(seen.insert(mail.subject.clone()), "{} twice", mail.subject);
            for paragraph in mail.text.split("\n\n").filter(|paragraph| paragraph.contains(['.', '。'])) {
                let is_common = paragraph.starts_with("https://")
                    || paragraph.starts_with("-- ")
                    || paragraph.contains("203.0.113.7");
                // The facts and the footer are the same in both mails of one language.
                assert!(is_common || seen.insert(paragraph.to_owned()), "{locale:?}: {paragraph} twice");
            }
        }
    }
}

#[test]
fn no_subject_carries_the_code_or_the_link() {
    for locale in Locale::ALL {
        let subject = render(&code_mail(locale)).unwrap().subject;
        assert!(!subject.contains(|char: char| char.is_ascii_digit()), "{subject}");
        let subject = render(&link_mail(locale)).unwrap().subject;
        assert!(!subject.contains("http"), "{subject}");
    }
}

#[test]
fn plain_text_stays_within_78_columns_but_for_the_link() {
    for locale in Locale::ALL {
        for content in [code_mail(locale), link_mail(locale)] {
            let mail = render(&content).unwrap();
            for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
                assert!(plain::columns_of(line) <= 78, "{line}");
                assert!(line == "-- " || line == line.trim_end(), "blanks at the end of {line:?}");
            }
            assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
        }
    }
}

#[test]
fn the_link_mail_carries_the_link_whole_and_no_digits_to_type() {
    for locale in Locale::ALL {
        let mail = render(&link_mail(locale)).unwrap();
        assert!(mail.text.lines().any(|line| line == LINK), "{}", mail.text);
        assert!(mail.html.contains(&format!("href=\"{LINK}\"")), "{}", mail.html);
        assert!(!mail.html.contains("class=\"code\""));
    }
}

#[test]
fn a_link_that_is_not_a_web_address_makes_no_mail() {
    for url in ["javascript:alert(1)", "https://a b", "https://a\r\nb", "data:text/html,x", ""] {
        let content = Content { message: Message::Link { url: url.to_owned().into() }, ..code_mail(Locale::En) };
        assert!(matches!(render(&content), Err(Error::Internal(_))), "{url}");
    }
}

#[test]
fn foreign_text_arrives_as_itself_and_breaks_nothing() {
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
    // A network that is no address is left out, not cleaned.
    assert!(!mail.text.contains("203.0.113.7") && !mail.html.contains("203.0.113.7"));
}

#[test]
fn html_loads_nothing_and_knows_the_dark() {
    for content in Locale::ALL.into_iter().flat_map(|locale| [code_mail(locale), link_mail(locale)]) {
        let html = render(&content).unwrap().html;
        for loader in ["<img", "src=", "url(", "@import", "<link", "<script", "<iframe", "srcset"] {
            assert!(!html.contains(loader), "{loader} in {html}");
        }
        assert_eq!(html.matches("http").count(), html.matches(LINK).count());
        assert!(html.contains("prefers-color-scheme: dark") && html.contains("name=\"color-scheme\""));
    }
}

#[test]
fn a_lifetime_is_never_promised_longer_than_it_is() {
    let words = words(Locale::En);
    assert_eq!(spell(Duration::from_secs(119), words), "1 minute");
    assert_eq!(spell(Duration::from_mins(5), words), "5 minutes");
    assert_eq!(spell(Duration::from_mins(90), words), "90 minutes");
    assert_eq!(spell(Duration::from_hours(1), words), "1 hour");
    assert_eq!(spell(Duration::from_hours(24), words), "24 hours");
}

#[test]
fn a_language_tag_chooses_by_its_first_part_and_unknown_ones_get_english() {
    let chosen = |tag| Locale::negotiate(Some(tag)).as_str();
    assert_eq!(["de", "de-CH", "DE_at", "ja-JP", "fr-CA", "es-419"].map(chosen), ["de", "de", "de", "ja", "fr", "es"]);
    assert_eq!(["en-GB", "pt", "deu", "", "-", "\r\n", "ｄｅ"].map(chosen), ["en"; 7]);
    assert_eq!(Locale::negotiate(None), Locale::En);
}

#[test]
fn devices_are_described_from_a_closed_list() {
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
