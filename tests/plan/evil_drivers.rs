//! Declared drivers that do harm whatever they are asked: what looks at nothing never starts one, and a plan starts only those that the
//! configuration declares and its targets name, and asks them for nothing but a look.

use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;
use crate::traced::{Trace, contents, lifeboat};

/// Notes what it is asked, and does harm: it writes beside itself, forks what outlives it, and connects.
const HARM: &str = r#"#!/bin/sh
request=$(cat)
kind=$(printf '%s' "$request" | sed 's/.*"request":"\([a-z]*\)".*/\1/')
id=$(printf '%s' "$request" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
echo "$kind" >> "ROOT/asked-$(basename "$0")"
case "$request" in *idempotency_key*) echo key >> "ROOT/keys" ;; esac
echo harm >> "ROOT/harm"
(sleep 30; echo late >> "ROOT/harm") > /dev/null 2>&1 &
"#;

/// What each of them answers.
const ANSWERS: [(&str, &str); 4] = [
    (
        "honest-looking",
        r#"case "$kind" in
describe) ok='{"name":"evil","version":"1","serves":{"service":["maintenance","probe"]}}' ;;
preview) ok='{"summary":"nothing to see here"}' ;;
*) ok='{"output":"off"}' ;;
esac
printf '{"protocol":1,"id":"%s","ok":%s}\n' "$id" "$ok""#,
    ),
    ("babbling", "yes 'no protocol at all' | head -c 100000"),
    ("silent", "exec sleep 600"),
    ("failing", "kill -9 $$"),
];

const RUNBOOK: &str = r#"
    step "Close" {
        try { maintenance("shop", "on"); } catch { log("it cannot be closed"); }
    } rollback {
        maintenance("shop", "off");
    }
    if probe("shop").ok { log("open"); }
"#;

/// The sandbox, with a service `shop` that this driver serves, and others that no target names.
fn project(driver: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut config = sandbox.read("lifeboat.toml");
    let root = sandbox.path("").to_string_lossy().into_owned();
    std::fs::create_dir(sandbox.path("drivers")).expect("a directory");
    for (name, answer) in ANSWERS {
        let program = sandbox.path(&format!("drivers/{name}"));
        std::fs::write(&program, format!("{}{answer}\n", HARM.replace("ROOT/", &root))).expect("a driver");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it may be started");
        config = format!("{config}\n[drivers.{name}]\nprogram = [\"drivers/{name}\"]\nlook_time_limit = \"1s\"\n");
    }
    let service = format!("\n[environments.sandbox.services.shop]\ndriver = \"{driver}\"\n");
    std::fs::write(sandbox.path("lifeboat.toml"), format!("{config}{service}")).expect("a configuration");
    std::fs::write(sandbox.path("runbooks/closes.rhai"), RUNBOOK).expect("a runbook");
    let test = "test \"it closes\" { let ran = play(\"closes.rhai\", #{}); expect(ran.ended == \"well\"); }\n";
    std::fs::write(sandbox.path("runbooks/closes_test.rhai"), test).expect("a test");
    sandbox
}

fn assert_nothing(sandbox: &Sandbox, arguments: &[&str], before: &[(String, Vec<u8>)], trace: &Trace) {
    assert_eq!(trace.started, [""; 0], "{arguments:?}: it starts nobody");
    assert!(trace.contacted.is_empty(), "{arguments:?}: {trace:?}");
    assert!(trace.opened_to_write.is_empty() && trace.others.is_empty(), "{arguments:?}: {trace:?}");
    assert!(contents(&sandbox.path("")) == before, "{arguments:?}: every file is as it was");
}

#[test]
fn what_looks_at_nothing_starts_no_driver() {
    for (driver, _) in ANSWERS {
        let sandbox = project(driver);
        let before = contents(&sandbox.path(""));
        for arguments in [
            &["plan", "--offline", "runbooks/closes.rhai"][..],
            &["explore", "runbooks/closes.rhai"],
            &["explore", "runbooks/closes.rhai", "--format", "html"],
            &["test", "runbooks/closes_test.rhai"],
        ] {
            let Some((said, trace)) = lifeboat(&sandbox, arguments) else { return };
            assert!(said.code.is_some_and(|code| code < 64), "{driver} {arguments:?}: {}", said.tail());
            assert_nothing(&sandbox, arguments, &before, &trace);
        }
    }
}

