//! Notice of a sign-in from a new device.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Sign-in to {brand} from a new device"),
        heading: "Sign-in from a new device",
        before: |Fill { brand, .. }| {
            english::or_disown(format!(
                "Someone signed in to your {brand} account from a device we haven’t seen before."
            ))
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                english::disown_until(lifetime),
                english::keep_link(brand),
                "Protect your mailbox too: anyone who can read your email can sign in to your account.".to_owned(),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Anmeldung bei {brand} von einem neuen Gerät"),
        heading: "Anmeldung von einem neuen Gerät",
        before: |Fill { brand, .. }| {
            german::or_disown(format!(
                "Jemand hat sich mit Ihrem Konto bei {brand} von einem Gerät angemeldet, das wir noch nicht kennen."
            ))
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                german::disown_until(lifetime),
                german::keep_link(brand),
                "Schützen Sie auch Ihr Postfach: Wer Ihre E-Mails lesen kann, kann sich mit Ihrem Konto anmelden."
                    .to_owned(),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Connexion à {brand} depuis un nouvel appareil"),
        heading: "Connexion depuis un nouvel appareil",
        before: |Fill { brand, .. }| {
            french::or_disown(format!(
                "Quelqu’un s’est connecté à votre compte {brand} depuis un appareil que nous ne connaissions pas."
            ))
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                french::disown_until(lifetime),
                french::keep_link(brand),
                "Protégez aussi votre messagerie\u{a0}: toute personne qui peut lire vos e-mails peut se connecter à \
                 votre compte."
                    .to_owned(),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Inicio de sesión en {brand} desde un dispositivo nuevo"),
        heading: "Inicio de sesión desde un dispositivo nuevo",
        before: |Fill { brand, .. }| {
            spanish::or_disown(format!(
                "Alguien ha iniciado sesión en tu cuenta de {brand} desde un dispositivo que no conocíamos."
            ))
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                spanish::disown_until(lifetime),
                spanish::keep_link(brand),
                "Protege también tu buzón: quien pueda leer tu correo puede iniciar sesión en tu cuenta.".to_owned(),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("新しい端末から {brand} へのログイン"),
        heading: "新しい端末からのログイン",
        before: |Fill { brand, .. }| {
            japanese::or_disown(format!("お使いの {brand} アカウントに、新しい端末からログインがありました。"))
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                japanese::disown_until(lifetime),
                japanese::keep_link(brand),
                "メールボックスの安全もご確認ください。メールを読める人は、お使いのアカウントにログインできます。"
                    .to_owned(),
            ]
        },
    },
};

/// Queued by a version whose letters had no link: the reader signs in and ends the session.
pub(super) static WITHOUT_LINK: Sheets = Sheets {
    en: Sheet {
        before: |fill| ending_in(&SHEETS.en, fill, "If it wasn’t, sign in, end that session and remove the device."),
        after: |fill| after_the_link(&SHEETS.en, fill),
        ..SHEETS.en
    },
    de: Sheet {
        before: |fill| {
            ending_in(
                &SHEETS.de,
                fill,
                "Waren Sie das nicht? Dann melden Sie sich an, beenden Sie diese Sitzung und entfernen Sie das Gerät.",
            )
        },
        after: |fill| after_the_link(&SHEETS.de, fill),
        ..SHEETS.de
    },
    fr: Sheet {
        before: |fill| {
            ending_in(
                &SHEETS.fr,
                fill,
                "Ce n’était pas vous\u{a0}? Connectez-vous, fermez cette session et retirez l’appareil.",
            )
        },
        after: |fill| after_the_link(&SHEETS.fr, fill),
        ..SHEETS.fr
    },
    es: Sheet {
        before: |fill| {
            ending_in(&SHEETS.es, fill, "¿No has sido tú? Inicia sesión, cierra esa sesión y elimina el dispositivo.")
        },
        after: |fill| after_the_link(&SHEETS.es, fill),
        ..SHEETS.es
    },
    ja: Sheet {
        before: |fill| {
            ending_in(
                &SHEETS.ja,
                fill,
                "お心当たりがない場合は、ログインしてそのセッションを終了し、その端末を削除してください。",
            )
        },
        after: |fill| after_the_link(&SHEETS.ja, fill),
        ..SHEETS.ja
    },
};

fn ending_in(sheet: &Sheet, fill: &Fill<'_>, last: &str) -> Vec<String> {
    let mut text = (sheet.before)(fill);
    text.pop();
    text.push(last.to_owned());
    text
}

/// The last paragraph: the others are about the link.
fn after_the_link(sheet: &Sheet, fill: &Fill<'_>) -> Vec<String> {
    (sheet.after)(fill).pop().into_iter().collect()
}
