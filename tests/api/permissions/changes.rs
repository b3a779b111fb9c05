//! Calls every mutation as every role. The result must match the permissions page, and a refused call must change
//! nothing.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{
    fields::{self, Types},
    page::{Column, Page, Row, Side, Word},
    people::{Being, Outcome, being, delete, give_keys, key_of, snapshot, viewer, wide_limits},
};
use crate::harness::{Answer, TestApp};

const PASSWORD: &str = "seven otters at noon";
const SENT: &str = "... on CodeSent { challenge }";

/// Which users the mutation can target: the caller, another user or a deleted user. A mutation without a target is
/// about the caller.
pub(super) fn sides(field: &str) -> &'static [Side] {
    match field {
        "login"
        | "register"
        | "requestPasswordReset"
        | "endSession"
        | "forgetDevice"
        | "updateUser"
        | "suspendUser"
        | "deleteUser"
        | "restoreUser"
        | "rotateApiKey"
        | "revokeApiKey"
        | "endUserSession"
        | "endUserSessions"
        | "sendPasswordReset" => &Side::ALL,
        "logout" | "confirmEmail" => &[Side::Own, Side::Other],
        "verify" | "verifyLink" | "refresh" | "undoEmailChange" | "resendCode" | "resetPassword" | "disownSession" => {
            &[Side::Other]
        }
        "endOtherSessions" | "updateProfile" | "changeEmail" | "deleteAccount" | "exportData" | "createUser"
        | "createApiKey" | "setPassword" | "removePassword" => &[Side::Own],
        new => panic!("{new}: add the targets of the mutation here, and its input in `input`"),
    }
}

/// One call of a mutation, with the users and input that it needs.
pub(super) struct Case<'a> {
    pub(super) side: Side,
    pub(super) viewer: Option<Being<'a>>,
    pub(super) other: Being<'a>,
    pub(super) input: Value,
}

impl<'a> Case<'a> {
    pub(super) async fn new(app: &'a TestApp, root: &Being<'_>, field: &str, column: Column, side: Side) -> Self {
        let name = format!("{field}-{side:?}").to_lowercase();
        let viewer = viewer(app, &format!("{name}-viewer"), column).await;
        let other = being(app, &format!("{name}-other"), Role::User).await;
        if side == Side::Deleted {
            delete(app, &other).await;
        }
        let mut case = Self { side, viewer, other, input: Value::Null };
        case.input = input(app, root, field, &case).await;
        case
    }

    /// The target of the call. Another user if the caller is anonymous.
    fn of(&self) -> &Being<'a> {
        self.viewer.as_ref().filter(|_| self.side == Side::Own).unwrap_or(&self.other)
    }

    pub(super) async fn call(&self, app: &TestApp, field: &str) -> Answer {
        let client = self.viewer.as_ref().map_or_else(|| app.guest(), |viewer| viewer.client.clone());
        match &self.input {
            Value::Null => client.query(&format!("mutation {{ {field} {{ __typename }} }}"), json!({})).await,
            input => client.change(field, input.clone(), "__typename").await,
        }
    }
}

