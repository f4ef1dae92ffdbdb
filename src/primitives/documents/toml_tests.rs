//! What is read from TOML documents, and what an edit leaves as it was.

use proptest::prelude::*;

use super::*;

const TEXT: &str = r#"# The application.
name = "app"   # shown to users
limit = 1_000

# Connections.
[pool]
# how many
size = 10

# how long
wait_s = 1.50
hosts = [
    "a", # first
    "b",
]
tls = { ca = "ca.pem", verify = true }

[[users]]
name = "root"
since = 2024-01-02
"#;

fn parse(text: &str) -> Toml {
    Toml::parse(text).expect("TOML")
}

fn path(text: &str) -> KeyPath {
    KeyPath::parse(text).expect("a path")
}

fn set(text: &str, key: &str, value: impl Into<Value>) -> Result<String, String> {
    let mut toml = parse(text);
    toml.set(&path(key), &value.into()).map(|()| toml.text())
}

fn unset(text: &str, key: &str) -> String {
    let mut toml = parse(text);
    toml.unset(&path(key)).expect("it is unset");
    toml.text()
}

#[test]
fn a_document_is_taken_apart_into_leaves() {
    let leaves: Vec<String> = parse(TEXT).leaves().into_iter().map(|(path, value)| format!("{path} {value}")).collect();
    let expected = [
        "name app",
        "limit 1000",
        "pool.size 10",
        "pool.wait_s 1.5",
        r#"pool.hosts ["a", "b"]"#,
        "pool.tls.ca ca.pem",
        "pool.tls.verify true",
        "users[0].name root",
        "users[0].since 2024-01-02",
    ];
    assert_eq!(leaves, expected);
}

#[test]
fn a_value_is_replaced_in_its_place() {
    assert_eq!(set(TEXT, "pool.size", 20).expect("set"), TEXT.replace("10", "20"));
    assert_eq!(set(TEXT, "name", "web").expect("set"), TEXT.replace("\"app\"", "\"web\""));
    assert_eq!(set(TEXT, "pool.tls.verify", false).expect("set"), TEXT.replace("true", "false"));
    assert_eq!(set(TEXT, "users[0].name", "me").expect("set"), TEXT.replace("\"root\"", "\"me\""));
    let list = Value::List(vec![Value::from("x"), Value::from("y")]);
    let spread = "[\n    \"x\",\n    \"y\",\n]";
    assert_eq!(
        set(TEXT, "pool.hosts", list).expect("set"),
        TEXT.replace("[\n    \"a\", # first\n    \"b\",\n]", spread)
    );
}

#[test]
fn a_new_key_finds_its_table() {
    let added = set(TEXT, "pool.idle", 3).expect("set");
    assert_eq!(added, TEXT.replace("verify = true }\n", "verify = true }\nidle = 3\n"));
    let inline = set(TEXT, "pool.tls.port", 1).expect("set");
    assert_eq!(inline, TEXT.replace("verify = true }", "verify = true, port = 1 }"));
    let top = set(TEXT, "level", "info").expect("set");
    assert_eq!(top, TEXT.replace("1_000\n", "1_000\nlevel = \"info\"\n"));
    let table = set(TEXT, "cache.disk.size", 1).expect("set");
    assert_eq!(table, format!("{TEXT}\n[cache.disk]\nsize = 1\n"));
    assert_eq!(set("", "a.b", true).expect("set"), "[a]\nb = true\n");
    assert_eq!(set("a.b = 1\n", "a.c", 2).expect("set"), "a.b = 1\na.c = 2\n", "dotted keys stay dotted");
}

#[test]
fn a_key_goes_with_its_own_comment_only() {
    assert_eq!(unset(TEXT, "pool.size"), TEXT.replace("# how many\nsize = 10\n", ""));
    assert_eq!(unset(TEXT, "limit"), TEXT.replace("limit = 1_000\n", ""));
    assert_eq!(unset(TEXT, "pool.tls"), TEXT.replace("tls = { ca = \"ca.pem\", verify = true }\n", ""));
    assert_eq!(unset(TEXT, "pool.none.x"), TEXT);
    let apart = "# Limits of the pool\n\n# how many\nsize = 10\nidle = 3\n";
    assert_eq!(unset(apart, "size"), "# Limits of the pool\n\nidle = 3\n");
    let last = "size = 10\n\n# Idle ones\n\nidle = 3\n";
    assert_eq!(unset(last, "idle"), "size = 10\n\n# Idle ones\n");
    let only = "[pool]\n# Limits\n\nsize = 10\n";
    assert_eq!(unset(only, "pool.size"), "[pool]\n# Limits\n");
}

#[test]
fn line_ends_stay_what_they_are() {
    let text = TEXT.replace('\n', "\r\n");
    assert_eq!(set(&text, "pool.size", 20).expect("set"), text.replace("10", "20"));
    let mixed = Toml::parse("a = 1\r\nb = 2\n").expect_err("an edit would change the other line");
    assert!(mixed.contains("mix line ends"), "{mixed}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    assert!(set(TEXT, "pool", 5).expect_err("a table").contains("a table stands there"));
    assert!(set(TEXT, "pool.tls", 5).expect_err("a table").contains("a table stands there"));
    assert!(set(TEXT, "users", 5).expect_err("tables").contains("a table stands there"));
    assert!(set(TEXT, "name.first", 5).expect_err("text").contains("a string stands there, and no table"));
    assert!(set(TEXT, "pool.hosts[2]", "x").expect_err("too far").contains("no list with an entry [2]"));
    assert!(set(TEXT, "name", Value::Null).expect_err("null").contains("`unset`"));
    let error = Toml::parse("a = 1\npassword = hunter2\n").expect_err("no TOML");
    assert!(error.starts_with("line 2: ") && !error.contains("hunter2"), "{error}");
}

proptest! {
    #[test]
    fn an_edit_changes_one_leaf_and_no_other(key in "[a-d](\\.[a-d]){0,2}", value in "[^\0]{0,10}") {
        let before = parse(TEXT).leaves();
        let mut toml = parse(TEXT);
        if toml.set(&path(&key), &Value::from(value.as_str())).is_ok() {
            let again = parse(&toml.text());
            let after = again.leaves();
            prop_assert!(after.contains(&(path(&key), Value::from(value.as_str()))));
            prop_assert!(before.iter().all(|leaf| after.contains(leaf)));
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "[\\[\\]{}=.,\"#a1 \n\r]{0,40}") {
        if let Ok(mut toml) = Toml::parse(&text) {
            prop_assert_eq!(toml.text(), text);
            let _ = toml.set(&path("a.b"), &Value::Int(1));
            let _ = toml.unset(&path("a"));
            let _ = toml.text();
        }
    }
}
