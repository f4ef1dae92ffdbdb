//! What the journal holds, and when it holds it.

use std::sync::{Arc, Mutex};

use lifeboat::journal::{Journal, JournalError, LibsqlJournal, MemoryJournal, Recorded, RunQuery, RunSummary};
use lifeboat::model::{Event, EventBody, RunId};
use lifeboat::runtime::Status;

use crate::trial::{Trial, describe};
use crate::valve::Does;

/// Opens both valves, each in a step that closes it again.
const BOTH: &str = r#"
step "Open north" {
    turn("north", "open");
} rollback {
    turn("north", "closed");
}
step "Open south" {
    turn("south", "open");
} rollback {
    turn("south", "closed");
}
"#;

#[test]
fn a_run_that_goes_well_is_recorded_in_the_order_of_the_script() {
    let told = Trial::of(BOTH).run();
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(told.effects(), ["north open", "south open"]);
    assert_eq!(
        told.recorded(),
        [
            "started runbooks/trial.rhai",
            "enter step Open north",
            "intend turn north open",
            "settle turn north: closed",
            "leave Open north: completed, owes",
            "enter step Open south",
            "intend turn south open",
            "settle turn south: closed",
            "leave Open south: completed, owes",
            "end completed",
        ]
    );
    assert_eq!(told.recorded(), describe(&told.heard), "a listener hears what is recorded");
}

#[test]
fn a_fault_undoes_its_step_at_once_and_the_others_at_the_end_newest_first() {
    let failing = format!(
        "{BOTH}\nstep \"Fill\" {{\n turn(\"north\", \"open\");\n throw \"it leaks\";\n}} rollback {{\n turn(\"north\", \"drained\");\n}}"
    );
    let told = Trial::of(&failing).run();
    assert_eq!(told.status(), Status::RolledBack);
    assert_eq!(told.fault().message, "it leaks");
    assert_eq!(
        told.recorded()[9..],
        [
            "enter step Fill",
            "intend turn north open",
            "settle turn north: open",
            "enter rollback Fill",
            "intend turn north drained",
            "settle turn north: open",
            "leave Fill: completed",
            "leave Fill: faulted",
            "unwind Open south, Open north",
            "enter rollback Open south",
            "intend turn south closed",
            "settle turn south: open",
            "leave Open south: completed",
            "enter rollback Open north",
            "intend turn north closed",
            "settle turn north: drained",
            "leave Open north: completed",
            "end failed",
        ]
    );
}

/// Notes what had taken place in the world whenever something was made durable.
struct Attentive {
    inner: MemoryJournal,
    effects: std::path::PathBuf,
    /// For each append: how many effects had taken place, and its events.
    appends: Mutex<Vec<(usize, Vec<Event>)>>,
}

impl Journal for Attentive {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        let effects = std::fs::read_to_string(&self.effects).unwrap_or_default().lines().count();
        self.appends.lock().expect("nobody panicked").push((effects, events.to_vec()));
        self.inner.append(run, events)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.inner.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.inner.recorded(run)
    }
}

#[test]
fn an_intent_is_durable_before_its_effect_and_an_outcome_before_the_next_effect() {
    let failing = format!("{BOTH}\nthrow \"it leaks\";");
    let trial = Trial::of(&failing);
    let project = trial.project();
    let inner = MemoryJournal::new();
    let journal = Arc::new(Attentive { inner, effects: project.path("effects"), appends: Mutex::default() });
    let told = trial.journal(journal.clone()).run_in(project);
    assert_eq!(told.effects(), ["north open", "south open", "south closed", "north closed"]);

    let appends = journal.appends.lock().expect("nobody panicked");
    let durable_when = |wanted: &dyn Fn(&EventBody) -> bool| -> Vec<usize> {
        let count = |(effects, events): &(usize, Vec<Event>)| {
            vec![*effects; events.iter().filter(|event| wanted(&event.body)).count()]
        };
        appends.iter().flat_map(count).collect()
    };
    let intents = durable_when(&|body| matches!(body, EventBody::Intended { .. }));
    assert_eq!(intents, [0, 1, 2, 3], "the n-th intent is durable when n effects have taken place, not one more");
    let outcomes = durable_when(&|body| matches!(body, EventBody::Settled(_)));
    assert_eq!(outcomes, [1, 2, 3, 4], "the n-th outcome is durable before the effect after it takes place");
    assert_eq!(appends.len(), 4 + 2, "one commit for each effect, one for the beginning, one for the end");
}

