//! The invitation to an account that an administrator made. Every language, and nothing but sentences.

use super::{Fill, Sheet, Sheets};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("You have been invited to {brand}"),
        heading: "You have been invited",
        before: |Fill { brand, .. }| {
            vec![
                format!("An account with this e-mail address was set up for you at {brand}."),
                "To sign in, open the page below and enter this address. You will get a code by e-mail; \
                 you need no password."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Didn’t you expect this invitation? Then simply ignore this mail.".to_owned()],
    },
    de: Sheet {
        subject: |brand| format!("Sie wurden zu {brand} eingeladen"),
        heading: "Sie wurden eingeladen",
        before: |Fill { brand, .. }| {
            vec![
                format!("Für Sie wurde bei {brand} ein Konto mit dieser E-Mail-Adresse eingerichtet."),
                "Um sich anzumelden, öffnen Sie die folgende Seite und geben Sie diese Adresse ein. Sie erhalten dann \
                 einen Code per E-Mail; ein Passwort brauchen Sie nicht."
                    .to_owned(),
            ]
        },
        after: |_| {
            vec!["Haben Sie diese Einladung nicht erwartet? Dann ignorieren Sie diese E-Mail einfach.".to_owned()]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Votre invitation à rejoindre {brand}"),
        heading: "Votre invitation",
        before: |Fill { brand, .. }| {
            vec![
                format!("Un compte associé à cette adresse e-mail a été créé pour vous sur {brand}."),
                "Pour vous connecter, ouvrez la page ci-dessous et saisissez cette adresse. Vous recevrez un code par \
                 e-mail\u{a0}; aucun mot de passe n’est nécessaire."
                    .to_owned(),
            ]
        },
        after: |_| vec!["Vous n’attendiez pas cette invitation\u{a0}? Ignorez simplement cet e-mail.".to_owned()],
    },
    es: Sheet {
        subject: |brand| format!("Ha recibido una invitación a {brand}"),
        heading: "Ha recibido una invitación",
        before: |Fill { brand, .. }| {
            vec![
                format!("Se ha creado para usted una cuenta en {brand} con esta dirección de correo."),
                "Para iniciar sesión, abra la página siguiente e introduzca esta dirección. Recibirá un código por \
                 correo; no necesita contraseña."
                    .to_owned(),
            ]
        },
        after: |_| vec!["¿No esperaba esta invitación? Ignore este correo.".to_owned()],
    },
    ja: Sheet {
        subject: |brand| format!("{brand} への招待"),
        heading: "招待のお知らせ",
        before: |Fill { brand, .. }| {
            vec![
                format!("{brand} に、このメールアドレスでお使いいただけるアカウントが作成されました。"),
                "ログインするには、下のページを開き、このメールアドレスを入力してください。コードがメールで届きます。\
                 パスワードは必要ありません。"
                    .to_owned(),
            ]
        },
        after: |_| vec!["この招待にお心当たりがない場合は、このメールを無視してください。".to_owned()],
    },
};
