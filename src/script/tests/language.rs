//! Calls, options, parameters, syntax.

use super::*;
use crate::model::Halt;

fn mistake(script: &str) -> (String, Option<String>) {
    match Test::new(script).run().verdict {
        Verdict::Halted { halt: Halt::Mistake { why, hint, .. }, .. } => (why, hint),
        other => panic!("{script}: {other:?}"),
    }
}

#[test]
fn options_are_checked_when_the_call_is_made_and_no_script_catches_it() {
    let (why, hint) = mistake(r#"let o = #{ timout: "5m" }; try { act("a", o); } catch { }"#);
    assert_eq!(why, "`act` has no option `timout`");
    assert_eq!(hint.as_deref(), Some("did you mean `timeout`?"));
    let (why, _) = mistake(r#"let t = "x"; act("a", #{ timeout: t });"#);
    assert!(why.contains("`timeout`: `x` is not a duration"), "{why}");
    // Good arguments at the same place before vouch for nothing.
    let (why, _) = mistake(r#"for t in ["5m", "5m", "x"] { act("a", #{ timeout: t }); }"#);
    assert!(why.contains("`timeout`: `x` is not a duration"), "{why}");
    let (why, _) = mistake(r#"let t = -1; act("a", #{ times: t });"#);
    assert!(why.contains("`times`"), "{why}");
    let (why, _) = mistake("act();");
    assert_eq!(why, "`act` lacks its argument `name`");
    let (why, hint) = mistake(r#"act("a", "b");"#);
    assert_eq!(why, "`act` takes (name, #{ options })");
    assert!(hint.unwrap().contains("act(\"a\");"));
    let (why, _) = mistake("let f = || 1; act(f);");
    assert!(why.contains("closure"), "{why}");
}

#[test]
fn parameters_have_defaults_and_given_values() {
    let script = r#"param who: string = "nobody"; param n: int = 1 + 1; fn f() { global::who } `${who} ${n} ${f()}`"#;
    assert_eq!(Test::new(script).run().value(), &Value::from("nobody 2 nobody"));
    let given = Test::new(script).set("who", "me").set("n", Value::Int(7)).run();
    assert_eq!(given.value(), &Value::from("me 7 me"));
}

#[test]
fn a_required_parameter_must_be_given() {
    let ran = Test::new("param who: string; who").run();
    let Halt::Mistake { why, .. } = ran.halt() else { panic!("{:?}", ran.halt()) };
    assert_eq!(why, "parameter `who` is not given");
    assert_eq!(Test::new("param who: string; who").set("who", "me").run().value(), &Value::from("me"));
}

#[test]
fn a_caught_fault_is_a_map_with_its_place() {
    let script =
        "let s = (); try {\n  act(\"bad\");\n} catch (e) { s = `${e.code} ${e.message} ${e.applied} ${e.site}`; } s";
    let ran = Test::new(script).fails("bad").run();
    assert_eq!(ran.value(), &Value::from("boom bad failed no main.rhai:2:3"));
}

#[test]
fn a_rethrown_fault_keeps_its_place() {
    let ran = Test::new("try { act(\"bad\"); } catch (e) {\n throw e; }").fails("bad").run();
    assert_eq!(ran.fault().site.as_deref(), Some("main.rhai:1:7"));
}

#[test]
fn require_throws_its_message() {
    let ran = Test::new("require(true, \"fine\"); require(1 > 2, \"one is not more than two\");").run();
    assert_eq!((ran.fault().code.as_str(), ran.fault().message.as_str()), ("requirement", "one is not more than two"));
}

#[test]
fn retry_shares_the_key_of_the_call_and_returns_the_value() {
    let script = r#"let n = 0; retry(#{ times: 3 }, || { n += 1; act("a"); if n < 3 { throw "again"; } n })"#;
    let ran = Test::new(script).run();
    assert_eq!(ran.value(), &Value::Int(3));
    assert_eq!(ran.keys, ["0.a0.0", "0.a1.0", "0.a2.0"]);
}

#[test]
fn a_failed_attempt_undoes_its_steps_before_the_next() {
    let script = r#"
        let n = 0;
        retry(|| {
            n += 1;
            step "s" { act(`${n}`); } rollback { act(`u${n}`); }
            if n == 1 { throw "again"; }
        });
        throw "later";"#;
    assert_eq!(Test::new(script).run().calls(), ["retry begins", "act 1", "act u1", "act 2", "act u2"]);
}

#[test]
fn wait_until_is_one_call_of_the_world() {
    let script = r#"let n = 0; wait_until("it works", #{ timeout: "5m" }, || { n += 1; n == 2 }); n"#;
    let ran = Test::new(script).run();
    assert_eq!(ran.value(), &Value::Int(2));
    assert_eq!(ran.log, ["wait_until begins"]);
}

#[test]
fn syntax_errors_name_the_place_and_what_to_do() {
    for (script, expected) in [
        ("step \"s\" { 1 } rolback { 2 }", "did you mean `rollback`?"),
        ("step \"s\" { 1 } rollback |a| { 2 }", "without parameters"),
        ("let x = 1\nlet y = 2;", "main.rhai:1:10: expected `;`"),
        ("act(reson);", "there is no variable `reson` here"),
        ("param who: string = \"x\"; fn f() { who }", "global::who"),
        ("let default = 1;", "`default` is a reserved word"),
        ("if true {", "main.rhai:1:10: expected `}`"),
    ] {
        let error = Test::new(script).syntax_error();
        assert!(error.contains(expected), "{script}: {error}");
    }
}

#[test]
fn a_name_that_begins_like_rollback_may_follow_a_step() {
    assert_eq!(Test::new("fn robust() { 5 } step \"s\" { 1; }\nrobust()").run().value(), &Value::Int(5));
}

#[test]
fn a_misspelt_field_is_a_fault_and_not_nothing() {
    let ran = Test::new("let found = #{ message: \"x\" };\nif found.mesage == \"x\" { act(\"alert\"); }").run();
    assert_eq!(ran.fault().message, "there is no field `mesage` here");
    assert_eq!(ran.fault().hint.as_deref(), Some("did you mean `message`?"));
    let asked = Test::new("let found = #{ a: 1 }; found.b = 2; `${\"a\" in found} ${\"c\" in found} ${found.b}`").run();
    assert_eq!(asked.value(), &Value::from("true false 2"));
}

#[test]
fn the_body_of_a_wait_says_yes_or_no() {
    let ran = Test::new("wait_until(\"it works\", || #{ ok: true });").run();
    assert_eq!(ran.fault().hint.as_deref(), Some("did you mean its field `.ok`?"));
}
