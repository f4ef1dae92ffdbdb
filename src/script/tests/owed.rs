//! Which rollbacks run, in which order, with which values.

use super::*;

#[test]
fn a_step_that_changed_something_is_undone_when_the_script_fails() {
    let ran = Test::new(r#"step "s" { act("a"); } rollback { act("undo a"); } throw "later";"#).run();
    assert_eq!(ran.calls(), ["act a", "act undo a"]);
    assert_eq!(ran.fault().message, "later");
    let Verdict::Failed { unwound, .. } = &ran.verdict else { panic!("failed") };
    assert_eq!(unwound.len(), 1);
    assert_eq!(unwound[0].fault, None);
}

#[test]
fn a_step_that_changed_nothing_owes_nothing() {
    let ran = Test::new(r#"step "s" { look("x"); } rollback { act("undo"); } throw "later";"#).run();
    assert_eq!(ran.calls(), ["look x"]);
}

#[test]
fn a_failed_change_is_owed_too_because_it_was_intended() {
    let ran = Test::new(r#"step "s" { act("a"); } rollback { act("undo a"); }"#).fails("a").run();
    assert_eq!(ran.calls(), ["act a", "act undo a"]);
}

#[test]
fn a_completed_script_keeps_its_changes() {
    let ran = Test::new(r#"step "s" { act("a"); } rollback { act("undo"); } 7"#).run();
    assert_eq!(ran.calls(), ["act a"]);
    assert_eq!(ran.value(), &Value::Int(7));
}

#[test]
fn newest_first_and_the_inner_before_the_outer() {
    let script = r#"
        step "one" { act("1"); } rollback { act("u1"); }
        step "two" {
            act("2");
            step "inner" { act("i"); } rollback { act("ui"); }
            act("3");
        } rollback { act("u2"); }
        throw "x";"#;
    assert_eq!(Test::new(script).run().calls(), ["act 1", "act 2", "act i", "act 3", "act ui", "act u2", "act u1"]);
}

#[test]
fn a_fault_that_leaves_a_step_unwinds_it_before_the_script_catches_it() {
    let script = r#"
        step "before" { act("b"); } rollback { act("ub"); }
        try {
            step "s" { act("a"); step "in" { act("i"); } rollback { act("ui"); } act("bad"); } rollback { act("us"); }
        } catch (e) { act(`caught ${e.message}`); }
        act("after");"#;
    let ran = Test::new(script).fails("bad").run();
    assert_eq!(
        ran.calls(),
        ["act b", "act a", "act i", "act bad", "act ui", "act us", "act caught bad failed", "act after"]
    );
    assert_eq!(ran.value(), &Value::from("after"));
}

#[test]
fn a_rollback_that_fails_is_reported_and_the_rest_run() {
    let script = r#"
        step "one" { act("1"); } rollback { act("u1"); }
        step "two" { act("2"); } rollback { act("bad"); act("never"); }
        throw "x";"#;
    let ran = Test::new(script).fails("bad").run();
    assert_eq!(ran.calls(), ["act 1", "act 2", "act bad", "act u1"]);
    let Verdict::Failed { unwound, .. } = &ran.verdict else { panic!("failed") };
    assert_eq!(unwound[0].fault.as_ref().map(|f| f.message.as_str()), Some("bad failed"));
    assert_eq!(unwound[1].fault, None);
}

#[test]
fn captures_have_the_value_they_had_when_the_step_ended() {
    let script = r#"
        let list = [1]; let map = #{ a: #{ b: 1 } }; let n = 1;
        step "s" { n += 1; list.push(2); map.a.b = 5; act("a"); } rollback { act(`${n} ${list} ${map.a.b}`); }
        n = 99; list.push(3); map.a.b = 6;
        throw "x";"#;
    assert_eq!(Test::new(script).run().calls(), ["act a", "act 2 [1, 2] 5"]);
}

#[test]
fn steps_in_loops_functions_and_closures_each_owe_their_own() {
    let script = r#"
        fn change(x) { step "f" { act(x); } rollback { act(`u${x}`); } }
        for i in 0..2 { step "loop" { act(`l${i}`); } rollback { act(`ul${i}`); } }
        change("fn");
        let f = |y| { step "c" { act(y); } rollback { act(`u${y}`); } };
        f.call("cl");
        throw "x";"#;
    let ran = Test::new(script).run();
    assert_eq!(ran.calls(), ["act l0", "act l1", "act fn", "act cl", "act ucl", "act ufn", "act ul1", "act ul0"]);
}

#[test]
fn return_and_break_complete_a_step() {
    let script = r#"
        fn f() { step "s" { act("a"); return 5; } rollback { act("ua"); } }
        for i in 0..3 { step "l" { act(`${i}`); if i == 1 { break; } } rollback { act(`u${i}`); } }
        if f() != 5 { throw "wrong value"; }
        throw "x";"#;
    let ran = Test::new(script).run();
    assert_eq!(ran.fault().message, "x");
    assert_eq!(ran.calls(), ["act 0", "act 1", "act a", "act ua", "act u1", "act u0"]);
}

#[test]
fn a_point_of_no_return_cancels_what_was_owed_before_it() {
    let script = r#"
        step "before" { act("b"); } rollback { act("ub"); }
        step "around" { act("a"); point_of_no_return("gone"); act("c"); } rollback { act("ua"); }
        step "after" { act("d"); } rollback { act("ud"); }
        throw "x";"#;
    let ran = Test::new(script).run();
    assert_eq!(ran.calls(), ["act b", "act a", "no return [\"before\"]", "act c", "act d", "act ud"]);
}

#[test]
fn a_run_that_ends_at_a_point_of_no_return_has_not_passed_it() {
    let script = r#"
        step "before" { act("b"); } rollback { act("ub"); }
        step "around" { act("a"); point_of_no_return("gone"); act("c"); } rollback { act("ua"); }"#;
    let ran = Test::new(script).halts("gone").run();
    assert_eq!(ran.calls(), ["act b", "act a", "no return [\"before\"]", "act ua", "act ub"]);
}

#[test]
fn rollbacks_have_keys_of_their_own() {
    let ran = Test::new(r#"act("x"); step "s" { act("a"); } rollback { act("u1"); act("u2"); } throw "x";"#).run();
    assert_eq!(ran.keys, ["0", "2", "1.r.0", "1.r.1"]);
}

#[test]
fn a_rollback_with_steps_of_its_own_undoes_them_when_it_fails() {
    let script = r#"
        step "s" { act("a"); } rollback {
            step "in" { act("r1"); } rollback { act("undo r1"); }
            act("bad");
        }
        throw "x";"#;
    assert_eq!(Test::new(script).fails("bad").run().calls(), ["act a", "act r1", "act bad", "act undo r1"]);
}

#[test]
fn rehearsed_rollbacks_are_shown_under_their_step_and_change_nothing() {
    let script = r#"let n = 1; step "s" { act("a"); } rollback { act(`u${n}`); } act("b");"#;
    let ran = Test::new(script).rehearses().run();
    assert_eq!(ran.log, ["> step s", "act a", "< s owes", "> rehearsal s", "act u1", "< s ok", "act b"]);
}

#[test]
fn a_child_that_fails_is_undone_and_the_fault_goes_on() {
    let child = r#"step "c" { act("c"); act("bad"); } rollback { act("uc"); }"#;
    let script = r#"step "p" { act("p"); } rollback { act("up"); } runbook("child.rhai");"#;
    let ran = Test::new(script).file("child.rhai", child).fails("bad").run();
    assert_eq!(ran.calls(), ["act p", "act c", "act bad", "act uc", "act up"]);
    assert_eq!(ran.fault().site.as_deref(), Some("child.rhai:1:22"));
}

#[test]
fn what_a_completed_child_owes_is_owed_by_its_caller() {
    let child = r#"param who: string = "nobody"; step "c" { act(who); } rollback { act(`u${who}`); } 42"#;
    let script = r#"let r = runbook("child.rhai", #{ who: "me" }); throw `got ${r}`;"#;
    let ran = Test::new(script).file("child.rhai", child).run();
    assert_eq!(ran.calls(), ["act me", "act ume"]);
    assert_eq!(ran.fault().message, "got 42");
}
