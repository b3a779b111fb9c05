//! The sign-in code.

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
                "If this wasn’t you, ignore this email. No one can sign in without the code.".to_owned(),
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
                format!("Der Code ist {lifetime} gültig und funktioniert nur einmal."),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Code kann sich niemand anmelden."
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
                format!("Ce code est valable {lifetime} et ne fonctionne qu’une seule fois."),
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le code, personne ne peut se connecter."
                    .to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Tu código de acceso a {brand}"),
        heading: "Tu código de acceso",
        before: |Fill { brand, .. }| vec![format!("Introduce este código para iniciar sesión en {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("El código es válido durante {lifetime} y funciona una sola vez."),
                "¿No has sido tú? Ignora este correo. Nadie puede iniciar sesión sin el código.".to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のログインコード"),
        heading: "ログインコード",
        before: |Fill { brand, .. }| vec![format!("次のコードを入力して、{brand} にログインしてください。")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("コードの有効時間は{lifetime}で、1 回だけ使えます。"),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、誰もログインできません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
