//! Drills in which something goes wrong: what can be saved is saved, and what cannot is said.

use lifeboat::runtime::Judged;

use crate::sandbox::Sandbox;
use crate::{assert_all_stopped, drill, recorded_end};

#[test]
fn a_backup_that_rotted_after_it_was_verified_is_passed_over_for_the_one_before_it() {
    let sandbox = Sandbox::new();
    let (said, report) = drill(&sandbox, &["runbooks/tests/newest-backup-rots.rhai"]);
    assert_eq!(said.code, Some(0), "{}", said.tail());
    assert_eq!((report.status.as_str(), report.faults.len()), ("completed", 2));
    assert_all_stopped(&sandbox);
}

#[test]
fn without_any_backup_that_is_whole_nothing_is_restored_and_the_state_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    let said = sandbox.lifeboat(&["drill", "runbooks/tests/only-backup-rots.rhai"]);
    assert_eq!(said.code, Some(6), "{}", said.tail());
    let states: Vec<&str> = said.out.lines().filter(|line| line.trim().starts_with("state:")).collect();
    assert_eq!(states.len(), 1, "{}", said.out);
    let (undone, left) = states[0].split_once("; ").expect("two parts");
    assert_eq!(undone.trim(), "state: rolled back: Stop writes");
    for change in ["backup primary", "verify_backup primary", "inject backups", "inject primary"] {
        assert!(left.starts_with("left changed: ") && left.contains(change), "{change}: {left}");
    }
    assert!(!left.contains("maintenance") && !left.contains("restore"), "{left}");
    let words: String = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no verified backup of primary qualifies"), "{}", said.out);
    assert!(said.out.contains("NOT MEASURED") && said.out.contains("not passed"), "{}", said.out);

    assert!(!sandbox.path(".lifeboat/sandbox/orders.db").exists(), "what was lost is not replaced by something else");
    assert_eq!(sandbox.read(".lifeboat/sandbox/maintenance"), "off");
    assert_eq!(recorded_end(&sandbox), "left-changed");
    assert_all_stopped(&sandbox);
}

#[test]
fn an_objective_that_is_missed_is_said_to_be_though_all_went_well() {
    let sandbox = Sandbox::new();
    let (said, report) = drill(&sandbox, &["runbooks/tests/impossible-objective.rhai"]);
    assert_eq!(said.code, Some(5), "{}", said.tail());
    assert_eq!(report.status, "completed");
    let objectives: Vec<_> = report.objectives.iter().map(|o| (o.name.as_str(), o.judged)).collect();
    assert_eq!(objectives, [("rto", Judged::Missed), ("rpo", Judged::Met)]);
    assert_eq!(recorded_end(&sandbox), "completed");
}

#[test]
fn a_drill_may_not_share_its_database_with_an_environment_that_is_protected() {
    for path in [".lifeboat/sandbox/orders.db", "./.lifeboat/x/../sandbox//orders.db"] {
        let sandbox = Sandbox::new();
        let config = sandbox.read("lifeboat.toml");
        let production = format!(
            "[environments.production]\nprotected = true\n\
             [environments.production.databases.orders]\ndriver = \"sqlite\"\npath = \"{path}\"\n"
        );
        std::fs::write(sandbox.path("lifeboat.toml"), format!("{config}\n{production}")).expect("writes");
        let said = sandbox.lifeboat(&["drill", "runbooks/drills/database-loss.rhai"]);
        assert_eq!(said.code, Some(78), "{}", said.tail());
        assert!(said.err.contains("database `primary` of the drill environment"), "{}", said.err);
        assert!(!sandbox.path(".lifeboat/sandbox").exists(), "nothing was started");
    }
}

#[test]
fn an_environment_that_is_not_for_drills_is_not_drilled_in() {
    let sandbox = Sandbox::new();
    let config = sandbox.read("lifeboat.toml").replace("drill = true", "");
    std::fs::write(sandbox.path("lifeboat.toml"), config).expect("writes");
    let said = sandbox.lifeboat(&["drill", "runbooks/drills/database-loss.rhai"]);
    assert_eq!(said.code, Some(3), "{}", said.tail());
    assert!(said.err.contains("environment sandbox is no drill environment"), "{}", said.err);
}

#[test]
fn what_answers_already_is_somebody_else_s_and_not_broken() {
    let sandbox = Sandbox::new();
    let other = std::net::TcpListener::bind(("127.0.0.1", sandbox.web)).expect("it is free");
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for mut stream in other.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let said = sandbox.lifeboat(&["drill", "runbooks/drills/database-loss.rhai"]);
    assert_eq!(said.code, Some(3), "{}", said.tail());
    assert!(said.err.contains("`web` answers already"), "{}", said.err);
    assert_all_stopped(&sandbox);
}
