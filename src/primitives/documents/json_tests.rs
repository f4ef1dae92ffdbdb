//! What is read from JSON documents, and what an edit leaves as it was.

use proptest::prelude::*;

use super::*;

const TEXT: &str = r#"{
    "name": "app",
    "pool": { "size": 10, "wait_s": 1.50 },
    "hosts": ["a", "b"],
    "users": [
        { "name": "root", "roles": [] }
    ],
    "empty": {}
}
"#;

fn parse(text: &str) -> Json {
    Json::parse(text).expect("JSON")
}

fn path(text: &str) -> KeyPath {
    KeyPath::parse(text).expect("a path")
}

fn set(text: &str, key: &str, value: impl Into<Value>) -> Result<String, String> {
    let mut json = parse(text);
    json.set(&path(key), &value.into()).map(|()| json.text())
}

fn unset(text: &str, key: &str) -> String {
    let mut json = parse(text);
    json.unset(&path(key)).expect("it is unset");
    json.text()
}

#[test]
fn a_document_is_taken_apart_into_leaves() {
    let leaves: Vec<String> = parse(TEXT).leaves().into_iter().map(|(path, value)| format!("{path} {value}")).collect();
    let expected = [
        "name app",
        "pool.size 10",
        "pool.wait_s 1.5",
        r#"hosts ["a", "b"]"#,
        "users[0].name root",
        "users[0].roles []",
    ];
    assert_eq!(leaves, expected);
    let large = parse(r#"{"n": 123456789012345678901234567890, "f": 1e3}"#).leaves();
    assert_eq!(large[0].1, Value::from("123456789012345678901234567890"), "no digit is lost");
    assert_eq!(large[1].1, Value::Float(1000.0));
}

#[test]
fn a_value_is_replaced_in_its_place() {
    assert_eq!(set(TEXT, "pool.size", 20).expect("set"), TEXT.replace("10", "20"));
    assert_eq!(set(TEXT, "users[0].name", "ro\"ot").expect("set"), TEXT.replace("\"root\"", r#""ro\"ot""#));
    let list = Value::List(vec![Value::from("c"), Value::Null]);
    assert_eq!(set(TEXT, "hosts", list).expect("set"), TEXT.replace(r#"["a", "b"]"#, r#"["c", null]"#));
}

#[test]
fn a_new_key_stands_as_its_neighbours_do() {
    let spread = set(TEXT, "level", "info").expect("set");
    assert_eq!(spread, TEXT.replace("\"empty\": {}", "\"empty\": {},\n    \"level\": \"info\""));
    let inline = set(TEXT, "pool.idle", 3).expect("set");
    assert_eq!(inline, TEXT.replace("1.50 }", "1.50, \"idle\": 3 }"));
    let into_empty = set(TEXT, "empty.a.b", 1).expect("set");
    let made = "\"empty\": {\n        \"a\": {\n            \"b\": 1\n        }\n    }";
    assert_eq!(into_empty, TEXT.replace("\"empty\": {}", made));
    assert_eq!(set("{}", "a", 1).expect("set"), "{\n  \"a\": 1\n}");
    assert_eq!(set(r#"{"a":1}"#, "b.c", true).expect("set"), r#"{"a":1,"b":{"c": true}}"#);
    assert_eq!(set("{\r\n\t\"a\": 1\r\n}", "b", 2).expect("set"), "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}");
}

#[test]
fn a_key_goes_with_its_comma() {
    assert_eq!(unset(TEXT, "name"), TEXT.replace("\"name\": \"app\",\n    ", ""));
    assert_eq!(unset(TEXT, "empty"), TEXT.replace(",\n    \"empty\": {}", ""));
    assert_eq!(unset(TEXT, "pool.size"), TEXT.replace("\"size\": 10, ", ""));
    assert_eq!(unset(TEXT, "users[0]"), TEXT.replace("[\n        { \"name\": \"root\", \"roles\": [] }\n    ]", "[]"));
    assert_eq!(unset(r#"{"a": 1}"#, "a"), "{}");
    assert_eq!(unset(TEXT, "pool.none"), TEXT);
    assert_eq!(unset(TEXT, "name.none"), TEXT);
}

#[test]
fn what_makes_no_sense_is_refused() {
    assert!(set(TEXT, "pool", 5).expect_err("a table").contains("a table stands there"));
    assert!(set(TEXT, "name.first", "x").expect_err("a scalar").contains("of type string stands there"));
    assert!(set(TEXT, "hosts[2]", "x").expect_err("too far").contains("2 entries, and none at [2]"));
    assert!(set(TEXT, "hosts.a", "x").expect_err("a list").contains("a list stands there"));
    assert!(set(TEXT, "new[0]", "x").expect_err("no list").contains("there is no list there"));
    for (text, why) in [
        ("[1]", "its top is no object"),
        ("{\"a\": 1,\n\"a\": 2}", "line 2: the key `a` stands here twice"),
        ("{\n// why\n\"a\": 1}", "line 2: JSON has no comments"),
        ("{\"a\": 1,}", "a key in quotes must stand here"),
        ("{\"a\": 1} x", "something stands behind the end"),
        ("{\"a\": tru}", "a value must stand here"),
        ("{\"a\": \"x", "a `\"` is not closed"),
        ("{\"a\" 1}", "a `:` must stand"),
        ("", "a value must stand here"),
    ] {
        let found = Json::parse(text).expect_err(text);
        assert!(found.contains(why), "{text}: {found}");
    }
    assert!(Json::parse(&"[".repeat(10_000)).expect_err("deep").contains("more than 128 deep"));
}

#[test]
fn no_text_can_pass_for_a_secret_or_an_unknown() {
    for leaf in parse(r#"{"$secret": "A", "a": {"$unknown": "b"}, "c": {"$secret": {}}}"#).leaves() {
        assert!(leaf.0.to_string().contains('"'), "{leaf:?}");
        assert!(leaf.1.find_unknown().is_none() && !matches!(leaf.1, Value::Secret(_)));
    }
}

proptest! {
    #[test]
    fn an_edit_changes_one_leaf_and_no_other(key in "[a-d](\\.[a-d]){0,2}", value in "[^\0]{0,10}") {
        let before = parse(TEXT).leaves();
        let mut json = parse(TEXT);
        if json.set(&path(&key), &Value::from(value.as_str())).is_ok() {
            let after = json.leaves();
            prop_assert!(after.contains(&(path(&key), Value::from(value.as_str()))));
            prop_assert!(before.iter().all(|leaf| after.contains(leaf)));
            json.unset(&path(&key)).expect("unset");
            prop_assert!(!json.leaves().iter().any(|(found, _)| *found == path(&key)));
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "[{}\\[\\]:,\"a1\\\\ \n.-]{0,50}") {
        if let Ok(mut json) = Json::parse(&text) {
            prop_assert_eq!(json.text(), text);
            let _ = json.set(&path("a.b"), &Value::Int(1));
            let _ = json.unset(&path("a"));
        }
    }
}
