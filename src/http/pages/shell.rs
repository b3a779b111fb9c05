//! The HTML of the pages that `web/build` makes: one template, rendered in each language at startup. It contains the
//! settings that the scripts need before their first request.

use askama::Template;
use serde_json::{Value, json};

use super::assets::Files;
use crate::{
    domain::mail::template::Locale,
    settings::{Settings, SignUp},
};

/// The scripts that use the shell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Sign-in and account.
    Page,
    /// The development inbox.
    Inbox,
}

#[derive(Template)]
#[template(path = "../web/shell.html")]
struct PageShell<'a> {
    language: &'static str,
    title: &'a str,
    data: String,
    files: &'a Files,
    script: &'static str,
    words_file: &'a str,
    needs_script: &'static str,
}

/// Renders the shell in one language.
pub(super) fn render(settings: &Settings, inbox: bool, files: &Files, script: Script, locale: Locale) -> String {
    let words_file = format!("{}.js", locale.as_str());
    let shell = PageShell {
        language: locale.as_str(),
        title: &settings.brand,
        data: data(settings, inbox).to_string(),
        files,
        script: if script == Script::Page { "page.js" } else { "inbox.js" },
        words_file: &words_file,
        needs_script: needs_script(locale),
    };
    // Writing to memory cannot fail.
    shell.render().unwrap_or_default()
}

/// What `web/src/shell.ts` reads. It contains nothing secret, and mostly what `signInOptions` returns.
fn data(settings: &Settings, inbox: bool) -> Value {
    let password = settings.methods.password;
    let methods = [Some("EMAIL_CODE"), password.then_some("PASSWORD")];
    json!({
        "brand": settings.brand,
        "inbox": inbox,
        "methods": methods.into_iter().flatten().collect::<Vec<_>>(),
        "signUp": match settings.signup {
            SignUp::Open => "OPEN",
            SignUp::Closed => "CLOSED",
            SignUp::Domains(_) => "DOMAINS",
        },
        "codeLength": settings.limits.code_length,
        "passwordMin": password.then_some(settings.password_min),
    })
}

fn needs_script(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "This page needs JavaScript. Turn it on for this site and reload the page.",
        Locale::De => {
            "Diese Seite braucht JavaScript. Schalten Sie es für diese Website ein und laden Sie die Seite neu."
        }
        Locale::Fr => "Cette page a besoin de JavaScript. Activez-le pour ce site et rechargez la page.",
        Locale::Es => "Esta página necesita JavaScript. Actívalo para este sitio y vuelve a cargar la página.",
        Locale::Ja => "このページには JavaScript が必要です。このサイトで有効にして、ページを再読み込みしてください。",
    }
}
