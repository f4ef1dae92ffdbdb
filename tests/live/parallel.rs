//! Branches that go on at the same time, for real: effects, faults, questions, the journal.

use std::sync::Arc;

use lifeboat::journal::{Journal, LibsqlJournal, RunQuery};
use lifeboat::model::{Event, EventBody, Halt, Value, Verdict};
use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};
use crate::valve::Does;

/// Both valves are opened at the same time, each in a step that can be undone.
const BOTH: &str = r#"
parallel(["north", "south"], #{ at_most: 2, finish: "FINISH" }, |valve| {
    step "Open" {
        turn(valve, "open");
    } rollback {
        turn(valve, "closed");
    }
    valve
})
"#;

fn both(finish: &str) -> Trial {
    Trial::of(&BOTH.replace("FINISH", finish))
}

fn halt(told: &Told) -> &Halt {
    match &told.ran().verdict {
        Verdict::Halted { halt, .. } => halt,
        other => panic!("{other:?}: {:?}", told.recorded()),
    }
}

fn events(told: &Told) -> Vec<Event> {
    let run = told.journal.runs(&RunQuery::newest(1)).expect("it reads").pop().expect("a run").id;
    told.journal.events(&run).expect("it reads")
}

/// The calls that were intended: `0.b1.1 south open`.
fn intents(told: &Told) -> Vec<String> {
    let intent = |event: Event| match event.body {
        EventBody::Intended { key, args, impact, .. } => {
            Some(format!("{key} {} {}", impact.targets.join(" "), args.get("to").cloned().unwrap_or_default()))
        }
        _ => None,
    };
    let mut intents: Vec<String> = events(told).into_iter().filter_map(intent).collect();
    intents.sort();
    intents
}

#[test]
fn branches_have_keys_of_their_own_in_a_journal_that_can_be_verified() {
    let trial = both("effect");
    let project = trial.project();
    let journal = Arc::new(LibsqlJournal::open(project.path(".lifeboat/journal.db")).expect("a journal"));
    let told = trial.journal(journal.clone()).run_in(project);
    let valves = Value::List(vec![Value::from("north"), Value::from("south")]);
    assert_eq!(told.ran().verdict, Verdict::Completed(valves));
    assert_eq!(intents(&told), ["0.b0.1 north open", "0.b1.1 south open"]);
    let mut keys = told.attempted_keys();
    keys.sort();
    assert_eq!(keys, ["0.b0.1", "0.b1.1"], "the idempotency keys");
    let verified = journal.verify(&told.ran().id).expect("it reads");
    assert_eq!((verified.broken, verified.events), (None, told.heard.len() as u64));
    let mut recorded = told.recorded();
    recorded.sort();
    let expected = [
        "end completed",
        "enter branch north",
        "enter branch south",
        "enter parallel parallel",
        "enter step Open",
        "enter step Open",
        "intend turn north open",
        "intend turn south open",
        "leave Open: completed, owes",
        "leave Open: completed, owes",
        "leave north: completed, owes",
        "leave parallel: completed, owes",
        "leave south: completed, owes",
        "settle turn north: closed",
        "settle turn south: closed",
        "started runbooks/trial.rhai",
    ];
    assert_eq!(recorded, expected);
}

#[test]
fn what_they_owe_is_undone_from_the_last_to_the_first() {
    let runbook = format!("{};\nthrow \"it leaks\";", BOTH.replace("FINISH", "all"));
    let told = Trial::of(&runbook).run();
    assert_eq!(told.status(), Status::RolledBack);
    assert_eq!(told.effects()[2..], ["south closed", "north closed"]);
    assert_eq!(told.sentence(), "rolled back: Open (2 times); nothing is left changed");
}

#[test]
fn a_fault_in_one_undoes_what_the_other_did() {
    for finish in ["effect", "all"] {
        let told = both(finish).north(&[Does::Sticks]).run();
        assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "stuck"));
        assert_eq!(told.open_valves(), [""; 0]);
        let south: Vec<String> = told.effects().into_iter().filter(|effect| effect.starts_with("south")).collect();
        assert!(south.is_empty() && finish == "effect" || south == ["south open", "south closed"], "{south:?}");
    }
}

