//! `parallel`: the same keys, values, faults and rollbacks, however the branches overtake each other.

use super::*;
use crate::model::Halt;
use interleaved::{Interleaved, Record};

/// Runs a script in a world in which branches overtake each other in a way that `seed` chooses.
fn interleaved(script: &str, failing: &[&str], seed: u64) -> (Verdict, Record) {
    replayed(script, failing, seed, Record::default())
}

/// The same, and what was recorded before is not carried out again.
fn replayed(script: &str, failing: &[&str], seed: u64, before: Record) -> (Verdict, Record) {
    let script = Script::compile("main.rhai", script).expect("it compiles");
    let world = Arc::new(Interleaved::new(failing, seed, before));
    let evaluation = Evaluation {
        script: &script,
        params: &Params::new(),
        world: world.clone(),
        registry: world::registry(),
        library: Arc::new(Files::default()),
    };
    let verdict = on_deep_stack(|| evaluate(&evaluation)).expect("the evaluation does not panic");
    (verdict, world.record())
}

fn value(script: &str) -> Value {
    match interleaved(script, &[], 1).0 {
        Verdict::Completed(value) => value,
        other => panic!("{script}: {other:?}"),
    }
}

fn mistake(script: &str) -> String {
    match Test::new(script).run().halt() {
        Halt::Mistake { why, .. } => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_come_in_the_order_of_the_items() {
    assert_eq!(
        value(r#"parallel(["a", "b", "c"], #{ at_most: 3 }, |x| act(x) + "!")"#).to_string(),
        r#"["a!", "b!", "c!"]"#
    );
    assert_eq!(value("parallel(0..4, |n| n * n)").to_string(), "[0, 1, 4, 9]");
    assert_eq!(value("parallel(1..=2, |n| n)").to_string(), "[1, 2]");
    assert_eq!(value("parallel([], |x| x)").to_string(), "[]");
    assert_eq!(
        value("let f = |x, y| parallel([1, 2], |z| x + y + z); parallel([10, 20], |x| f.call(x, 100))").to_string(),
        "[[111, 112], [121, 122]]"
    );
    assert_eq!(value("fn twice(x) { x * 2 } parallel([1, 2], |x| { return twice(x); })").to_string(), "[2, 4]");
}

#[test]
fn each_branch_has_copies_of_what_it_captured() {
    let script = r"
        let seen = []; let map = #{ n: [1] }; let count = 0;
        let sizes = parallel([1, 2, 3], #{ at_most: 3 }, |x| {
            for i in 0..50 { seen.push(x); map.n.push(i); count += 1; act(`${x} ${i}`); }
            [seen.len(), map.n.len(), count]
        });
        `${sizes} ${seen} ${map.n} ${count}`";
    assert_eq!(value(script), Value::from("[[50, 51, 50], [50, 51, 50], [50, 51, 50]] [] [1] 0"));
    let shared = "let n = 0; let f = || { n += 1; n }; parallel([f, f], |x| x.call())";
    assert!(mistake(shared).contains("closure"), "an item is a value");
    let captured =
        "let n = 0; let f = || { n += 1; n }; let r = parallel([1, 2], |x| { f.call(); f.call() }); `${r} ${n}`";
    assert_eq!(value(captured), Value::from("[2, 2] 0"));
}

#[test]
fn calls_have_keys_of_their_branch() {
    let script = r#"
        act("before");
        parallel(["a", "b"], |x| { act(x); parallel([1, 2], |y| act(`${x}${y}`)); act("end"); });
        act("after");"#;
    let (_, record) = interleaved(script, &[], 7);
    let keys: Vec<String> = record.calls().map(|(key, call)| format!("{key} {call}")).collect();
    assert_eq!(
        keys,
        [
            "0 before",
            "1.b0.0 a",
            "1.b0.1.b0.0 a1",
            "1.b0.1.b1.0 a2",
            "1.b0.2 end",
            "1.b1.0 b",
            "1.b1.1.b0.0 b1",
            "1.b1.1.b1.0 b2",
            "1.b1.2 end",
            "2 after",
        ]
    );
}

#[test]
fn as_many_go_on_at_the_same_time_as_may_and_no_more() {
    for (at_most, expected) in [(3, 3), (50, 6)] {
        let script = format!("parallel(0..6, #{{ at_most: {at_most} }}, |n| {{ act(\"meet {expected}\"); act(n); }});");
        assert_eq!(interleaved(&script, &[], 3).1.most_at_once, expected);
    }
    assert_eq!(interleaved("parallel(0..6, #{ at_most: 1 }, |n| { act(n); act(n); });", &[], 3).1.most_at_once, 1);
}

/// Steps, a nested parallel, a fault that is caught, and one that is not.
const BOOK: &str = r#"
    step "prepare" { act("prep"); } rollback { act("undo prep"); }
    let seen = [];
    let r = parallel(["a", "b", "c", "d", "e"], #{ at_most: 3, finish: FINISH }, |x| {
        let local = x;
        step "branch" { act(`one ${x}`); local += "!"; } rollback { act(`undo one ${local}`); act(`undo two ${x}`); }
        seen.push(x);
        let inner = parallel([1, 2], #{ at_most: 2 }, |y| {
            step "inner" { act(`in ${x}${y}`); } rollback { act(`undo in ${x}${y}`); }
        });
        try { if x == "b" { act("FAIL caught"); } } catch { act("handled"); }
        if x != "c" { act(`long ${x}`); act(`longer ${x}`); }
        act(`last ${x}`);
        x
    });
    act(`all ${r}`);"#;

