//! Notice to the newer address that the change was undone from the older one.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your email address change at {brand} was undone"),
        heading: "Your email address change was undone",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Someone with access to the previous email address of your {brand} account undid the change. The \
                 account is signed out everywhere, and we no longer send its sign-in codes here."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Die Änderung Ihrer E-Mail-Adresse für {brand} wurde rückgängig gemacht"),
        heading: "Die Änderung Ihrer E-Mail-Adresse wurde rückgängig gemacht",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Jemand mit Zugriff auf die frühere E-Mail-Adresse Ihres Kontos bei {brand} hat die Änderung \
                 rückgängig gemacht. Das Konto ist überall abgemeldet, und Anmeldecodes schicken wir nicht mehr an \
                 diese Adresse."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Le changement de votre adresse e-mail pour {brand} a été annulé"),
        heading: "Le changement de votre adresse e-mail a été annulé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Une personne ayant accès à l’ancienne adresse e-mail de votre compte {brand} a annulé le changement. \
                 Le compte est déconnecté partout et nous n’envoyons plus ses codes de connexion ici."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Se ha deshecho el cambio de tu dirección de correo de {brand}"),
        heading: "Se ha deshecho el cambio de tu dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Alguien con acceso a la dirección de correo anterior de tu cuenta de {brand} ha deshecho el cambio. \
                 Se ha cerrado la sesión en todos los dispositivos y ya no enviamos aquí los códigos de acceso de la \
                 cuenta."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のメールアドレスの変更が取り消されました"),
        heading: "メールアドレスの変更が取り消されました",
        before: |Fill { brand, .. }| {
            vec![format!(
                "お使いの {brand} アカウントの以前のメールアドレスを利用できる人が、変更を取り消しました。\
                 すべての端末でログアウトされ、今後ログインコードはこちらには届きません。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
    },
};