/// The input of a mutation for this case. First creates what the input refers to, such as a code.
async fn input(app: &TestApp, root: &Being<'_>, field: &str, case: &Case<'_>) -> Value {
    let of = case.of();
    let fresh = format!("new-{}", of.email);
    match field {
        "login" | "deleteAccount" | "requestPasswordReset" => json!({ "email": of.email }),
        "register" => json!({ "email": of.email, "password": PASSWORD }),
        "resendCode" => json!({ "challenge": app.guest().challenge(&of.email).await }),
        "resetPassword" => {
            let asked = app.guest().change("requestPasswordReset", json!({ "email": of.email }), SENT).await;
            let (sent, code) = (asked.field("requestPasswordReset"), app.last_code_for(&of.email).await);
            json!({ "challenge": sent["challenge"], "code": code, "newPassword": PASSWORD })
        }
        "disownSession" => {
            app.guest().sign_in(&of.email).await;
            json!({ "token": token_in(app, &of.email, "#disown=").await })
        }
        "setPassword" => json!({ "newPassword": PASSWORD }),
        "removePassword" => json!({}),
        "verify" => {
            let challenge = app.guest().challenge(&of.email).await;
            json!({ "challenge": challenge, "code": app.last_code_for(&of.email).await })
        }
        "verifyLink" => {
            app.guest().challenge(&of.email).await;
            app.last_code_for(&of.email).await;
            app.guest().challenge(&of.email).await;
            json!({ "token": app.last_link_for(&of.email).await })
        }
        "refresh" => json!({ "refreshToken": of.is.refresh }),
        "logout" if case.side == Side::Other => json!({ "refreshToken": of.is.refresh }),
        "logout" | "endOtherSessions" | "exportData" => Value::Null,
        "endSession" | "endUserSession" => json!({ "id": of.is.session }),
        "forgetDevice" => json!({ "id": snapshot(root, of).await["devices"][0]["id"] }),
        "createApiKey" => json!({ "name": "Key", "scopes": ["PROFILE_READ"] }),
        "rotateApiKey" | "revokeApiKey" => {
            give_keys(app).await;
            json!({ "id": key_of(snapshot(root, of).await["devices"][0]["id"].as_str().unwrap()) })
        }
        "updateProfile" => json!({ "name": "Ada" }),
        "changeEmail" | "createUser" => json!({ "email": fresh }),
        "confirmEmail" => asked_for(app, of, &fresh).await,
        "undoEmailChange" => {
            let asked = asked_for(app, of, &fresh).await;
            let changed = of.client.change("confirmEmail", asked, "__typename").await;
            assert_eq!(changed.field("confirmEmail")["__typename"], "EmailChanged");
            json!({ "token": token_in(app, &of.email, "#undo=").await })
        }
        "updateUser" => json!({ "id": of.is.user, "name": "Ada" }),
        "suspendUser" | "deleteUser" | "restoreUser" | "endUserSessions" | "sendPasswordReset" => {
            json!({ "id": of.is.user })
        }
        new => panic!("{new}: add the input of the mutation here"),
    }
}

/// The token in the newest mail with such a link.
async fn token_in(app: &TestApp, email: &str, link: &str) -> String {
    let mails = app.mails_for(email).await;
    let token = mails.iter().find_map(|mail| mail.text.split_once(link)).unwrap().1;
    token.split_whitespace().next().unwrap().to_owned()
}

/// Requests an email change, and returns the input to confirm it. For a guest, who may not request one, returns an
/// invalid input.
async fn asked_for(app: &TestApp, of: &Being<'_>, email: &str) -> Value {
    if of.role == Role::Guest {
        return json!({ "challenge": "none", "code": "12345678" });
    }
    let asked = of.client.change("changeEmail", json!({ "email": email }), SENT).await;
    let challenge = asked.field("changeEmail")["challenge"].clone();
    json!({ "challenge": challenge, "code": app.last_code_for(email).await })
}

/// The outcome of a call according to the permissions page.
fn expected(field: &str, row: &Row, column: Column, side: Side, is_stale: bool) -> Outcome {
    let is_allowed = row.allows(column, side);
    let is_own = row.says(column, Word::Own);
    match side {
        _ if is_allowed && is_stale && row.recent => Outcome::refused("REAUTHENTICATION_REQUIRED"),
        Side::Deleted if is_allowed && ["updateUser", "suspendUser", "sendPasswordReset"].contains(&field) => {
            Outcome::refused("BAD_USER_INPUT")
        }
        _ if is_allowed => Outcome::Shown,
        Side::Other | Side::Deleted if is_own && field == "confirmEmail" => Outcome::Problem("CodeExpired".into()),
        Side::Other | Side::Deleted if is_own => Outcome::refused("NOT_FOUND"),
        _ => Outcome::forbidden_to(column),
    }
}

