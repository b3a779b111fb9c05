//! Notice of a sign-in from a new device.

use super::{Fill, Sheet, Sheets};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Sign-in to {brand} from a new device"),
        heading: "Sign-in from a new device",
        before: |Fill { brand, .. }| {
            vec![
                format!("Someone signed in to your {brand} account from a device we haven’t seen before."),
                "Was this you? You don’t need to do anything.".to_owned(),
                "If it wasn’t, sign in, end that session and remove the device.".to_owned(),
            ]
        },
        after: |_| {
            vec!["Protect your mailbox too: anyone who can read your email can sign in to your account.".to_owned()]
        },
    },
    de: Sheet {
        subject: |brand| format!("Anmeldung bei {brand} von einem neuen Gerät"),
        heading: "Anmeldung von einem neuen Gerät",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Jemand hat sich mit Ihrem Konto bei {brand} von einem Gerät angemeldet, das wir noch nicht \
                     kennen."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann melden Sie sich an, beenden Sie diese Sitzung und entfernen Sie das Gerät."
                    .to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Schützen Sie auch Ihr Postfach: Wer Ihre E-Mails lesen kann, kann sich mit Ihrem Konto anmelden."
                    .to_owned(),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Connexion à {brand} depuis un nouvel appareil"),
        heading: "Connexion depuis un nouvel appareil",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Quelqu’un s’est connecté à votre compte {brand} depuis un appareil que nous ne connaissions pas."
                ),
                "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
                "Ce n’était pas vous\u{a0}? Connectez-vous, fermez cette session et retirez l’appareil.".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Protégez aussi votre messagerie\u{a0}: toute personne qui peut lire vos e-mails peut se connecter à \
                 votre compte."
                    .to_owned(),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Inicio de sesión en {brand} desde un dispositivo nuevo"),
        heading: "Inicio de sesión desde un dispositivo nuevo",
        before: |Fill { brand, .. }| {
            vec![
                format!("Alguien ha iniciado sesión en tu cuenta de {brand} desde un dispositivo que no conocíamos."),
                "¿Has sido tú? No tienes que hacer nada.".to_owned(),
                "¿No has sido tú? Inicia sesión, cierra esa sesión y elimina el dispositivo.".to_owned(),
            ]
        },
        after: |_| {
            vec!["Protege también tu buzón: quien pueda leer tu correo puede iniciar sesión en tu cuenta.".to_owned()]
        },
    },
    ja: Sheet {
        subject: |brand| format!("新しい端末から {brand} へのログイン"),
        heading: "新しい端末からのログイン",
        before: |Fill { brand, .. }| {
            vec![
                format!("お使いの {brand} アカウントに、新しい端末からログインがありました。"),
                "ご自身でログインした場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、ログインしてそのセッションを終了し、その端末を削除してください。".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "メールボックスの安全もご確認ください。メールを読める人は、お使いのアカウントにログインできます。"
                    .to_owned(),
            ]
        },
    },
};
