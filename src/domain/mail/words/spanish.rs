//! Spanish text that several mails share. Mails say “tú”.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "Para copiar:",
    open_page: "Abrir la página de acceso",
    restore_address: "Restablecer esta dirección",
    not_me: "No he sido yo",
    request_origin: "Origen de esta solicitud",
    sign_in_origin: "Origen de este inicio de sesión",
    time: "Fecha",
    device: "Dispositivo",
    network: "Dirección IP",
    colon: ": ",
    browser_on: |browser, system| format!("{browser} en {system}"),
    minutes: |count| {
        if count == 1 { "1 minuto".to_owned() } else { format!("{count} minutos") }
    },
    hours: |count| {
        if count == 1 { "1 hora".to_owned() } else { format!("{count} horas") }
    },
    days: |count| format!("{count} días"),
    role: |role| match role {
        Role::Admin => "Administrador",
        Role::Manager => "Gestor",
        Role::User => "Usuario",
        Role::Guest => "Invitado",
    },
    footer_entered: |brand| {
        format!("Recibes este correo automático porque alguien ha introducido tu dirección en {brand}.")
    },
    need_help: "¿Necesitas ayuda?",
    footer_account: |brand| format!("Este correo automático trata de una cuenta de {brand}."),
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("No compartas nunca este código. Nadie de {brand} te lo pedirá.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!("No compartas nunca este enlace ni reenvíes este correo. Nadie de {brand} te lo pedirá.")
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("¿No esperabas este cambio? Ponte en contacto con los responsables de {brand}.")
}

/// What happened, and what to do if it wasn’t the reader.
pub(in crate::domain::mail) fn or_disown(news: String) -> Vec<String> {
    vec![
        news,
        "¿Has sido tú? No tienes que hacer nada.".to_owned(),
        "¿No has sido tú? Abre este enlace y pulsa el botón de la página. Se cerrará la sesión en todos los \
         dispositivos, se eliminarán la contraseña y las claves de API, si las hay, y se olvidarán los \
         dispositivos conocidos. Después podrás iniciar sesión con un código por correo."
            .to_owned(),
    ]
}

pub(in crate::domain::mail) fn disown_until(lifetime: &str) -> String {
    format!("El enlace es válido durante {lifetime}.")
}