fn book(finish: &str) -> String {
    BOOK.replace("FINISH", &format!("\"{finish}\""))
}

#[test]
fn when_all_finish_the_fault_of_the_first_item_is_thrown_however_they_overtake_each_other() {
    let failing = ["FAIL caught", "last d", "last b"];
    let (first, expected) = interleaved(&book("all"), &failing, 0);
    let Verdict::Failed { fault, .. } = &first else { panic!("{first:?}") };
    assert_eq!(fault.message, "last b failed", "of b and d, though d may have been faster");
    let mut orders = std::collections::BTreeSet::new();
    for seed in 1..60 {
        let (verdict, record) = interleaved(&book("all"), &failing, seed);
        assert_eq!((&verdict, &record.outcomes), (&first, &expected.outcomes), "seed {seed}");
        assert_eq!(record.undone(), expected.undone(), "seed {seed}");
        orders.insert(record.order.clone());
    }
    assert!(orders.len() > 10, "they overtook each other in {} ways only", orders.len());
}

#[test]
fn rollbacks_run_from_the_last_branch_to_the_first_and_each_newest_first() {
    let (_, record) = interleaved(&book("all"), &["last a"], 5);
    let mut expected: Vec<String> = Vec::new();
    for x in ["e", "d", "c", "b", "a"] {
        expected.extend([
            format!("undo in {x}2"),
            format!("undo in {x}1"),
            format!("undo one {x}!"),
            format!("undo two {x}"),
        ]);
    }
    expected.push("undo prep".to_owned());
    assert_eq!(record.undone(), expected);
}

