//! The mails in German, in the polite form. Nothing but sentences.

use super::{Fill, Sheet, Words};
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    code: Sheet {
        subject: |brand| format!("Ihr Anmeldecode für {brand}"),
        heading: "Ihr Anmeldecode",
        before: |Fill { brand, .. }| vec![format!("Geben Sie diesen Code ein, um sich bei {brand} anzumelden:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("Der Code funktioniert nur einmal und ist {lifetime} gültig."),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Code kann sich niemand \
                 anmelden."
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    link: Sheet {
        subject: |brand| format!("Ihr Anmeldelink für {brand}"),
        heading: "Ihr Anmeldelink",
        before: |Fill { lifetime, .. }| {
            vec![
                "Für Ihre Adresse gab es sehr viele Anfragen oder Fehlversuche, vielleicht durch jemand anderen. \
                 Deshalb erhalten Sie diesmal statt eines Codes einen Link: Er lässt sich nicht erraten."
                    .to_owned(),
                format!(
                    "Öffnen Sie ihn in dem Browser, in dem Sie sich anmelden möchten, und klicken Sie dort auf die \
                     Schaltfläche. Der Link funktioniert nur einmal und ist {lifetime} gültig."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Link kann sich niemand \
                 anmelden."
                    .to_owned(),
                keep_link(brand),
            ]
        },
    },
    email_code: Sheet {
        subject: |brand| format!("Bestätigen Sie Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Bestätigen Sie Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Diese Adresse wurde als neue E-Mail-Adresse eines Kontos bei {brand} eingegeben. Geben Sie zur \
                 Bestätigung diesen Code auf der Seite ein, auf der Sie die Änderung veranlasst haben:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Die Adresse ändert sich erst, wenn der Code dort eingegeben wird. \
                     Der Code funktioniert nur einmal und ist {lifetime} gültig."
                ),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Code ändert sich nichts."
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    invitation: Sheet {
        subject: |brand| format!("Sie wurden zu {brand} eingeladen"),
        heading: "Sie wurden eingeladen",
        before: |Fill { brand, .. }| {
            vec![
                format!("Für Sie wurde bei {brand} ein Konto mit dieser E-Mail-Adresse eingerichtet."),
                "Um sich anzumelden, öffnen Sie die folgende Seite und geben Sie diese Adresse ein. Sie erhalten dann \
                 einen Code per E-Mail; ein Passwort brauchen Sie nicht."
                    .to_owned(),
            ]
        },
        after: |_| {
            vec!["Haben Sie diese Einladung nicht erwartet? Dann ignorieren Sie diese E-Mail einfach.".to_owned()]
        },
    },
    email_changed: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Die E-Mail-Adresse Ihres Kontos bei {brand} wurde durch eine andere ersetzt. \
                     Anmeldecodes für dieses Konto werden nicht mehr an diese Adresse geschickt."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann öffnen Sie diesen Link und klicken Sie dort auf die Schaltfläche: Ihr Konto \
                 erhält diese Adresse zurück, und alle Sitzungen werden beendet."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| vec![format!("Der Link ist {lifetime} gültig."), keep_link(brand)],
    },
    email_changed_for_you: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos durch eine andere ersetzt. \
                 Anmeldecodes für dieses Konto werden nicht mehr an diese Adresse geschickt."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_taken_back: Sheet {
        subject: |brand| format!("Die Änderung Ihrer E-Mail-Adresse für {brand} wurde rückgängig gemacht"),
        heading: "Die Änderung Ihrer E-Mail-Adresse wurde rückgängig gemacht",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Jemand mit Zugriff auf die frühere E-Mail-Adresse Ihres Kontos bei {brand} hat die Änderung rückgängig \
                 gemacht. Das Konto wurde überall abgemeldet, und Anmeldecodes werden nicht mehr an diese Adresse \
                 geschickt."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    account_deleted: Sheet {
        subject: |brand| format!("Ihr Konto bei {brand} wurde gelöscht"),
        heading: "Ihr Konto wurde gelöscht",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Ihr Konto bei {brand} wurde gelöscht. Es ist überall abgemeldet, und niemand kann sich mehr damit \
                 anmelden. Eine Zeit lang lässt es sich noch wiederherstellen."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_is_now: Sheet {
        subject: |brand| format!("Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos geändert. \
                 Ab sofort melden Sie sich mit dieser Adresse an."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    new_device: Sheet {
        subject: |brand| format!("Anmeldung bei {brand} von einem neuen Gerät"),
        heading: "Anmeldung von einem neuen Gerät",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Jemand hat sich von einem bisher unbekannten Gerät aus mit Ihrem Konto bei {brand} angemeldet."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann melden Sie sich an, beenden Sie die betreffende Sitzung und entfernen Sie \
                 das Gerät."
                    .to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Schützen Sie auch Ihr Postfach: Wer Ihre E-Mails lesen kann, kann sich mit Ihrem Konto anmelden."
                    .to_owned(),
            ]
        },
    },
    role_changed: Sheet {
        subject: |brand| format!("Ihre Rolle bei {brand} wurde geändert"),
        heading: "Ihre Rolle wurde geändert",
        before: |Fill { brand, role, .. }| {
            vec![format!(
                "Die Administration von {brand} hat geändert, was Sie dort tun dürfen. Ihre Rolle ist jetzt: {role}."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    copy: "Zum Kopieren:",
    open_page: "Anmeldeseite öffnen",
    restore_address: "Diese Adresse wiederherstellen",
    request_origin: "Woher die Anfrage kam",
    sign_in_origin: "Woher die Anmeldung kam",
    time: "Zeitpunkt",
    device: "Gerät",
    network: "IP-Adresse",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} auf {system}"),
    minutes: |count| {
        if count == 1 { "1 Minute".to_owned() } else { format!("{count} Minuten") }
    },
    hours: |count| {
        if count == 1 { "1 Stunde".to_owned() } else { format!("{count} Stunden") }
    },
    days: |count| format!("{count} Tage"),
    role: |role| match role {
        Role::Admin => "Administrator",
        Role::Manager => "Manager",
        Role::User => "Benutzer",
        Role::Guest => "Gast",
    },
    footer_entered: |brand| {
        format!("Diese E-Mail wurde automatisch verschickt, weil jemand bei {brand} Ihre Adresse eingegeben hat.")
    },
    footer_account: |brand| {
        format!("Diese E-Mail wurde automatisch verschickt, weil sie ein Konto bei {brand} betrifft.")
    },
};

const EMAIL_CHANGED: &str = "Ihre E-Mail-Adresse wurde geändert";

fn email_changed_subject(brand: &str) -> String {
    format!("Ihre E-Mail-Adresse für {brand} wurde geändert")
}

fn keep_code(brand: &str) -> String {
    format!("Geben Sie den Code niemals weiter. Niemand von {brand} wird Sie je danach fragen.")
}

fn keep_link(brand: &str) -> String {
    format!(
        "Geben Sie den Link niemals weiter und leiten Sie diese E-Mail nicht weiter. Niemand von {brand} wird \
         Sie je danach fragen."
    )
}

fn unexpected(brand: &str) -> String {
    format!("Haben Sie diese Änderung nicht erwartet? Dann wenden Sie sich bitte an die Betreiber von {brand}.")
}
