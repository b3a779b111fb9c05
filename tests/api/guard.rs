//! Stack use of the deepest requests that the guard accepts. The guard limits the depth of a request before it runs.
//! Each request runs on a thread with half of a worker's stack and must not overflow it. The requests run in a child
//! process, because a stack overflow ends the process.

use doorcode::limits::Rule;
use std::{process::Command, thread};

use doorcode::db::entity::Role;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::harness::{Client, TestApp};

/// Stack size in KiB: half of the 2 MiB that tokio gives a worker. Stack frames are larger in these unoptimized tests
/// than in a release build. The table lists the stack that each kind of request needs, measured with
/// `DOORCODE_TEST_STACK_KIB` and `DOORCODE_TEST_STACK_ONLY`:
///
/// | | KiB |
/// | --- | ---: |
/// | users in sessions of users, to the maximum execution depth | 890 |
/// | selections across a chain of fragments, 608 levels | 860 |
/// | a chain of 248 fragments | 570 |
/// | selections in a selection, 31 levels | 480 |
/// | lists in an argument, 30 levels; values in variables, 125 levels | 320 to 400 |
const HALF: usize = 1024;
/// Stack size in KiB for finding the largest documents: too large to overflow.
const PLENTY: usize = 512 * 1024;
/// Number of runs per request. The stack use varies, because fragments are in a map without a fixed order.
const REPEATS: usize = 10;
const STACK: &str = "DOORCODE_TEST_STACK_KIB";

#[test]
fn the_deepest_documents_use_less_than_half_of_a_workers_stack() {
    let stack = std::env::var(STACK).unwrap_or_else(|_| HALF.to_string());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "guard::on_a_small_stack", "--ignored", "--nocapture"])
        .env(STACK, stack)
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{}: {out}{error}", child.status);
    assert!(out.contains("all answered"), "the child process ran no test: {out}");
}

#[test]
#[ignore = "the test above runs this test in a child process"]
fn on_a_small_stack() {
    let stack = std::env::var(STACK).map_or(HALF, |kib| kib.parse().unwrap());
    let only = std::env::var("DOORCODE_TEST_STACK_ONLY").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = on_stack(PLENTY, || {
        runtime.block_on(TestApp::with(|flags| {
            flags.limits.insert(Rule::ApiCaller, "1000000/1s".to_owned());
        }))
    });
    let bearer = on_stack(PLENTY, || runtime.block_on(app.person("a@example.com", Role::User)).signed_in.access);
    let client = app.guest().with_bearer(&bearer);
    for (name, make) in WORST {
        if !(only.is_empty() || name == only) {
            continue;
        }
        for stage in [Stage::Validated, Stage::Executed] {
            let found = on_stack(PLENTY, || largest(&runtime, &client, make, stage));
            assert!(stage == Stage::Executed || found.is_some(), "{name}: the guard refuses everything");
            let Some((levels, body)) = found else { continue };
            println!("{name}: {levels} levels, {} bytes, {stage:?}", body.len());
            for _ in 0..REPEATS {
                let answer = on_stack(stack, || ask(&runtime, &client, body.clone()));
                assert!(reached(answer) >= stage, "{name}");
            }
        }
    }
    println!("all answered");
}

fn on_stack<T: Send>(kib: usize, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        thread::Builder::new().stack_size(kib * 1024).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn ask(runtime: &Runtime, client: &Client<'_>, body: String) -> (u16, String) {
    let answer = runtime.block_on(client.post(body));
    let code = answer.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    (answer.status.as_u16(), code.to_owned())
}

/// Returns a request body with this many nested levels.
type Make = fn(usize) -> String;

/// The stage at which the processing of a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Refused by the guard or the parser.
    Refused,
    /// Accepted by both passes of the guard, then refused by validation or because of an input value.
    Validated,
    Executed,
}

/// Finds the largest request that reaches this stage. Returns its number of levels and its body, or `None` if even the
/// smallest request does not reach the stage.
fn largest(runtime: &Runtime, client: &Client<'_>, make: Make, stage: Stage) -> Option<(usize, String)> {
    let passes = |levels: usize| reached(ask(runtime, client, make(levels))) >= stage;
    let (mut good, mut bad) = (1, 2_000);
    if !passes(good) {
        return None;
    }
    assert!(!passes(bad), "the number of levels has no limit: {}", make(3));
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if passes(middle) { good = middle } else { bad = middle }
    }
    Some((good, make(good)))
}

fn reached((status, code): (u16, String)) -> Stage {
    assert!(status < 500, "{status} {code}");
    match (status, code.as_str()) {
        (200, _) => Stage::Executed,
        (_, "DOCUMENT_TOO_LARGE" | "GRAPHQL_PARSE_FAILED" | "BAD_REQUEST") => Stage::Refused,
        _ => Stage::Validated,
    }
}

