//! A link to set a new password, sent by an administrator.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Set a new password for {brand}"),
        heading: "Set a new password",
        before: |Fill { brand, lifetime, .. }| {
            vec![
                format!("An administrator of {brand} asks you to set a new password."),
                format!(
                    "Open this link and press the button on the page to sign in. Then set the password in your account, \
                     under “Security”. The link works once and is valid for {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec!["Until then, your current password stays valid.".to_owned(), english::keep_link(brand)]
        },
    },
    de: Sheet {
        subject: |brand| format!("Neues Passwort für {brand} festlegen"),
        heading: "Neues Passwort festlegen",
        before: |Fill { brand, lifetime, .. }| {
            vec![
                format!("Die Administration von {brand} bittet Sie, ein neues Passwort festzulegen."),
                format!(
                    "Öffnen Sie diesen Link und klicken Sie auf der Seite auf die Schaltfläche, um sich anzumelden. \
                     Legen Sie das Passwort danach in Ihrem Konto unter „Sicherheit“ fest. Der Link ist {lifetime} \
                     gültig und funktioniert nur einmal."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec!["Bis dahin bleibt Ihr aktuelles Passwort gültig.".to_owned(), german::keep_link(brand)]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Choisissez un nouveau mot de passe pour {brand}"),
        heading: "Choisissez un nouveau mot de passe",
        before: |Fill { brand, lifetime, .. }| {
            vec![
                format!("L’administration de {brand} vous demande de choisir un nouveau mot de passe."),
                format!(
                    "Ouvrez ce lien et appuyez sur le bouton de la page pour vous connecter. Choisissez ensuite le mot \
                     de passe dans votre compte, sous «\u{a0}Sécurité\u{a0}». Ce lien est valable {lifetime} et ne \
                     fonctionne qu’une seule fois."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec!["D’ici là, votre mot de passe actuel reste valable.".to_owned(), french::keep_link(brand)]
        },
    },
    es: Sheet {
        subject: |brand| format!("Elige una nueva contraseña para {brand}"),
        heading: "Elige una nueva contraseña",
        before: |Fill { brand, lifetime, .. }| {
            vec![
                format!("La administración de {brand} te pide que elijas una nueva contraseña."),
                format!(
                    "Abre este enlace y pulsa el botón de la página para iniciar sesión. Después, elige la contraseña \
                     en tu cuenta, en «Seguridad». El enlace es válido durante {lifetime} y funciona una sola vez."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec!["Hasta entonces, tu contraseña actual sigue siendo válida.".to_owned(), spanish::keep_link(brand)]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} の新しいパスワードの設定"),
        heading: "新しいパスワードの設定",
        before: |Fill { brand, lifetime, .. }| {
            vec![
                format!("{brand} の管理者から、新しいパスワードの設定をお願いしています。"),
                format!(
                    "このリンクを開き、ページのボタンを押してログインしてください。\
                     そのあと、アカウントの「セキュリティ」でパスワードを設定してください。\
                     リンクの有効時間は{lifetime}で、1 回だけ使えます。"
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec!["設定するまでは、今のパスワードを使えます。".to_owned(), japanese::keep_link(brand)]
        },
    },
};
