//! A sign-in from a new device. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Sign-in to {brand} from a new device"),
        heading: "Sign-in from a new device",
        before: |Fill { brand, .. }| {
            vec![
                format!("Someone signed in to your account at {brand} from a device that was not known before."),
                "Was it you? Then there is nothing to do.".to_owned(),
                "Wasn’t it you? Then sign in, end that session and forget the device.".to_owned(),
            ]
        },
        after: |_| {
            vec!["Protect your mailbox as well: whoever can read your mail can sign in to your account.".to_owned()]
        },
    },
    de: Sheet {
        subject: |brand| format!("Anmeldung bei {brand} von einem neuen Gerät"),
        heading: "Anmeldung von einem neuen Gerät",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Jemand hat sich von einem bisher unbekannten Gerät aus mit Ihrem Konto bei {brand} angemeldet."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann melden Sie sich an, beenden Sie die betreffende Sitzung und entfernen Sie \
                 das Gerät."
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
                format!("Quelqu’un s’est connecté à votre compte sur {brand} depuis un appareil inconnu jusqu’ici."),
                "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
                "Ce n’était pas vous\u{a0}? Connectez-vous, fermez la session concernée et retirez l’appareil."
                    .to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Protégez aussi votre messagerie\u{a0}: quiconque peut lire vos e-mails peut se connecter à votre \
                 compte."
                    .to_owned(),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Inicio de sesión en {brand} desde un dispositivo nuevo"),
        heading: "Inicio de sesión desde un dispositivo nuevo",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Alguien ha iniciado sesión en su cuenta en {brand} desde un dispositivo desconocido hasta ahora."
                ),
                "¿Ha sido usted? Entonces no tiene que hacer nada.".to_owned(),
                "¿No ha sido usted? Inicie sesión, cierre la sesión en cuestión y elimine el dispositivo.".to_owned(),
            ]
        },
        after: |_| {
            vec!["Proteja también su buzón: quien pueda leer su correo puede iniciar sesión en su cuenta.".to_owned()]
        },
    },
    ja: Sheet {
        subject: |brand| format!("新しい端末から {brand} へのログイン"),
        heading: "新しい端末からのログイン",
        before: |Fill { brand, .. }| {
            vec![
                format!("{brand} でお使いのアカウントに、これまで使われたことのない端末からログインがありました。"),
                "ご自身でログインされた場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、ログインして該当するセッションを終了し、その端末を削除してください。"
                    .to_owned(),
            ]
        },
        after: |_| {
            vec![
                "メールボックスの安全もご確認ください。メールを読むことができる人は、お使いのアカウントにログイン\
                 できてしまいます。"
                    .to_owned(),
            ]
        },
    },
};