#[test]
fn what_waits_is_waited_for_no_longer_when_another_one_fails() {
    for wait in [
        r#"sleep("1h");"#,
        r#"wait_until("never", #{ timeout: "2h", every: "1h" }, || false);"#,
        r#"hold("1h", #{ every: "1h" }, || true);"#,
    ] {
        let runbook = format!(
            r#"parallel(["north", "south"], |valve| {{
                if valve == "south" {{ {wait} turn("south", "open"); }} else {{ sleep("20ms"); turn("north", "open"); }}
            }});"#
        );
        let told = Trial::of(&runbook).north(&[Does::Sticks]).run();
        assert_eq!((told.status(), told.effects().len()), (Status::RolledBack, 0), "{wait}");
        let recorded = told.recorded();
        let has = |line: &str| recorded.iter().any(|recorded| recorded == line);
        assert_eq!(has("enter branch south"), has("leave south: stopped"), "{wait}: {recorded:?}");
    }
}

#[test]
fn with_all_each_branch_does_what_it_has_to_do() {
    let runbook = r#"
        let seen = [];
        try {
            parallel(["north", "south"], #{ finish: "all" }, |valve| {
                turn(valve, "open");
                turn(valve, "drained");
            });
        } catch (fault) { seen.push(fault.code); }
        seen"#;
    let told = Trial::of(runbook).north(&[Does::Sticks]).run();
    assert_eq!(told.ran().verdict, Verdict::Completed(Value::List(vec![Value::from("stuck")])));
    assert_eq!(told.effects(), ["south open", "south drained"]);
}

#[test]
fn in_doubt_in_one_nothing_more_is_done_in_any() {
    let runbook = r#"
        step "Before" { turn("south", "drained"); } rollback { turn("south", "closed"); }
        parallel(["north", "south"], #{ finish: "all" }, |valve| {
            if valve == "north" { turn("north", "open"); } else { sleep("1h"); turn("south", "open"); }
        });"#;
    let told = Trial::of(runbook).unwitnessed_north(&[Does::FallsSilent]).run();
    assert!(matches!(halt(&told), Halt::InDoubt { .. }));
    assert_eq!(told.status(), Status::InDoubt);
    assert_eq!(told.effects(), ["south drained", "north open"]);
    assert_eq!(told.sentence(), "in doubt: turn north (line 4); left changed: turn south (line 2)");
}

#[test]
fn one_question_is_asked_at_a_time_and_the_first_answer_may_settle_them_all() {
    let turn_both = r#"parallel(["north", "south"], #{ finish: "FINISH" }, |valve| turn(valve, "open"));"#;
    let stuck = || {
        let south = "[environments.test.services.south]\ndriver = \"valve\"\ndoes = [\"sticks\"]";
        Trial::of(&turn_both.replace("FINISH", "all")).north(&[Does::Sticks]).table(south).pausing()
    };
    // Each of them is asked about; the person of a trial fails when two questions come at once.
    let told = stuck().answers(&["retry", "retry"]).run();
    assert_eq!((told.status(), told.asked.len()), (Status::Completed, 2));
    let told = stuck().answers(&["leave"]).run();
    assert!(matches!(halt(&told), Halt::LeftAsIs { .. }));
    assert_eq!(told.asked.len(), 1, "who leaves things as they are is not asked again");
    // A branch that is to be rolled back ends the others: nobody is asked about them as well.
    let south = "[environments.test.services.south]\ndriver = \"valve\"\ndoes = [\"sticks\"]";
    let trial = Trial::of(&turn_both.replace("FINISH", "effect")).north(&[Does::Sticks]).table(south).pausing();
    let told = trial.answers(&["roll back", "roll back"]).run();
    assert_eq!((told.status(), told.asked.len()), (Status::RolledBack, 1));
    let asks = r"parallel([1, 2, 3], |n| ask(`who is number ${n}?`))";
    let told = Trial::of(asks).answers(&["ada", "ada", "ada"]).run();
    assert_eq!((told.status(), told.asked.len()), (Status::Completed, 3));
}

