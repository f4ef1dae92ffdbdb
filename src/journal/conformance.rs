//! What every journal must do, as one suite that runs against each implementation.

use jiff::{Timestamp, ToSpan};

use super::every_journal::Open;
use super::{GENESIS, JournalError, RUNNING, RunQuery, link};
use crate::model::{
    Event, EventBody, Fault, Impact, ImpactKind, Key, Left, Mode, RunId, Scope, ScopeKind, Segment, Settlement, Site,
    Started, Value,
};

every_journal!(
    what_is_appended_is_read_back_in_order,
    every_kind_of_event_survives,
    an_illegal_event_is_refused_and_nothing_is_written,
    a_gap_or_a_repetition_is_refused_and_nothing_is_written,
    a_run_goes_on_after_a_refusal,
    a_run_begins_with_started,
    a_batch_of_nothing_changes_nothing,
    runs_may_be_interleaved,
    another_handle_goes_on_with_a_run,
    the_chain_can_be_recomputed,
    the_list_shows_how_runs_stand,
    the_list_is_filtered,
    a_run_is_found_by_a_part_of_its_id,
    a_run_that_is_not_found_is_explained,
);

fn at(seconds: i64) -> Timestamp {
    "2026-11-20T20:56:09Z".parse::<Timestamp>().expect("a time") + seconds.seconds()
}

pub(super) fn run(name: &str) -> RunId {
    name.parse().expect("any text is an id")
}

/// Numbers the events, from `first`.
pub(super) fn numbered(first: u64, bodies: impl IntoIterator<Item = EventBody>) -> Vec<Event> {
    (first..).zip(bodies).map(|(seq, body)| Event { seq, at: at(seq.cast_signed()), body }).collect()
}

pub(super) fn started_in(environment: &str, runbook: &str) -> EventBody {
    EventBody::Started(Box::new(Started {
        run: run("20261120-205609-aaaa"),
        mode: Mode::Drill,
        runbook: runbook.to_owned(),
        environment: environment.to_owned(),
        params: Value::Map([("reason".to_owned(), Value::from("a \"test\"\nwith ünïcode \0"))].into()),
        by: "me@here".to_owned(),
        digests: [(runbook.to_owned(), "00ff".to_owned())].into(),
        version: "0.1.0".to_owned(),
        process: None,
        break_glass: None,
        plan: None,
    }))
}

pub(super) fn started() -> EventBody {
    started_in("staging", "runbooks/restore.rhai")
}

fn site() -> Site {
    Site { file: "runbooks/restore.rhai".into(), line: 3, column: 5 }
}

fn key(n: u32) -> Key {
    Key::ROOT.child(Segment::Call(n))
}

fn impact() -> Impact {
    Impact::on(ImpactKind::Change, "primary")
}

pub(super) fn intended(n: u32) -> EventBody {
    let args = Value::Map([("target".to_owned(), Value::from("primary"))].into());
    EventBody::Intended {
        key: key(n),
        attempt: 1,
        primitive: "backup".to_owned(),
        args,
        site: site(),
        impact: impact(),
    }
}

fn settled_as(n: u32, outcome: Result<Value, Fault>) -> EventBody {
    EventBody::Settled(Box::new(Settlement {
        key: key(n),
        primitive: "backup".to_owned(),
        args: None,
        site: site(),
        impact: impact(),
        outcome,
        began: at(0),
        elapsed_ms: 12,
        repeats: None,
        evidence: Some("found by its tag".to_owned()),
    }))
}

pub(super) fn settled(n: u32) -> EventBody {
    settled_as(n, Ok(Value::List(vec![Value::Int(7), Value::Float(1.0), Value::Bool(true), Value::Null])))
}

pub(super) fn ended(status: &str) -> EventBody {
    let why = (status != "completed").then(|| "the primary answers".to_owned());
    EventBody::Ended { status: status.to_owned(), why, unwound: Vec::new(), owed: Vec::new(), value: Value::Null }
}

