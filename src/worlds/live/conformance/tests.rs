//! The example passes; each of its mutants, wrong in one way, fails the case that is about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::system::System;

const EXAMPLE: &str = include_str!("../../../../examples/drivers/lifeboat-driver-flag");

/// Tries the example out, with `right` replaced by `wrong`. What it fails.
async fn failed(right: &str, wrong: &str) -> Vec<String> {
    failures(tried(&mutant(right, wrong), None).await)
}

/// The same without trials.
async fn failed_at_once(right: &str, wrong: &str) -> Vec<String> {
    failures(tried(&mutant(right, wrong), Some(Vec::new())).await)
}

fn failures(tried: Vec<Tried>) -> Vec<String> {
    let failed = tried.into_iter().filter(|tried| matches!(tried.verdict, Conforms::Failed(_)));
    failed.map(|tried| tried.case).collect()
}

fn mutant(right: &str, wrong: &str) -> String {
    assert!(EXAMPLE.contains(right), "the example has no `{right}`");
    EXAMPLE.replace(right, wrong)
}

async fn tried(text: &str, trials: Option<Vec<Trial>>) -> Vec<Tried> {
    let dir = tempfile::tempdir().expect("a directory");
    let program = dir.path().join("driver");
    // The system's own starts at once, where there is one; others that come first on the PATH may be wrapped.
    let python = Path::new("/usr/bin/python3");
    let text = if python.exists() { text.replace("/usr/bin/env python3", "/usr/bin/python3") } else { text.to_owned() };
    fs::write(&program, text).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be executed");
    let program = vec![program.to_string_lossy().into_owned()];
    let spec = DriverSpec::of_program("flag", program, Path::new("/").to_owned());
    let look = Look::new(Arc::new(System::new(dir.path().join("scratch"))));
    conformance(&spec, &Registry::standard(), trials, &look, &|_| ()).await
}

#[tokio::test]
async fn the_example_passes_every_case() {
    let tried = tried(EXAMPLE, None).await;
    let failed: Vec<_> = tried.iter().filter(|tried| matches!(tried.verdict, Conforms::Failed(_))).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(tried.len() > 20, "{tried:?}");
}

#[tokio::test]
async fn a_driver_that_lies_about_what_it_changes_is_found_out() {
    let touching = "open(path, 'a').write('on\\n') if what == 'preview' else None\n    if what == \"observe\":";
    let found = failed("if what == \"observe\":", touching).await;
    assert!(found.contains(&"maintenance: previews without changing anything".to_owned()), "{found:?}");
    let found = failed("if what == \"observe\":", &touching.replace("'preview'", "'observe'")).await;
    assert_eq!(found, ["maintenance: observes without changing anything"]);
    let found = failed("if what == \"observe\":", &touching.replace("'preview'", "'reconcile'")).await;
    assert!(found.contains(&"maintenance: looks for proof without changing anything".to_owned()), "{found:?}");
    let littering = "open('note', 'w').close()\n    if what == \"observe\":";
    let found = failed("if what == \"observe\":", littering).await;
    assert!(found.contains(&"maintenance: observes what the primitive returns".to_owned()), "{found:?}");
}

#[tokio::test]
async fn a_driver_that_forgets_what_it_did_is_found_out() {
    let found = failed("if key not in calls:", "if True:").await;
    assert!(found.contains(&"maintenance: does nothing more for the same idempotency key".to_owned()), "{found:?}");
    let found = failed("if key in calls else", "if False else").await;
    assert_eq!(found, ["maintenance: proves that it was done"]);
    let found = failed("if key in calls else", "if calls else").await;
    assert_eq!(found, ["maintenance: takes another call's key for another call"]);
    let found = failed("\"after\": wanted, \"output\": now", "\"after\": wanted, \"output\": wanted").await;
    assert_eq!(found, ["maintenance: does what its preview predicts"]);
}

#[tokio::test]
async fn a_driver_that_takes_everything_or_nothing_is_found_out() {
    let found = failed("if unknown or", "if").await;
    let argument = "maintenance: refuses an argument that it does not know";
    assert_eq!(found[..4], ["refuses a field that it does not know", argument, argument, argument]);
    assert_eq!(
        failed_at_once("request[\"protocol\"] != 1", "False").await,
        ["refuses another version of the protocol"]
    );
    assert_eq!(
        failed_at_once("\"serves\": {\"service\": [", "\"serves\": {\"service\": [\"noprobe\", ").await,
        ["serves primitives that there are"]
    );
    assert_eq!(
        failed_at_once("\"description\": \"The flag file.\"", "\"description\": \"\"").await,
        ["explains its settings"]
    );
    assert_eq!(
        failed_at_once("\"version\": \"1.0\"", "\"version\": str(os.getpid())").await,
        ["describes itself the same way twice"]
    );
    assert_eq!(
        failed_at_once("except (ValueError, KeyError,", "except (KeyError,").await.first().map(String::as_str),
        Some("refuses another version of the protocol")
    );
    assert_eq!(failed_at_once("print(json", "print('x', json").await, ["answers `describe`"]);
}

#[tokio::test]
async fn a_driver_that_does_not_end_is_found_out() {
    let deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nrequest = {}\ntry:";
    assert_eq!(failed_at_once("request = {}\ntry:", deaf).await, ["ends when it is told to (SIGTERM)"]);
}

#[tokio::test]
async fn a_driver_that_tells_secrets_is_found_out() {
    let right = "{\"flag\": {\"type\": \"string\", \"description\": \"The flag file.\"}}";
    let with_token = right
        .replace("}}", "}, \"token\": {\"type\": \"string\", \"writeOnly\": True, \"description\": \"The key.\"}}");
    assert_eq!(failed(right, &with_token).await, [""; 0]);
    let telling =
        mutant(right, &with_token).replace("args, what =", "print(request, file=sys.stderr)\n    args, what =");
    let last = tried(&telling, None).await.pop().expect("a case");
    assert_eq!(last.verdict, Conforms::Failed("the value of `token` was on its standard error".to_owned()));
}
