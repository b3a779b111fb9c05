//! Notice that the account was deleted.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your {brand} account was deleted"),
        heading: "Your account was deleted",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Your {brand} account was deleted. It’s signed out everywhere, and no one can sign in to it. It can \
                 still be restored for a while."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Ihr Konto bei {brand} wurde gelöscht"),
        heading: "Ihr Konto wurde gelöscht",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Ihr Konto bei {brand} wurde gelöscht. Es ist überall abgemeldet, und niemand kann sich mehr damit \
                 anmelden. Eine Zeit lang lässt es sich noch wiederherstellen."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Votre compte {brand} a été supprimé"),
        heading: "Votre compte a été supprimé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Votre compte {brand} a été supprimé. Il est déconnecté partout et personne ne peut plus s’y \
                 connecter. Il peut encore être restauré pendant quelque temps."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Tu cuenta de {brand} se ha eliminado"),
        heading: "Tu cuenta se ha eliminado",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Tu cuenta de {brand} se ha eliminado. Se ha cerrado la sesión en todos los dispositivos y nadie \
                 puede acceder a ella. Todavía se puede restaurar durante un tiempo."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のアカウントが削除されました"),
        heading: "アカウントが削除されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "お使いの {brand} アカウントが削除されました。すべての端末でログアウトされ、誰もログインできません。\
                 しばらくの間は復元できます。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
