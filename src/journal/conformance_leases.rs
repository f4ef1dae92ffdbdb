//! What the leases of every journal must do, against each implementation.

use jiff::Timestamp;

use super::conformance::{numbered, run, started_in};
use super::every_journal::Open;
use super::{Journal, JournalError};
use crate::model::{Claim, Fence, Holder, ProcessId};

every_journal!(
    all_is_granted_or_nothing,
    later_grants_have_higher_numbers,
    what_is_over_is_taken_away_at_one_instant,
    a_grant_grows,
    who_came_first_is_first,
    an_intent_is_recorded_only_with_its_leases,
    what_is_given_back_is_free_and_the_rest_is_kept,
);

fn holder(name: &str) -> Holder {
    Holder {
        run: run(name),
        runbook: "a.rhai".into(),
        environment: "test".into(),
        target: "web".into(),
        by: "me@here".into(),
        process: ProcessId { host: "here".into(), boot: "b".into(), pid: 1, started_ms: 2 },
        since: Timestamp::UNIX_EPOCH,
    }
}

fn claim(name: &str, scopes: &[&str]) -> Claim {
    let wanted = scopes.iter().map(|scope| ((*scope).to_owned(), holder(name))).collect();
    Claim { wanted, token: None, over: vec![], ticket: None, gone: vec![], beat_ms: 1000, ttl_ms: 500 }
}

fn take(journal: &dyn Journal, claim: &Claim) -> Option<u64> {
    journal.leases().expect("it keeps leases").take_leases(claim).expect("it answers")
}

fn held(journal: &dyn Journal) -> Vec<(String, u64)> {
    let (leases, _) = journal.leases().expect("it keeps leases").all_leases().expect("reads");
    leases.into_iter().map(|lease| (lease.scope, lease.token)).collect()
}

fn all_is_granted_or_nothing(open: Open) {
    let journal = open();
    let one = take(&*journal, &claim("one", &["a", "b"])).expect("free");
    assert_eq!(take(&*open(), &claim("two", &["b", "c"])), None, "`b` is not free");
    assert_eq!(held(&*open()), [("a".to_owned(), one), ("b".to_owned(), one)], "not even `c` was granted");
    assert!(take(&*open(), &claim("two", &["c"])).is_some());
    let (leases, _) = open().leases().expect("keeps").all_leases().expect("reads");
    assert_eq!((&leases[0].holder, leases[0].beat_ms, leases[0].ttl_ms), (&holder("one"), 1000, 500));
    assert!(!leases[0].is_expired(1500) && leases[0].is_expired(1501));
}

fn later_grants_have_higher_numbers(open: Open) {
    let first = take(&*open(), &claim("one", &["a"])).expect("free");
    open().leases().expect("keeps").release_leases(first, &[]).expect("given back");
    let second = take(&*open(), &claim("two", &["a"])).expect("free");
    assert!(second > first, "{second} after {first}");
}

fn what_is_over_is_taken_away_at_one_instant(open: Open) {
    let journal = open();
    let first = take(&*journal, &claim("one", &["a"])).expect("free");
    let other = Claim { over: vec![("a".into(), first + 7)], ..claim("two", &["a"]) };
    assert_eq!(take(&*journal, &other), None, "it was renewed, or granted to another, meanwhile");
    let right = Claim { over: vec![("a".into(), first)], ..claim("two", &["a"]) };
    let second = take(&*journal, &right).expect("it is over");
    assert_eq!(held(&*journal), [("a".to_owned(), second)]);
    let leases = journal.leases().expect("keeps");
    assert_eq!(leases.renew_leases(first, 2000).expect("answers"), 0, "who had it sees that it has not");
    assert_eq!(leases.renew_leases(second, 2000).expect("answers"), 1);
    assert_eq!(leases.all_leases().expect("reads").0[0].beat_ms, 2000);
}

fn a_grant_grows(open: Open) {
    let journal = open();
    let token = take(&*journal, &claim("one", &["a"])).expect("free");
    let more = Claim { token: Some(token), ..claim("one", &["a", "b"]) };
    assert_eq!(take(&*journal, &more), Some(token));
    assert_eq!(held(&*journal), [("a".to_owned(), token), ("b".to_owned(), token)]);
}

fn who_came_first_is_first(open: Open) {
    let journal = open();
    let leases = journal.leases().expect("keeps");
    let scopes = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let first = leases.wait_for_leases(&holder("one"), &scopes(&["a", "b"])).expect("a place");
    let second = leases.wait_for_leases(&holder("two"), &scopes(&["b"])).expect("a place");
    assert!(second > first);
    assert_eq!(take(&*journal, &Claim { ticket: Some(second), ..claim("two", &["b"]) }), None, "another came first");
    assert_eq!(take(&*journal, &claim("three", &["a"])), None, "and whoever does not wait is no better");
    assert!(take(&*journal, &claim("three", &["c"])).is_some(), "nobody waits for that");
    // The process of the first is gone.
    let two = Claim { ticket: Some(second), gone: vec![first], ..claim("two", &["b"]) };
    assert!(take(&*journal, &two).is_some());
    assert_eq!(leases.all_leases().expect("reads").1, [], "nobody waits any more");
    let place = leases.wait_for_leases(&holder("one"), &scopes(&["a"])).expect("a place");
    leases.leave_queue(place).expect("given up");
    assert!(take(&*journal, &claim("three", &["a"])).is_some());
}

fn an_intent_is_recorded_only_with_its_leases(open: Open) {
    let journal = open();
    let id = run("20261120-205609-aaaa");
    let events = numbered(0, [started_in("test", "a.rhai")]);
    let token = take(&*journal, &claim("one", &["a", "b"])).expect("free");
    let lost = journal.append_fenced(&id, &events, &[], Fence { token, leases: 3 }).expect_err("not all are there");
    assert!(matches!(lost, JournalError::LeaseLost { .. }), "{lost}");
    assert!(journal.recorded(&id).is_err(), "nothing was written");
    journal.append_fenced(&id, &events, &[], Fence { token, leases: 2 }).expect("both are there");
    assert_eq!(journal.events(&id).expect("reads"), events);
}

fn what_is_given_back_is_free_and_the_rest_is_kept(open: Open) {
    let journal = open();
    let token = take(&*journal, &claim("one", &["a", "b"])).expect("free");
    journal.leases().expect("keeps").release_leases(token, &["b".to_owned()]).expect("given back");
    assert_eq!(held(&*journal), [("b".to_owned(), token)]);
    assert_eq!(take(&*journal, &claim("two", &["b"])), None);
    assert!(take(&*journal, &claim("two", &["a"])).is_some());
}
