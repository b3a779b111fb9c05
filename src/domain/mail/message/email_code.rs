//! The code that confirms a new email address.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Confirm your new email address for {brand}"),
        heading: "Confirm your new email address",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Someone entered this address as the new email address of an account at {brand}. If it was you, enter \
                 this code on the page where you asked for the change:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "The address doesn’t change until the code is entered there. The code works once and is valid for \
                     {lifetime}."
                ),
                "If this wasn’t you, ignore this email. Nothing changes without the code.".to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Bestätigen Sie Ihre neue E-Mail-Adresse für {brand}"),
        heading: "Bestätigen Sie Ihre neue E-Mail-Adresse",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Jemand hat diese Adresse als neue E-Mail-Adresse eines Kontos bei {brand} eingegeben. Waren Sie das? \
                 Dann geben Sie diesen Code auf der Seite ein, auf der Sie die Änderung angefordert haben:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Die Adresse ändert sich erst, wenn der Code dort eingegeben wird. Der Code ist {lifetime} gültig \
                     und funktioniert nur einmal."
                ),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Code ändert sich nichts.".to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Confirmez votre nouvelle adresse e-mail pour {brand}"),
        heading: "Confirmez votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Quelqu’un a saisi cette adresse comme nouvelle adresse e-mail d’un compte {brand}. Si c’est vous, \
                 saisissez ce code sur la page où vous avez demandé le changement\u{a0}:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "L’adresse ne change qu’une fois le code saisi sur cette page. Ce code est valable {lifetime} et \
                     ne fonctionne qu’une seule fois."
                ),
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le code, rien ne change.".to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Confirma tu nueva dirección de correo para {brand}"),
        heading: "Confirma tu nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Alguien ha introducido esta dirección como nueva dirección de correo de una cuenta de {brand}. Si \
                 has sido tú, introduce este código en la página donde pediste el cambio:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "La dirección no cambia hasta que se introduce allí el código. El código es válido durante \
                     {lifetime} y funciona una sola vez."
                ),
                "¿No has sido tú? Ignora este correo. Sin el código no cambia nada.".to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} の新しいメールアドレスの確認"),
        heading: "新しいメールアドレスの確認",
        before: |Fill { brand, .. }| {
            vec![format!(
                "このメールアドレスが、{brand} アカウントの新しいメールアドレスとして入力されました。\
                 ご自身で入力した場合は、変更の手続きをしたページで次のコードを入力してください。"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "そのページでコードを入力するまで、メールアドレスは変更されません。\
                     コードの有効時間は{lifetime}で、1 回だけ使えます。"
                ),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、何も変更されません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
