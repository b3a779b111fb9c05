//! French text that several mails share. Mails say “vous” and put no-break spaces (U+00A0) before `:` and `?`.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "À copier\u{a0}:",
    open_page: "Ouvrir la page de connexion",
    restore_address: "Rétablir cette adresse",
    not_me: "Ce n’était pas moi",
    request_origin: "Origine de cette demande",
    sign_in_origin: "Origine de cette connexion",
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
        format!("Vous recevez cet e-mail automatique, car quelqu’un a saisi votre adresse sur {brand}.")
    },
    need_help: "Besoin d’aide\u{a0}?",
    footer_account: |brand| format!("Cet e-mail automatique concerne un compte {brand}."),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("Ne partagez jamais ce code. Personne chez {brand} ne vous le demandera.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!("Ne partagez jamais ce lien et ne transférez pas cet e-mail. Personne chez {brand} ne vous le demandera.")
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("Vous ne vous attendiez pas à ce changement\u{a0}? Contactez les responsables de {brand}.")
}

/// What happened, and what to do if it wasn’t the reader.
pub(in crate::domain::mail) fn or_disown(news: String) -> Vec<String> {
    vec![
        news,
        "C’était vous\u{a0}? Vous n’avez rien à faire.".to_owned(),
        "Ce n’était pas vous\u{a0}? Ouvrez ce lien et appuyez sur le bouton de la page. Tous les appareils seront \
         déconnectés, le mot de passe et les clés API seront supprimés s’il y en a, et les appareils connus seront \
         oubliés. Vous vous connecterez ensuite avec un code reçu par e-mail."
            .to_owned(),
    ]
}

pub(in crate::domain::mail) fn disown_until(lifetime: &str) -> String {
    format!("Le lien est valable {lifetime}.")
}
