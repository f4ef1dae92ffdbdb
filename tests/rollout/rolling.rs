//! `rolling-restart`, and the strategies of the standard library that no runbook of ours uses.

use crate::rollout::Rollout;
use crate::shares;

/// Both sides share the traffic.
fn halves(rollout: &Rollout) {
    rollout.write("runbooks/halves.rhai", "//! Halves.\nroute(\"lb\", #{ shares: #{ blue: 50, green: 50 } });\n");
    let said = rollout.lifeboat(&["run", "runbooks/halves.rhai"]);
    assert_eq!(said.code, Some(0), "{}", said.text);
}

#[test]
fn every_server_is_restarted_without_one_request_lost() {
    let Some(rollout) = Rollout::start() else { return };
    let alone = rollout.run("rolling-restart", &[]);
    assert_eq!(alone.code, Some(1), "{}", alone.text);
    assert!(alone.text.contains("gives all of its traffic to one backend"), "{}", alone.text);

    halves(&rollout);
    // What a restart makes a server read shows that it was restarted.
    for side in ["blue", "green"] {
        let release = format!(".lifeboat/sandbox/{side}/releases/1.4.1/release.toml");
        rollout.write(&release, "version = \"1.4.1\"\ndelay_ms = 1\n");
    }
    let (said, served) = rollout.used_during(|| rollout.run("rolling-restart", &[]));
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert_eq!(served.failed, 0);
    assert_eq!(said.text.matches("▸ Restart one service").count(), 2, "{}", said.text);
    assert_eq!(shares(&rollout), r#"#{"blue": 50, "green": 50}"#);
}

#[test]
fn a_rolling_deployment_that_fails_at_the_second_server_takes_the_first_one_back() {
    let Some(rollout) = Rollout::start() else { return };
    halves(&rollout);
    let roll = "//! Roll.\nimport \"std/deploy\" as s;\nparam to: string;\nlet services = #{ blue: \"blue\", green: \"green\" };\n\
        s::rolling(\"lb\", services, to, #{ front: \"web\", every: \"20ms\" });\n";
    rollout.write("runbooks/roll.rhai", roll);
    let (said, served) = rollout.used_during(|| rollout.lifeboat(&["run", "runbooks/roll.rhai", "--set", "to=1.5.0"]));
    assert_eq!((said.code, served.failed), (Some(0), 0), "{}", said.text);
    assert_eq!(rollout.versions()[1..], ["1.5.0", "1.5.0"]);

    // 1.5.3 is there for the first server, and damaged for the second.
    rollout.write(".lifeboat/sandbox/blue/releases/1.5.3/release.toml", "version = \"1.5.3\"\n");
    rollout.write(".lifeboat/sandbox/green/releases/1.5.3/release.toml", "nonsense");
    let text = std::fs::read_to_string(rollout.path("lifeboat.toml")).expect("reads");
    rollout.write("lifeboat.toml", &text.replace("health_timeout = \"10s\"", "health_timeout = \"300ms\""));
    let (said, served) = rollout.used_during(|| rollout.lifeboat(&["run", "runbooks/roll.rhai", "--set", "to=1.5.3"]));
    assert_eq!((said.code, served.failed), (Some(1), 0), "{}", said.text);
    assert_eq!(rollout.versions()[1..], ["1.5.0", "1.5.0"]);
    assert_eq!(shares(&rollout), r#"#{"blue": 50, "green": 50}"#);
}

#[test]
fn the_plain_strategy_deploys_and_goes_back_when_something_fails_later() {
    let Some(rollout) = Rollout::start() else { return };
    let text = "//! Direct.\nimport \"std/deploy\" as s;\nlet done = s::direct(\"blue\", \"1.5.0\");\n\
        require(done.previous == \"1.4.1\", \"it gives what was before\");\nrequire(false, \"something fails later\");\n";
    rollout.write("runbooks/direct.rhai", text);
    let said = rollout.lifeboat(&["run", "runbooks/direct.rhai"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("something fails later"), "{}", said.text);
    assert_eq!(rollout.versions()[1], "1.4.1");
}

#[test]
fn an_option_that_does_not_exist_is_named_before_anything_is_done() {
    let Some(rollout) = Rollout::start() else { return };
    let text = "//! Typo.\nimport \"std/deploy\" as s;\ns::canary(\"lb\", #{ blue: \"blue\", green: \"green\" }, \"1.5.0\", #{ stage: [10] });\n";
    rollout.write("runbooks/typo.rhai", text);
    let said = rollout.lifeboat(&["run", "runbooks/typo.rhai"]);
    assert!(said.code == Some(1) && said.text.contains("there is no option stage"), "{}", said.text);
    let text = "//! Missing.\nimport \"std/deploy\" as s;\ns::blue_green(\"lb\", #{ blue: \"blue\" }, \"1.5.0\");\n";
    rollout.write("runbooks/missing.rhai", text);
    let said = rollout.lifeboat(&["run", "runbooks/missing.rhai"]);
    assert!(said.text.contains("which service stands behind the backend green"), "{}", said.text);
    assert_eq!(rollout.versions(), ["1.4.1", "1.4.1", "1.4.1"]);
}
