//! A script can neither run for ever nor leave its sandbox.

use super::*;
use crate::model::Halt;

#[test]
fn an_endless_loop_is_ended_and_what_is_owed_is_undone() {
    let script = r#"step "s" { act("a"); } rollback { act("u"); } let n = 0; loop { n += 1; }"#;
    let ran = Test::new(script).run();
    let Halt::Mistake { why, .. } = ran.halt() else { panic!("{:?}", ran.halt()) };
    assert!(why.contains("operations without an end"), "{why}");
    assert_eq!(ran.calls(), ["act a", "act u"]);
}

#[test]
fn an_endless_loop_inside_closures_is_counted_too() {
    let ran = Test::new("let f = |x| { let n = 0; while n >= 0 { n += 1; } }; [1].for_each(f);").run();
    assert!(matches!(ran.halt(), Halt::Mistake { .. }));
}

#[test]
fn endless_recursion_is_a_fault() {
    let ran = Test::new("fn f(n) { f(n + 1) + 1 } f(0);").run();
    assert!(ran.fault().message.contains("too deep"), "{:?}", ran.fault());
}

#[test]
fn runbooks_that_call_each_other_for_ever_are_a_mistake() {
    let ran = Test::new(r#"runbook("a.rhai");"#).file("a.rhai", r#"runbook("a.rhai");"#).run();
    let Halt::Mistake { why, .. } = ran.halt() else { panic!("{:?}", ran.halt()) };
    assert!(why.contains("levels deep"), "{why}");
}

#[test]
fn values_cannot_grow_without_bound() {
    for script in [
        r#"let s = "x"; loop { s += s; }"#,
        "let a = [1]; loop { a += a; }",
        "let a = []; for i in 0..20000 { a = [a]; } 1",
        r"let m = #{}; for i in 0..20000 { m[`${i}`] = i; m.len(); }",
    ] {
        // The nesting of arrays is the one that may complete: it must not overflow the stack when it is dropped.
        let ran = Test::new(script).run();
        assert!(matches!(ran.verdict, Verdict::Failed { .. } | Verdict::Completed(_)), "{script}: {:?}", ran.verdict);
    }
}

#[test]
fn there_is_no_clock_no_randomness_no_file_no_eval() {
    for call in ["timestamp()", "sleep(1)", "rand()", "open_file(\"x\")", "exit()", "sleep(0.1)"] {
        let ran = Test::new(&format!("{call};")).run();
        assert!(ran.fault().message.starts_with("there is no function"), "{call}: {:?}", ran.fault());
    }
    for (script, message) in [("eval(\"1\");", "eval"), ("print(1);", "print"), ("debug(1);", "debug")] {
        assert!(Test::new(script).syntax_error().contains(message), "{script}: {}", Test::new(script).syntax_error());
    }
}

#[test]
fn thirty_nested_steps_are_fine() {
    let script = format!("{}act(\"deep\");{}", "step \"s\" { ".repeat(30), " }".repeat(30));
    assert_eq!(Test::new(&script).run().calls(), ["act deep"]);
}

#[test]
fn the_same_script_gives_the_same_keys_every_time() {
    let script = r#"
        fn b() { act("b") } fn a() { act("a"); b() }
        let m = #{ z: 1, a: 2 }; for k in m.keys() { act(k); }
        [1, 2].for_each(|x| act(`${x}`)); a();"#;
    let once = Test::new(script).run();
    for _ in 0..5 {
        let again = Test::new(script).run();
        assert_eq!((&again.log, &again.keys), (&once.log, &once.keys));
    }
}