fn document(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// Nests `inner` in this many pairs of `open` and `close`.
fn nested(open: &str, levels: usize, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

fn link(number: usize) -> String {
    format!("fragment f{number} on User{{...f{}}}", number + 1)
}

/// A chain of fragments. Each spreads the next one, at the maximum depth of selections that the guard allows.
fn chain(levels: usize, on: &str, open: &str, last: &str) -> String {
    const WITHIN: usize = 30;
    let count = levels.div_ceil(WITHIN);
    let fragment = |number: usize| {
        let within = if number + 1 < count { WITHIN } else { levels - (count - 1) * WITHIN };
        let inner = if number + 1 < count { format!("...f{}", number + 1) } else { last.to_owned() };
        format!("fragment f{number} on {on}{{{}}}", nested(open, within, &inner, "}"))
    };
    (0..count).map(fragment).collect()
}

const WORST: [(&str, Make); 19] = [
    ("fields", |levels| document(&format!("{{{}}}", nested("me{", levels, "id", "}")))),
    ("inline fragments", |levels| document(&format!("{{me{{{}}}}}", nested("...{", levels, "id", "}")))),
    ("lists in an argument", |levels| document(&format!("{{user(id:{}){{id}}}}", nested("[", levels, "1", "]")))),
    ("objects in an argument", |levels| {
        document(&format!("{{users(filter:{}){{totalCount}}}}", nested("{a:", levels, "1", "}")))
    }),
    ("lists and objects in a directive", |levels| {
        document(&format!("{{me{{id@include(if:{})}}}}", nested("[{a:", levels, "$a", "}]")))
    }),
    ("lists in a default", |levels| {
        document(&format!("query($a:[[Int]]={}){{me{{id}}}}", nested("[", levels, "1", "]")))
    }),
    ("types of lists", |levels| document(&format!("query($a:{}){{me{{id}}}}", nested("[", levels, "Int", "]")))),
    ("fragments that spread the next", |levels| {
        let fragments = (0..levels).map(link).collect::<Vec<_>>().concat();
        document(&format!("{{me{{...f0}}}}{fragments}fragment f{levels} on User{{id}}"))
    }),
    ("fragments that spread the next, backwards", |levels| {
        let fragments = (0..levels).rev().map(link).collect::<Vec<_>>().concat();
        document(&format!("fragment f{levels} on User{{id}}{fragments}{{me{{...f0}}}}"))
    }),
    ("inline fragments across fragments", |levels| {
        document(&format!("{{me{{...f0}}}}{}", chain(levels, "User", "...{", "id")))
    }),
    ("fields across fragments", |levels| document(&format!("{{me{{...f0}}}}{}", chain(levels, "User", "user{", "id")))),
    ("fields of the schema across fragments", |levels| {
        document(&format!("{{__type(name:\"User\"){{...f0}}}}{}", chain(levels, "__Type", "ofType{", "name")))
    }),
    ("fields across fragments, twice over", |levels| {
        document(&format!(
            "{{a:me{{...f0}}...{{b:me{{...f0}}}}me{{...f0}}me{{...f0}}}}{}",
            chain(levels, "User", "user{", "id")
        ))
    }),
    ("unused fragments", |levels| document(&format!("{{me{{id}}}}{}", chain(levels, "User", "...{", "id")))),
    ("fields in unused fragments", |levels| document(&format!("{{me{{id}}}}{}", chain(levels, "User", "user{", "id")))),
    ("users in sessions of users", |levels| {
        document(&format!("{{me{{{}}}}}", nested("sessions(first:1){nodes{user{", levels, "id", "}}}")))
    }),
    ("lists in an argument in fields", |levels| {
        let fields = levels / 2;
        let list = nested("[", levels - fields, "1", "]");
        document(&format!("{{{}}}", nested("me{", fields, &format!("user(id:{list}){{id}}"), "}")))
    }),
    ("variables", |levels| {
        let value = format!("{{\"a\":{}}}", nested("[", levels, "1", "]"));
        format!("{{\"query\":\"query($a:[Role!]){{users(filter:{{roles:$a}}){{totalCount}}}}\",\"variables\":{value}}}")
    }),
    ("objects in variables", |levels| {
        let value = format!("{{\"f\":{}}}", nested("{\"a\":", levels, "1", "}"));
        format!("{{\"query\":\"query($f:UserFilter){{users(filter:$f){{totalCount}}}}\",\"variables\":{value}}}")
    }),
];
