//! Notice that the password was removed.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your {brand} password was removed"),
        heading: "Your password was removed",
        before: |Fill { brand, .. }| {
            english::or_disown(format!(
                "The password of your {brand} account was removed. From now on, you sign in with a code that we \
                 email you. Other sessions have ended."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![english::disown_until(lifetime), english::keep_link(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Ihr Passwort für {brand} wurde entfernt"),
        heading: "Ihr Passwort wurde entfernt",
        before: |Fill { brand, .. }| {
            german::or_disown(format!(
                "Das Passwort Ihres Kontos bei {brand} wurde entfernt. Ab sofort melden Sie sich mit einem Code an, \
                 den wir Ihnen per E-Mail schicken. Andere Sitzungen wurden beendet."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![german::disown_until(lifetime), german::keep_link(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Votre mot de passe {brand} a été supprimé"),
        heading: "Votre mot de passe a été supprimé",
        before: |Fill { brand, .. }| {
            french::or_disown(format!(
                "Le mot de passe de votre compte {brand} a été supprimé. Désormais, vous vous connectez avec un code \
                 que nous vous envoyons par e-mail. Les autres sessions ont été fermées."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![french::disown_until(lifetime), french::keep_link(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Se ha eliminado tu contraseña de {brand}"),
        heading: "Se ha eliminado tu contraseña",
        before: |Fill { brand, .. }| {
            spanish::or_disown(format!(
                "Se ha eliminado la contraseña de tu cuenta de {brand}. A partir de ahora, inicia sesión con un \
                 código que te enviaremos por correo. Se han cerrado las demás sesiones."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![spanish::disown_until(lifetime), spanish::keep_link(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のパスワードが削除されました"),
        heading: "パスワードが削除されました",
        before: |Fill { brand, .. }| {
            japanese::or_disown(format!(
                "お使いの {brand} アカウントのパスワードが削除されました。今後は、\
                 メールで届くコードでログインしてください。ほかのセッションは終了しました。"
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![japanese::disown_until(lifetime), japanese::keep_link(brand)],
    },
};
