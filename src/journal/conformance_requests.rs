//! What every journal must do with requests to runs, against each implementation.

use jiff::Timestamp;

use super::conformance::{numbered, run, started_in};
use super::every_journal::Open;
use super::{Journal, JournalError};
use crate::model::{Key, Request, RunId, Segment, Wanted};

every_journal!(requests_are_read_by_the_run_that_they_are_for);

fn requests_are_read_by_the_run_that_they_are_for(open: Open) {
    let (one, other) = (run("20261120-205609-aaaa"), run("20261120-205610-bbbb"));
    let request = |text: &str| {
        let wanted = Wanted::Answer { key: Key::ROOT.child(Segment::Call(3)), text: text.to_owned() };
        Request { by: "me@here".into(), at: Timestamp::UNIX_EPOCH, wanted }
    };
    let asked = |journal: &dyn Journal, run: &RunId, after| journal.requests(run, after).expect("reads");
    let journal = open();
    assert_eq!(asked(&*journal, &one, 0), [], "nothing is wanted of a run that nobody knows");
    let unknown = journal.leave_request(&one, &request("yes")).expect_err("no such run");
    assert!(matches!(unknown, JournalError::UnknownRun { .. }), "{unknown}");
    for run in [&one, &other] {
        journal.append(run, &numbered(0, [started_in("test", "a.rhai")])).expect("begins");
    }
    drop(journal);

    // Another process, as it were.
    let journal = open();
    let cancel = Wanted::Cancel { reason: Some("the wrong one".into()), abort: false };
    let cancel = Request { wanted: cancel, ..request("") };
    journal.leave_request(&one, &request("no")).expect("left");
    journal.leave_request(&other, &request("yes")).expect("left");
    journal.leave_request(&one, &cancel).expect("left");
    let found = asked(&*open(), &one, 0);
    let wanted: Vec<&Request> = found.iter().map(|(_, request)| request).collect();
    assert_eq!(wanted, [&request("no"), &cancel], "in their order, and none of another run");
    let (first, last) = (found[0].0, found[1].0);
    assert!(0 < first && first < last);
    assert_eq!(asked(&*journal, &one, first), [(last, cancel)]);
    assert_eq!(asked(&*journal, &one, last), []);
}
