//! The drill that ships passes, again and again, and leaves evidence.

use lifeboat::model::{EventBody, Mode};
use lifeboat::runtime::{Judged, Report};

use crate::sandbox::Sandbox;
use crate::{assert_all_stopped, drill, recorded};

const DRILL: &str = "runbooks/drills/database-loss.rhai";

fn assert_passed(sandbox: &Sandbox, arguments: &[&str]) -> Report {
    let (said, report) = drill(sandbox, &[&[DRILL], arguments].concat());
    assert_eq!(said.code, Some(0), "{}", said.tail());
    assert_eq!(report.status, "completed");
    let objectives: Vec<_> = report.objectives.iter().map(|o| (o.name.as_str(), o.judged)).collect();
    assert_eq!(objectives, [("rto", Judged::Met), ("rpo", Judged::Met)]);
    assert!(report.objectives.iter().all(|o| o.measured.is_some_and(|measured| measured <= o.promised)));
    let measured = |name: &str| -> u64 {
        let found = report.measures.iter().find(|(measure, _)| measure == name);
        found.unwrap_or_else(|| panic!("{name} is measured")).1.parse().expect("a number")
    };
    // Orders are written for half a second after the backup: what came then is lost, and what came before is there.
    assert!(measured("rows lost") > 0);
    assert!(measured("rows restored") >= 100_000);
    let outage = report.outage.as_ref().expect("the service is watched");
    assert!(outage.failed > 0 && outage.failed < outage.probes, "{outage:?}");
    assert_all_stopped(sandbox);
    report
}

#[test]
fn it_passes_twice_in_a_row_and_leaves_evidence() {
    let sandbox = Sandbox::new();
    let first = assert_passed(&sandbox, &[]);
    let second = assert_passed(&sandbox, &[]);
    assert_ne!(first.run, second.run);
    for report in [&first, &second] {
        let evidence = sandbox.read(&format!(".lifeboat/drills/{}.json", report.run));
        assert_eq!(serde_json::from_str::<Report>(&evidence).expect("a report"), *report);
    }
    let events = recorded(&sandbox);
    let EventBody::Started(started) = &events[0].body else { panic!("{:?}", events[0]) };
    assert_eq!((started.mode, started.runbook.as_str()), (Mode::Drill, DRILL));
    assert_eq!(sandbox.read(".lifeboat/sandbox/maintenance"), "off");
    let told = sandbox.read(".lifeboat/sandbox/webhooks.jsonl");
    assert_eq!(told.matches("primary-down").count(), 4, "each drill tells of the problem and of its end: {told}");
}

#[test]
fn a_database_that_is_corrupt_is_restored_as_well() {
    let sandbox = Sandbox::new();
    let report = assert_passed(&sandbox, &["--set", "fault=corrupt"]);
    assert!(report.faults[0].starts_with("overwrote the header"), "{:?}", report.faults);
}

#[test]
fn what_people_read_is_the_report() {
    let sandbox = Sandbox::new();
    let said = sandbox.lifeboat(&["drill", DRILL]);
    assert_eq!(said.code, Some(0), "{}", said.tail());
    for word in ["RTO", "RPO", "rows lost", "rows restored", "evidence", "passed"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "no colour but on a terminal");
}
