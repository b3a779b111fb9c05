//! The code that signs in. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your sign-in code for {brand}"),
        heading: "Your sign-in code",
        before: |Fill { brand, .. }| vec![format!("Enter this code to sign in to {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("The code works once and is valid for {lifetime}."),
                "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the code.".to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Ihr Anmeldecode für {brand}"),
        heading: "Ihr Anmeldecode",
        before: |Fill { brand, .. }| vec![format!("Geben Sie diesen Code ein, um sich bei {brand} anzumelden:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("Der Code funktioniert nur einmal und ist {lifetime} gültig."),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Code kann sich niemand \
                 anmelden."
                    .to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Votre code de connexion à {brand}"),
        heading: "Votre code de connexion",
        before: |Fill { brand, .. }| vec![format!("Saisissez ce code pour vous connecter à {brand}\u{a0}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("Ce code ne fonctionne qu’une seule fois et reste valable {lifetime}."),
                "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le code, personne ne peut se \
                 connecter."
                    .to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Su código de acceso a {brand}"),
        heading: "Su código de acceso",
        before: |Fill { brand, .. }| vec![format!("Introduzca este código para iniciar sesión en {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("El código funciona una sola vez y es válido durante {lifetime}."),
                "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el código.".to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のログインコード"),
        heading: "ログインコード",
        before: |Fill { brand, .. }| vec![format!("{brand} にログインするには、次のコードを入力してください。")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("コードの有効時間は{lifetime}で、使用できるのは 1 回限りです。"),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、誰もログインできません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
