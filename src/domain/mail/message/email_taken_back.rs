//! To the newer address: the change was undone. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("The change of your e-mail address for {brand} was undone"),
        heading: "The change of your e-mail address was undone",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Someone with access to the previous e-mail address of your account at {brand} has undone the change. \
                 The account was signed out everywhere, and its sign-in codes no longer go to this address."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Die Änderung Ihrer E-Mail-Adresse für {brand} wurde rückgängig gemacht"),
        heading: "Die Änderung Ihrer E-Mail-Adresse wurde rückgängig gemacht",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Jemand mit Zugriff auf die frühere E-Mail-Adresse Ihres Kontos bei {brand} hat die Änderung rückgängig \
                 gemacht. Das Konto wurde überall abgemeldet, und Anmeldecodes werden nicht mehr an diese Adresse \
                 geschickt."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Le changement de votre adresse e-mail pour {brand} a été annulé"),
        heading: "Le changement de votre adresse e-mail a été annulé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Une personne ayant accès à l’ancienne adresse e-mail de votre compte sur {brand} a annulé la \
                 modification. Le compte a été déconnecté partout et ses codes de connexion ne sont plus envoyés à \
                 cette adresse-ci."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("El cambio de su dirección de correo para {brand} se ha deshecho"),
        heading: "El cambio de su dirección de correo se ha deshecho",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Alguien con acceso a la dirección de correo anterior de su cuenta en {brand} ha deshecho el cambio. \
                 La cuenta se ha cerrado en todos los dispositivos y sus códigos de acceso ya no se envían a esta \
                 dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のメールアドレスの変更が取り消されました"),
        heading: "メールアドレスの変更が取り消されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} のお使いのアカウントの以前のメールアドレスを利用できる人が、変更を取り消しました。\
                 すべての端末でログアウトされ、ログインコードは今後このメールアドレスには送信されません。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