#[test]
fn a_parallel_that_fails_is_undone_before_the_script_catches_it() {
    let script = r#"
        step "outer" {
            try {
                parallel(["a", "b"], #{ finish: "all" }, |x| { step "s" { act(x); } rollback { act(`undo ${x}`); } act(`then ${x}`); });
            } catch (e) { act(`caught ${e.message}`); }
            act("end");
        } rollback { act("undo outer"); }"#;
    let (verdict, record) = interleaved(script, &["then a"], 2);
    assert!(matches!(verdict, Verdict::Completed(_)), "{verdict:?}");
    let after: Vec<&str> =
        record.order.iter().map(String::as_str).skip_while(|call| !call.starts_with("undo")).collect();
    assert_eq!(after, ["undo b", "undo a", "caught then a failed", "end"]);
}

#[test]
fn one_that_went_well_is_undone_when_what_comes_after_it_fails() {
    let script = r#"
        parallel(["a", "b"], |x| { step "s" { act(x); } rollback { act(`undo ${x}`); } });
        throw "later";"#;
    assert_eq!(interleaved(script, &[], 2).1.undone(), ["undo b", "undo a"]);
}

#[test]
fn after_a_fault_nothing_more_begins_and_everything_begun_is_undone() {
    for seed in 0..40 {
        let (verdict, record) = interleaved(&book("effect"), &["last c", "FAIL caught"], seed);
        let Verdict::Failed { fault, .. } = &verdict else { panic!("{verdict:?}") };
        assert_eq!(fault.message, "last c failed", "those that were stopped have no fault");
        let undone = record.undone();
        for x in ["a", "b", "c", "d", "e"] {
            let (did, undid) = (record.did(&format!("one {x}")), undone.contains(&format!("undo two {x}")));
            assert_eq!(did, undid, "seed {seed}: {x} in {:?}", record.order);
        }
        assert!(!record.did("all"), "seed {seed}");
    }
}

#[test]
fn a_run_that_is_cut_anywhere_goes_on_as_if_nothing_had_happened() {
    let fault = |verdict: &Verdict| {
        if let Verdict::Failed { fault, .. } = verdict { fault.message.clone() } else { String::new() }
    };
    for (finish, failing) in [("all", vec![]), ("all", vec!["last d", "last b"]), ("effect", vec!["last c"])] {
        let script = book(finish);
        let (whole, record) = interleaved(&script, &failing, 11);
        for cut in 0..=record.events() {
            // What the first process had recorded when it was killed. The second one goes another way where it is free to.
            let before = record.up_to(cut);
            let (verdict, again) = replayed(&script, &failing, 1000 + cut as u64, before.clone());
            let case = format!("{finish} {failing:?}, cut at {cut}");
            assert_eq!(fault(&verdict), fault(&whole), "{case}: {verdict:?}");
            assert!(before.outcomes.iter().all(|(key, outcome)| again.outcomes.get(key) == Some(outcome)), "{case}");
            if finish == "all" {
                assert_eq!((&verdict, &again.outcomes), (&whole, &record.outcomes), "{case}");
            }
        }
        // After the last event nothing is left to do, and every branch is stopped where it was stopped then.
        for seed in 0..20 {
            let (verdict, again) = replayed(&script, &failing, seed, record.clone());
            assert_eq!((&verdict, again.carried_out), (&whole, 0), "{finish} {failing:?} {seed}");
        }
    }
}

#[test]
fn a_halt_in_one_branch_ends_them_all() {
    for swallow in ["act(x);", "try { act(x); } catch { }", "try { [1].map(|y| act(x)); } catch { }"] {
        let script = format!(
            r#"step "s" {{ act("first"); }} rollback {{ act("undo"); }}
               parallel(["a", "halt", "c"], #{{ at_most: 3 }}, |x| {{ {swallow} for n in 0..9 {{ act(`${{x}} ${{n}}`); }} loop {{ }} }});
               act("after");"#
        );
        let ran = Test::new(&script).lanes(3).halts("halt").run();
        assert_eq!(ran.halt(), &Halt::Journal { why: "full".into() });
        let calls = ran.calls();
        assert!(!calls.contains(&"act undo") && !calls.contains(&"act after"), "{calls:?}");
        assert!(!calls.iter().any(|call| call.starts_with("act halt ")), "{calls:?}");
        let Verdict::Halted { owed, .. } = &ran.verdict else { panic!("halted") };
        assert_eq!(owed, &["s"]);
    }
}

#[test]
fn cancelled_in_one_branch_all_of_them_end_and_are_undone() {
    let script = r#"
        parallel(["a", "cancel", "c"], #{ at_most: 3 }, |x| {
            step "s" { act(`do ${x}`); } rollback { act(`undo ${x}`); }
            act(x);
            loop { act("more"); }
        });"#;
    let ran = Test::new(script).lanes(3).cancelled_at("cancel").run();
    assert_eq!(ran.halt(), &Halt::Cancelled);
    let calls = ran.calls();
    for x in ["a", "cancel", "c"] {
        let count = |what: &str| calls.iter().filter(|call| **call == format!("act {what} {x}")).count();
        assert_eq!(count("do"), count("undo"), "{x}: {calls:?}");
    }
    let undone: Vec<_> = calls.iter().filter(|call| call.starts_with("act undo")).collect();
    let mut sorted = undone.clone();
    sorted.sort_by_key(|call| {
        std::cmp::Reverse(["act undo a", "act undo cancel", "act undo c"].iter().position(|c| *c == **call))
    });
    assert_eq!(undone, sorted, "the last branch first");
}

#[test]
fn a_point_of_no_return_in_a_branch_is_one_for_it_and_for_what_is_around() {
    let script = r#"
        step "before" { act("b"); } rollback { act("undo before"); }
        parallel(["x", "y"], #{ finish: "all" }, |x| {
            step "s" { act(x); } rollback { act(`undo ${x}`); }
            if x == "x" { point_of_no_return("x is gone"); }
        });
        throw "later";"#;
    assert_eq!(interleaved(script, &[], 4).1.undone(), ["undo y"]);
}

#[test]
fn a_branch_that_loops_for_ever_is_found() {
    let why = mistake("parallel([1, 2], |x| { let n = 0; loop { n += 1; } });");
    assert!(why.contains("operations without an end"), "{why}");
}

#[test]
fn what_makes_no_sense_is_a_mistake() {
    assert_eq!(mistake("parallel([1], #{ at_most: 0 }, |x| x);"), "`parallel`: `at_most` is 0: it must be 1 to 1000");
    assert!(
        mistake("parallel(5, |x| x);").contains("`items` of `parallel` takes array"),
        "{}",
        mistake("parallel(5, |x| x);")
    );
    assert!(mistake("parallel(0..20000, |x| x);").contains("10000 are the most"));
    assert!(mistake(r#"parallel([1], #{ finish: "none" }, |x| x);"#).contains("finish"));
    assert_eq!(mistake("parallel([1], #{ atmost: 2 }, |x| x);"), "`parallel` has no option `atmost`");
}

#[test]
fn a_plan_needs_to_know_the_items() {
    let ran = Test::new(r#"let found = look("x"); parallel(found.hosts, |x| act(x));"#).run();
    let Halt::Unplannable { why, .. } = ran.halt() else { panic!("{:?}", ran.halt()) };
    assert_eq!(why, "`parallel` needs ‹look:x.hosts›, which is not known before the run");
    let ran = Test::new(r#"let found = look("x"); parallel([found.a, 2], |x| act(x));"#).run();
    assert_eq!(ran.calls(), ["look x", "act ‹look:x.a›", "act 2"]);
}
