//! The mails in Spanish, in the polite form. Nothing but sentences.

use super::{Fill, Sheet, Words};
use crate::db::entity::Role;

pub(super) static WORDS: Words = Words {
    code: Sheet {
        subject: |brand| format!("Su código de acceso a {brand}"),
        heading: "Su código de acceso",
        before: |Fill { brand, .. }| vec![format!("Introduzca este código para iniciar sesión en {brand}:")],
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!("El código funciona una sola vez y es válido durante {lifetime}."),
                "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el código.".to_owned(),
                keep_code(brand),
            ]
        },
    },
    link: Sheet {
        subject: |brand| format!("Su enlace de acceso a {brand}"),
        heading: "Su enlace de acceso",
        before: |Fill { lifetime, .. }| {
            vec![
                "Ha habido muchas solicitudes o intentos fallidos con su dirección, quizá por parte de otra persona. \
                 Por eso esta vez recibe un enlace en lugar de un código: es imposible de adivinar."
                    .to_owned(),
                format!(
                    "Ábralo en el navegador en el que quiera iniciar sesión y pulse allí el botón. \
                     El enlace funciona una sola vez y es válido durante {lifetime}."
                ),
            ]
        },
        after: |Fill { brand, .. }| {
            vec![
                "¿No ha sido usted? Ignore este correo: nadie puede iniciar sesión sin el enlace.".to_owned(),
                keep_link(brand),
            ]
        },
    },
    email_code: Sheet {
        subject: |brand| format!("Confirme su nueva dirección de correo para {brand}"),
        heading: "Confirme su nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Esta dirección se ha introducido como nueva dirección de correo de una cuenta en {brand}. \
                 Para confirmarla, introduzca este código en la página en la que solicitó el cambio:"
            )]
        },
        after: |Fill { brand, lifetime, .. }| {
            vec![
                format!(
                    "La dirección solo cambia cuando se introduce allí el código. \
                     El código funciona una sola vez y es válido durante {lifetime}."
                ),
                "¿No ha sido usted? Ignore este correo: sin el código no cambia nada.".to_owned(),
                keep_code(brand),
            ]
        },
    },
    invitation: Sheet {
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
    email_changed: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
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
            vec![format!("El enlace es válido durante {lifetime}."), keep_link(brand)]
        },
    },
    email_changed_for_you: Sheet {
        subject: email_changed_subject,
        heading: EMAIL_CHANGED,
        before: |Fill { brand, .. }| {
            vec![format!(
                "La administración de {brand} ha sustituido la dirección de correo de su cuenta por otra. \
                 Los códigos de acceso a esa cuenta ya no se envían a esta dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_taken_back: Sheet {
        subject: |brand| format!("El cambio de su dirección de correo para {brand} se ha deshecho"),
        heading: "El cambio de su dirección de correo se ha deshecho",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Alguien con acceso a la dirección de correo anterior de su cuenta en {brand} ha deshecho el cambio. \
                 La cuenta se ha cerrado en todos los dispositivos y sus códigos de acceso ya no se envían a esta \
                 dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    account_deleted: Sheet {
        subject: |brand| format!("Su cuenta en {brand} se ha eliminado"),
        heading: "Su cuenta se ha eliminado",
        before: |Fill { brand, .. }| {
            vec![format!(
                "Su cuenta en {brand} se ha eliminado. Se ha cerrado la sesión en todos los dispositivos y nadie puede \
                 acceder a ella. Durante un tiempo todavía se puede restaurar."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    email_is_now: Sheet {
        subject: |brand| format!("Su nueva dirección de correo para {brand}"),
        heading: "Su nueva dirección de correo",
        before: |Fill { brand, .. }| {
            vec![format!(
                "La administración de {brand} ha cambiado la dirección de correo de su cuenta. \
                 A partir de ahora, usted inicia sesión con esta dirección."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
    new_device: Sheet {
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
    role_changed: Sheet {
        subject: |brand| format!("Su rol en {brand} ha cambiado"),
        heading: "Su rol ha cambiado",
        before: |Fill { brand, role, .. }| {
            vec![format!(
                "La administración de {brand} ha cambiado lo que usted puede hacer allí. Su rol es ahora: {role}."
            )]
        },
        after: |Fill { brand, .. }| vec![unexpected(brand)],
    },
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

const EMAIL_CHANGED: &str = "Se ha cambiado su dirección de correo";

fn email_changed_subject(brand: &str) -> String {
    format!("Se ha cambiado su dirección de correo para {brand}")
}

fn keep_code(brand: &str) -> String {
    format!("No comparta nunca el código. Nadie de {brand} se lo pedirá.")
}

fn keep_link(brand: &str) -> String {
    format!("No comparta nunca el enlace ni reenvíe este correo. Nadie de {brand} se lo pedirá.")
}

fn unexpected(brand: &str) -> String {
    format!("¿No esperaba este cambio? Póngase en contacto con los responsables de {brand}.")
}
