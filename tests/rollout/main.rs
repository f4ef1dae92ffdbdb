//! The runbooks that deploy, by the real program, on the project in `examples/rollout`: two services behind HAProxy that are used
//! all the while.
#![expect(clippy::disallowed_methods, reason = "tests set up, read and start what a deployment meets")]

#[path = "../harness/rollout.rs"]
mod rollout;

mod canary;
mod migration;
mod rolling;

use rollout::Rollout;

const RUNBOOKS: [&str; 3] =
    ["runbooks/deploy-with-migration.rhai", "runbooks/rolling-restart.rhai", "runbooks/canary-release.rhai"];

/// How traffic is shared out, as `routes` tells it.
fn shares(rollout: &Rollout) -> String {
    rollout.look("routes(\"lb\").shares")
}

#[test]
fn the_runbooks_are_sound_and_a_plan_of_them_changes_nothing() {
    let Some(rollout) = Rollout::start() else { return };
    let checked = rollout.lifeboat(&[&["check"], &RUNBOOKS[..]].concat());
    assert!(checked.text.contains("3 runbooks: 0 errors, 0 warnings"), "{}", checked.text);

    let deploy = rollout.lifeboat(&["plan", RUNBOOKS[0], "--set", "to=1.5.0"]);
    for line in ["~ deploy green: 1.4.1 → 1.5.0", "if it is rolled back:", "~ migrate primary (down: true, to: none)"]
    {
        assert!(deploy.code == Some(0) && deploy.text.contains(line), "{line}: {}", deploy.text);
    }
    let comment = rollout.lifeboat(&["plan", RUNBOOKS[0], "--set", "to=1.5.0", "--format", "md"]).text;
    for line in ["| changes | `deploy` green: 1.4.1 → 1.5.0", " | Deploy to the idle side | ", "| std/deploy:"] {
        assert!(comment.contains(line), "{line}: {comment}");
    }
    let page = rollout.lifeboat(&["plan", RUNBOOKS[0], "--set", "to=1.5.0", "--format", "html"]).text;
    for part in ["<span> green: 1.4.1 → 1.5.0</span>", "<td>Deploy to the idle side</td>", "if it is rolled back:"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let missing = rollout.lifeboat(&["plan", RUNBOOKS[2], "--set", "to=1.6.0"]);
    assert!(missing.text.contains("there is no version 1.6.0"), "{}", missing.text);
    let canary = rollout.lifeboat(&["plan", RUNBOOKS[2], "--set", "to=1.5.0"]);
    assert!(canary.code == Some(0) && canary.text.contains("~ route lb (percent: 50, to: green)"), "{}", canary.text);

    assert_eq!(rollout.versions(), ["1.4.1", "1.4.1", "1.4.1"]);
    assert_eq!(shares(&rollout), r#"#{"blue": 100, "green": 0}"#);
}
