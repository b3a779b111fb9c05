//! Notice that new devices cannot use the password for a while, because of too many wrong ones.

use super::{Fill, Sheet, Sheets};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Too many wrong passwords for your {brand} account"),
        heading: "Too many wrong passwords",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Someone entered too many wrong passwords for your {brand} account. For a while, no one can sign \
                     in to it with a password from a new device."
                ),
                "You can still sign in with a code by email, or with your password on a device you’ve used before."
                    .to_owned(),
                "Was this you? You don’t need to do anything.".to_owned(),
            ]
        },
        after: |_| {
            vec!["If it wasn’t you and you use this password elsewhere too, consider choosing another one.".to_owned()]
        },
    },
    de: Sheet {
        subject: |brand| format!("Zu viele falsche Passwörter für Ihr Konto bei {brand}"),
        heading: "Zu viele falsche Passwörter",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Jemand hat zu viele falsche Passwörter für Ihr Konto bei {brand} eingegeben. Eine Zeit lang \
                     kann sich deshalb niemand von einem neuen Gerät mit einem Passwort anmelden."
                ),
                "Sie selbst können sich weiterhin anmelden: mit einem Code per E-Mail oder mit Ihrem Passwort auf \
                 einem Gerät, das Sie schon verwendet haben."
                    .to_owned(),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Waren Sie das nicht und verwenden Sie dieses Passwort auch anderswo? Dann wählen Sie am besten ein \
                 anderes."
                    .to_owned(),
            ]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Trop de mots de passe erronés pour votre compte {brand}"),
        heading: "Trop de mots de passe erronés",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Quelqu’un a saisi trop de mots de passe erronés pour votre compte {brand}. Pendant quelque \
                     temps, personne ne peut s’y connecter avec un mot de passe depuis un nouvel appareil."
                ),
                "Vous pouvez toujours vous connecter avec un code reçu par e-mail, ou avec votre mot de passe depuis \
                 un appareil que vous avez déjà utilisé."
                    .to_owned(),
                "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Ce n’était pas vous et vous utilisez aussi ce mot de passe ailleurs\u{a0}? Pensez à en choisir un \
                 autre."
                    .to_owned(),
            ]
        },
    },
    es: Sheet {
        subject: |brand| format!("Demasiadas contraseñas incorrectas para tu cuenta de {brand}"),
        heading: "Demasiadas contraseñas incorrectas",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Alguien ha introducido demasiadas contraseñas incorrectas para tu cuenta de {brand}. Durante un \
                     tiempo, nadie puede iniciar sesión en ella con una contraseña desde un dispositivo nuevo."
                ),
                "Tú puedes seguir iniciando sesión con un código por correo o con tu contraseña en un dispositivo \
                 que ya hayas usado."
                    .to_owned(),
                "¿Has sido tú? No tienes que hacer nada.".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "Si no has sido tú y usas esta contraseña también en otros sitios, te recomendamos elegir otra."
                    .to_owned(),
            ]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} アカウントでのパスワードの誤入力"),
        heading: "パスワードの誤入力が多数ありました",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "お使いの {brand} アカウントに対して、誤ったパスワードが何度も入力されました。そのため、\
                     しばらくの間、新しい端末からはパスワードでログインできません。"
                ),
                "メールで届くコードや、以前に使った端末でのパスワードによるログインは、引き続きご利用いただけます。"
                    .to_owned(),
                "ご自身で入力した場合は、何もする必要はありません。".to_owned(),
            ]
        },
        after: |_| {
            vec![
                "お心当たりがなく、同じパスワードをほかのサービスでも使っている場合は、\
                 別のパスワードへの変更をご検討ください。"
                    .to_owned(),
            ]
        },
    },
};
