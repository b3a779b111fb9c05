//! Problems: each has a code that never changes and a message in the language that the client accepts.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, other_than};

/// The same client with another `Accept-Language`.
fn speaking<'a>(client: &Client<'a>, languages: &str) -> Client<'a> {
    let mut client = client.clone();
    client.headers.insert("accept-language", languages.parse().unwrap());
    client
}

const PROBLEM: &str = "__typename ... on Problem { message code }";

async fn problem(client: &Client<'_>, field: &str, input: Value) -> Value {
    client.change(field, input, PROBLEM).await.field(field).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_in_the_first_accepted_language_and_the_code_is_always_the_same() {
    let app = TestApp::new().await;
    let cases = [
        ("de-CH, en;q=0.8", "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com."),
        ("en;q=0.2, fr;q=0.3", "Saisissez une adresse e-mail, par exemple nom@example.com."),
        ("it, es;q=0.1", "Introduce una dirección de correo, por ejemplo nombre@example.com."),
        ("ja", "name@example.com のような形式でメールアドレスを入力してください。"),
        ("it, de;q=0", "Enter an email address such as you@example.com."),
    ];
    for (languages, message) in cases {
        let refused = problem(&speaking(&app.guest(), languages), "login", json!({ "email": "nobody" })).await;
        let expected = json!({ "__typename": "InvalidEmail", "code": "INVALID_EMAIL", "message": message });
        assert_eq!(refused, expected, "{languages}");
    }
    let without = problem(&app.guest(), "login", json!({ "email": "nobody" })).await;
    assert_eq!(without["message"], "Enter an email address such as you@example.com.");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_that_a_sign_in_meets_has_its_code_and_speaks_german() {
    let app = TestApp::new().await;
    let guest = speaking(&app.guest(), "de");
    let challenge = guest.challenge("hans@example.com").await;
    let code = app.last_code_for("hans@example.com").await;
    let wrong = json!({ "challenge": challenge, "code": other_than(&code) });
    let wrong = problem(&guest, "verify", wrong).await;
    let text = "Dieser Code stimmt nicht. Verwenden Sie den Code aus unserer neuesten E-Mail.";
    assert_eq!(wrong, json!({ "__typename": "InvalidCode", "code": "INVALID_CODE", "message": text }));

    let unknown = problem(&guest, "verifyLink", json!({ "token": "invented" })).await;
    let text = "Dieser Code gilt nicht mehr. Fordern Sie einen neuen an.";
    assert_eq!(unknown, json!({ "__typename": "CodeExpired", "code": "CODE_EXPIRED", "message": text }));

    let ended = problem(&guest, "refresh", json!({ "refreshToken": "invented" })).await;
    let text = "Ihre Sitzung ist beendet. Melden Sie sich erneut an.";
    assert_eq!(ended, json!({ "__typename": "SessionEnded", "code": "SESSION_ENDED", "message": text }));

    guest.challenge("hans@example.com").await;
    guest.challenge("hans@example.com").await;
    let refused = problem(&guest, "login", json!({ "email": "hans@example.com" })).await;
    let text = "Zu viele Versuche. Versuchen Sie es in 15 Minuten erneut.";
    assert_eq!(refused, json!({ "__typename": "RateLimited", "code": "RATE_LIMITED", "message": text }));
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_of_accounts_have_codes_and_languages_and_errors_stay_english() {
    let app = TestApp::new().await;
    let admin = app.person("root@example.com", Role::Admin).await;
    let admin = speaking(&admin, "fr");
    let own = problem(&admin, "changeEmail", json!({ "email": "root@example.com" })).await;
    assert_eq!(
        own,
        json!({ "__typename": "InvalidEmail", "code": "INVALID_EMAIL", "message": "C’est déjà votre adresse." })
    );
    let taken = problem(&admin, "createUser", json!({ "email": "root@example.com" })).await;
    let text = "Cette adresse est déjà utilisée.";
    assert_eq!(taken, json!({ "__typename": "EmailTaken", "code": "EMAIL_TAKEN", "message": text }));
    let last = problem(&admin, "deleteAccount", json!({ "email": "root@example.com" })).await;
    let text = "C’est le dernier administrateur actif. Nommez d’abord un autre administrateur.";
    assert_eq!(last, json!({ "__typename": "LastAdmin", "code": "LAST_ADMIN", "message": text }));

    let flawed = admin.change("createUser", json!({ "email": "nobody" }), PROBLEM).await;
    assert_eq!(flawed.code(), "BAD_USER_INPUT");
    assert_eq!(flawed.json["errors"][0]["message"], "Enter an email address such as you@example.com.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_in_the_language_asked_for_then_of_the_account_then_of_the_client() {
    let app = TestApp::new().await;
    let language = async |languages: Option<&str>, email: &str, locale: Option<&str>| {
        let guest = app.guest();
        let guest = languages.map_or_else(|| guest.clone(), |languages| speaking(&guest, languages));
        guest.login_with(json!({ "email": email, "locale": locale })).await.field("login");
        let mails = app.mails_for(email).await;
        let (_, rest) = mails[0].html.split_once("lang=\"").unwrap();
        rest[..2].to_owned()
    };
    assert_eq!(language(None, "new@example.com", None).await, "en", "nothing is known");
    assert_eq!(language(Some("fr-CA"), "new@example.com", None).await, "fr", "the client's");
    assert_eq!(language(Some("fr"), "new@example.com", Some("es")).await, "es", "the one asked for");
    assert_eq!(language(Some("fr"), "new@example.com", Some("xx")).await, "en", "one that there is not");

    app.make("gerda@example.com", Role::User).await;
    assert_eq!(language(Some("fr"), "gerda@example.com", None).await, "fr", "the account has none");
    app.sql("UPDATE users SET locale = 'de' WHERE email = 'gerda@example.com'").await;
    assert_eq!(language(Some("fr"), "gerda@example.com", None).await, "de", "the account's");
    assert_eq!(language(Some("fr"), "gerda@example.com", Some("ja")).await, "ja", "the one asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_of_an_account_changes_neither_the_answer_nor_the_work() {
    let app = TestApp::new().await;
    app.make("gerda@example.com", Role::User).await;
    app.sql("UPDATE users SET locale = 'de'").await;
    app.take_statements();
    let mut seen = Vec::new();
    for email in ["gerda@example.com", "other@example.com"] {
        let answer = speaking(&app.guest(), "fr").login(email).await;
        let keys: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
        seen.push((keys, answer["expiresAt"].clone(), answer["attemptsLeft"].clone(), app.take_statements()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_that_confirms_a_new_address_follows_the_client_when_the_account_has_no_language() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    for (languages, email, expected) in
        [("es", "one@example.com", "lang=\"es\""), ("de", "two@example.com", "lang=\"ja\"")]
    {
        let sent = speaking(&ada, languages).change("changeEmail", json!({ "email": email }), PROBLEM).await;
        assert_eq!(sent.field("changeEmail")["__typename"], "CodeSent");
        assert!(app.mails_for(email).await[0].html.contains(expected), "{languages}");
        app.sql("UPDATE users SET locale = 'ja'").await;
    }
}
