//! Notice that the password was set, changed or reset.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("New password for your {brand} account"),
        heading: "Your account has a new password",
        before: |Fill { brand, .. }| {
            english::or_disown(format!(
                "The password of your {brand} account was set, changed or reset. Other sessions have ended."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![english::disown_until(lifetime), english::keep_link(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Neues Passwort für Ihr Konto bei {brand}"),
        heading: "Ihr Konto hat ein neues Passwort",
        before: |Fill { brand, .. }| {
            german::or_disown(format!(
                "Das Passwort Ihres Kontos bei {brand} wurde festgelegt, geändert oder zurückgesetzt. Andere \
                 Sitzungen wurden beendet."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![german::disown_until(lifetime), german::keep_link(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Nouveau mot de passe pour votre compte {brand}"),
        heading: "Votre compte a un nouveau mot de passe",
        before: |Fill { brand, .. }| {
            french::or_disown(format!(
                "Le mot de passe de votre compte {brand} a été défini, modifié ou réinitialisé. Les autres sessions \
                 ont été fermées."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![french::disown_until(lifetime), french::keep_link(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Nueva contraseña para tu cuenta de {brand}"),
        heading: "Tu cuenta tiene una nueva contraseña",
        before: |Fill { brand, .. }| {
            spanish::or_disown(format!(
                "La contraseña de tu cuenta de {brand} se ha creado, cambiado o restablecido. Se han cerrado las \
                 demás sesiones."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![spanish::disown_until(lifetime), spanish::keep_link(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} アカウントの新しいパスワード"),
        heading: "新しいパスワードが設定されました",
        before: |Fill { brand, .. }| {
            japanese::or_disown(format!(
                "お使いの {brand} アカウントのパスワードが、設定、変更または再設定されました。\
                 ほかのセッションは終了しました。"
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![japanese::disown_until(lifetime), japanese::keep_link(brand)],
    },
};
