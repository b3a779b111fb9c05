//! The sign-in link, sent instead of a code.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your sign-in link for {brand}"),
        heading: "Your sign-in link",
        before: |Fill { lifetime, .. }| {
            vec![
                "There were a lot of requests or wrong codes for your address, maybe from someone else. So this time \
                 you get a link instead of a code, because it can’t be guessed."
                    .to_owned(),
                format!(
                    "Open it in the browser where you want to sign in, and press the button on the page. The link \
                     works once and is valid for {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "If this wasn’t you, ignore this email. No one can sign in without the link.".to_owned(),
                english::keep_link(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Ihr Anmeldelink für {brand}"),
        heading: "Ihr Anmeldelink",
        before: |Fill { lifetime, .. }| {
            vec![
                "Für Ihre Adresse gab es viele Anfragen oder falsche Codes, vielleicht von jemand anderem. Deshalb \
                 erhalten Sie diesmal statt eines Codes einen Link, denn er lässt sich nicht erraten."
                    .to_owned(),
                format!(
                    "Öffnen Sie ihn in dem Browser, in dem Sie sich anmelden möchten, und klicken Sie auf der Seite \
                     auf die Schaltfläche. Der Link ist {lifetime} gültig und funktioniert nur einmal."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail. Ohne den Link kann sich niemand anmelden."
                    .to_owned(),
                german::keep_link(brand),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Votre lien de connexion à {brand}"),
        heading: "Votre lien de connexion",
        before: |Fill { lifetime, .. }| {
            vec![
                "Votre adresse a fait l’objet de nombreuses demandes ou de nombreux codes erronés, peut-être de la \
                 part de quelqu’un d’autre. Cette fois, vous recevez donc un lien au lieu d’un code, car il est \
                 impossible à deviner."
                    .to_owned(),
                format!(
                    "Ouvrez-le dans le navigateur où vous voulez vous connecter, puis appuyez sur le bouton de la \
                     page. Ce lien est valable {lifetime} et ne fonctionne qu’une seule fois."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Ce n’était pas vous\u{a0}? Ignorez cet e-mail. Sans le lien, personne ne peut se connecter."
                    .to_owned(),
                french::keep_link(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Tu enlace de acceso a {brand}"),
        heading: "Tu enlace de acceso",
        before: |Fill { lifetime, .. }| {
            vec![
                "Ha habido muchas solicitudes o códigos incorrectos para tu dirección, quizá de otra persona. Por eso \
                 esta vez recibes un enlace en lugar de un código: no se puede adivinar."
                    .to_owned(),
                format!(
                    "Ábrelo en el navegador donde quieras iniciar sesión y pulsa el botón de la página. El enlace es \
                     válido durante {lifetime} y funciona una sola vez."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "¿No has sido tú? Ignora este correo. Nadie puede iniciar sesión sin el enlace.".to_owned(),
                spanish::keep_link(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のログイン用リンク"),
        heading: "ログイン用リンク",
        before: |Fill { lifetime, .. }| {
            vec![
                "お使いのメールアドレスへのコードの請求または入力の誤りが、多数ありました。\
                 ほかの人によるものかもしれません。そのため今回は、コードの代わりに、\
                 推測されるおそれのないリンクをお送りします。"
                    .to_owned(),
                format!(
                    "ログインに使うブラウザーでリンクを開き、ページのボタンを押してください。\
                     リンクの有効時間は{lifetime}で、1 回だけ使えます。"
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "お心当たりがない場合は、このメールを無視してください。リンクがなければ、誰もログインできません。"
                    .to_owned(),
                japanese::keep_link(brand),
            ]
        },
    },
};
