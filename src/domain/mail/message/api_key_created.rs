//! Notice that an API key was created.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("A new API key for your {brand} account"),
        heading: "An API key was created",
        before: |Fill { brand, .. }| {
            english::or_disown(format!(
                "Someone signed in to your {brand} account created an API key. A program that has this key can act \
                 for you, within the permissions of the key, until the key expires or you revoke it."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![english::disown_until(lifetime), english::keep_link(brand)],
    },
    de: Sheet {
        subject: |brand| format!("Neuer API-Schlüssel für Ihr Konto bei {brand}"),
        heading: "Ein API-Schlüssel wurde erstellt",
        before: |Fill { brand, .. }| {
            german::or_disown(format!(
                "In Ihrem Konto bei {brand} wurde ein API-Schlüssel erstellt. Programme mit diesem Schlüssel können \
                 im Rahmen seiner Berechtigungen für Sie handeln, bis er abläuft oder Sie ihn widerrufen."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![german::disown_until(lifetime), german::keep_link(brand)],
    },
    fr: Sheet {
        subject: |brand| format!("Nouvelle clé API pour votre compte {brand}"),
        heading: "Une clé API a été créée",
        before: |Fill { brand, .. }| {
            french::or_disown(format!(
                "Une clé API a été créée dans votre compte {brand}. Un programme qui possède cette clé peut agir en \
                 votre nom, dans la limite des autorisations de la clé, jusqu’à ce qu’elle expire ou que vous la \
                 révoquiez."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![french::disown_until(lifetime), french::keep_link(brand)],
    },
    es: Sheet {
        subject: |brand| format!("Nueva clave de API en tu cuenta de {brand}"),
        heading: "Se ha creado una clave de API",
        before: |Fill { brand, .. }| {
            spanish::or_disown(format!(
                "Se ha creado una clave de API en tu cuenta de {brand}. Los programas que tengan esta clave podrán \
                 actuar en tu nombre, con los permisos de la clave, hasta que caduque o la revoques."
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![spanish::disown_until(lifetime), spanish::keep_link(brand)],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} アカウントに API キーが作成されました"),
        heading: "API キーが作成されました",
        before: |Fill { brand, .. }| {
            japanese::or_disown(format!(
                "お使いの {brand} アカウントで API キーが作成されました。このキーを持つプログラムは、\
                 キーが期限切れになるか無効にされるまで、キーの権限の範囲で操作を行えます。"
            ))
        },
        after: |Fill { brand, lifetime, .. }| vec![japanese::disown_until(lifetime), japanese::keep_link(brand)],
    },
};
