//! What the outbox of every journal must do, against each implementation.

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::Journal;
use super::conformance::{numbered, run, started_in};
use super::every_journal::Open;
use crate::model::{EventBody, IdempotencyKey, Key, Letter, LetterQuery, LetterState, Origin, Segment, Value};

every_journal!(
    letters_come_with_the_events_of_their_commit,
    letters_of_events_that_are_refused_are_not_kept,
    letters_are_found_by_what_they_are,
    a_letter_that_waits_is_changed_by_one_alone,
);

const RUN: &str = "20261120-205609-aaaa";

fn written() -> Timestamp {
    "2026-11-20T20:56:09Z".parse().expect("a time")
}

fn letter(call: u32, channel: &str) -> Letter {
    Letter {
        key: IdempotencyKey::new(RUN, &Key::ROOT.child(Segment::Call(call))),
        origin: Origin { environment: "test".to_owned(), run: RUN.to_owned(), ..Origin::default() },
        channel: channel.to_owned(),
        thread: Some("primary-down".to_owned()),
        resolves: false,
        headline: "[critical] primary is down \"now\"\u{0}".to_owned(),
        digest: "00ff".to_owned(),
        message: json!({ "message": "primary is down" }),
        written: written() + i64::from(call).seconds(),
        state: LetterState::Waiting,
        attempts: 1,
        tried: Some(written()),
        next: written(),
        under_way: false,
        held: false,
        doubtful: true,
        detail: "connection refused".to_owned(),
        done: None,
        late: false,
        gathered: false,
        receipt: None,
        root: None,
    }
}

fn begin(journal: &dyn Journal, letters: &[Letter]) {
    let events = numbered(0, [started_in("test", "a.rhai")]);
    journal.append_with_letters(&run(RUN), &events, letters).expect("appends");
}

fn keys(journal: &dyn Journal, query: &LetterQuery) -> Vec<String> {
    let letters = journal.letters(query).expect("reads");
    letters.iter().map(|letter| letter.key.as_str().replace(RUN, "")).collect()
}

fn letters_come_with_the_events_of_their_commit(open: Open) {
    let journal = open();
    assert!(journal.keeps_letters());
    begin(journal.as_ref(), &[letter(0, "incidents"), letter(1, "incidents")]);
    assert_eq!(
        open().letters(&LetterQuery::default()).expect("reads"),
        [letter(0, "incidents"), letter(1, "incidents")]
    );
    let again = Letter { attempts: 2, ..letter(0, "incidents") };
    let unwinding = EventBody::Unwinding { cause: String::new(), owed: vec![], halt: None };
    journal.append_with_letters(&run(RUN), &numbered(1, [unwinding]), std::slice::from_ref(&again)).expect("appends");
    assert_eq!(
        open().letters(&LetterQuery::default()).expect("reads"),
        [again, letter(1, "incidents")],
        "in its place"
    );
}

fn letters_of_events_that_are_refused_are_not_kept(open: Open) {
    let journal = open();
    begin(journal.as_ref(), &[]);
    let twice = numbered(1, [started_in("test", "a.rhai")]);
    assert!(journal.append_with_letters(&run(RUN), &twice, &[letter(0, "incidents")]).is_err());
    assert_eq!(keys(journal.as_ref(), &LetterQuery::default()), [""; 0]);
    let ended =
        EventBody::Ended { status: "completed".into(), why: None, unwound: vec![], owed: vec![], value: Value::Null };
    journal.append(&run(RUN), &numbered(1, [ended])).expect("it goes on as if nothing had been tried");
}

fn letters_are_found_by_what_they_are(open: Open) {
    let journal = open();
    let delivered = Letter {
        state: LetterState::Delivered,
        done: Some(written() + 60.seconds()),
        thread: None,
        ..letter(2, "incidents")
    };
    begin(journal.as_ref(), &[letter(0, "incidents"), letter(1, "desk"), delivered]);
    let all = LetterQuery::default;
    let found = |query: LetterQuery| keys(journal.as_ref(), &query);
    assert_eq!(found(LetterQuery::waiting()), ["/0", "/1"]);
    assert_eq!(found(LetterQuery { channel: Some("desk".into()), ..all() }), ["/1"]);
    assert_eq!(found(LetterQuery { thread: Some("primary-down".into()), ..all() }), ["/0", "/1"]);
    assert_eq!(found(LetterQuery { environment: Some("other".into()), ..all() }), [""; 0]);
    assert_eq!(found(LetterQuery { run: Some(RUN.into()), newest: Some(2), ..all() }), ["/1", "/2"]);
    assert_eq!(found(LetterQuery { since: Some(written() + 60.seconds()), ..all() }), ["/2"]);
    assert_eq!(found(LetterQuery { key: Some(letter(1, "").key), ..all() }), ["/1"]);
}

fn a_letter_that_waits_is_changed_by_one_alone(open: Open) {
    let journal = open();
    begin(journal.as_ref(), &[letter(0, "incidents")]);
    let claimed = Letter { attempts: 2, ..letter(0, "incidents") };
    assert!(journal.change_letter(&claimed, 1).expect("changes"));
    assert!(!open().change_letter(&claimed, 1).expect("reads"), "somebody else was faster");
    let delivered = Letter { state: LetterState::Delivered, ..claimed };
    assert!(journal.change_letter(&delivered, 2).expect("changes"));
    assert!(!journal.change_letter(&delivered, 2).expect("reads"), "it no longer waits");
    assert_eq!(open().letters(&LetterQuery::default()).expect("reads"), [delivered]);
}
