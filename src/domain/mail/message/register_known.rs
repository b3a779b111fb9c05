//! The sign-in code for someone who registers an address that already has an account.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("You already have an account at {brand}"),
        heading: "You already have an account",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Someone, maybe you, tried to create an account at {brand} with this address, but it already has \
                     one."
                ),
                "If it was you, enter this code to sign in to your account:".to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                "The password typed there wasn’t saved. To set a new one, reset your password on the sign-in page."
                    .to_owned(),
                format!("The code works once and is valid for {lifetime}."),
                "If this wasn’t you, ignore this email. No one can sign in without the code, and your account stays \
                 as it is."
                    .to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Sie haben bereits ein Konto bei {brand}"),
        heading: "Sie haben bereits ein Konto",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Jemand, vielleicht Sie selbst, wollte mit dieser Adresse ein Konto bei {brand} anlegen. Es gibt \
                     aber schon eines."
                ),
                "Waren Sie das? Dann geben Sie diesen Code ein, um sich mit Ihrem Konto anzumelden:".to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                "Das dabei eingegebene Passwort haben wir nicht gespeichert. Möchten Sie ein neues festlegen? Dann \
                 setzen Sie Ihr Passwort auf der Anmeldeseite zurück."
                    .to_owned(),
                format!("Der Code ist {lifetime} gültig und funktioniert nur einmal."),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Code kann sich niemand anmelden, \
                 und Ihr Konto bleibt, wie es ist."
                    .to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Vous avez déjà un compte {brand}"),
        heading: "Vous avez déjà un compte",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Quelqu’un, peut-être vous, a essayé de créer un compte {brand} avec cette adresse, mais elle en \
                     a déjà un."
                ),
                "Si c’est vous, saisissez ce code pour vous connecter à votre compte\u{a0}:".to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                "Le mot de passe saisi à cette occasion n’a pas été enregistré. Pour en définir un nouveau, \
                 réinitialisez votre mot de passe sur la page de connexion."
                    .to_owned(),
                format!("Ce code est valable {lifetime} et ne fonctionne qu’une seule fois."),
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le code, personne ne peut se connecter, et \
                 votre compte reste inchangé."
                    .to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Ya tienes una cuenta en {brand}"),
        heading: "Ya tienes una cuenta",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Alguien, quizá tú, ha intentado crear una cuenta en {brand} con esta dirección, pero ya existe \
                     una."
                ),
                "Si has sido tú, introduce este código para iniciar sesión en tu cuenta:".to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                "La contraseña que se introdujo no se ha guardado. Para crear una nueva, restablece tu contraseña en \
                 la página de acceso."
                    .to_owned(),
                format!("El código es válido durante {lifetime} y funciona una sola vez."),
                "¿No has sido tú? Ignora este correo. Nadie puede iniciar sesión sin el código y tu cuenta no \
                 cambia."
                    .to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("すでに {brand} のアカウントをお持ちです"),
        heading: "すでにアカウントをお持ちです",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "このメールアドレスで {brand} のアカウントを作成しようとする操作がありましたが、\
                     すでにアカウントがあります。"
                ),
                "ご自身で操作した場合は、次のコードを入力して、お使いのアカウントにログインしてください。".to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                "その際に入力されたパスワードは保存されていません。新しいパスワードを設定するには、\
                 ログインページでパスワードを再設定してください。"
                    .to_owned(),
                format!("コードの有効時間は{lifetime}で、1 回だけ使えます。"),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、誰もログインできません。\
                 アカウントも変更されません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