fn what_is_appended_is_read_back_in_order(open: Open) {
    let journal = open();
    let events = numbered(0, [started(), intended(0), settled(0), intended(1), settled(1), ended("completed")]);
    journal.append(&run("a"), &events[..1]).expect("begins");
    journal.append(&run("a"), &events[1..2]).expect("intends");
    journal.append(&run("a"), &events[2..4]).expect("settles, and intends the next");
    journal.append(&run("a"), &events[4..]).expect("ends");
    assert_eq!(journal.events(&run("a")).expect("reads"), events);
    assert_eq!(open().events(&run("a")).expect("reads"), events);
}

fn every_kind_of_event_survives(open: Open) {
    let scope = Scope {
        key: key(0),
        site: site(),
        title: "Stop writes".into(),
        kind: ScopeKind::Step { rollback: true, within: None },
    };
    let fault = Fault::new("backup-corrupt", "the backup is damaged").on("primary").hint("take another one");
    let events = numbered(
        0,
        [
            started(),
            EventBody::Entered { scope },
            intended(1),
            settled_as(1, Err(fault.clone())),
            EventBody::Decided { key: key(1), decision: "roll back".into(), reason: Some("it is late".into()) },
            intended(2),
            EventBody::InDoubt { key: key(2), why: "the connection was lost".into() },
            EventBody::Left { key: key(0), how: Left::Faulted(fault) },
            EventBody::Unwinding { cause: "a fault".into(), owed: vec!["Stop writes".into()], halt: None },
            ended("in-doubt"),
        ],
    );
    open().append(&run("a"), &events).expect("all at once");
    assert_eq!(open().events(&run("a")).expect("reads"), events);
    assert_eq!(open().verify(&run("a")).expect("verifies").broken, None);
}

fn an_illegal_event_is_refused_and_nothing_is_written(open: Open) {
    let journal = open();
    journal.append(&run("a"), &numbered(0, [started()])).expect("begins");
    // The first of the two is legal; it must not be written either.
    let refused = journal.append(&run("a"), &numbered(1, [intended(0), settled(1)])).expect_err("never intended");
    assert!(matches!(&refused, JournalError::Illegal { run, .. } if run.as_str() == "a"), "{refused}");
    assert_eq!(open().events(&run("a")).expect("reads").len(), 1);
    assert_eq!(open().runs(&RunQuery::default()).expect("lists")[0].events, 1);
}

fn a_gap_or_a_repetition_is_refused_and_nothing_is_written(open: Open) {
    let journal = open();
    journal.append(&run("a"), &numbered(0, [started()])).expect("begins");
    for (found, expected) in [(0, 1), (2, 1)] {
        let refused = journal.append(&run("a"), &numbered(found, [intended(0)])).expect_err("not the next number");
        assert!(
            matches!(refused, JournalError::OutOfOrder { found: f, next, .. } if (f, next) == (found, expected)),
            "{refused}"
        );
    }
    let mut gap = numbered(1, [intended(0), settled(0)]);
    gap[1].seq = 3;
    journal.append(&run("a"), &gap).expect_err("a gap inside a batch");
    assert_eq!(journal.events(&run("a")).expect("reads").len(), 1);
}

fn a_run_goes_on_after_a_refusal(open: Open) {
    let journal = open();
    journal.append(&run("a"), &numbered(0, [started()])).expect("begins");
    journal.append(&run("a"), &numbered(1, [intended(0), started()])).expect_err("`started` twice");
    journal.append(&run("a"), &numbered(1, [intended(0), settled(0), ended("completed")])).expect("goes on");
    journal.append(&run("a"), &numbered(4, [intended(1)])).expect_err("nothing follows `ended`");
    assert_eq!(journal.verify(&run("a")).expect("verifies").events, 4);
}

