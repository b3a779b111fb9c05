//! Notice that an administrator changed the role.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your role at {brand} has changed"),
        heading: "Your role has changed",
        before: |Fill { brand, role, .. }| {
            vec![format!("An administrator changed what you can do at {brand}. Your role is now {role}.")]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Ihre Rolle bei {brand} wurde geändert"),
        heading: "Ihre Rolle wurde geändert",
        before: |Fill { brand, role, .. }| {
            vec![format!(
                "Die Administration von {brand} hat geändert, was Sie dort tun können. Ihre Rolle ist jetzt {role}."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Votre rôle sur {brand} a changé"),
        heading: "Votre rôle a changé",
        before: |Fill { brand, role, .. }| {
            vec![format!(
                "Un administrateur a modifié ce que vous pouvez faire sur {brand}. Votre rôle est désormais\u{a0}: \
                 {role}."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Tu rol en {brand} ha cambiado"),
        heading: "Tu rol ha cambiado",
        before: |Fill { brand, role, .. }| {
            vec![format!("Un administrador ha cambiado lo que puedes hacer en {brand}. Ahora tu rol es {role}.")]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} での権限の変更"),
        heading: "権限の変更",
        before: |Fill { brand, role, .. }| {
            vec![format!("{brand} の管理者が、お使いのアカウントの権限を変更しました。現在の役割は「{role}」です。")]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
