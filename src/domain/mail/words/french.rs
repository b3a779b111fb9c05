//! The mails in French, in the polite form and with its no-break spaces (U+00A0). Nothing but sentences.

use super::{Fill, Sheet, Words};
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    code: Sheet {
        subject: |brand| format!("Votre code de connexion à {brand}"),
        heading: "Votre code de connexion",
        before: |Fill { brand, .. }| vec![format!("Saisissez ce code pour vous connecter à {brand}\u{a0}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("Ce code ne fonctionne qu’une seule fois et reste valable {lifetime}."),
                "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le code, personne ne peut se \
                 connecter."
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    link: Sheet {
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
                keep_link(brand),
            ]
        },
    },
    email_code: Sheet {
        subject: |brand| format!("Confirmez votre nouvelle adresse e-mail pour {brand}"),
        heading: "Confirmez votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Cette adresse a été saisie comme nouvelle adresse e-mail d’un compte sur {brand}. Pour la confirmer, \
                 saisissez ce code sur la page où vous avez demandé le changement\u{a0}:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "L’adresse ne change qu’une fois le code saisi sur cette page. \
                     Ce code ne fonctionne qu’une seule fois et reste valable {lifetime}."
                ),
                "Ce n’était pas vous\u{a0}? Ignorez simplement cet e-mail\u{a0}: sans le code, rien ne change."
                    .to_owned(),
                keep_code(brand),
            ]
        },
    },
    invitation: Sheet {
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
    email_changed: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
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
        after: |Fill { brand, lifetime, .. }| vec![format!("Le lien reste valable {lifetime}."), keep_link(brand)],
    },
    email_changed_for_you: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a remplacé l’adresse e-mail de votre compte sur {brand} par une autre. \
                 Les codes de connexion à ce compte ne sont plus envoyés à cette adresse-ci."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_taken_back: Sheet {
        subject: |brand| format!("Le changement de votre adresse e-mail pour {brand} a été annulé"),
        heading: "Le changement de votre adresse e-mail a été annulé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Une personne ayant accès à l’ancienne adresse e-mail de votre compte sur {brand} a annulé la \
                 modification. Le compte a été déconnecté partout et ses codes de connexion ne sont plus envoyés à \
                 cette adresse-ci."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    account_deleted: Sheet {
        subject: |brand| format!("Votre compte sur {brand} a été supprimé"),
        heading: "Votre compte a été supprimé",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Votre compte sur {brand} a été supprimé. Il est déconnecté partout et personne ne peut plus s’y \
                 connecter. Pendant un certain temps, il peut encore être restauré."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_is_now: Sheet {
        subject: |brand| format!("Votre nouvelle adresse e-mail pour {brand}"),
        heading: "Votre nouvelle adresse e-mail",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Un administrateur a modifié l’adresse e-mail de votre compte sur {brand}. \
                 Désormais, vous vous connectez avec cette adresse."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    new_device: Sheet {
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
    role_changed: Sheet {
        subject: |brand| format!("Votre rôle sur {brand} a changé"),
        heading: "Votre rôle a changé",
        before: |Fill { brand, role, .. }| {
            vec![format!(
                "Un administrateur a modifié ce que vous pouvez faire sur {brand}. \
                 Votre rôle est désormais\u{a0}: {role}."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    copy: "À copier\u{a0}:",
    open_page: "Ouvrir la page de connexion",
    restore_address: "Rétablir cette adresse",
    request_origin: "Origine de la demande",
    sign_in_origin: "Origine de la connexion",
    time: "Date",
    device: "Appareil",
    network: "Adresse IP",
    colon: "\u{a0}: ",
    browser_on: |browser, system| format!("{browser} sur {system}"),
    minutes: |count| {
        if count == 1 { "1\u{a0}minute".to_owned() } else { format!("{count}\u{a0}minutes") }
    },
    hours: |count| {
        if count == 1 { "1\u{a0}heure".to_owned() } else { format!("{count}\u{a0}heures") }
    },
    days: |count| format!("{count}\u{a0}jours"),
    role: |role| match role {
        Role::Admin => "Administrateur",
        Role::Manager => "Gestionnaire",
        Role::User => "Utilisateur",
        Role::Guest => "Invité",
    },
    footer_entered: |brand| {
        format!("Cet e-mail a été envoyé automatiquement, car quelqu’un a saisi votre adresse sur {brand}.")
    },
    footer_account: |brand| format!("Cet e-mail a été envoyé automatiquement, car il concerne un compte sur {brand}."),
};

const EMAIL_CHANGED: &str = "Votre adresse e-mail a été modifiée";

fn email_changed_subject(brand: &str) -> String {
    format!("Votre adresse e-mail pour {brand} a été modifiée")
}

fn keep_code(brand: &str) -> String {
    format!("Ne communiquez jamais ce code à qui que ce soit. Personne chez {brand} ne vous le demandera.")
}

fn keep_link(brand: &str) -> String {
    format!(
        "Ne communiquez jamais ce lien et ne transférez pas cet e-mail. Personne chez {brand} ne vous le demandera."
    )
}

fn unexpected(brand: &str) -> String {
    format!("Vous ne vous attendiez pas à ce changement\u{a0}? Contactez les responsables de {brand}.")
}
