//! A halt ends a run, whatever the script does about it.

use super::*;
use crate::model::Halt;

/// Every way in which Rhai lets a script swallow an error.
const SWALLOWERS: [&str; 9] = [
    r#"try { act("halt"); } catch { }"#,
    r#"try { [1].map(|x| act("halt")); } catch { }"#,
    r#"try { [1].filter(|x| act("halt")); } catch { }"#,
    r#"try { [1].for_each(|x| act("halt")); } catch { }"#,
    r#"try { [1].some(|x| act("halt")); } catch { }"#,
    r#"try { [1].reduce(|s, x| act("halt")); } catch { }"#,
    r#"let a = [2, 1]; a.sort(|x, y| { act("halt"); 0 });"#,
    r#"fn f() { try { act("halt"); } catch { } } f();"#,
    r#"try { wait_until("w", #{}, || { act("halt"); true }); } catch { }"#,
];

#[test]
fn no_script_catches_a_halt_and_nothing_happens_after_it() {
    for swallower in SWALLOWERS {
        let ran = Test::new(&format!("act(\"first\"); {swallower} act(\"after\"); 1")).halts("halt").run();
        assert_eq!(ran.halt(), &Halt::Journal { why: "full".into() }, "{swallower}");
        let effects: Vec<_> = ran.calls().into_iter().filter(|c| c.starts_with("act")).collect();
        assert_eq!(effects, ["act first", "act halt"], "{swallower}");
    }
}

#[test]
fn a_swallowed_halt_as_the_last_statement_is_still_a_halt() {
    let ran = Test::new(r#"try { [1].map(|x| act("halt")) } catch { }"#).halts("halt").run();
    assert!(matches!(ran.halt(), Halt::Journal { .. }));
}

#[test]
fn a_swallowed_halt_followed_by_an_endless_loop_ends() {
    let ran = Test::new(r#"try { [1].map(|x| act("halt")) } catch { } loop { }"#).halts("halt").run();
    assert!(matches!(ran.halt(), Halt::Journal { .. }));
}

#[test]
fn after_a_halt_that_does_not_unwind_rollbacks_stay_owed() {
    let script = r#"step "s" { act("a"); } rollback { act("u"); } try { act("halt"); } catch { }"#;
    let ran = Test::new(script).halts("halt").run();
    assert_eq!(ran.calls(), ["act a", "act halt"]);
    let Verdict::Halted { owed, .. } = &ran.verdict else { panic!("halted") };
    assert_eq!(owed, &["s"]);
}

#[test]
fn cancelling_unwinds_finished_and_open_steps() {
    let script = r#"
        step "done" { act("a"); } rollback { act("ua"); }
        step "open" { act("b"); try { act("cancel"); } catch { act("caught"); } } rollback { act("ub"); }"#;
    let ran = Test::new(script).cancelled_at("cancel").run();
    assert_eq!(ran.halt(), &Halt::Cancelled);
    assert_eq!(ran.calls(), ["act a", "act b", "act cancel", "act ub", "act ua"]);
    assert!(ran.log.contains(&r#"~ unwinding ["open", "done"]"#.to_owned()), "{:?}", ran.log);
}

#[test]
fn a_halt_inside_a_rollback_ends_the_unwinding_and_the_rest_stays_owed() {
    let script = r#"
        step "one" { act("1"); } rollback { act("u1"); }
        step "two" { act("2"); } rollback { act("halt"); }
        throw "x";"#;
    let ran = Test::new(script).halts("halt").run();
    let Verdict::Failed { unwinding_halted, unwound, .. } = &ran.verdict else { panic!("{:?}", ran.verdict) };
    assert!(matches!(unwinding_halted, Some(Halt::Journal { .. })));
    assert!(unwound.is_empty());
    assert_eq!(ran.calls(), ["act 1", "act 2", "act halt"]);
}
