//! What is wrong in a configuration or a call.

use std::path::Path;

use super::*;
use crate::model::Unknown;
use crate::primitives::Registry;
use crate::primitives::targets::NginxRouter;

/// What is said of a router with these lines.
fn said(lines: &str) -> String {
    let text = format!("[environments.test.routers.lb]\n{lines}\n");
    let config = Config::parse(Path::new("/project/lifeboat.toml"), text.into()).expect("it can be read");
    let errors = Registry::standard().bind(&config.environments["test"]).err().expect("it is wrong");
    let error = errors.first().expect("a mistake");
    format!("{} ({})", error.message, error.help.as_deref().unwrap_or("no help"))
}

#[test]
fn mistakes_in_the_settings_are_named() {
    let haproxy = "driver = \"haproxy\"\nsocket = \"s\"\nbackends = ";
    let nginx = "driver = \"nginx\"\nupstream_file = \"u\"\nupstream = \"web\"\nbackends = ";
    for (lines, says) in [
        (format!("{haproxy}{{ a = \"web/a\" }}"), "needs at least two backends"),
        (format!("{haproxy}{{ a = \"web/a\", b = [] }}"), "backend `b` has no server"),
        (format!("{haproxy}{{ a = \"web/a\", b = [\"web/b\", \"web/a\"] }}"), "`web/a` stands in `a` and again in `b`"),
        (
            format!("{haproxy}{{ a = \"web/a\", b = \"b\" }}"),
            "`b` is not a server of HAProxy (write it as `BACKEND/SERVER`",
        ),
        (format!("{haproxy}{{ a = \"web/a\", b = \"web/b; disable\" }}"), "is not a server of HAProxy"),
        (format!("{haproxy}{{ a = \"web/a\", b = \"api/b\" }}"), "several backends of HAProxy (they are: web, api"),
        (format!("{haproxy}{{ a = \"web/a\", b = 1 }}"), "a server is text, and several are a list of texts"),
        (format!("{nginx}{{ a = \"h:1\", b = \"h:2; }}\" }}"), "is not a server of an upstream"),
        (format!("{nginx}{{ a = \"h:1\", b = \"h:2 weight=3\" }}"), "is not a server of an upstream"),
        (format!("{nginx}{{ a = \"h:1\", b = \"h:1 max_fails=2\" }}"), "`h:1` stands in `a` and again in `b`"),
        (format!("{nginx}{{ a = \"h:1\", b = \"h:2\" }}\noptions = [\"ip_hash;\"]"), "is not one directive"),
        (format!("{nginx}{{ a = \"h:1\", b = \"h:2\" }}\nreload = []"), "`reload` of router `lb` names no program"),
        (
            "driver = \"envoy\"".to_owned(),
            "there is no driver `envoy` for a router (drivers for a router: haproxy, nginx)",
        ),
    ] {
        let found = said(&lines);
        assert!(found.contains(says), "{lines}: {found}");
    }
}

/// A router that is only a file: no nginx is needed to be misunderstood.
fn file() -> (tempfile::TempDir, NginxRouter, Act) {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("u"), "upstream web { server h:1; server h:2 down; }").expect("writes");
    let lines = "driver = \"nginx\"\nupstream_file = \"u\"\nupstream = \"web\"\nbackends = { blue = \"h:1\", green = \"h:2\" }\n\
                 test = [\"true\"]\nreload = [\"true\"]\nsettle = \"0s\"";
    let router = router(dir.path(), lines);
    let act = act(dir.path());
    (dir, router, act)
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_refused_in_a_plan_and_in_a_run() {
    let (_dir, router, act) = file();
    let some = |json: serde_json::Value| crate::model::Value::from_json(json).decode::<Args>().expect("arguments");
    for (args, says) in [
        (serde_json::json!({ "target": "lb" }), "it is not said what gets the traffic"),
        (serde_json::json!({ "target": "lb", "to": "gren" }), "there is no backend `gren`"),
        (
            serde_json::json!({ "target": "lb", "to": "green", "shares": { "green": 100 } }),
            "leave `to` and `percent` out",
        ),
        (serde_json::json!({ "target": "lb", "shares": { "green": 60 } }), "the shares are 60 in all, not 100 %"),
        (serde_json::json!({ "target": "lb", "shares": { "green": 50, "red": 50 } }), "there is no backend `red`"),
    ] {
        let args = some(args);
        let fault = Driver::<Route>::perform(&router, &args, &act, &key(0)).await.expect_err("refused");
        assert!(fault.code == "argument" && fault.message.contains(says), "{fault}");
        let preview = Driver::<Route>::preview(&router, &args, &act).await.expect("it can be previewed");
        assert_eq!(preview.fault, Some(fault));
    }
}

#[tokio::test]
async fn what_is_not_known_yet_is_shown_as_such() {
    let (_dir, router, act) = file();
    let args = Args { shares: Some(Arg::Unknown(Unknown::labelled("routes:lb.shares"))), ..to_nobody() };
    let preview = Driver::<Route>::preview(&router, &args, &act).await.expect("it can be previewed");
    assert_eq!(preview.summary, "lb: blue 100 %, green 0 % → ‹routes:lb.shares›");
    assert!(preview.assumed.is_some());
    assert_eq!(Driver::<Route>::perform(&router, &args, &act, &key(0)).await.expect_err("not yet").code, "argument");
}
