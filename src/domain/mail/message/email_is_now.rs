//! Notice to the new address that an administrator gave it to the account.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your new email address for {brand}"),
        heading: "Your new email address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the email address of your {brand} account. Use this address to sign in from \
                 now on."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos geändert. Melden Sie sich ab \
                 sofort mit dieser Adresse an."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Votre nouvelle adresse e-mail pour {brand}"),
        heading: "Votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a changé l’adresse e-mail de votre compte {brand}. Connectez-vous désormais avec \
                 cette adresse-ci."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Tu nueva dirección de correo para {brand}"),
        heading: "Tu nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrador ha cambiado la dirección de correo de tu cuenta de {brand}. A partir de ahora, \
                 inicia sesión con esta dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレス"),
        heading: "新しいメールアドレス",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを変更しました。今後は、\
                 このメールアドレスでログインしてください。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