#[test]
fn asked_to_stop_at_any_moment_everything_owed_is_undone() {
    let runbook = r#"
        step "Prepare" { turn("north", "drained"); } rollback { turn("north", "closed"); }
        parallel(["north", "south"], |valve| {
            step "Open" { turn(valve, "open"); turn(valve, "wide open"); } rollback { turn(valve, "closed"); }
            log(`${valve} is open`);
        });"#;
    let count = Trial::of(runbook).run().heard.len();
    for n in 0..count {
        let told = Trial::of(runbook).stop_at(n).run();
        let recorded = told.recorded();
        assert_eq!(told.recorded_end(), format!("end {}", told.status().name()), "event {n}");
        if told.status() == Status::Completed {
            assert!(n >= count - 2, "only the last events are too late: {n} of {count}: {recorded:?}");
            continue;
        }
        assert_eq!((told.status(), halt(&told)), (Status::Cancelled, &Halt::Cancelled), "event {n}: {recorded:?}");
        let effects = told.effects();
        for valve in ["north", "south"] {
            let last = effects.iter().rfind(|effect| effect.starts_with(valve));
            assert!(last.is_none_or(|effect| effect.ends_with("closed")), "event {n}: {effects:?}");
        }
    }
}

#[test]
fn asked_twice_nothing_more_is_undone() {
    let count = both("effect").run().heard.len();
    for n in 2..count - 2 {
        let told = both("effect").stop_at(n).stop_at(n).run();
        assert_eq!(halt(&told), &Halt::Aborted, "event {n}");
        assert!(told.effects().iter().all(|effect| effect.ends_with("open")), "event {n}: {:?}", told.effects());
    }
}

#[test]
fn a_rollback_under_way_is_finished_when_another_branch_is_cancelled() {
    // North undoes its step, which its own `try` catches; in the midst of that the run is asked to stop, and south is waiting.
    let runbook = r#"
        parallel(["north", "south"], #{ at_most: 2, finish: "all" }, |valve| {
            if valve == "south" { sleep("1h"); }
            try {
                step "Open" { turn("north", "open"); throw "it leaks"; } rollback {
                    turn("north", "half");
                    turn("north", "closed");
                }
            } catch { }
            sleep("1h");
        });"#;
    let told = Trial::of(runbook).stop_when("intend turn north half").run();
    assert_eq!((told.status(), halt(&told)), (Status::Cancelled, &Halt::Cancelled), "{:?}", told.recorded());
    assert_eq!(told.effects(), ["north open", "north half", "north closed"]);
    assert_eq!(told.sentence(), "rolled back: Open; nothing is left changed");
}

#[test]
fn a_thousand_branches_take_turns() {
    let runbook = r#"
        let found = parallel(1..=1000, #{ at_most: 100 }, |n| { log(`number ${n}`); n });
        require(found.len() == 1000 && found[999] == 1000, "they are in their order");
        let nested = parallel(0..20, #{ at_most: 20 }, |n| parallel(0..20, #{ at_most: 20 }, |m| n * 20 + m));
        nested[19][19]"#;
    assert_eq!(Trial::of(runbook).run().ran().verdict, Verdict::Completed(Value::Int(399)));
}

#[test]
fn a_wait_in_vain_says_what_its_own_looks_found() {
    let runbook = r#"
        parallel([1, 2], #{ finish: "all" }, |n| {
            if n == 1 {
                wait_until("one", #{ timeout: "20ms", every: "1ms" }, || { probe("web", #{ contains: "nonesuch" }); false });
            } else {
                wait_until("two", #{ timeout: "40ms", every: "1ms" }, || { probe("web", #{ contains: "other" }); false });
            }
        });"#;
    let told = Trial::of(runbook).run();
    let message = &told.fault().message;
    assert!(message.contains("nonesuch") && !message.contains("other"), "{message}");
}
