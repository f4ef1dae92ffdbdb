//! Drills, by the real program: the rehearsal that ships, and rehearsals in which something goes wrong on purpose.
#![expect(clippy::disallowed_methods, reason = "tests set up, read and start what a drill meets")]

#[path = "../harness/sandbox.rs"]
mod sandbox;

mod interrupted;
mod passes;
mod running;
mod sabotage;

use lifeboat::journal::{Journal, LibsqlJournal};
use lifeboat::model::{Event, EventBody};
use lifeboat::runtime::Report;

use running::processes_in;
use sandbox::{Said, Sandbox};

/// Runs a drill to its end, with `--json`. The last line is the report.
fn drill(sandbox: &Sandbox, arguments: &[&str]) -> (Said, Report) {
    let said = sandbox.lifeboat(&[&["--json", "drill"], arguments].concat());
    let last = said.out.lines().last().unwrap_or_else(|| panic!("a report: {}", said.tail()));
    let report = serde_json::from_str(last).unwrap_or_else(|why| panic!("{why}: {}", said.tail()));
    (said, report)
}

/// The events of the last run, from the journal, whose chain is whole.
fn recorded(sandbox: &Sandbox) -> Vec<Event> {
    let journal = LibsqlJournal::open_existing(sandbox.path(".lifeboat/journal.db")).expect("opens").expect("is there");
    let run = journal.find("latest").expect("a run");
    assert_eq!(journal.verify(&run).expect("it reads").broken, None);
    journal.events(&run).expect("it reads")
}

/// The status with which the journal says that the last run ended.
fn recorded_end(sandbox: &Sandbox) -> String {
    match recorded(sandbox).pop().map(|event| event.body) {
        Some(EventBody::Ended { status, .. }) => status,
        other => panic!("the last event is no end: {other:?}"),
    }
}

/// Whatever happened, no process of a drill is left.
fn assert_all_stopped(sandbox: &Sandbox) {
    assert_eq!(processes_in(&sandbox.path("")), []);
}
