//! Fuzzes the guard, the parser and the executor with a document, variables and an operation name. An input consists of
//! the caller (one byte), the document, its variables as JSON, and the name. NUL bytes separate the last three.
#![no_main]

use doorcode_fuzz::{Asked, Door, check_graphql, parts, who};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let Some((who, rest)) = who(data) else { return };
    let text = String::from_utf8_lossy(rest);
    let [query, variables, name] = parts(&text);
    let mut body = json!({ "query": query });
    if let Ok(variables @ Value::Object(_)) = serde_json::from_str(variables) {
        body["variables"] = variables;
    }
    if !name.is_empty() {
        body["operationName"] = name.into();
    }
    let answer = Door::get().post(who, body.to_string());
    check_graphql(&Asked { text: &text }, &answer);
});