#[test]
fn a_review_starts_no_driver() {
    let sandbox = project("honest-looking");
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
        let done = std::process::Command::new("git").arg("-C").arg(sandbox.path("")).args(who).args(args).output();
        assert!(done.expect("git starts").status.success(), "{args:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "Begin"]);
    git(&["switch", "-q", "-c", "feature"]);
    std::fs::write(sandbox.path("runbooks/closes.rhai"), RUNBOOK.replace("open", "it is open")).expect("a runbook");
    git(&["commit", "-q", "-am", "Change"]);
    let before = contents(&sandbox.path(""));
    let review = ["review", "main..feature", "--faults", "1", "--runbook", "runbooks/closes.rhai"];
    let Some((said, trace)) = lifeboat(&sandbox, &review) else { return };
    assert!(said.code.is_some_and(|code| code < 64), "{}", said.tail());
    assert!(said.out.contains("closes.rhai"), "it was reviewed: {}", said.out);
    let drivers: Vec<_> = trace.started.iter().filter(|line| line.contains("/drivers/")).collect();
    assert!(drivers.is_empty(), "{drivers:?}");
    assert!(contents(&sandbox.path("")) == before, "every file is as it was");
}

/// A program that runs as the user can do what the user can: what a plan promises is whom it starts, and what it asks.
#[test]
fn a_plan_starts_no_driver_but_those_that_its_targets_name_and_only_looks() {
    for (driver, _) in ANSWERS {
        let sandbox = project(driver);
        let Some((said, trace)) = lifeboat(&sandbox, &["--json", "plan", "runbooks/closes.rhai"]) else { return };
        let programs: Vec<_> = trace.started.iter().filter(|line| line.contains("/drivers/")).collect();
        assert!(!programs.is_empty(), "{driver}: it is asked");
        let named = format!("/drivers/{driver}\"");
        assert!(programs.iter().all(|line| line.contains(&named)), "{driver}: {programs:?}");
        let asked = sandbox.read(&format!("asked-{driver}"));
        let looks = |kind: &str| matches!(kind, "describe" | "preview" | "observe");
        assert!(!asked.is_empty() && asked.lines().all(looks), "{driver}: {asked}");
        assert!(!sandbox.path("keys").exists(), "{driver}: none is given what would let it carry anything out");
        match driver {
            "honest-looking" => assert!(said.out.contains("nothing to see here"), "{}", said.tail()),
            // It does not even describe itself: the plan is refused before anything is planned.
            _ => assert_eq!((said.code, asked.lines().count()), (Some(78), 1), "{driver}: {}", said.tail()),
        }
        // What a driver leaves running is ended when it has replied: it would have written once more by now, or never does.
        let harmed = sandbox.read("harm").lines().count();
        assert_eq!(harmed, asked.lines().count(), "{driver}: nothing outlives it");
        let alive = std::process::Command::new("pgrep")
            .args(["-f", &format!("{}drivers/", sandbox.path("").display())])
            .output();
        let alive = alive.map(|found| String::from_utf8_lossy(&found.stdout).into_owned()).unwrap_or_default();
        assert_eq!(alive, "", "{driver}: no process of it is left");
    }
}

/// What shows that the tests above could see it: a run does start them, with a key.
#[test]
fn a_run_is_seen_to_start_the_driver() {
    let sandbox = project("honest-looking");
    let Some((_, trace)) = lifeboat(&sandbox, &["run", "runbooks/closes.rhai"]) else { return };
    assert!(trace.started.iter().any(|line| line.contains("/drivers/honest-looking\"")), "{trace:?}");
    assert!(sandbox.read("asked-honest-looking").lines().any(|kind| kind == "perform"));
    assert!(sandbox.path("keys").exists());
}
