//! Applications that users can sign in to: one [`Client`] each, from the file in `DOORCODE_CLIENTS` or from the command
//! line. The same checks apply to both.

use std::path::Path;

use serde::Deserialize;

use super::parse;
use crate::{files, redirect_uri::RedirectUri};

const MAX_BYTES: u64 = 4 * 1024 * 1024;
const MAX_ID: usize = 64;
const MAX_URIS: usize = 20;
const MAX_LOGO: usize = 16 * 1024;
/// Images that a page may show without a request. Other types of `data:` URLs are no images.
const IMAGES: [&str; 4] = ["png", "jpeg", "webp", "svg+xml"];

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Name on the page that asks the user.
    pub name: String,
    /// Where its users may be sent back to, at least one.
    pub redirect_uris: Vec<RedirectUri>,
    /// The `aud` claim of its access tokens. `None`: the audience of the server.
    pub audience: Option<String>,
    /// A `data:` URL of an image: pages load nothing from other hosts.
    pub logo: Option<String>,
}

/// A client as it is written in the file or on the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// `client_id`.
    pub id: String,
    /// Name, for people.
    pub name: String,
    /// Redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Audience of its access tokens.
    pub audience: Option<String>,
    /// Logo.
    pub logo: Option<String>,
}

impl Client {
    /// Checks a registration.
    ///
    /// # Errors
    /// What is wrong with it, as a clause such as "`id` is empty".
    pub fn check(new: Registration) -> Result<Self, String> {
        let Registration { id, name, redirect_uris, audience, logo } = new;
        if !Self::is_id(&id) {
            return Err(format!("an id has 1 to {MAX_ID} letters, digits or characters of `-._~`"));
        }
        if name.trim().is_empty() {
            return Err(format!("the client `{id}` has no name"));
        }
        let name = parse::printable(&name, 64).map_err(|wrong| format!("the name of `{id}` {wrong}"))?;
        if redirect_uris.is_empty() || redirect_uris.len() > MAX_URIS {
            return Err(format!("the client `{id}` needs 1 to {MAX_URIS} redirect URIs"));
        }
        let uris = redirect_uris.iter();
        let redirect_uris = uris
            .map(|uri| RedirectUri::parse(uri).map_err(|wrong| format!("the redirect URI `{uri}` of `{id}` {wrong}")))
            .collect::<Result<_, _>>()?;
        let audience = audience.map(|text| parse::printable(&text, 255)).transpose();
        let audience = audience.map_err(|wrong| format!("the audience of `{id}` {wrong}"))?;
        if audience.as_deref().is_some_and(str::is_empty) {
            return Err(format!("the audience of `{id}` is empty"));
        }
        if logo.as_deref().is_some_and(|logo| !is_image(logo)) {
            return Err(format!(
                "the logo of `{id}` is not a `data:` URL of a PNG, JPEG, WebP or SVG image in base64, at most \
                 {MAX_LOGO} bytes long; the pages load nothing from other hosts"
            ));
        }
        Ok(Self { id, name, redirect_uris, audience, logo })
    }

    /// Whether a text can be the id of a client.
    pub fn is_id(text: &str) -> bool {
        let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        (1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_harmless)
    }

    /// Whether users may be sent back to this URI.
    pub fn admits(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered.admits(redirect_uri))
    }

    /// Whether this is the origin of one of its redirect URIs.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.redirect_uris.iter().any(|uri| uri.origin().as_deref() == Some(origin))
    }
}

/// Reads the file with clients: a JSON list.
pub(super) fn read(path: &Path) -> Result<Vec<Client>, String> {
    parse_list(&files::read_named(path, MAX_BYTES)?)
}

fn parse_list(json: &[u8]) -> Result<Vec<Client>, String> {
    let list: Vec<Registration> =
        serde_json::from_slice(json).map_err(|error| format!("names a file that is not a list of clients: {error}"))?;
    let mut clients: Vec<Client> = Vec::new();
    for new in list {
        let client = Client::check(new).map_err(|wrong| format!("names a file with a mistake: {wrong}"))?;
        if clients.iter().any(|known| known.id == client.id) {
            return Err(format!("names a file that has the client `{}` twice", client.id));
        }
        clients.push(client);
    }
    Ok(clients)
}

fn is_image(logo: &str) -> bool {
    let is_base64 = |data: &str| {
        !data.is_empty() && data.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let data = logo.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    logo.len() <= MAX_LOGO && data.is_some_and(|(kind, data)| IMAGES.contains(&kind) && is_base64(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> Registration {
        Registration {
            id: "notes".to_owned(),
            name: "Notes".to_owned(),
            redirect_uris: vec!["https://notes.example.com/callback".to_owned()],
            ..Registration::default()
        }
    }

    #[test]
    fn a_list_of_clients_is_read() {
        let json = r#"[
            {"id": "notes", "name": "Notes", "redirectUris": ["https://notes.example.com/callback"]},
            {"id": "cli", "name": "Command line", "redirectUris": ["http://127.0.0.1/"],
             "audience": "https://api.example.com", "logo": "data:image/png;base64,iVBORw0KGgo="}
        ]"#;
        let clients = parse_list(json.as_bytes()).unwrap();
        assert_eq!(clients.len(), 2);
        assert_eq!(clients[0], Client::check(notes()).unwrap());
        assert_eq!(clients[1].audience.as_deref(), Some("https://api.example.com"));
        assert!(clients[0].has_origin("https://notes.example.com"));
        assert!(!clients[0].has_origin("https://notes.example.com.evil.example"));
    }

    #[test]
    fn a_list_with_a_mistake_is_refused_and_the_mistake_named() {
        for (json, named) in [
            ("{}", "is not a list"),
            (r#"[{"id": "a"}]"#, "missing field `name`"),
            (r#"[{"id": "a", "name": "A", "redirectUris": [], "secret": "b"}]"#, "unknown field `secret`"),
            (r#"[{"id": "a", "name": "A", "redirectUris": []}]"#, "redirect URIs"),
            (r#"[{"id": "a", "name": "A", "redirectUris": ["http://a.example"]}]"#, "http://a.example"),
            (
                r#"[{"id": "a", "name": "A", "redirectUris": ["https://a.example/"]},
                    {"id": "a", "name": "B", "redirectUris": ["https://b.example/"]}]"#,
                "`a` twice",
            ),
        ] {
            let wrong = parse_list(json.as_bytes()).unwrap_err();
            assert!(wrong.contains(named), "{wrong}");
        }
    }

    #[test]
    fn a_client_with_a_wrong_part_is_refused() {
        let long = "a".repeat(MAX_LOGO);
        for wrong in [
            Registration { id: String::new(), ..notes() },
            Registration { id: "a b".to_owned(), ..notes() },
            Registration { id: "a".repeat(65), ..notes() },
            Registration { name: " ".to_owned(), ..notes() },
            Registration { name: "A\nB".to_owned(), ..notes() },
            Registration { redirect_uris: vec!["https://a.example/".to_owned(); 21], ..notes() },
            Registration { audience: Some(String::new()), ..notes() },
            Registration { logo: Some("https://notes.example.com/logo.png".to_owned()), ..notes() },
            Registration { logo: Some("data:text/html;base64,aGk=".to_owned()), ..notes() },
            Registration { logo: Some("data:image/png;base64,\"onerror=".to_owned()), ..notes() },
            Registration { logo: Some(format!("data:image/png;base64,{long}")), ..notes() },
        ] {
            assert!(Client::check(wrong.clone()).is_err(), "{wrong:?}");
        }
    }
}
