//! The HTML of the pages that `web/build` makes: one template, rendered in each language at startup. It contains the
//! settings that the scripts need before their first request.

use askama::Template;
use serde_json::{Value, json};
use url::Url;

use super::{assets::Files, theme::Look};
use crate::{
    domain::{access::Scope, mail::template::Locale, user::role_name},
    settings::{Settings, SignUp},
};

/// The scripts that use the shell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Sign-in and account.
    Page,
    /// The development inbox.
    Inbox,
    /// The console for administrators.
    Console,
}

impl Script {
    /// The style sheet, the script, and the other files that the script imports at once.
    fn files(self, locale: Locale) -> (&'static str, &'static str, Vec<String>) {
        let locale = locale.as_str();
        let shared = || vec!["shared.js".to_owned(), format!("{locale}.js")];
        match self {
            Self::Page => ("style.css", "page.js", shared()),
            Self::Inbox => ("style.css", "inbox.js", shared()),
            Self::Console => {
                let words = vec![format!("console/{locale}.js"), format!("console/{locale}.console.js")];
                ("console/style.css", "console/console.js", words)
            }
        }
    }
}

#[derive(Template)]
#[template(path = "../web/shell.html")]
struct PageShell<'a> {
    language: &'static str,
    title: &'a str,
    data: String,
    files: &'a Files,
    colours: Option<&'a str>,
    icon: &'a str,
    style: &'static str,
    script: &'static str,
    imports: Vec<String>,
    needs_script: &'static str,
}

/// What the pages know about this server.
pub(super) struct PageFacts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) look: &'a Look,
    /// The scopes that API keys can have.
    pub(super) scopes: &'a [Scope],
    /// Whether there is a development inbox.
    pub(super) inbox: bool,
    /// What an application asks for, on the page of `/authorize`.
    pub(super) asked: Option<&'a Value>,
}

/// Renders the shell in one language.
pub(super) fn render(facts: &PageFacts<'_>, files: &Files, script: Script, locale: Locale) -> String {
    let (style, script, imports) = script.files(locale);
    let shell = PageShell {
        language: locale.as_str(),
        title: &facts.settings.brand,
        data: data(facts).to_string(),
        files,
        colours: facts.look.colours(),
        icon: facts.look.logo().unwrap_or("/favicon.svg"),
        style,
        script,
        imports,
        needs_script: needs_script(locale),
    };
    // Writing to memory cannot fail.
    shell.render().unwrap_or_default()
}

/// What `web/src/shell.ts` reads. It contains nothing secret, and mostly what `signInOptions` returns.
pub(super) fn data(&PageFacts { settings, scopes, look, inbox, asked }: &PageFacts<'_>) -> Value {
    let password = settings.methods.password;
    let methods = [Some("EMAIL_CODE"), password.then_some("PASSWORD")];
    json!({
        "brand": settings.brand,
        "inbox": inbox,
        "console": settings.console,
        "methods": methods.into_iter().flatten().collect::<Vec<_>>(),
        "signUp": match settings.signup {
            SignUp::Open => "OPEN",
            SignUp::Closed => "CLOSED",
            SignUp::Domains(_) => "DOMAINS",
        },
        "codeLength": settings.limits.code_length,
        "logo": look.logo(),
        "supportUrl": settings.theme.support.as_ref().map(Url::as_str),
        "termsUrl": settings.theme.terms.as_ref().map(Url::as_str),
        "privacyUrl": settings.theme.privacy.as_ref().map(Url::as_str),
        "passwordMin": password.then_some(settings.password_min),
        "scopes": scopes.iter().map(|scope| json!({ "name": scope.name, "role": role_name(scope.role) })).collect::<Vec<_>>(),
        "authorize": asked,
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
