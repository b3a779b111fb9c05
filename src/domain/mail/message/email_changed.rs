//! To the old address: the account has another one now. Its reader or an administrator changed it. Every language, and
//! nothing but sentences.

use super::{Fill, Sheet, Sheets};
use crate::domain::mail::words::{english, french, german, japanese, spanish};

pub(super) static SHEETS: Sheets = Sheets {
    en: Sheet {
        subject: |brand| format!("Your e-mail address for {brand} was changed"),
        heading: "Your e-mail address was changed",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "The e-mail address of your account at {brand} was changed to another one. \
                     Sign-in codes for that account are no longer sent to this address."
                ),
                "Was it you? Then there is nothing to do.".to_owned(),
                "Wasn’t it you? Then open this link and press the button there: it restores this address and \
                 ends all sessions."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("The link is valid for {lifetime}."), english::keep_link(brand)]
        },
    },
    de: Sheet {
        subject: |brand| format!("Ihre E-Mail-Adresse für {brand} wurde geändert"),
        heading: "Ihre E-Mail-Adresse wurde geändert",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "Die E-Mail-Adresse Ihres Kontos bei {brand} wurde durch eine andere ersetzt. \
                     Anmeldecodes für dieses Konto werden nicht mehr an diese Adresse geschickt."
                ),
                "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
                "Waren Sie das nicht? Dann öffnen Sie diesen Link und klicken Sie dort auf die Schaltfläche: Ihr Konto \
                 erhält diese Adresse zurück, und alle Sitzungen werden beendet."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("Der Link ist {lifetime} gültig."), german::keep_link(brand)]
        },
    },
    fr: Sheet {
        subject: |brand| format!("Votre adresse e-mail pour {brand} a été modifiée"),
        heading: "Votre adresse e-mail a été modifiée",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "L’adresse e-mail de votre compte sur {brand} a été remplacée par une autre. \
                     Les codes de connexion à ce compte ne sont plus envoyés à cette adresse-ci."
                ),
                "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
                "Ce n’était pas vous\u{a0}? Ouvrez ce lien, puis appuyez sur le bouton affiché\u{a0}: cette adresse \
                 sera rétablie et toutes les sessions seront fermées."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("Le lien reste valable {lifetime}."), french::keep_link(brand)]
        },
    },
    es: Sheet {
        subject: |brand| format!("Se ha cambiado su dirección de correo para {brand}"),
        heading: "Se ha cambiado su dirección de correo",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "La dirección de correo de su cuenta en {brand} se ha sustituido por otra. \
                     Los códigos de acceso a esa cuenta ya no se envían a esta dirección."
                ),
                "¿Ha sido usted? Entonces no tiene que hacer nada.".to_owned(),
                "¿No ha sido usted? Abra este enlace y pulse allí el botón: se restablecerá esta dirección y se \
                 cerrarán todas las sesiones."
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("El enlace es válido durante {lifetime}."), spanish::keep_link(brand)]
        },
    },
    ja: Sheet {
        subject: |brand| format!("{brand} のメールアドレスの変更"),
        heading: "メールアドレスの変更",
        before: |Fill { brand, .. }| {
            vec![
                format!(
                    "{brand} でお使いのアカウントのメールアドレスが、別のものに変更されました。\
                     今後、このアカウントのログインコードは、このメールアドレスには送信されません。"
                ),
                "ご自身で変更された場合は、何もする必要はありません。".to_owned(),
                "お心当たりがない場合は、次のリンクを開き、表示されたボタンを押してください。\
                 メールアドレスが元に戻り、すべてのセッションが終了します。"
                    .to_owned(),
            ]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![format!("リンクの有効期間は{lifetime}です。"), japanese::keep_link(brand)]
        },
    },
};

/// An administrator did it: there is nothing to undo.
pub(super) static BY_ADMINISTRATOR: Sheets = Sheets {
    en: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "An administrator changed the e-mail address of your account at {brand} to another one. \
                 Sign-in codes for that account are no longer sent to this address."
            )]
        },
        after: |Fill { brand, .. }| vec![english::unexpected(brand)],
        ..SHEETS.en
    },
    de: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "Die Administration von {brand} hat die E-Mail-Adresse Ihres Kontos durch eine andere ersetzt. \
                 Anmeldecodes für dieses Konto werden nicht mehr an diese Adresse geschickt."
            )]
        },
        after: |Fill { brand, .. }| vec![german::unexpected(brand)],
        ..SHEETS.de
    },
    fr: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a remplacé l’adresse e-mail de votre compte sur {brand} par une autre. \
                 Les codes de connexion à ce compte ne sont plus envoyés à cette adresse-ci."
            )]
        },
        after: |Fill { brand, .. }| vec![french::unexpected(brand)],
        ..SHEETS.fr
    },
    es: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "La administración de {brand} ha sustituido la dirección de correo de su cuenta por otra. \
                 Los códigos de acceso a esa cuenta ya no se envían a esta dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![spanish::unexpected(brand)],
        ..SHEETS.es
    },
    ja: Sheet {
        before: |Fill { brand, .. }| {
            vec![format!(
                "{brand} の管理者が、お使いのアカウントのメールアドレスを別のものに変更しました。\
                 今後、このアカウントのログインコードは、このメールアドレスには送信されません。"
            )]
        },
        after: |Fill { brand, .. }| vec![japanese::unexpected(brand)],
        ..SHEETS.ja
    },
};