fn a_run_begins_with_started(open: Open) {
    let journal = open();
    let refused = journal.append(&run("a"), &numbered(0, [intended(0)])).expect_err("not a beginning");
    assert!(matches!(refused, JournalError::Illegal { .. }), "{refused}");
    journal.append(&run("a"), &numbered(1, [started()])).expect_err("numbers begin with 0");
    assert_eq!(journal.runs(&RunQuery::default()).expect("lists"), []);
}

fn a_batch_of_nothing_changes_nothing(open: Open) {
    open().append(&run("a"), &[]).expect("nothing to do");
    assert_eq!(open().runs(&RunQuery::default()).expect("lists"), []);
}

fn runs_may_be_interleaved(open: Open) {
    let journal = open();
    let of = |n| numbered(0, [started(), intended(n), settled(n), ended("completed")]);
    let (a, b) = (of(1), of(2));
    for i in 0..4 {
        journal.append(&run("a"), &a[i..=i]).expect("a goes on");
        journal.append(&run("b"), &b[i..=i]).expect("b goes on");
    }
    assert_eq!(journal.events(&run("a")).expect("reads"), a);
    assert_eq!(journal.events(&run("b")).expect("reads"), b);
    assert_eq!(journal.verify(&run("a")).expect("verifies").broken, None);
    assert_eq!(journal.verify(&run("b")).expect("verifies").broken, None);
}

fn another_handle_goes_on_with_a_run(open: Open) {
    let events = numbered(0, [started(), intended(0), settled(0), ended("completed")]);
    let (one, other) = (open(), open());
    one.append(&run("a"), &events[..2]).expect("begins");
    other.append(&run("a"), &numbered(2, [intended(0)])).expect_err("it knows what the first has intended");
    other.append(&run("a"), &events[2..3]).expect("goes on");
    one.append(&run("a"), &events[2..3]).expect_err("it learns that the other one went on");
    one.append(&run("a"), &events[3..]).expect("goes on as well");
    assert_eq!(open().events(&run("a")).expect("reads"), events);
    assert_eq!(open().verify(&run("a")).expect("verifies").broken, None);
}

fn the_chain_can_be_recomputed(open: Open) {
    let journal = open();
    journal.append(&run("a"), &numbered(0, [started(), intended(0)])).expect("begins");
    let head_of_a = journal.runs(&RunQuery::default()).expect("lists")[0].head.clone();
    journal.append(&run("b"), &numbered(0, [started(), ended("failed")])).expect("begins");
    journal.append(&run("a"), &numbered(2, [settled(0)])).expect("goes on");

    let (a, b) = (journal.recorded(&run("a")).expect("reads"), journal.recorded(&run("b")).expect("reads"));
    assert_eq!((a.previous.as_str(), a.follows), (GENESIS, None));
    assert_eq!((b.previous.as_str(), b.follows), (head_of_a.as_str(), Some(run("a"))));
    let mut head = head_of_a;
    for entry in &b.entries {
        head = link(&head, &entry.json);
        assert_eq!(entry.hash, head);
    }
    let verified = journal.verify(&run("b")).expect("verifies");
    assert_eq!((verified.events, verified.head, verified.broken), (2, head, None));
    assert_eq!(journal.verify(&run("a")).expect("verifies").broken, None);
}

fn the_list_shows_how_runs_stand(open: Open) {
    let journal = open();
    journal.append(&run("a"), &numbered(0, [started(), ended("failed")])).expect("runs");
    journal.append(&run("b"), &numbered(0, [started(), intended(0)])).expect("begins");
    let runs = journal.runs(&RunQuery::default()).expect("lists");
    let [b, a] = runs.as_slice() else { panic!("two runs, not {runs:?}") };
    assert_eq!((b.id.as_str(), b.status.as_str(), b.ended, b.events), ("b", RUNNING, None, 2));
    assert_eq!((a.id.as_str(), a.status.as_str(), a.ended, a.events), ("a", "failed", Some(at(1)), 2));
    assert_eq!(a.why.as_deref(), Some("the primary answers"));
    assert_eq!((a.mode, a.runbook.as_str(), a.environment.as_str()), (Mode::Drill, "runbooks/restore.rhai", "staging"));
    assert_eq!((a.by.as_str(), a.started), ("me@here", at(0)));
}

