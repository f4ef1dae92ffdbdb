//! A directory of releases and a link to the live one.

use std::time::Duration;

use super::*;
use crate::model::{Applied, Symbol, Value};

/// The service takes what `current` leads to when it is restarted, here by a copy.
const DEPLOY: &str = r#"driver = "release"
path = "DIR/app"
artifacts = "dist"
restart = ["cp", "DIR/app/current/version", "DIR/loaded"]
health_timeout = "300ms"
version_path = "/version"
"#;

/// A service with these versions ready to be deployed.
fn place(versions: &[&str]) -> Place {
    place_with(DEPLOY, versions)
}

fn place_with(deploy: &str, versions: &[&str]) -> Place {
    let place = Place::new(deploy);
    for version in versions {
        place.write(&format!("dist/{version}/version"), version);
    }
    place
}

#[tokio::test]
async fn a_version_is_taken_over_made_live_and_served() {
    let place = place(&["1.4.1", "1.5.0"]);
    assert_eq!(place.live().await, None);
    let first = place.deploy("1.4.1", 0).await.expect("deploys");
    assert_eq!((first.version.as_str(), first.previous, first.changed), ("1.4.1", None, true));
    let second = place.deploy("1.5.0", 1).await.expect("deploys");
    assert_eq!((second.version.as_str(), second.previous.as_deref(), second.changed), ("1.5.0", Some("1.4.1"), true));
    assert_eq!(place.read("loaded"), "1.5.0");
    assert_eq!(fs::read_link(place.path("app/current")).expect("a link"), Path::new("releases/1.5.0"));
    let versions = place.version().await.expect("it can be told");
    assert_eq!(
        (versions.version.as_deref(), &versions.available[..]),
        (Some("1.5.0"), &["1.4.1".into(), "1.5.0".into()][..])
    );
    assert_eq!(names(&place.path("app/releases")), ["1.4.1", "1.5.0"]);
}

#[tokio::test]
async fn a_second_deployment_of_the_same_version_does_nothing_unless_a_restart_is_asked_for() {
    let place = place(&["1.5.0"]);
    place.deploy("1.5.0", 0).await.expect("deploys");
    place.write("loaded", "1.5.0 ");
    let again = place.deploy("1.5.0", 1).await.expect("nothing to do");
    assert_eq!((again.previous.as_deref(), again.changed), (Some("1.5.0"), false));
    assert_eq!(fs::read_to_string(place.path("loaded")).expect("reads"), "1.5.0 ", "it was not restarted");
    let restarted = place.call(&Args { restart: true, ..args("1.5.0") }, 2).await.expect("restarts");
    assert!(restarted.changed);
    assert_eq!(fs::read_to_string(place.path("loaded")).expect("reads"), "1.5.0");
    // Every attempt of one call gives the same, and restarts once.
    place.write("loaded", "1.5.0 ");
    assert_eq!(place.call(&Args { restart: true, ..args("1.5.0") }, 2).await.map(|o| o.changed), Ok(true));
    assert_eq!(fs::read_to_string(place.path("loaded")).expect("reads"), "1.5.0 ");
}

#[tokio::test]
async fn a_version_that_is_not_healthy_gives_way_to_the_one_before() {
    let place = place(&["1.4.1", "ill-1"]);
    place.deploy("1.4.1", 0).await.expect("deploys");
    let fault = place.deploy("ill-1", 1).await.expect_err("it is ill");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-unhealthy", Applied::No));
    assert!(
        fault.message.contains("not healthy within 300ms") && fault.message.ends_with("1.4.1 serves again"),
        "{fault}"
    );
    assert_eq!((place.live().await.as_deref(), place.read("loaded").as_str()), (Some("1.4.1"), "1.4.1"));
    assert!(!place.deploy("1.4.1", 2).await.expect("nothing to do").changed, "what a rollback would do");
}

