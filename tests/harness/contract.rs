//! The providers' own contracts, where they are at hand: documents of `OpenAPI` 3.1 in the directory that `LIFEBOAT_CONTRACTS` names.
//!
//! They are never a part of this project. Without them the strict servers still check all that is written down in them by hand.

use std::path::PathBuf;

use serde_json::{Value, json};

/// The contract of one provider.
pub(crate) struct Contract(Value);

impl Contract {
    /// The contract called `name`; `None`, and a line that says so, where there is none.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let Some(directory) = std::env::var_os("LIFEBOAT_CONTRACTS").map(PathBuf::from) else {
            said_once(&format!("LIFEBOAT_CONTRACTS is not set: requests are not compared with the contract of {name}"));
            return None;
        };
        let path = directory.join(format!("{name}.openapi.json"));
        let text = std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        Some(Self(serde_json::from_slice(&text).expect("a contract is JSON")))
    }

    /// Why a body may not be sent to this path; nothing when it may.
    pub(crate) fn refuses_request(&self, path: &str, body: &Value) -> Vec<String> {
        let mut schema = self.at(&["paths", path, "post", "requestBody", "content", "application/json", "schema"]);
        // A misspelt field is a mistake, whether the provider minds it or not.
        schema["unevaluatedProperties"] = json!(false);
        self.refuses(schema, body)
    }

    /// Why the provider would not answer so; nothing when it would.
    pub(crate) fn refuses_answer(&self, path: &str, status: &str, body: &Value) -> Vec<String> {
        let of = ["paths", path, "post", "responses", status, "content", "application/json", "schema"];
        self.refuses(self.at(&of), body)
    }

    fn at(&self, path: &[&str]) -> Value {
        let found = path.iter().fold(&self.0, |value, key| &value[*key]);
        assert!(found.is_object(), "the contract has no {path:?}");
        found.clone()
    }

    fn refuses(&self, mut schema: Value, body: &Value) -> Vec<String> {
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).expect("a schema");
        validator.iter_errors(body).map(|error| format!("{error} at {}", error.instance_path())).collect()
    }
}

#[expect(clippy::print_stderr, reason = "who reads the output of the tests must see what was not checked")]
fn said_once(line: &str) {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| eprintln!("{line}"));
}

#[test]
fn a_contract_refuses_what_is_not_in_it() {
    let Some(slack) = Contract::of("slack") else { return };
    let path = "/chat.postMessage";
    let refused = |body: Value| slack.refuses_request(path, &body);
    assert_eq!(refused(json!({ "channel": "C1", "text": "hello" })), [""; 0]);
    for wrong in [
        json!({ "text": "to nobody" }),
        json!({ "channel": "C1" }),
        json!({ "channel": "C1", "text": 7 }),
        json!({ "channel": "C1", "text": "hello", "tread_ts": "1.2" }),
    ] {
        assert!(!refused(wrong.clone()).is_empty(), "{wrong}");
    }
}