#[test]
fn what_takes_its_time_waits_until_the_outcome_before_it_is_durable() {
    let trial = Trial::of(r#"turn("north", "open"); confirm("Go on?"); turn("south", "open");"#).answers(&["yes"]);
    let project = trial.project();
    let inner = MemoryJournal::new();
    let journal = Arc::new(Attentive { inner, effects: project.path("effects"), appends: Mutex::default() });
    let told = trial.journal(journal.clone()).run_in(project);
    assert_eq!(told.status(), Status::Completed);
    let batches: Vec<Vec<String>> =
        journal.appends.lock().expect("nobody panicked").iter().map(|(_, events)| describe(events)).collect();
    assert_eq!(
        batches[2],
        ["settle turn north: closed", "await confirm"],
        "nobody is asked before it is known what was done"
    );
}

/// Every kind of target at once, in a journal in a file.
const REAL: &str = r#"
require(probe("web").ok, "the service is ill");
require(probe("primary", #{ query: "SELECT count(*) FROM orders", at_least: 100 }).ok, "the database is empty");
step "Close the service" {
    maintenance("web", "on");
} rollback {
    maintenance("web", "off");
}
let taken = backup("primary");
verify_backup("primary", #{ id: taken.id });
notify("incidents", `restoring from ${taken.id}`, #{ required: true });
step "Restore" {
    restore("primary", #{ from: taken.id });
}
taken.id
"#;

#[test]
fn real_drivers_are_carried_out_for_real_and_recorded_in_a_file() {
    let trial = Trial::of(REAL);
    let project = trial.project();
    project.database(100);
    let journal = Arc::new(LibsqlJournal::open(project.path(".lifeboat/journal.db")).expect("a journal"));
    let told = trial.journal(journal.clone()).run_in(project);
    assert_eq!(told.status(), Status::Completed, "{:?}", told.ran().verdict);

    assert_eq!(told.project.web.requests(), 1);
    assert_eq!(told.project.read("maintenance").trim(), "on");
    assert_eq!(told.project.read("incidents.jsonl").lines().count(), 1);
    let stored = std::fs::read_dir(told.project.path("backups/primary")).expect("a store").count();
    assert_eq!(stored, 1);
    let replaced = std::fs::read_dir(told.project.path(".")).expect("lists").flatten();
    let replaced = replaced.filter(|e| e.file_name().to_string_lossy().contains("primary.db.replaced")).count();
    assert_eq!(replaced, 1, "what was there before is kept");

    assert_eq!(told.recorded(), describe(&told.heard));
    let verified = journal.verify(&told.ran().id).expect("it reads");
    assert_eq!((verified.broken, verified.events), (None, told.heard.len() as u64));
    let settled: Vec<String> = told.recorded().into_iter().filter(|line| line.starts_with("settle")).collect();
    assert_eq!(
        settled,
        [
            "settle probe web: ok",
            "settle probe primary: ok",
            "settle maintenance web: off",
            "settle backup primary: ok",
            "settle verify_backup primary: ok",
            "settle notify incidents: ok",
            "settle restore primary: ok",
        ]
    );
}

#[test]
fn a_service_that_is_ill_stops_a_runbook_that_requires_it() {
    let trial = Trial::of(REAL);
    let project = trial.project();
    project.web.fall_ill();
    let told = trial.run_in(project);
    assert_eq!((told.status(), told.fault().message.as_str()), (Status::RolledBack, "the service is ill"));
    assert_eq!(told.sentence(), "nothing was changed");
}

#[test]
fn a_valve_that_breaks_after_it_turned_has_turned() {
    let told = Trial::of(BOTH).north(&[Does::Breaks]).run();
    assert_eq!(told.status(), Status::RolledBack);
    assert_eq!(told.effects(), ["north open", "north closed"], "its step is undone, the next is never begun");
}
