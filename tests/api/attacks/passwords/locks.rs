//! Everything that changes an account, at once over two replicas: no two of them wait for each other. PostgreSQL counts
//! its deadlocks; on SQLite, with its one writer, none may fail either.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use doorcode::{
    adapter::system::SystemEntropy,
    db::entity::{email_changes, sign_in_links, users},
    domain::vault::{self, Purpose},
    limits::Rule,
    ports::Clock,
};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, answer, credentials, many_mails, outcome, owner};
use crate::harness::{Client, ManualClock, SignedIn, TestApp, on_servers};

const EMAIL: &str = "ada@example.com";
const FIXED: &str = "83120475";

/// What must happen in the time that the servers get.
const OFTEN: [(&str, &str); 7] = [
    ("login", "SignedIn"),
    ("verify", "SignedIn"),
    ("verifyLink", "SignedIn"),
    ("resetPassword", "SignedIn"),
    ("disownSession", "SessionDisowned"),
    ("undoEmailChange", "EmailChangeUndone"),
    ("confirmEmail", "InvalidCode"),
];

/// One application with two replicas, and the outcomes so far.
struct Storm {
    app: TestApp,
    replicas: [crate::harness::Replica; 2],
    until: Instant,
    next: AtomicU64,
    seen: std::sync::Mutex<BTreeMap<(&'static str, String), u64>>,
}

impl Storm {
    /// A client from a new network, on either replica.
    fn client(&self) -> Client<'_> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.app.guest().via(&self.replicas[usize::try_from(number % 2).unwrap()])
    }

    async fn act(&self, client: &Client<'_>, field: &'static str, input: Value) -> Value {
        let answer = answer(client, field, input).await;
        let outcome = outcome(&answer, field);
        *self.seen.lock().unwrap().entry((field, outcome)).or_default() += 1;
        answer.json["data"][field].clone()
    }

    /// Signs in with the fixed code, which takes the way of every code.
    async fn sign_in(&self) -> Option<SignedIn> {
        let client = self.client();
        let sent = self.act(&client, "login", json!({ "email": EMAIL })).await;
        let input = json!({ "challenge": sent["challenge"].as_str()?, "code": FIXED });
        let signed_in = self.act(&client, "verify", input).await;
        (signed_in["__typename"] == "SignedIn").then(|| SignedIn::read(&signed_in))
    }

    async fn by_password(&self) {
        let client = self.client();
        self.act(&client, "login", credentials(&client, EMAIL, PASSWORD)).await;
    }

    /// Signs in with a link, as a mail would have it.
    async fn by_link(&self) {
        let ctx = self.app.ctx();
        let token = vault::random::<32>(&SystemEntropy);
        let key = ctx.vault.macs(Purpose::Address, &[EMAIL.as_bytes()]).newest;
        sign_in_links::Entity::delete_many()
            .filter(sign_in_links::Column::AddressKey.eq(key.clone()))
            .exec(ctx.db.write())
            .await
            .unwrap();
        let now = ctx.now();
        let link = sign_in_links::Model {
            id: ctx.new_id(now),
            address_key: key,
            email: EMAIL.into(),
            token_hash: ctx.vault.mac(Purpose::LinkToken, &[&*token]),
            sealed: vec![0; 64],
            created_at: now,
            expires_at: now + TimeDelta::days(1),
            consumed_at: None,
            mailed: true,
        };
        link.into_active_model().reset_all().insert(ctx.db.write()).await.unwrap();
        self.act(&self.client(), "verifyLink", json!({ "token": vault::encode(&*token) })).await;
    }

    /// Resets the password with the code of the newest mail about it.
    async fn reset(&self) {
        let sent = self.act(&self.client(), "requestPasswordReset", json!({ "email": EMAIL })).await;
        let Some(code) = self.app.mails_for(EMAIL).await.into_iter().find_map(|mail| mail.code) else { return };
        let input = json!({ "challenge": sent["challenge"], "code": code, "newPassword": PASSWORD });
        self.act(&self.client(), "resetPassword", input).await;
    }

    async fn disown(&self) {
        let mails = self.app.mails_for(EMAIL).await;
        let Some((_, rest)) = mails.iter().find_map(|mail| mail.text.split_once("#disown=")) else { return };
        let token = rest.split_whitespace().next().unwrap();
        self.act(&self.client(), "disownSession", json!({ "token": token })).await;
    }

