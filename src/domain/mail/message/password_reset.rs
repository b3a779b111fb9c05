//! The code that resets a password.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Reset your {brand} password"),
        heading: "Reset your password",
        before: |Fill { brand, .. }| {
            vec![format!("Enter this code and a new password to reset the password of your {brand} account:")]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Every device will then be signed out, and API keys will stop working. The code works once and is \
                     valid for {lifetime}."
                ),
                "If this wasn’t you, ignore this email. Nothing changes without the code.".to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Setzen Sie Ihr Passwort für {brand} zurück"),
        heading: "Setzen Sie Ihr Passwort zurück",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Geben Sie diesen Code und ein neues Passwort ein, um das Passwort Ihres Kontos bei {brand} \
                 zurückzusetzen:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Danach sind alle Geräte abgemeldet, und API-Schlüssel funktionieren nicht mehr. Der Code ist \
                     {lifetime} gültig und funktioniert nur einmal."
                ),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Code ändert sich nichts.".to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Réinitialisez votre mot de passe {brand}"),
        heading: "Réinitialisez votre mot de passe",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Saisissez ce code et un nouveau mot de passe pour réinitialiser celui de votre compte \
                 {brand}\u{a0}:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Tous les appareils seront alors déconnectés et les clés API cesseront de fonctionner. Ce code \
                     est valable {lifetime} et ne fonctionne qu’une seule fois."
                ),
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le code, rien ne change.".to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Restablece tu contraseña de {brand}"),
        heading: "Restablece tu contraseña",
        before: |Fill { brand, .. }| {
            vec![format!("Introduce este código y una contraseña nueva para restablecer la de tu cuenta de {brand}:")]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Después se cerrará la sesión en todos los dispositivos y las claves de API dejarán de \
                     funcionar. El código es válido durante {lifetime} y funciona una sola vez."
                ),
                "¿No has sido tú? Ignora este correo. Sin el código no cambia nada.".to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のパスワードの再設定"),
        heading: "パスワードの再設定",
        before: |Fill { brand, .. }| {
            vec![format!(
                "次のコードと新しいパスワードを入力して、{brand} アカウントのパスワードを再設定してください。"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "再設定すると、すべての端末でログアウトされ、API キーも使えなくなります。\
                     コードの有効時間は{lifetime}で、1 回だけ使えます。"
                ),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、何も変更されません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