#[tokio::test]
async fn an_old_process_that_goes_on_serving_does_not_pass_for_the_new_version() {
    let place =
        place_with(&DEPLOY.replace("[\"cp\", \"DIR/app/current/version\", \"DIR/loaded\"]", "[\"true\"]"), &["1", "2"]);
    place.write("loaded", "1");
    place.deploy("1", 0).await.expect("it serves 1 anyway");
    let fault = place.deploy("2", 1).await.expect_err("it still serves 1");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-unhealthy", Applied::No));
    assert_eq!(place.live().await.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_health_of_the_version_before_does_not_pass_for_that_of_the_new_one() {
    let later = DEPLOY.replace("DIR/loaded", "DIR/next");
    let place = place_with(&later, &["1", "ill-1"]);
    place.write("loaded", "1");
    place.deploy("1", 0).await.expect("it serves 1 anyway");
    let fault = place.deploy("ill-1", 1).await.expect_err("the first answer is still one of 1");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-unhealthy", Applied::No));
}

#[tokio::test]
async fn a_restart_that_fails_gives_way_to_the_version_before() {
    let place = place(&["1.4.1", "1.5.0"]);
    place.deploy("1.4.1", 0).await.expect("deploys");
    fs::remove_file(place.path("dist/1.5.0/version")).expect("a broken release");
    let fault = place.deploy("1.5.0", 1).await.expect_err("cp finds nothing");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert!(fault.message.contains("exit code 1") && fault.message.ends_with("1.4.1 serves again"), "{fault}");
    assert_eq!(place.read("loaded"), "1.4.1");
}

#[tokio::test]
async fn where_there_is_no_way_back_the_fault_says_so() {
    let place = place(&["ill-1", "1.4.1"]);
    let fault = place.deploy("ill-1", 0).await.expect_err("the first one is ill");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-unhealthy", Applied::Yes));
    assert!(fault.message.contains("there is no other version to go back to"), "{fault}");
    assert_eq!(place.live().await.as_deref(), Some("ill-1"));

    let repaired = place.deploy("1.4.1", 1).await.expect("deploys");
    assert_eq!(repaired.previous, None, "what never served was not live");
    // The older version does not come up any more either.
    place.write("app/releases/1.4.1/version", "ill");
    let fault = place.deploy("ill-1", 2).await.expect_err("both are ill");
    assert_eq!(fault.applied, Applied::Yes);
    assert!(fault.message.contains("1.4.1 is live again, but does not serve"), "{fault}");
    place.write("app/releases/1.4.1/version", "1.4.1");
    let repaired = place.deploy("1.4.1", 3).await.expect("what a rollback does");
    assert!(repaired.changed && place.read("loaded") == "1.4.1", "the service is told once more: {repaired:?}");
}

#[tokio::test]
async fn a_missing_version_is_foreseen_and_nothing_is_touched() {
    let place = place(&["1.4.1", "1.5.0"]);
    let foreseen = place.preview(&args("1.6.0")).await.expect("it can be previewed").fault.expect("and would fail");
    let fault = place.deploy("1.6.0", 0).await.expect_err("there is none");
    assert_eq!(fault, foreseen);
    assert_eq!((fault.code.as_str(), fault.applied), ("no-such-version", Applied::No));
    assert_eq!(fault.hint.as_deref(), Some("the newest that are there: 1.5.0, 1.4.1"));
    assert!(!place.path("app").exists());
}

#[tokio::test]
async fn a_plan_says_from_what_to_what_and_when_there_is_nothing_to_do() {
    let place = place(&["1.4.1", "1.5.0"]);
    place.deploy("1.4.1", 0).await.expect("deploys");
    let preview = place.preview(&args("1.5.0")).await.expect("it can be previewed");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Change, "web: 1.4.1 → 1.5.0"));
    assert_eq!(preview.output.get("previous"), Some(&Value::from("1.4.1")));
    assert!(
        preview.notes[0].ends_with("dist/1.5.0") && preview.notes[1].starts_with("then `cp "),
        "{:?}",
        preview.notes
    );
    let preview = place.preview(&args("1.4.1")).await.expect("it can be previewed");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Nothing, "web: already at 1.4.1: nothing to do"));
    assert_eq!(preview.output.get("changed"), Some(&Value::Bool(false)));
    assert_eq!(names(&place.path("app/releases")), ["1.4.1"], "a plan takes nothing over");
}

