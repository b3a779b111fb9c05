//! The code that confirms a new address. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Confirm your new e-mail address for {brand}"),
        heading: "Confirm your new e-mail address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "This address was entered as the new e-mail address of an account at {brand}. \
                 To confirm it, enter this code on the page where you asked for the change:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "The address changes only when the code is entered there. \
                     The code works once and is valid for {lifetime}."
                ),
                "Wasn’t it you? Then simply ignore this mail: nothing changes without the code.".to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Bestätigen Sie Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Bestätigen Sie Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Diese Adresse wurde als neue E-Mail-Adresse eines Kontos bei {brand} eingegeben. Geben Sie zur \
                 Bestätigung diesen Code auf der Seite ein, auf der Sie die Änderung veranlasst haben:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Die Adresse ändert sich erst, wenn der Code dort eingegeben wird. \
                     Der Code funktioniert nur einmal und ist {lifetime} gültig."
                ),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Code ändert sich nichts."
                    .to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Confirmez votre nouvelle adresse e-mail pour {brand}"),
        heading: "Confirmez votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Cette adresse a été saisie comme nouvelle adresse e-mail d’un compte sur {brand}. Pour la confirmer, \
                 saisissez ce code sur la page où vous avez demandé le changement\u{a0}:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "L’adresse ne change qu’une fois le code saisi sur cette page. \
                     Ce code ne fonctionne qu’une seule fois et reste valable {lifetime}."
                ),
                "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le code, rien ne change."
                    .to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Confirme su nueva dirección de correo para {brand}"),
        heading: "Confirme su nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Esta dirección se ha introducido como nueva dirección de correo de una cuenta en {brand}. \
                 Para confirmarla, introduzca este código en la página en la que solicitó el cambio:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "La dirección solo cambia cuando se introduce allí el código. \
                     El código funciona una sola vez y es válido durante {lifetime}."
                ),
                "¿No ha sido usted? Ignore este correo: sin el código no cambia nada.".to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレスの確認"),
        heading: "新しいメールアドレスの確認",
        before: |Fill { brand, .. }| {
            vec![format!(
                "このメールアドレスが、{brand} のアカウントの新しいメールアドレスとして入力されました。\
                 確認するには、変更の手続きをしたページで次のコードを入力してください。"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "メールアドレスは、そのページでコードを入力するまで変更されません。\
                     コードの有効時間は{lifetime}で、使用できるのは 1 回限りです。"
                ),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、何も変更されません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
