//! A run survives the end of its process at any point: taken up again, it ends as if nothing had happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lifeboat::journal::{Journal, JournalError, MemoryJournal, Recorded, RunQuery, RunSummary};
use lifeboat::model::{Event, EventBody, Halt, RunId, Verdict};
use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};
use crate::valve::Does;

/// A journal whose process dies before the commit with this number: nothing is written from then on, and no effect starts.
struct Dying {
    journal: Arc<MemoryJournal>,
    left: AtomicUsize,
}

impl Journal for Dying {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Err(JournalError::DiskFull { path: "the process is gone".into() });
        }
        self.journal.append(run, events)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.journal.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.journal.recorded(run)
    }
}

pub(crate) fn dying(journal: &Arc<MemoryJournal>, after: usize) -> Arc<dyn Journal> {
    Arc::new(Dying { journal: journal.clone(), left: AtomicUsize::new(after) })
}

const PLAIN: &str = r#"
param spare: string = "south";
let before = maintenance("web");
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", before); }
step "Turn" {
    turn("north", "open");
    step "Inside" { turn(spare, "open"); } rollback { turn(spare, "closed"); }
} rollback {
    turn("north", "closed");
}
log("half way");
maintenance("web", "off");
turn("north", "closed");
"#;

const FAILING: &str = r#"
step "South" { turn("south", "open"); } rollback { turn("south", "closed"); }
try { step "Tried" { turn("south", "half"); throw "no"; } rollback { turn("south", "open"); } } catch { log("caught"); }
step "North" { turn("north", "open"); throw "too far"; } rollback { turn("north", "closed"); }
"#;