#[tokio::test]
async fn the_oldest_releases_go_and_the_one_before_never_does() {
    let place = place_with(&format!("{DEPLOY}keep = 2\n"), &["1", "2", "3", "4"]);
    for (call, version) in ["1", "2", "3", "4"].into_iter().enumerate() {
        place.deploy(version, u32::try_from(call).expect("small")).await.expect("deploys");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(names(&place.path("app/releases")), ["2", "3", "4"]);
    let preview = place.preview(&args("1")).await.expect("it can be previewed");
    assert!(preview.notes.iter().any(|note| note == "removes the releases 2: `keep` is 2"), "{:?}", preview.notes);
}

#[tokio::test]
async fn an_archive_is_unpacked_and_a_damaged_one_leaves_nothing_behind() {
    let place = place(&["1"]);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(".", place.path("dist/1")).expect("packs");
    let packed = zstd::encode_all(&builder.into_inner().expect("packed")[..], 3).expect("compresses");
    fs::remove_dir_all(place.path("dist/1")).expect("removes");
    fs::write(place.path("dist/1.tar.zst"), &packed).expect("writes");
    fs::write(place.path("dist/2.tar.zst"), &packed[..packed.len() / 2]).expect("writes");
    place.deploy("1", 0).await.expect("deploys");
    let fault = place.deploy("2", 1).await.expect_err("it is damaged");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert_eq!((names(&place.path("app/releases")), place.live().await.as_deref()), (vec!["1".to_owned()], Some("1")));
}

#[tokio::test]
async fn a_crash_is_settled_by_evidence_and_the_next_deployment_ends_what_it_began() {
    let place = place(&["1.4.1", "1.5.0"]);
    place.deploy("1.4.1", 0).await.expect("deploys");
    assert!(matches!(place.reconcile("1.5.0", 1).await, Reconciled::NotApplied { .. }), "it was never begun");
    place.deploy("1.5.0", 1).await.expect("deploys");
    let Reconciled::Applied { output, evidence } = place.reconcile("1.5.0", 1).await else { panic!("it was") };
    assert_eq!(output.previous.as_deref(), Some("1.4.1"));
    assert!(evidence.contains("current leads to 1.5.0"), "{evidence}");
    assert!(matches!(place.reconcile("1.5.0", 2).await, Reconciled::NotApplied { .. }), "it was another call");

    // As if the process had died between the link and the restart.
    let record = place.read("app/.deployment").replace("true", "false");
    place.write("app/.deployment", &record);
    place.write("loaded", "1.4.1");
    let Reconciled::Unknown { why } = place.reconcile("1.5.0", 1).await else { panic!("nobody knows") };
    assert!(why.contains("the service is not well"), "{why}");
    let ended = place.deploy("1.5.0", 2).await.expect("does it again");
    assert_eq!(
        (ended.previous.as_deref(), ended.changed, place.read("loaded").as_str()),
        (Some("1.4.1"), true, "1.5.0")
    );
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_goes_back_first() {
    let place = place_with(&DEPLOY.replace("300ms", "1m"), &["1.4.1", "ill-1"]);
    place.deploy("1.4.1", 0).await.expect("deploys");
    let cancel = place.act.cancel().clone();
    let stop = async {
        while place.read("loaded") != "ill-1" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.request();
    };
    let (args, key) = (args("ill-1"), key(1));
    let (ended, ()) = tokio::join!(Driver::<Deploy>::perform(&place.service, &args, &place.act, &key), stop);
    let fault = ended.expect_err("it was ended");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
    assert_eq!((place.live().await.as_deref(), place.read("loaded").as_str()), (Some("1.4.1"), "1.4.1"));
}

#[tokio::test]
async fn a_link_that_is_none_of_ours_is_left_alone() {
    for (what, says) in [("elsewhere", "leads to ../other, which is no release"), ("file", "it is no link")] {
        let place = place(&["1.5.0"]);
        place.write("app/releases/1.4.1/version", "1.4.1");
        match what {
            "file" => place.write("app/current", "mine"),
            _ => std::os::unix::fs::symlink("../other", place.path("app/current")).expect("links"),
        }
        let fault = place.version().await.expect_err("it cannot be told");
        assert!(fault.code == "version-unknown" && fault.message.contains(says), "{fault}");
        assert_eq!(place.deploy("1.5.0", 0).await.expect_err("nor deployed"), fault);
        assert_eq!(names(&place.path("app/releases")), ["1.4.1"]);
    }
}

#[tokio::test]
async fn without_a_look_at_its_health_a_closed_service_can_be_deployed() {
    let place = place(&["ill-1"]);
    let output = place.call(&Args { health: false, ..args("ill-1") }, 0).await.expect("nobody asks");
    assert!(output.changed && place.read("loaded") == "ill-1");
}
