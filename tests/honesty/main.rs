//! The dry run is honest: each runbook is planned, then really run, and every line of the plan is held against what then happened.
//!
//! A case is a runbook and a world. Its plan is made; then it runs, against the same real parts (files, SQLite, HTTP, processes, a
//! webhook), or against parts that somebody has changed meanwhile. Then
//! - what was called, in which order, on what and with which arguments, is the plan, and it ends as the plan ends;
//! - what the plan said that it had *observed* is what the run found, whatever it *predicted* came about, in what the call returned
//!   and in the world, and what it *assumed* ended as assumed, because the world of the case is made so;
//! - the run is among the paths that an exploration of the runbook walks, and where that one is said to leave nothing changed, the world is
//!   as it was.
//!
//! Where a plan cannot know how it goes on, it must have said so: it ends there (`open`), or the run leaves it at a line that was
//! assumed (`leaves`), never at one that was observed or predicted.
#![expect(clippy::disallowed_methods, reason = "tests set up, read and move what a plan and a run meet")]
#![expect(clippy::print_stdout, reason = "tests say what they have compared")]

#[path = "../harness/http.rs"]
#[expect(dead_code, reason = "the shop answers as its files say, and is not told to be ill from here")]
mod http;
#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "the service that is of interest here is steered by files")]
mod project;

mod case;
mod cases;
mod fits;
mod judge;
mod person;
mod planned;
mod record;
mod table;
mod trial;
mod walked;
mod witness;
mod world;

use case::Case;
use table::table;
use trial::try_out;

/// Plans and runs a case: nothing that the plan said was untrue, and all that it said was looked at.
fn honest(case: &Case) {
    let report = try_out(case);
    assert!(report.lies.is_empty(), "{}\n\n{}", case.runbook, report.lies.join("\n\n"));
    assert_eq!(report.lines, case.compared().len(), "so many lines were held against the run");
    let (seen, rollbacks, walked) = (report.seen, report.rollbacks, report.walked);
    println!("{} lines, {seen} seen in the world, {rollbacks} of rollbacks; its path: {walked:?}", report.lines);
}

#[test]
fn what_is_held_against_runs_in_all() {
    let cases: Vec<Case> = cases::all().into_iter().map(|(_, case)| case()).collect();
    let table = table(&cases);
    println!("{table}");
    assert!(cases.len() >= 40, "{} cases", cases.len());
    insta::assert_snapshot!(table, @r"
    plans, each really run                     130
      completes as planned                      62
      fails at the planned call                 35
      goes on where the plan is open            27
      leaves it where it only assumed            6
      and is rolled back afterwards             10
    lines, each held against its call          378
      observed                                  60
      predicted                                105
      assumed                                  190
      pinned                                    23
    ");
}
