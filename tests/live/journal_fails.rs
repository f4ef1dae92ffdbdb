//! A journal that cannot be written: the run stops before the effect, and what took place is what a whole run would have begun with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lifeboat::journal::{Journal, JournalError, MemoryJournal, Recorded, RunQuery, RunSummary};
use lifeboat::model::{Event, Halt, RunId, Verdict};
use lifeboat::runtime::{Error, Status};

use crate::trial::{Told, Trial};
use crate::valve::Does;

/// Changes inside and outside of steps, a question, and a fault that is undone.
const RUNBOOK: &str = r#"
turn("north", "open");
step "Open south" {
    turn("south", "open");
} rollback {
    turn("south", "closed");
}
confirm("Drain north?");
turn("north", "drained");
step "Open north again" {
    turn("north", "open");
} rollback {
    turn("north", "drained");
}
require(false, "the pressure is low");
"#;

/// Refuses appends, counted from 0.
struct Failing {
    inner: MemoryJournal,
    count: AtomicUsize,
    from: usize,
    /// Whether it works again after one failure.
    recovers: bool,
}

impl Failing {
    fn from(from: usize, recovers: bool) -> Arc<Self> {
        Arc::new(Self { inner: MemoryJournal::new(), count: AtomicUsize::new(0), from, recovers })
    }
}

impl Journal for Failing {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        if number == self.from || number > self.from && !self.recovers {
            return Err(JournalError::DiskFull { path: "journal.db".into() });
        }
        self.inner.append(run, events)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.inner.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.inner.recorded(run)
    }
}

fn with(journal: Arc<Failing>) -> Told {
    Trial::of(RUNBOOK).answers(&["yes"]).journal(journal).run()
}

/// The whole run, with how many appends it made.
fn whole() -> (Told, usize) {
    let journal = Failing::from(usize::MAX, false);
    let told = with(journal.clone());
    let appends = journal.count.load(Ordering::SeqCst);
    (told, appends)
}

#[test]
fn wherever_it_fails_no_effect_follows() {
    let (told, appends) = whole();
    let all = told.effects();
    assert_eq!(told.status(), Status::LeftChanged);
    assert_eq!((all.len(), appends), (6, 9), "six effects, a question that waits for its record, beginning and end");
    for recovers in [false, true] {
        let mut before = 0;
        for n in 1..appends - 1 {
            let told = with(Failing::from(n, recovers));
            let Verdict::Halted { halt: Halt::Journal { why }, .. } = halt_of(&told) else {
                panic!("append {n}: {:?}", told.ran().verdict)
            };
            assert!(why.contains("the disk is full"), "{why}");
            assert_eq!(told.status(), Status::Unrecorded, "it can be taken up again");
            let effects = told.effects();
            assert!(all.starts_with(&effects), "append {n}: {effects:?} is not how {all:?} begins");
            assert!(effects.len() >= before && effects.len() < all.len(), "append {n}: {effects:?}");
            before = effects.len();
            assert_eq!(told.ran().unrecorded.is_some(), !recovers, "append {n}: the end is recorded if it can be");
            let left = told.ran().aftermath.left.len();
            assert_eq!(left > 0, !told.open_valves().is_empty(), "append {n}: {}", told.sentence());
        }
    }
}

/// A halt while unwinding is as final as one before.
fn halt_of(told: &Told) -> Verdict {
    match told.ran().verdict.clone() {
        Verdict::Failed { unwinding_halted: Some(halt), unwound, .. } => {
            Verdict::Halted { halt, unwound, owed: Vec::new() }
        }
        other => other,
    }
}

#[test]
fn a_run_whose_beginning_cannot_be_recorded_is_not_started() {
    for recovers in [false, true] {
        let told = with(Failing::from(0, recovers));
        let error = told.ran.as_ref().expect_err("nothing may start");
        assert!(matches!(error, Error::Journal(_)), "it is the journal that failed, not Lifeboat: {error:?}");
        assert_eq!(told.effects(), [""; 0]);
        assert!(told.journal.runs(&RunQuery::default()).expect("it reads").is_empty());
    }
}

#[test]
fn an_end_that_cannot_be_recorded_is_told() {
    let (_, appends) = whole();
    let told = with(Failing::from(appends - 1, false));
    assert_eq!(told.effects().len(), 6);
    let why = told.ran().unrecorded.clone().expect("it is told");
    assert!(why.contains("the disk is full"), "{why}");
}

#[test]
fn what_was_recorded_before_it_failed_can_still_be_read() {
    let told = with(Failing::from(3, false));
    let recorded = told.recorded();
    assert_eq!(recorded.last().map(String::as_str), Some("intend turn south open"));
    assert_eq!(told.effects(), ["north open", "south open"]);
}

#[test]
fn an_attempt_that_a_person_asked_for_is_recorded_before_it_is_made() {
    let journal = Failing::from(3, false);
    let runbook = r#"turn("north", "open");"#;
    let told = Trial::of(runbook).north(&[Does::Sticks]).pausing().answers(&["retry"]).journal(journal).run();
    assert_eq!(told.asked, ["What now?"]);
    assert!(matches!(told.ran().verdict, Verdict::Halted { halt: Halt::Journal { .. }, .. }));
    assert_eq!(told.attempted_keys(), ["0"], "the second attempt was not made");
}
