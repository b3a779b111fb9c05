//! The account was deleted. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your account at {brand} was deleted"),
        heading: "Your account was deleted",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Your account at {brand} was deleted. It is signed out everywhere, and nobody can sign in to it. \
                 For some time it can still be restored."
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
        subject: |brand| format!("Votre compte sur {brand} a été supprimé"),
        heading: "Votre compte a été supprimé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Votre compte sur {brand} a été supprimé. Il est déconnecté partout et personne ne peut plus s’y \
                 connecter. Pendant un certain temps, il peut encore être restauré."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Su cuenta en {brand} se ha eliminado"),
        heading: "Su cuenta se ha eliminado",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Su cuenta en {brand} se ha eliminado. Se ha cerrado la sesión en todos los dispositivos y nadie puede \
                 acceder a ella. Durante un tiempo todavía se puede restaurar."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のアカウントが削除されました"),
        heading: "アカウントが削除されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} のお使いのアカウントが削除されました。すべての端末でログアウトされ、誰もログインできません。\
                 しばらくの間は復元できます。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
