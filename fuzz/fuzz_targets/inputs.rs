//! Fuzzes string arguments of the schema: ids, cursors, filters, addresses, codes and tokens. An input consists of the
//! caller (one byte), the field (one byte), and up to four strings, separated by NUL bytes.
#![no_main]

use axum::{
    body::Body,
    http::{HeaderValue, Request, header},
};
use doorcode_fuzz::{Answer, Asked, Door, Who, check_graphql, parts, who};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const PROBLEM: &str = "__typename ... on Problem { message }";

/// The document and variables for a field, with these strings as its arguments.
fn call(which: u8, [a, b, c, d]: [&str; 4]) -> (String, Value) {
    let input = |field: &str, kind: &str, input: Value| {
        (format!("mutation($i: {kind}!) {{ {field}(input: $i) {{ {PROBLEM} }} }}"), json!({ "i": input }))
    };
    let plain = |field: &str, kind: &str, input: Value| {
        (format!("mutation($i: {kind}!) {{ {field}(input: $i) {{ __typename }} }}"), json!({ "i": input }))
    };
    let given = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let page = "first: $n, after: $a, last: $m, before: $b";
    match which {
        b'A' => input(
            "login",
            "LoginInput",
            json!({ "email": a, "challenge": given(b), "deviceToken": given(c), "locale": given(d) }),
        ),
        b'B' => input("verify", "VerifyInput", json!({ "challenge": a, "code": b })),
        b'C' => input("verifyLink", "VerifyLinkInput", json!({ "token": a })),
        b'D' => input("refresh", "RefreshInput", json!({ "refreshToken": a })),
        b'E' => input("logout", "LogoutInput", json!({ "refreshToken": given(a) })),
        b'F' => input("undoEmailChange", "UndoEmailChangeInput", json!({ "token": a })),
        b'G' => input("changeEmail", "ChangeEmailInput", json!({ "email": a, "locale": given(b) })),
        b'H' => input("confirmEmail", "ConfirmEmailInput", json!({ "challenge": a, "code": b })),
        b'I' => plain("updateProfile", "UpdateProfileInput", json!({ "name": given(a), "locale": given(b) })),
        b'J' => input(
            "createUser",
            "CreateUserInput",
            json!({ "email": a, "name": given(b), "locale": given(c), "role": "USER" }),
        ),
        b'K' => plain("endSession", "EndSessionInput", json!({ "id": a })),
        b'L' => plain("forgetDevice", "ForgetDeviceInput", json!({ "id": a })),
        b'M' => plain("restoreUser", "RestoreUserInput", json!({ "id": a, "version": b.parse::<i64>().ok() })),
        b'N' => plain("endUserSessions", "EndUserSessionsInput", json!({ "id": a })),
        b'O' => {
            let list = format!(
                "query($n: Int, $a: String, $m: Int, $b: String, $f: UserFilter) {{ \
                 users({page}, filter: $f) {{ edges {{ cursor }} pageInfo {{ endCursor }} totalCount }} }}"
            );
            let filter = json!({ "emailPrefix": given(c), "namePrefix": given(d) });
            (list, json!({ "n": a.len(), "a": given(a), "b": given(b), "f": filter }))
        }
        b'P' => {
            let list = format!(
                "query($n: Int, $a: String, $m: Int, $b: String, $f: AuditFilter) {{ \
                 auditEvents({page}, filter: $f) {{ edges {{ cursor }} pageInfo {{ endCursor }} }} }}"
            );
            let filter = json!({ "actorId": given(c), "from": given(d) });
            (list, json!({ "m": b.len(), "a": given(a), "b": given(b), "f": filter }))
        }
        b'Q' => {
            let list = "query($a: String, $b: String) { me { sessions(after: $a) { edges { cursor } } \
                        auditEvents(last: 3, before: $b) { edges { cursor } } } }";
            (list.to_owned(), json!({ "a": a, "b": b }))
        }
        _ => ("query($a: ID!, $b: ID!) { node(id: $a) { id } user(id: $b) { id } }".into(), json!({ "a": a, "b": b })),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((who, rest)) = who(data) else { return };
    let Some((which, rest)) = rest.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let [bearer, a, b, c, d] = parts(&text);
    let (query, variables) = call(*which, [a, b, c, d]);
    let body = json!({ "query": query, "variables": variables }).to_string();
    let Some(answer) = ask(who, bearer, body) else { return };
    let text = format!("{query} {text}");
    check_graphql(&Asked { text: &text }, &answer);
});

/// Sends the body. Uses `bearer` as the token, or the caller's token if `bearer` is empty.
fn ask(who: Who, bearer: &str, body: String) -> Option<Answer> {
    if bearer.is_empty() {
        return Some(Door::get().post(who, body));
    }
    let value = HeaderValue::from_bytes(format!("Bearer {bearer}").as_bytes()).ok()?;
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    Some(Door::get().send(request.header(header::AUTHORIZATION, value).body(Body::from(body)).unwrap()))
}