/// Whether the case exists. An anonymous caller owns nothing, so most mutations have no case about their own data.
fn can_ask(field: &str, column: Column, side: Side) -> bool {
    column != Column::Anonymous || side != Side::Own || sides(field).len() == 1 || field == "logout"
}

/// Calls every mutation as this role. Returns the number of cases, and the differences from the page. `is_stale`: the
/// sign-in is too old for sensitive changes.
async fn walk(column: Column, is_stale: bool) -> (usize, Vec<String>) {
    let app = TestApp::alone(wide_limits).await;
    let (page, types) = (Page::read(), fields::of(&app).await);
    let root = being(&app, "root", Role::Admin).await;
    let mut cases = Vec::new();
    for field in types["Mutation"].fields.keys() {
        let mut sides: Vec<_> = sides(field).iter().filter(|side| can_ask(field, column, **side)).collect();
        // One case per mutation is enough to test an old sign-in.
        sides.truncate(if is_stale { 1 } else { sides.len() });
        for side in sides {
            cases.push((field, Case::new(&app, &root, field, column, *side).await));
        }
    }
    if is_stale {
        app.clock.pass(601.0);
    }
    let mut wrong = Vec::new();
    for (field, case) in &cases {
        let row = page.row(&format!("Mutation.{field}"));
        let expected = expected(field, row, column, case.side, is_stale);
        let found = compare(&app, &root, &types, field, case, &expected).await;
        wrong.extend(found.map(|found| format!("{field} as {column:?}, {:?}: {found}", case.side)));
    }
    let denied = app.refused("PERMISSION_DENIED").await;
    let expected = cases.iter().filter(|(field, case)| {
        let row = page.row(&format!("Mutation.{field}"));
        let expected = expected(field, row, column, case.side, is_stale);
        ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"].map(Outcome::refused).contains(&expected)
    });
    assert_eq!(usize::try_from(denied).unwrap(), expected.count(), "the recorded refusals differ from the page");
    (cases.len(), wrong)
}

/// Makes one call, and returns the difference from the expected outcome, if any.
async fn compare(
    app: &TestApp,
    root: &Being<'_>,
    types: &Types,
    field: &str,
    case: &Case<'_>,
    expected: &Outcome,
) -> Option<String> {
    let is_meant = |who: &Being<'_>| *expected == Outcome::Shown && who.email == case.of().email;
    let people = case.viewer.iter().chain([&case.other]).filter(|who| !is_meant(who));
    let bystanders: Vec<_> = people.collect();
    let mut before = Vec::new();
    for who in &bystanders {
        before.push(snapshot(root, who).await);
    }
    let answer = case.call(app, field).await;
    let found = Outcome::of_change(&answer, field, &types["Problem"].possible);
    if found != *expected {
        return Some(format!("{found:?} instead of {expected:?}: {}", answer.text));
    }
    for (who, before) in bystanders.iter().zip(before) {
        let after = snapshot(root, who).await;
        if after != before {
            return Some(format!("{} was changed from {before} to {after}", who.email));
        }
    }
    None
}

async fn check(column: Column) {
    for is_stale in [false, true] {
        let (cases, wrong) = walk(column, is_stale).await;
        assert!(cases >= 20, "{cases}");
        assert!(wrong.is_empty(), "with an old sign-in: {is_stale}\n{}", wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_caller_can_change_only_what_the_permissions_page_allows() {
    check(Column::Anonymous).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_can_change_only_what_the_permissions_page_allows() {
    check(Column::Guest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_change_only_what_the_permissions_page_allows() {
    check(Column::User).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_can_change_only_what_the_permissions_page_allows() {
    check(Column::Manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_can_change_only_what_the_permissions_page_allows() {
    check(Column::Admin).await;
}
