//! The recorder as a specification: who shares a commit, and what happens when one fails.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::journal::{MemoryJournal, Recorded, RunQuery, RunSummary};
use crate::model::{ImpactKind, Mode, Segment, Site, Value};
use crate::system::System;

/// A journal that writes only once it is let, and counts.
#[derive(Default)]
struct Gated {
    inner: MemoryJournal,
    appends: AtomicUsize,
    fails: bool,
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gated {
    fn let_it_write(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

impl Journal for Gated {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        let number = self.appends.fetch_add(1, Ordering::SeqCst);
        if number > 0 {
            let closed = |open: &mut bool| !*open;
            drop(self.changed.wait_timeout_while(self.open.lock().unwrap(), Duration::from_secs(60), closed).unwrap());
        }
        // The first one is the beginning of the run. A second attempt would work.
        if self.fails && number == 1 {
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

fn begun(journal: &Arc<Gated>) -> Recorder {
    let look = Look::new(Arc::new(System::new("/nowhere".into())));
    let run = RunId::new(look.now(), 7);
    let recorder = Recorder::new(run.clone(), journal.clone(), look, Vec::new());
    let started = Started {
        run,
        mode: Mode::Run,
        runbook: "a.rhai".into(),
        environment: "test".into(),
        params: Value::Null,
        by: "me@here".into(),
        digests: std::collections::BTreeMap::default(),
        version: "0".into(),
        process: None,
        break_glass: None,
        plan: None,
    };
    recorder.begin(started).expect("it begins");
    recorder
}

fn intended(branch: u32) -> EventBody {
    EventBody::Intended {
        key: Key::ROOT.child(Segment::Call(0)).child(Segment::Branch(branch)).child(Segment::Call(0)),
        attempt: 1,
        primitive: "turn".into(),
        args: Value::Null,
        site: Site { file: "a.rhai".into(), line: 1, column: 1 },
        impact: Impact::on(ImpactKind::Change, "north"),
    }
}

/// Eight branches intend something, all of them before the first commit is over. How many could go on, and how many commits
/// there were after the first one.
fn eight_branches(fails: bool) -> (usize, usize, Recorder, Arc<Gated>) {
    let journal = Arc::new(Gated { fails, ..Gated::default() });
    let recorder = begun(&journal);
    let went_on = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for branch in 0..8 {
            let (recorder, went_on) = (&recorder, &went_on);
            scope.spawn(move || {
                recorder.note(intended(branch));
                if recorder.commit().is_ok() {
                    went_on.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while recorder.state().next < 9 {
            std::thread::yield_now();
        }
        assert_eq!(went_on.load(Ordering::SeqCst), 0, "nothing starts before it is durable");
        journal.let_it_write();
    });
    (went_on.into_inner(), journal.appends.load(Ordering::SeqCst) - 1, recorder, journal)
}

#[test]
fn what_is_noted_while_a_commit_waits_for_the_disk_shares_the_next_one() {
    let (went_on, commits, recorder, journal) = eight_branches(false);
    assert_eq!(went_on, 8);
    assert!((1..=2).contains(&commits), "one for the first, one for all others: {commits}");
    let events = journal.events(recorder.run()).expect("it reads");
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
}

#[test]
fn after_a_commit_that_failed_no_effect_starts_in_any_branch_though_the_journal_works_again() {
    let (went_on, _, recorder, journal) = eight_branches(true);
    assert_eq!(went_on, 0);
    assert!(matches!(recorder.commit(), Err(Halt::Journal { .. })));
    assert_eq!(recorder.commit_if_possible(), Ok(()), "the end of the run is recorded if it can be");
    assert_eq!(journal.events(recorder.run()).expect("it reads").len(), 9, "nothing was lost");
}

#[test]
fn a_run_that_only_looks_does_not_keep_all_its_events_in_memory() {
    let journal = Arc::new(Gated::default());
    journal.let_it_write();
    let recorder = begun(&journal);
    for n in 0..GATHERED * 3 {
        let key = Key::ROOT.child(Segment::Call(u32::try_from(n).expect("small")));
        recorder.note(EventBody::Decided { key, decision: "retry".into(), reason: None });
        recorder.commit_outcome().expect("it is written");
        assert!(recorder.state().pending.len() < GATHERED);
    }
    assert_eq!(journal.appends.load(Ordering::SeqCst), 1 + 3);
}
