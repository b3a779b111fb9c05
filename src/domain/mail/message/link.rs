//! The link that signs in. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your sign-in link for {brand}"),
        heading: "Your sign-in link",
        before: |Fill { lifetime, .. }| {
            vec![
                "There have been many requests or wrong tries for your address, perhaps by someone else. \
                 That is why you get a link this time instead of a code: it cannot be guessed."
                    .to_owned(),
                format!(
                    "Open it in the browser in which you want to sign in, and press the button there. \
                     The link works once and is valid for {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Wasn’t it you? Then simply ignore this mail: nobody can sign in without the link.".to_owned(),
                english::keep_link(brand),
            ]
        },
    },
    de: Sheet {
        subject: |brand| format!("Ihr Anmeldelink für {brand}"),
        heading: "Ihr Anmeldelink",
        before: |Fill { lifetime, .. }| {
            vec![
                "Für Ihre Adresse gab es sehr viele Anfragen oder Fehlversuche, vielleicht durch jemand anderen. \
                 Deshalb erhalten Sie diesmal statt eines Codes einen Link: Er lässt sich nicht erraten."
                    .to_owned(),
                format!(
                    "Öffnen Sie ihn in dem Browser, in dem Sie sich anmelden möchten, und klicken Sie dort auf die \
                     Schaltfläche. Der Link funktioniert nur einmal und ist {lifetime} gültig."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Waren Sie das nicht? Dann ignorieren Sie diese E-Mail einfach: Ohne den Link kann sich niemand \
                 anmelden."
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
                "Votre adresse a fait l’objet de nombreuses demandes ou de nombreux essais erronés, peut-être de la \
                 part d’une autre personne. C’est pourquoi vous recevez cette fois un lien au lieu d’un code\u{a0}: il \
                 est impossible à deviner."
                    .to_owned(),
                format!(
                    "Ouvrez-le dans le navigateur avec lequel vous souhaitez vous connecter, puis appuyez sur le \
                     bouton affiché. Le lien ne fonctionne qu’une seule fois et reste valable {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le lien, personne ne peut se \
                 connecter."
                    .to_owned(),
                french::keep_link(brand),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Su enlace de acceso a {brand}"),
        heading: "Su enlace de acceso",
        before: |Fill { lifetime, .. }| {
            vec![
                "Ha habido muchas solicitudes o intentos fallidos con su dirección, quizá por parte de otra persona. \
                 Por eso esta vez recibe un enlace en lugar de un código: es imposible de adivinar."
                    .to_owned(),
                format!(
                    "Ábralo en el navegador en el que quiera iniciar sesión y pulse allí el botón. \
                     El enlace funciona una sola vez y es válido durante {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el enlace.".to_owned(),
                spanish::keep_link(brand),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のログイン用リンク"),
        heading: "ログイン用リンク",
        before: |Fill { lifetime, .. }| {
            vec![
                "お使いのメールアドレスに対して、コードの請求または入力の誤りが多数ありました。第三者によるもの\
                 かもしれません。そのため今回は、コードの代わりに、推測されるおそれのないリンクをお送りします。"
                    .to_owned(),
                format!(
                    "ログインに使うブラウザーでリンクを開き、表示されたボタンを押してください。\
                     リンクの有効時間は{lifetime}で、使用できるのは 1 回限りです。"
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
