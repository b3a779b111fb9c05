//! The code that completes a registration.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Finish creating your {brand} account"),
        heading: "Finish creating your account",
        before: |Fill { brand, .. }| vec![format!("Enter this code to finish creating your {brand} account:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("The password you chose becomes valid then. The code works once and is valid for {lifetime}."),
                "If this wasn’t you, ignore this email. Without the code, no account is created and no password is \
                 set."
                    .to_owned(),
                english::keep_code(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Schließen Sie Ihre Registrierung bei {brand} ab"),
        heading: "Schließen Sie Ihre Registrierung ab",
        before: |Fill { brand, .. }| {
            vec![format!("Geben Sie diesen Code ein, um Ihre Registrierung bei {brand} abzuschließen:")]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Erst dann gilt das Passwort, das Sie gewählt haben. Der Code ist {lifetime} gültig und \
                     funktioniert nur einmal."
                ),
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Code wird kein Konto angelegt und \
                 kein Passwort festgelegt."
                    .to_owned(),
                german::keep_code(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Terminez votre inscription à {brand}"),
        heading: "Terminez votre inscription",
        before: |Fill { brand, .. }| {
            vec![format!("Saisissez ce code pour terminer votre inscription à {brand}\u{a0}:")]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "Le mot de passe que vous avez choisi sera alors valable. Ce code est valable {lifetime} et ne \
                     fonctionne qu’une seule fois."
                ),
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le code, aucun compte n’est créé et aucun mot \
                 de passe n’est défini."
                    .to_owned(),
                french::keep_code(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Termina tu registro en {brand}"),
        heading: "Termina tu registro",
        before: |Fill { brand, .. }| vec![format!("Introduce este código para terminar tu registro en {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "A partir de entonces podrás usar la contraseña que has elegido. El código es válido durante \
                     {lifetime} y funciona una sola vez."
                ),
                "¿No has sido tú? Ignora este correo. Sin el código no se crea ninguna cuenta ni ninguna contraseña."
                    .to_owned(),
                spanish::keep_code(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のアカウント登録の確認"),
        heading: "アカウント登録の確認",
        before: |Fill { brand, .. }| {
            vec![format!("次のコードを入力して、{brand} のアカウント登録を完了してください。")]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "登録が完了すると、設定したパスワードが使えるようになります。コードの有効時間は{lifetime}で、\
                     1 回だけ使えます。"
                ),
                "お心当たりがない場合は、このメールを無視してください。コードがなければ、\
                 アカウントもパスワードも作成されません。"
                    .to_owned(),
                japanese::keep_code(brand),
            ]
        },
    },
};