const REPEATING: &str = r#"
let n = 0;
retry(#{ times: 3, every: "1ms" }, || { n += 1; turn("north", `open${n}`); require(n > 2, "again"); });
wait_until("three", #{ every: "1ms" }, || { n += 1; n > 5 });
turn("south", `after ${n}`);
"#;

const PARALLEL: &str = r#"
let all = parallel(["north", "south"], |valve| {
    step "One" { turn(valve, "open"); } rollback { turn(valve, "closed"); }
    turn(valve, "wide");
    valve
});
log(`${all}`);
point_of_no_return("far enough");
turn("north", "closed");
"#;

/// What a run comes to, told by those it changed.
fn ledger(told: &Told) -> (Status, Vec<String>) {
    let mut effects = told.effects();
    // Branches go on at the same time: which of them was first is nobody's business.
    effects.sort();
    (told.status(), effects)
}

/// Lets the process die before every commit, takes the run up again, and lets that process die as well.
fn survives(trial: &Trial) -> usize {
    let whole = trial.again().run();
    let expected = ledger(&whole);
    let mut points = 0;
    for first in 1.. {
        let mut second = 0;
        loop {
            let memory = Arc::new(MemoryJournal::new());
            let one = trial.again();
            let project = one.project();
            let died = one.journal(dying(&memory, first)).run_in(project);
            if died.ran.as_ref().is_ok_and(|ran| ran.unrecorded.is_none()) {
                assert_eq!(ledger(&died), expected);
                return points;
            }
            points += 1;
            // The second process dies too, at each of its commits; the third one comes to the end.
            let died = trial.again().journal(dying(&memory, second)).resume_in(died.project);
            let over = died.ran.as_ref().is_ok_and(|ran| ran.unrecorded.is_none());
            let last = if over { died } else { trial.again().journal(memory).resume_in(died.project) };
            assert_eq!(ledger(&last), expected, "died before commits {first} and {second}:\n{:#?}", last.recorded());
            if over {
                break;
            }
            second += 1;
        }
    }
    points
}

#[test]
fn a_run_that_goes_well_is_done_once_wherever_its_process_ends() {
    assert!(survives(&Trial::of(PLAIN)) > 40);
    assert!(survives(&Trial::of(REPEATING)) > 20);
    assert!(survives(&Trial::of(PARALLEL)) > 10);
}

#[test]
fn a_run_that_fails_is_undone_once_wherever_its_process_ends() {
    assert!(survives(&Trial::of(FAILING)) > 40);
    assert!(survives(&Trial::of(FAILING).north(&[Does::FallsSilent; 9])) > 40);
}

#[test]
fn an_effect_that_was_under_way_without_evidence_is_in_doubt_until_somebody_says() {
    let trial = Trial::of("turn(\"north\", \"open\");\nturn(\"south\", \"open\");").unwitnessed_north(&[]);
    for (applied, effects) in [(true, ["north open", "south open"]), (false, ["north open", "north open"])] {
        let memory = Arc::new(MemoryJournal::new());
        let one = trial.again();
        let project = one.project();
        // `started`, and the intent of the first effect: its outcome is lost.
        let died = one.journal(dying(&memory, 2)).run_in(project);
        assert_eq!(died.effects(), ["north open"]);
        let doubtful = trial.again().journal(memory.clone()).resume_in(died.project);
        assert_eq!(doubtful.status(), Status::InDoubt);
        let Verdict::Halted { halt: Halt::InDoubt { key, .. }, .. } = &doubtful.ran().verdict else {
            panic!("{:?}", doubtful.ran().verdict)
        };
        assert_eq!(key.to_string(), "0");
        let said =
            if applied { lifeboat::runtime::Settled::Applied(None) } else { lifeboat::runtime::Settled::NotApplied };
        let lifeboat = doubtful.project.builder().registry(crate::valve::registry()).journal(memory.clone()).build();
        let (_, what) = lifeboat.expect("it is configured").settle("latest", None, &said).expect("it is in doubt");
        assert_eq!(what, "turn north");
        let over = trial.again().journal(memory).resume_in(doubtful.project);
        assert_eq!(over.status(), Status::Completed, "{:?}", over.recorded());
        assert_eq!(over.effects()[..2], effects);
    }
}

#[test]
fn a_script_that_asks_for_something_else_has_diverged() {
    let changed = [
        ("turn(\"north\", \"open\");", "turn(\"north\", \"closed\");", "turn({ to: \"open\", valve: \"north\" })"),
        ("turn(\"north\", \"open\");", "log(\"first\"); turn(\"north\", \"open\");", "turn("),
        ("turn(\"north\", \"open\");", "", "turn("),
    ];
    for (before, after, recorded) in changed {
        let runbook = |line: &str| format!("{line}\nturn(\"south\", \"open\");\nturn(\"south\", \"wide\");\n");
        let memory = Arc::new(MemoryJournal::new());
        let one = Trial::of(&runbook(before));
        let project = one.project();
        let died = one.journal(dying(&memory, 3)).run_in(project);
        let effects = died.effects();
        let edited = Trial::of(&runbook(after)).journal(memory.clone());
        let refused = edited.again().journal(memory.clone()).resume_in(died.project);
        let why = refused.ran.as_ref().expect_err("the file has changed").to_string();
        assert!(why.contains("runbooks/trial.rhai changed since run"), "{why}");
        let told = edited.resume_edited_in(refused.project);
        let Verdict::Halted { halt: Halt::Diverged { recorded: was, .. }, .. } = &told.ran().verdict else {
            panic!("{after}: {:?}", told.ran().verdict)
        };
        assert!(was.starts_with(recorded), "{was}");
        assert_eq!(told.status(), Status::Diverged);
        assert_eq!(told.effects(), effects, "nothing was done");
        // It is not over: with the runbook as it was, it goes on.
        let over = Trial::of(&runbook(before)).journal(memory).resume_in(told.project);
        assert_eq!((over.status(), over.effects().len()), (Status::Completed, 3), "{:?}", over.recorded());
    }
}

#[test]
fn what_is_over_or_goes_on_is_not_taken_up() {
    let told = Trial::of("log(\"done\");").run();
    let (journal, project) = (told.journal.clone(), told.project);
    let again = Trial::of("log(\"done\");").journal(journal).resume_in(project);
    assert_eq!(again.ran.expect_err("it is over").to_string(), "refused: no run is unfinished");
}

#[test]
fn a_record_names_the_process_and_each_that_took_it_up() {
    let memory = Arc::new(MemoryJournal::new());
    let trial = Trial::of("turn(\"north\", \"open\");");
    let one = trial.again();
    let project = one.project();
    let died = one.journal(dying(&memory, 2)).run_in(project);
    let over = trial.again().journal(memory).resume_in(died.project);
    assert_eq!(
        over.recorded()[1..],
        ["intend turn north open", "resume", "settle turn north: closed", "end completed"]
    );
    let named = |event: &Event| match &event.body {
        EventBody::Started(started) => started.process.is_some(),
        EventBody::Resumed { process, .. } => process.is_some(),
        _ => false,
    };
    let run = over.journal.runs(&RunQuery::newest(1)).expect("it reads").pop().expect("a run").id;
    assert_eq!(over.journal.events(&run).expect("it reads").iter().filter(|event| named(event)).count(), 2);
}
