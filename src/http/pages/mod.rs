//! The pages: sign-in and account, the console, `GraphiQL` and the development inbox. They are compiled into the program from `web/`
//! and rendered once at startup. Serving a page uses no request body, cookie or database: its scripts ask `session` for
//! the session of the browser. Only `authorize` renders each time, because it looks up which application asks. Content
//! security policies prevent all requests from a page to other hosts.

mod assets;
mod authorize;
mod cookie;
mod guard;
mod session;
mod shell;
#[cfg(test)]
mod tests;
mod theme;

use std::{future::ready, sync::Arc};

use askama::Template;
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
    routing::{MethodRouter, get, post},
};

pub(super) use self::assets::operations;
use self::{
    assets::Files,
    shell::{PageFacts, Script},
    theme::Look,
};
use super::{Server, caller::language, middleware::DENY_ALL_POLICY};
use crate::{
    domain::{access::Scope, mail::template::Locale},
    settings::Settings,
};

#[derive(Template)]
#[template(path = "../web/graphiql.html")]
struct GraphiQl<'a> {
    brand: &'a str,
    data: String,
    files: &'a Files,
}

/// Allows only our own scripts. Requires Trusted Types but allows no policy, so that scripts cannot insert markup.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The policy of the pages, without images in `data:` URLs, which the console has none of. `connect-src` also covers the
/// stream of its live events.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Allows inline styles, because the frame that shows an email inherits this policy, and emails use inline styles. The
/// frame has its content in `srcdoc`, which `default-src 'none'` does not block. Frames that load a URL stay blocked.
const INBOX_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Allows inline styles, which `GraphiQL`'s dialogs and editors use, and the editor's icon font and workers, which are
/// files of ours. None of them can send a request to another host.
const GRAPHIQL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self'; worker-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// Security headers of every page and file.
const HARDENING: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Paths of the sign-in and account pages. They are one app, so all of them serve the same HTML.
const PAGE_PATHS: [&str; 5] = ["/", "/sign-in", "/register", "/reset", "/account"];

/// Routes of the enabled pages that depend on no request, and of their files. Disabled pages don't exist.
pub(super) fn router<S: Clone + Send + Sync + 'static>(
    settings: &Settings,
    scopes: &[Scope],
    inbox: bool,
) -> Router<S> {
    let files = Files::of(settings, inbox);
    let look = Look::of(&settings.theme);
    let facts = PageFacts { settings, scopes, look: &look, inbox, asked: None };
    let shell = |script, locale| shell::render(&facts, &files, script, locale);
    let pages = Locale::ALL.map(|locale| shell(Script::Page, locale));
    let mut router = Router::new().route("/favicon.svg", assets::icon()).route("/favicon.ico", assets::icon());
    for path in PAGE_PATHS {
        router = router.route(path, page(pages.clone(), PAGE_POLICY));
    }
    if settings.console {
        let console = Locale::ALL.map(|locale| shell(Script::Console, locale));
        router = router.route("/admin", page(console, CONSOLE_POLICY));
    }
    if settings.graphiql {
        let data = shell::data(&facts).to_string();
        let graphiql = GraphiQl { brand: &settings.brand, data, files: &files };
        // Writing to memory cannot fail.
        let html = graphiql.render().unwrap_or_default();
        router = router.route("/graphiql", page([html], GRAPHIQL_POLICY));
    }
    if inbox {
        router = router.route("/inbox", page([shell(Script::Inbox, Locale::En)], INBOX_POLICY));
    }
    if settings.methods.password {
        router = router.route(CHANGE_PASSWORD, get(|| ready(change_password())));
    }
    router.merge(files.router()).merge(look.router())
}

/// Routes of the pages that look at the request.
pub(super) fn requests(server: &Server) -> Router<Arc<Server>> {
    let settings = &server.ctx.settings;
    let files = Files::of(settings, server.ctx.inbox.is_some());
    let parts = Arc::new((files, Look::of(&settings.theme)));
    let authorize =
        move |State(server): State<Arc<Server>>, request: Request| authorize::show(server, Arc::clone(&parts), request);
    Router::new()
        .route("/authorize", get(authorize))
        .route("/pages/authorize", post(authorize::answer))
        .route("/pages/session", post(session::open).delete(session::end))
}

/// Sends password managers to the form, at the URL of <https://w3c.github.io/webappsec-change-password-url/>.
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

fn change_password() -> impl IntoResponse {
    let headers = [
        (header::LOCATION, "/account#change-password"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, DENY_ALL_POLICY),
    ];
    (StatusCode::FOUND, HARDENING, headers)
}

/// Serves a page in the language that the browser prefers. The texts are in the order of [`Locale::ALL`], or there is
/// only one. Browsers must not cache the page, because it contains the file paths of this build.
fn page<S: Clone + Send + Sync + 'static, const N: usize>(texts: [String; N], policy: &'static str) -> MethodRouter<S> {
    let texts = texts.map(Bytes::from);
    get(move |request: HeaderMap| {
        let preferred = language::accepted(&request).unwrap_or(Locale::En);
        let html = Locale::ALL.iter().position(|locale| *locale == preferred).and_then(|at| texts.get(at));
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "accept-language"),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        ready((HARDENING, headers, html.or(texts.first()).cloned().unwrap_or_default()))
    })
}
