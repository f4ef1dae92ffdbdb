//! Programs that deploy a service. Here they are small scripts; the live version is what `loaded` holds.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::{Applied, Symbol};

const DEPLOY: &str = r#"driver = "command"
build = ["./build", "{version}"]
deploy = ["./deploy", "{version}", "{previous}"]
status = ["cat", "loaded"]
list = ["ls", "dist"]
rollback = ["./deploy", "{previous}", "back"]
health_timeout = "300ms"
"#;

fn place(deploy: &str) -> Place {
    let place = Place::new(deploy);
    script(&place, "build", "test \"$1\" != unbuilt && echo \"built $1\" >>log");
    script(
        &place,
        "deploy",
        "test \"$1\" != refused && echo \"$1\" >loaded && echo \"deployed $1, was $2, $LIFEBOAT_IDEMPOTENCY_KEY\" >>log",
    );
    for version in ["1", "2", "ill-1", "refused", "unbuilt"] {
        place.write(&format!("dist/{version}"), "");
    }
    place.write("loaded", "1\n");
    place
}

fn script(place: &Place, name: &str, line: &str) {
    place.write(name, &format!("#!/bin/sh\n{line}\n"));
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o755)).expect("may be executed");
}

#[tokio::test]
async fn the_programs_are_called_in_order_with_the_versions() {
    let place = place(DEPLOY);
    let output = place.deploy("2", 0).await.expect("deploys");
    assert_eq!((output.previous.as_deref(), output.changed), (Some("1"), true));
    assert_eq!(place.read("log"), "built 2\ndeployed 2, was 1, run/0");
    assert!(!place.deploy("2", 1).await.expect("nothing to do").changed);
    assert_eq!(place.read("log").lines().count(), 2, "nothing was called again");
    let versions = place.version().await.expect("it can be told");
    assert_eq!(versions.available, ["1", "2", "ill-1", "refused", "unbuilt"]);
}

#[tokio::test]
async fn a_version_that_is_not_healthy_is_rolled_back() {
    let place = place(DEPLOY);
    let fault = place.deploy("ill-1", 0).await.expect_err("it is ill");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-unhealthy", Applied::No));
    assert!(fault.message.ends_with("; 1 serves again"), "{fault}");
    assert_eq!(place.read("loaded"), "1");
}

#[tokio::test]
async fn without_a_rollback_the_fault_says_what_is_live() {
    let without = DEPLOY.replace("rollback = [\"./deploy\", \"{previous}\", \"back\"]", "");
    let place = place(&without);
    let fault = place.deploy("ill-1", 0).await.expect_err("it is ill");
    assert_eq!(fault.applied, Applied::Yes);
    assert!(fault.message.ends_with("ill-1 is live now"), "{fault}");
    place.write("loaded", "1");
    let fault = place.deploy("refused", 1).await.expect_err("the program refuses it");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert!(fault.message.contains("exit code 1") && fault.message.ends_with("1 is still live"), "{fault}");
}

#[tokio::test]
async fn what_fails_to_build_never_touches_the_service() {
    let place = place(DEPLOY);
    let fault = place.deploy("unbuilt", 0).await.expect_err("it cannot be built");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert!(fault.message.ends_with("the service was not touched"), "{fault}");
    assert_eq!((place.read("loaded").as_str(), place.read("log").as_str()), ("1", ""));
}

#[tokio::test]
async fn a_program_that_says_yes_and_does_nothing_is_found_out() {
    let place = place(DEPLOY);
    script(&place, "deploy", "exit 0");
    let fault = place.deploy("2", 0).await.expect_err("nothing was done");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert!(fault.message.contains("`cat loaded` says that 1 is live"), "{fault}");
}

#[tokio::test]
async fn a_plan_asks_only_what_is_declared_to_look() {
    let place = place(DEPLOY);
    let preview = place.preview(&args("2")).await.expect("it can be previewed");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Change, "web: 1 → 2"));
    assert!(preview.notes[0].starts_with("runs `") && preview.notes[0].ends_with("deploy 2 1`"), "{:?}", preview.notes);
    let preview = place.preview(&args("1")).await.expect("it can be previewed");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Nothing, "web: already at 1: nothing to do"));
    let foreseen = place.preview(&args("3")).await.expect("it can be previewed").fault.expect("it is not listed");
    assert_eq!(place.deploy("3", 0).await.expect_err("nor deployed"), foreseen);
    assert_eq!(foreseen.code, "no-such-version");
    assert_eq!((place.read("log"), place.read("loaded")), (String::new(), "1".to_owned()));
}

#[tokio::test]
async fn what_status_prints_must_be_a_version() {
    let place = place(DEPLOY);
    for (printed, says) in [("version 1", "holds ' '"), ("1\n2", "holds '\\n'"), ("../1", "holds '/'")] {
        place.write("loaded", printed);
        let fault = place.version().await.expect_err("it is none");
        assert!(fault.code == "version-unknown" && fault.message.contains(says), "{fault}");
    }
    place.write("loaded", "");
    assert_eq!(place.live().await, None);
    fs::remove_file(place.path("loaded")).expect("removes");
    assert!(place.version().await.expect_err("cat fails").message.contains("exit code 1"));
}

#[tokio::test]
async fn a_crash_is_settled_by_what_status_says() {
    let place = place(DEPLOY);
    assert!(matches!(place.reconcile("2", 0).await, Reconciled::NotApplied { .. }), "it was never begun");
    place.deploy("2", 0).await.expect("deploys");
    let Reconciled::Applied { output, evidence } = place.reconcile("2", 0).await else { panic!("it was") };
    assert_eq!((output.previous.as_deref(), evidence.as_str()), (Some("1"), "`cat loaded` says that 2 is live"));
    place.write("loaded", "1");
    assert!(matches!(place.reconcile("2", 0).await, Reconciled::NotApplied { .. }));
}
