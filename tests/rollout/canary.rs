//! `canary-release`: little by little, and back when it does not prove well.

use crate::rollout::Rollout;
use crate::shares;

#[test]
fn a_good_version_gets_all_users_in_the_end() {
    let Some(rollout) = Rollout::start() else { return };
    let (said, served) = rollout.used_during(|| rollout.run("canary-release", &["to=1.5.0", "checks=3"]));
    assert_eq!(said.code, Some(0), "{}", said.text);
    for stage in ["{ blue: 90, green: 10 }", "{ blue: 50, green: 50 }", "{ blue: 0, green: 100 }"] {
        assert!(said.text.replace("\n    ", " ").contains(stage), "{stage}: {}", said.text);
    }
    assert_eq!((served.failed, served.versions), (0, vec!["1.4.1".to_owned(), "1.5.0".to_owned()]));
    assert_eq!(rollout.versions(), ["1.5.0", "1.4.1", "1.5.0"]);
}

#[test]
fn a_canary_that_fails_orders_is_taken_back_before_it_gets_users() {
    let Some(rollout) = Rollout::start() else { return };
    let (said, served) = rollout.used_during(|| rollout.run("canary-release", &["to=1.5.1"]));
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("green is not well: 500"), "{}", said.text);
    assert_eq!((served.failed, served.versions), (0, vec!["1.4.1".to_owned()]));
    assert_eq!(rollout.versions(), ["1.4.1", "1.4.1", "1.4.1"]);
}

#[test]
fn a_canary_that_becomes_slow_with_its_users_gives_them_back() {
    let Some(rollout) = Rollout::start() else { return };
    rollout.write("dist/1.5.3/release.toml", "version = \"1.5.3\"\ndelay_ms = 300\n");
    // Tolerated as long as it has no users, and no longer.
    let sets = ["to=1.5.3", "fail_latency=200ms", "checks=2", "tolerate=2"];
    let slow = rollout.run("canary-release", &sets);
    assert_eq!(slow.code, Some(0), "every stage has two probes, and two may fail: {}", slow.text);
    rollout.write("dist/1.5.4/release.toml", "version = \"1.5.4\"\ndelay_ms = 300\n");
    let said = rollout.run("canary-release", &["to=1.5.4", "fail_latency=200ms", "checks=3", "tolerate=2"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("blue is not well"), "{}", said.text);
    assert_eq!(shares(&rollout), r#"#{"blue": 0, "green": 100}"#);
    assert_eq!(rollout.versions(), ["1.5.3", "1.4.1", "1.5.3"]);
}
