//! What a test expects of a runbook that was played, and what it is told when that does not hold.

use lifeboat::runtime::TestStatus;

use crate::{RUNBOOK, fails, one, passes};

const PLAY: &str = r#"given("probe(primary)", ["fail"]);
given("latest_backup(primary)", #{ id: "b7" });
let ran = play("played.rhai", #{ reason: "fire" });
"#;

fn well(expectations: &str) {
    passes(RUNBOOK, &format!("{PLAY}{expectations}"));
}

#[test]
fn how_it_ended() {
    well(r#"expect(ran.ended == "well"); expect(ran.fault == ""); expect(ran.why == ""); expect(ran.value == "b7");"#);
    let found = fails(RUNBOOK, &format!("{PLAY}expect(ran.ended == \"left changed\", \"it fails\");"));
    assert_eq!(found.len(), 1);
    let (message, expected, said) = &found[0];
    assert_eq!((message.as_str(), expected.as_deref()), ("it fails", Some("\"left changed\"")));
    assert!(said.starts_with("\"well\"; the runbook came to its end"), "{said}");
}

#[test]
fn what_was_called_and_what_was_not() {
    well(
        r#"expect(ran.called("restore(primary)", #{ from: "b7" }));
        expect(ran.called("restore"));
        expect(!ran.called("backup"));
        expect(!ran.called("restore(primary)", #{ from: "b6" }));
        expect(ran.count("maintenance(web)") == 3);
        expect(ran.calls_of("maintenance(web)")[1].args.state == "on");
        expect(ran.calls.map(|made| made.primitive).contains("resolve"));"#,
    );
    let found = fails(RUNBOOK, &format!("{PLAY}expect(ran.called(\"restore(primary)\", #{{ from: \"b6\" }}));"));
    assert!(found[0].0.starts_with("this does not hold: ran.called(\"restore(primary)\""), "{found:?}");
    assert!(found[0].2.contains("near it: line 14: restore primary b7 → done"), "{found:?}");
    let found = fails(RUNBOOK, &format!("{PLAY}expect(!ran.called(\"restore\"));"));
    assert!(found[0].2.contains("line 14: restore primary b7 → done"), "{found:?}");
}

#[test]
fn in_which_order() {
    well(
        r#"expect(ran.in_order(["notify", ["maintenance(web)", #{ state: "on" }], "restore", "resolve(incidents)"]));
        expect(!ran.in_order(["restore", "notify"]));"#,
    );
    let found = fails(RUNBOOK, &format!("{PLAY}expect(ran.in_order([\"restore\", \"notify\"]));"));
    assert_eq!(found[0].2, "`notify` is not called behind line 14: restore primary b7 → done");
}

#[test]
fn who_was_told() {
    well(
        r#"expect(ran.told_to("incidents"));
        expect(ran.told_to("incidents", "Restoring: fire"));
        expect(!ran.told_to("incidents", "*water*"));
        expect(ran.told.len() == 2);
        expect(ran.told[1].resolved && ran.told[1].message == "Restored from b7");
        expect(ran.keeps("told"));"#,
    );
    passes(
        RUNBOOK,
        &format!(
            "given(\"notify(incidents)=undelivered\"); {PLAY}
            expect(!ran.told_to(\"incidents\", \"Restoring*\"), \"nobody got it\");"
        ),
    );
    let found = fails(RUNBOOK, &format!("{PLAY}expect(ran.told_to(\"incidents\", \"*water*\"));"));
    assert!(found[0].2.contains("line 5: incidents was told: Restoring: fire (delivered)"), "{found:?}");
}

#[test]
fn in_which_state_it_leaves_its_targets() {
    well("expect(ran.state(\"web\").maintenance == \"off\");");
    let found = fails(RUNBOOK, &format!("{PLAY}expect(ran.state(\"web\").maintenance == \"on\");"));
    assert_eq!(
        (found[0].1.as_deref(), found[0].2.as_str()),
        (Some("\"on\""), "\"off\"; web in the end: maintenance off")
    );
}

#[test]
fn what_is_rolled_back() {
    let failing = PLAY.replace("let ran", "given(\"restore(primary)=failed\"); let ran");
    passes(
        RUNBOOK,
        &format!(
            "{failing}expect(ran.undid(\"Close\")); expect(!ran.undid(\"Restore\"));
            expect(ran.rolled_back == [\"Close\"]); expect(ran.rollbacks_failed == []); expect(ran.left_changed == []);"
        ),
    );
    let worse = failing.replace("let ran", "given(\"maintenance(web)\", #{ state: \"off\" }, \"failed\"); let ran");
    passes(
        RUNBOOK,
        &format!(
            "{worse}expect(ran.rolled_back == []); expect(ran.rollbacks_failed == [\"Close\"]); expect(ran.ended == \"left changed\");"
        ),
    );
}

#[test]
fn which_invariants_it_keeps() {
    let silent =
        "//! Quiet.\n//! waive: told: nobody waits for it\nmaintenance(\"web\", \"on\");\nconfirm(\"Go on?\");";
    passes(
        silent,
        r#"given("confirm=no");
        let ran = play("played.rhai");
        expect(!ran.keeps("told"));
        expect(ran.broken == ["maintenance-restored"], "the other is waived");"#,
    );
}

#[test]
fn every_expectation_of_a_test_is_looked_at_and_other_tests_go_on() {
    let found = fails(RUNBOOK, &format!("{PLAY}expect(1 > 2); expect(ran.ended == \"well\"); expect(3 < 1, \"no\");"));
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].1.as_deref(), found[0].2.as_str()), (Some("> 2"), "1"));
    let report = crate::tested(RUNBOOK, "test \"a\" { expect(false); }\ntest \"b\" { expect(true); }");
    assert_eq!((report.count(TestStatus::Failed), report.count(TestStatus::Passed)), (1, 1));
}

#[test]
fn a_failure_shows_the_calls_that_were_made() {
    let tested = one(RUNBOOK, &format!("{PLAY}expect(ran.ended == \"in doubt\");"));
    let failure = &tested.failures[0];
    assert_eq!(failure.diagnostic.site.to_string(), "runbooks/played_test.rhai:5:8");
    let played = failure.played.as_ref().expect("it is about what was played");
    let told: Vec<String> = played.story.iter().map(|line| format!("{} {}", line.site.line, line.text)).collect();
    assert_eq!(told[..2], ["4 probe primary → fail", "5 notify incidents Restoring: fire → delivered"]);
    assert_eq!(told.last().map(String::as_str), Some("18 resolve incidents Restored from b7 → delivered"));
}

#[test]
fn what_is_compared_is_evaluated_once() {
    // A second time the list would be empty.
    passes("log(\"x\");", "let list = [1]; expect(list.pop() == 1); expect(list.len() == 0); play(\"played.rhai\");");
}