    /// Undoes a change of the address to what it is.
    async fn undo(&self) {
        let ctx = self.app.ctx();
        let user = users::Entity::find().filter(users::Column::Email.eq(EMAIL)).one(ctx.db.read()).await.unwrap();
        let (token, now) = (vault::random::<32>(&SystemEntropy), ctx.now());
        let change = email_changes::Model {
            id: ctx.new_id(now),
            user_id: user.unwrap().id,
            old_email: EMAIL.into(),
            new_email: "thief@example.com".into(),
            token_hash: vault::sha256(&*token),
            created_at: now,
            expires_at: now + TimeDelta::days(7),
            undone_at: None,
        };
        change.into_active_model().reset_all().insert(ctx.db.write()).await.unwrap();
        self.act(&self.client(), "undoEmailChange", json!({ "token": vault::encode(&*token) })).await;
        // So that others get somewhere before their codes are void.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// What a signed-in user does: guesses at codes for new addresses, refreshes, sets a password, signs out.
    async fn use_session(&self) {
        let Some(signed_in) = self.sign_in().await else { return };
        let person = self.client().with_bearer(&signed_in.access);
        let ask = |email: &'static str| {
            person.change("changeEmail", json!({ "email": email }), "... on CodeSent { challenge }")
        };
        for sent in [ask("one@example.com").await, ask("two@example.com").await] {
            if let Some(challenge) = sent.json["data"]["changeEmail"]["challenge"].as_str() {
                self.act(&person, "confirmEmail", json!({ "challenge": challenge, "code": "00000000" })).await;
            }
        }
        self.act(&person, "refresh", json!({ "refreshToken": signed_in.refresh })).await;
        let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
        self.act(&person, "setPassword", input).await;
        person.logout().await;
    }

    async fn repeat<'a>(&'a self, act: impl Fn(&'a Self) -> BoxFuture<'a, ()>) {
        while Instant::now() < self.until {
            act(self).await;
        }
    }
}

async fn storm(length: Duration) -> Storm {
    let until = (ManualClock::starting_now().now() + TimeDelta::days(9)).format("%Y-%m-%d");
    let app = TestApp::with(|flags| {
        many_mails(flags);
        let guesses = [Rule::GuessAccount, Rule::GuessAccountMonth, Rule::GuessPassword, Rule::GuessPasswordMonth];
        for rule in guesses.into_iter().chain([Rule::PasswordInstance, Rule::SendInstance]) {
            flags.limits.insert(rule, "100000000/1d".into());
        }
        flags.test_codes = Some(format!("{EMAIL}={FIXED}@{until}"));
    })
    .await;
    owner(&app, EMAIL).await;
    let replicas = [app.replica().await, app.replica().await];
    Storm { app, replicas, until: Instant::now() + length, next: AtomicU64::new(0), seen: std::sync::Mutex::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_ways_to_change_an_account_deadlock() {
    let storm = storm(Duration::from_secs(if on_servers() { 20 } else { 3 })).await;
    let acts: [fn(&Storm) -> BoxFuture<'_, ()>; 11] = [
        |storm| storm.by_password().boxed(),
        |storm| storm.by_password().boxed(),
        |storm| storm.sign_in().map(drop).boxed(),
        |storm| storm.sign_in().map(drop).boxed(),
        |storm| storm.by_link().boxed(),
        |storm| storm.reset().boxed(),
        |storm| storm.disown().boxed(),
        |storm| storm.undo().boxed(),
        |storm| storm.undo().boxed(),
        |storm| storm.use_session().boxed(),
        |storm| storm.use_session().boxed(),
    ];
    join_all(acts.iter().map(|act| storm.repeat(act))).await;
    let seen = storm.seen.lock().unwrap().clone();
    let happened = |field, outcome: &str| seen.get(&(field, outcome.to_owned())).copied().unwrap_or(0);
    let often = if on_servers() { &OFTEN[..] } else { &[] };
    for (field, outcome) in often {
        assert!(happened(field, outcome) > 0, "{field} {outcome} in {seen:?}");
    }
    let failed: Vec<_> = seen.iter().filter(|((_, outcome), _)| *outcome == "INTERNAL").collect();
    assert!(failed.is_empty(), "{failed:?} of {seen:?}");
    if on_servers() {
        // The server publishes its counts a moment later.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(storm.app.count("pg_stat_database", "datname = current_database() AND deadlocks > 0").await, 0);
    }
}