fn the_list_is_filtered(open: Open) {
    let journal = open();
    for (id, environment, runbook, status) in [
        ("a", "staging", "runbooks/restore.rhai", "completed"),
        ("b", "production", "runbooks/restore.rhai", "failed"),
        ("c", "production", "runbooks/100%_canary.rhai", "completed"),
    ] {
        let events = numbered(0, [started_in(environment, runbook), ended(status)]);
        journal.append(&run(id), &events).expect("runs");
    }
    let ids = |query: RunQuery| {
        let runs = journal.runs(&query).expect("lists");
        runs.iter().map(|run| run.id.to_string()).collect::<String>()
    };
    let some = |text: &str| Some(text.to_owned());
    let all = RunQuery::default;
    assert_eq!(ids(all()), "cba");
    assert_eq!(ids(RunQuery::newest(2)), "cb");
    assert_eq!(ids(RunQuery { status: some("completed"), ..all() }), "ca");
    assert_eq!(ids(RunQuery { status: some("completed"), limit: Some(1), ..all() }), "c");
    assert_eq!(ids(RunQuery { environment: some("production"), ..all() }), "cb");
    assert_eq!(ids(RunQuery { environment: some("prod"), ..all() }), "");
    assert_eq!(ids(RunQuery { runbook: some("restore"), ..all() }), "ba");
    assert_eq!(ids(RunQuery { runbook: some("0%_c"), ..all() }), "c");
    assert_eq!(ids(RunQuery { runbook: some("r%e"), ..all() }), "");
    assert_eq!(ids(RunQuery { runbook: some("restore"), environment: some("production"), ..all() }), "b");
}

fn a_run_is_found_by_a_part_of_its_id(open: Open) {
    let journal = open();
    for id in ["20261119-101500-aaaa", "20261120-205609-k3f7", "20261120-205609-k3f7x"] {
        journal.append(&run(id), &numbered(0, [started()])).expect("begins");
    }
    let found = |asked: &str| journal.find(asked).map(|id| id.to_string()).map_err(|error| error.to_string());
    assert_eq!(found("latest").as_deref(), Ok("20261120-205609-k3f7x"));
    assert_eq!(found("aaaa").as_deref(), Ok("20261119-101500-aaaa"));
    assert_eq!(found("20261119").as_deref(), Ok("20261119-101500-aaaa"));
    assert_eq!(found(" k3f7 ").as_deref(), Ok("20261120-205609-k3f7"));
    assert_eq!(found("20261120-205609-k3f7").as_deref(), Ok("20261120-205609-k3f7"), "the whole id is never ambiguous");
    let ambiguous = "`20261120` fits several runs: 20261120-205609-k3f7x, 20261120-205609-k3f7";
    assert_eq!(found("20261120").expect_err("two"), ambiguous);
}

fn a_run_that_is_not_found_is_explained(open: Open) {
    let journal = open();
    assert!(matches!(journal.find("latest"), Err(JournalError::NoRuns)));
    journal.append(&run("20261119-101500-aaaa"), &numbered(0, [started()])).expect("begins");
    for asked in ["", " ", "101500", "_", "zzzz"] {
        let error = journal.find(asked).expect_err("none");
        assert!(matches!(error, JournalError::UnknownRun { .. }), "{asked}: {error}");
    }
    assert!(matches!(journal.events(&run("zzzz")), Err(JournalError::UnknownRun { .. })));
    assert!(matches!(journal.verify(&run("zzzz")), Err(JournalError::UnknownRun { .. })));
    for n in 0..9 {
        journal.append(&run(&format!("x-{n}")), &numbered(0, [started()])).expect("begins");
    }
    let error = journal.find("x").expect_err("nine").to_string();
    assert_eq!(error, "`x` fits several runs: x-8, x-7, x-6, x-5, x-4, x-3, x-2, x-1, …");
}
