//! Invitation to an account that an administrator created.

use super::{Fill, Sheet, Sheets};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("You’re invited to {brand}"),
        heading: "You’re invited",
        before: |Fill { brand, .. }| {
            vec![
                format!("Your account at {brand} is ready. It uses this email address."),
                "To sign in, open the page below and enter this address. We’ll email you a code, so you don’t need a \
                 password."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Didn’t expect this invitation? Just ignore this email.".to_owned()],
    },
    de: Sheet {
        subject: |brand| format!("Sie sind zu {brand} eingeladen"),
        heading: "Sie sind eingeladen",
        before: |Fill { brand, .. }| {
            vec![
                format!("Ihr Konto bei {brand} ist bereit. Es verwendet diese E-Mail-Adresse."),
                "Öffnen Sie zum Anmelden die folgende Seite und geben Sie diese Adresse ein. Wir schicken Ihnen dann \
                 einen Code. Ein Passwort brauchen Sie nicht."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Haben Sie diese Einladung nicht erwartet? Dann ignorieren Sie diese E-Mail.".to_owned()],
    },
    fr: Sheet {
        subject: |brand| format!("Votre invitation à rejoindre {brand}"),
        heading: "Votre invitation",
        before: |Fill { brand, .. }| {
            vec![
                format!("Votre compte {brand} est prêt. Il utilise cette adresse e-mail."),
                "Pour vous connecter, ouvrez la page ci-dessous et saisissez cette adresse. Nous vous enverrons un \
                 code par e-mail\u{a0}: pas besoin de mot de passe."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Vous n’attendiez pas cette invitation\u{a0}? Ignorez cet e-mail.".to_owned()],
    },
    es: Sheet {
        subject: |brand| format!("Tienes una invitación a {brand}"),
        heading: "Tienes una invitación",
        before: |Fill { brand, .. }| {
            vec![
                format!("Tu cuenta de {brand} está lista, con esta dirección de correo."),
                "Para iniciar sesión, abre la página siguiente e introduce esta dirección. Te enviaremos un código \
                 por correo, así que no necesitas contraseña."
                    .to_owned(),
            ]
        },
        after: |_| vec!["¿No esperabas esta invitación? Ignora este correo.".to_owned()],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} への招待"),
        heading: "招待のお知らせ",
        before: |Fill { brand, .. }| {
            vec![
                format!("{brand} のアカウントの準備ができました。このメールアドレスでご利用いただけます。"),
                "ログインするには、下のページを開き、このメールアドレスを入力してください。コードがメールで届くので、\
                 パスワードは必要ありません。"
                    .to_owned(),
            ]
        },
        after: |_| vec!["この招待にお心当たりがない場合は、このメールを無視してください。".to_owned()],
    },
};
