//! What all mails in Spanish share, in the polite form.

use super::Words;
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    copy: "Para copiar:",
    open_page: "Abrir la página de acceso",
    restore_address: "Restablecer esta dirección",
    request_origin: "Origen de la solicitud",
    sign_in_origin: "Origen del inicio de sesión",
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
        format!("Este correo se ha enviado automáticamente porque alguien introdujo su dirección en {brand}.")
    },
    footer_account: |brand| {
        format!("Este correo se ha enviado automáticamente porque se refiere a una cuenta en {brand}.")
    },
};

pub(in crate::domain::mail) fn keep_code(brand: &str) -> String {
    format!("No comparta nunca el código. Nadie de {brand} se lo pedirá.")
}

pub(in crate::domain::mail) fn keep_link(brand: &str) -> String {
    format!("No comparta nunca el enlace ni reenvíe este correo. Nadie de {brand} se lo pedirá.")
}

pub(in crate::domain::mail) fn unexpected(brand: &str) -> String {
    format!("¿No esperaba este cambio? Póngase en contacto con los responsables de {brand}.")
}
