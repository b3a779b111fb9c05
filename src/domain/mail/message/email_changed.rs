//! Notice to the old address that the account now has another one: changed by the reader, or by an administrator.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your {brand} email address was changed"),
        heading: "Your email address was changed",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Your {brand} account now uses a different email address. We won’t send its sign-in codes here \
                     any more."
                ),
                "Was this you? You don’t need to do anything.".to_owned(),
                "If it wasn’t, open this link and press the button on the page. This restores your address, signs \
                 out every device, removes the password and API keys if there are any, and forgets all known devices."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("The link is valid for {lifetime}."), english::keep_link(brand)]
        },
    },
    de: Sheet {
        subject: |brand| format!("Ihre E-Mail-Adresse für {brand} wurde geändert"),
        heading: "Ihre E-Mail-Adresse wurde geändert",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Ihr Konto bei {brand} hat jetzt eine andere E-Mail-Adresse. Anmeldecodes für dieses Konto \
                     schicken wir nicht mehr an diese Adresse."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann öffnen Sie diesen Link und klicken Sie auf der Seite auf die Schaltfläche. \
                 Damit stellen Sie diese Adresse wieder her. Alle Geräte werden abgemeldet, Passwort und API-Schlüssel \
                 entfernt, falls es welche gibt, und alle bekannten Geräte vergessen."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("Der Link ist {lifetime} gültig."), german::keep_link(brand)]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Votre adresse e-mail pour {brand} a été modifiée"),
        heading: "Votre adresse e-mail a été modifiée",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Votre compte {brand} utilise désormais une autre adresse e-mail. Nous n’enverrons plus ses codes \
                     de connexion ici."
                ),
                "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
                "Ce n’était pas vous\u{a0}? Ouvrez ce lien et appuyez sur le bouton de la page. Votre adresse sera \
                 rétablie, tous les appareils seront déconnectés, le mot de passe et les clés API seront supprimés \
                 s’il y en a, et les appareils connus seront oubliés."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("Le lien est valable {lifetime}."), french::keep_link(brand)]
        },
    },
    es: Sheet {
        subject: |brand| format!("Se ha cambiado tu dirección de correo de {brand}"),
        heading: "Se ha cambiado tu dirección de correo",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Tu cuenta de {brand} tiene ahora otra dirección de correo. Ya no enviaremos aquí sus códigos de \
                     acceso."
                ),
                "¿Has sido tú? No tienes que hacer nada.".to_owned(),
                "¿No has sido tú? Abre este enlace y pulsa el botón de la página. Se restablecerá esta dirección, se \
                 cerrará la sesión en todos los dispositivos, se eliminarán la contraseña y las claves de API, si las \
                 hay, y se olvidarán los dispositivos conocidos."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("El enlace es válido durante {lifetime}."), spanish::keep_link(brand)]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のメールアドレスが変更されました"),
        heading: "メールアドレスが変更されました",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "{brand} アカウントのメールアドレスが変更されました。今後、\
                     このアカウントのログインコードはこちらには届きません。"
                ),
                "ご自身で変更した場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、次のリンクを開き、ページのボタンを押してください。このメールアドレスに戻り、\
                 すべての端末でログアウトされ、パスワードと API キーがあれば削除され、使用済みの端末の記録も消去されます。"
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("リンクの有効期間は{lifetime}です。"), japanese::keep_link(brand)]
        },
    },
};

/// An administrator made the change, so the mail has no link to undo it.
pub(super) static BY_ADMINISTRATOR: Sheets = Sheets {
    en: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the email address of your {brand} account. We won’t send its sign-in codes \
                 here any more."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
        ..SHEETS.en
    },
    de: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos geändert. Anmeldecodes für dieses \
                 Konto schicken wir nicht mehr an diese Adresse."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
        ..SHEETS.de
    },
    fr: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a changé l’adresse e-mail de votre compte {brand}. Nous n’enverrons plus ses codes \
                 de connexion ici."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
        ..SHEETS.fr
    },
    es: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrador ha cambiado la dirección de correo de tu cuenta de {brand}. Ya no enviaremos aquí \
                 sus códigos de acceso."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
        ..SHEETS.es
    },
    ja: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを変更しました。今後、\
                 このアカウントのログインコードはこちらには届きません。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
        ..SHEETS.ja
    },
};
