//! To the new address: an administrator gave it to the account. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your new e-mail address for {brand}"),
        heading: "Your new e-mail address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the e-mail address of your account at {brand}. \
                 From now on, you sign in with this address."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos geändert. \
                 Ab sofort melden Sie sich mit dieser Adresse an."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Votre nouvelle adresse e-mail pour {brand}"),
        heading: "Votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a modifié l’adresse e-mail de votre compte sur {brand}. \
                 Désormais, vous vous connectez avec cette adresse."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Su nueva dirección de correo para {brand}"),
        heading: "Su nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "La administración de {brand} ha cambiado la dirección de correo de su cuenta. \
                 A partir de ahora, usted inicia sesión con esta dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレス"),
        heading: "新しいメールアドレス",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを変更しました。\
                 今後は、このメールアドレスでログインしてください。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
