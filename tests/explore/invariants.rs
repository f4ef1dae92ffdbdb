//! Each invariant: a runbook that breaks it, with the shortest path that shows it, and one that keeps it.

use lifeboat::model::{Exploration, INVARIANTS};

use crate::{explore, project::Project, request, told};

fn explored(protected: bool, runbook: &str) -> Exploration {
    let project = Project::configured(if protected { "protected = true" } else { "" }, "");
    explore(&request(&project, runbook), &project).expect("it can be explored")
}

/// The runbook breaks this one alone; why, and the shortest path that shows it.
#[track_caller]
fn breaks(invariant: &str, runbook: &str) -> (String, Vec<String>) {
    let exploration = explored(true, runbook);
    let names: Vec<&str> = exploration.violations.iter().map(|violated| &*violated.invariant).collect();
    assert_eq!(names, [invariant], "{runbook}");
    let violated = &exploration.violations[0];
    assert!(violated.story.iter().any(|line| line.broken), "{:?}", violated.story);
    assert!(!exploration.is_sound() && INVARIANTS.contains(&(&*violated.invariant, &*violated.summary)));
    (violated.why.clone(), told(&violated.story))
}

#[track_caller]
fn keeps(runbook: &str) {
    let exploration = explored(true, runbook);
    assert_eq!(exploration.violations, [], "{runbook}");
    assert!(exploration.is_sound());
}

const TELL: &str = "notify(\"incidents\", \"It begins\");\n";

#[test]
fn maintenance_is_as_it_was_after_a_failure() {
    let closed = format!("{TELL}maintenance(\"web\", \"on\");\nconfirm(\"Go on?\");\nmaintenance(\"web\", \"off\");");
    let (why, story) = breaks("maintenance-restored", &closed);
    assert_eq!(why, "web stays in maintenance");
    assert_eq!(story[1..], ["2 maintenance web on → failed-applied"]);
    let past = format!(
        "{TELL}step \"Close\" {{ maintenance(\"web\", \"on\"); }} rollback {{ maintenance(\"web\", \"off\"); }}\n\
         point_of_no_return(\"it is gone\");\nconfirm(\"Open?\");\nmaintenance(\"web\", \"off\");"
    );
    assert!(breaks("maintenance-restored", &past).0.contains("a point of no return has cancelled its rollback"));
    keeps(&format!(
        "{TELL}step \"Close\" {{ maintenance(\"web\", \"on\"); }} rollback {{ maintenance(\"web\", \"off\"); }}\n\
         confirm(\"Go on?\");\nmaintenance(\"web\", \"off\");"
    ));
}

#[test]
fn traffic_goes_only_to_what_is_healthy() {
    let blind = format!(
        "{TELL}step \"Close\" {{ maintenance(\"web\", \"on\"); }} rollback {{ maintenance(\"web\", \"off\"); }}\n\
         probe(\"web\");\nmaintenance(\"web\", \"off\");"
    );
    let (why, story) = breaks("open-only-when-healthy", &blind);
    assert_eq!(why, "web gets traffic, and its check in line 3 failed");
    assert_eq!(story.last().map(String::as_str), Some("4 maintenance web off (was on)"));
    keeps(&blind.replace("probe(\"web\");", "require(probe(\"web\").ok, \"ill\");"));
}

#[test]
fn a_protected_target_is_destroyed_only_with_a_verified_backup() {
    let blind = format!("{TELL}restore(\"primary\", #{{ from: latest_backup(\"primary\").id }});");
    let (why, story) = breaks("backup-before-destroying", &blind);
    assert_eq!(why, "restore primary without a verified backup of it before");
    assert_eq!(story.len(), 3);
    assert_eq!(explored(false, &blind).violations, [], "only what is protected");
    keeps(&blind.replace("(\"primary\").id", "(\"primary\", #{ verified: true }).id"));
    keeps(&format!(
        "{TELL}let made = backup(\"primary\");\nrequire(verify_backup(\"primary\", #{{ id: made.id }}).ok, \"broken\");\n\
         restore(\"primary\", #{{ from: made.id }});"
    ));
}

#[test]
fn somebody_is_told_of_what_fails() {
    let silent = "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\nconfirm(\"Go on?\");";
    assert!(breaks("told", silent).0.contains("nobody hears of it"));
    keeps(&format!("{TELL}{silent}"));
    keeps("confirm(\"Go on?\");");
    keeps("backup(\"primary\");\nconfirm(\"Go on?\");");
}

#[test]
fn nothing_is_destroyed_after_a_failed_check() {
    let unheeded = format!(
        "{TELL}let found = latest_backup(\"primary\", #{{ verified: true }});\nverify_backup(\"primary\");\n\
         restore(\"primary\", #{{ from: found.id }});"
    );
    let (why, _) = breaks("no-destruction-after-a-failed-check", &unheeded);
    assert_eq!(why, "restore primary takes place, although verify_backup primary in line 3 failed");
    keeps(&unheeded.replace("verify_backup(\"primary\");", "require(verify_backup(\"primary\").ok, \"broken\");"));
}

#[test]
fn a_waiver_with_a_reason_is_shown_and_nothing_more() {
    let waived = "//! Quick.\n//! waive: told: whoever types it sees it\n\
        step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\nconfirm(\"Go on?\");";
    let exploration = explored(false, waived);
    assert!(exploration.is_sound());
    assert_eq!(exploration.violations[0].waived.as_deref(), Some("whoever types it sees it"));
    for (waiver, message) in [
        ("waive: tell: x", "there is no invariant `tell`"),
        ("waive: told", "a waiver gives its reason"),
        ("waive: told:", "a waiver gives its reason"),
    ] {
        let project = Project::configured("", "");
        let error = explore(&request(&project, &format!("//! Quick.\n//! {waiver}\n")), &project).expect_err(waiver);
        let lifeboat::runtime::Error::Check { findings, .. } = &error else { panic!("{error}") };
        assert_eq!(findings[0].message, message);
    }
}
