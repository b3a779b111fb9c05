//! German text that several mails share. Mails say “Sie”.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "Zum Kopieren:",
    open_page: "Anmeldeseite öffnen",
    restore_address: "Diese Adresse wiederherstellen",
    not_me: "Das war ich nicht",
    request_origin: "Woher diese Anfrage kam",
    sign_in_origin: "Woher diese Anmeldung kam",
    time: "Zeitpunkt",
    device: "Gerät",
    network: "IP-Adresse",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} auf {system}"),
    minutes: |count| {
        if count == 1 { "1 Minute".to_owned() } else { format!("{count} Minuten") }
    },
    hours: |count| {
        if count == 1 { "1 Stunde".to_owned() } else { format!("{count} Stunden") }
    },
    days: |count| format!("{count} Tage"),
    role: |role| match role {
        Role::Admin => "Administrator",
        Role::Manager => "Manager",
        Role::User => "Benutzer",
        Role::Guest => "Gast",
    },
    footer_entered: |brand| {
        format!("Sie erhalten diese automatische E-Mail, weil jemand bei {brand} Ihre Adresse eingegeben hat.")
    },
    need_help: "Brauchen Sie Hilfe?",
    footer_account: |brand| format!("Diese automatische E-Mail betrifft ein Konto bei {brand}."),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("Geben Sie diesen Code nie weiter. Niemand von {brand} wird Sie je danach fragen.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!(
        "Geben Sie diesen Link nie weiter und leiten Sie diese E-Mail nicht weiter. Niemand von {brand} wird \
         Sie je danach fragen."
    )
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("Haben Sie diese Änderung nicht erwartet? Dann wenden Sie sich an die Betreiber von {brand}.")
}

/// What happened, and what to do if it wasn’t the reader.
pub(in crate::domain::mail) fn or_disown(news: String) -> Vec<String> {
    vec![
        news,
        "Waren Sie das? Dann müssen Sie nichts tun.".to_owned(),
        "Waren Sie das nicht? Dann öffnen Sie diesen Link und klicken Sie auf der Seite auf die Schaltfläche. Damit \
         werden alle Geräte abgemeldet, Passwort und API-Schlüssel entfernt, falls es welche gibt, und alle bekannten \
         Geräte vergessen. Danach melden Sie sich mit einem Code per E-Mail an."
            .to_owned(),
    ]
}

pub(in crate::domain::mail) fn disown_until(lifetime: &str) -> String {
    format!("Der Link ist {lifetime} gültig.")
}
