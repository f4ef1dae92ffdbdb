//! Values that a plan cannot know.

use super::*;
use crate::model::{Halt, Unknown};

#[test]
fn they_flow_through_text_fields_and_arithmetic() {
    for (expression, text) in [
        ("`a ${u} b`", "a ‹look:x› b"),
        ("\"a\" + u", "a‹look:x›"),
        ("u + \"a\"", "‹look:x›a"),
        ("u.id", "‹look:x.id›"),
        ("u + 1", "(‹look:x› + 1)"),
        ("(u + 1) * 2", "((‹look:x› + 1) * 2)"),
        ("1 - u", "(1 - ‹look:x›)"),
        ("#{ a: u }.a", "‹look:x›"),
    ] {
        let ran = Test::new(&format!("let u = look(\"x\"); {expression}")).run();
        assert_eq!(ran.value(), &Value::Unknown(Unknown::text(text)), "{expression}");
    }
}

#[test]
fn comparing_one_asks_the_world() {
    for (expression, question) in [
        ("u > 5", "? ‹look:x› > 5"),
        ("5 < u", "? 5 < ‹look:x›"),
        ("u == \"a\"", "? ‹look:x› == \"a\""),
        ("!u", "? !‹look:x›"),
        ("`x${u}` == \"x1\"", "? \"x‹look:x›\" == \"x1\""),
        ("\"a\" != u", "? \"a\" != ‹look:x›"),
    ] {
        let ran = Test::new(&format!("let u = look(\"x\"); {expression}")).run();
        assert_eq!(ran.log.last().map(String::as_str), Some(question), "{expression}");
        assert_eq!(ran.value(), &Value::Bool(true));
    }
}

#[test]
fn testing_one_without_comparing_it_ends_the_plan_clearly() {
    let ran = Test::new("let u = look(\"x\");\nif u { act(\"a\"); }").run();
    let Halt::Unplannable { why, site, .. } = ran.halt() else { panic!("{:?}", ran.verdict) };
    assert!(why.contains("does not know"), "{why}");
    assert_eq!(site.line, 2);
}

/// Why the plan of this script ends, and at which line; `u` is not known.
fn ends(script: &str) -> (String, u32) {
    let ran = Test::new(&format!("let u = look(\"x\"); let t = `a ${{u}}`;\n{script}")).run();
    match ran.halt() {
        Halt::Unplannable { why, site, .. } => (why.clone(), site.line),
        other => panic!("{script}: {other:?}"),
    }
}

#[test]
fn nothing_is_asked_of_a_text_that_one_went_into() {
    for question in [
        "t.contains(\"a\")",
        "t.len() == 3",
        "t.len == 3",
        "t.is_empty()",
        "t.starts_with(\"a\")",
        "t.split(\" \").len() == 2",
        "t.sub_string(0, 1) == \"a\"",
        "t.index_of('a') == 0",
        "t.to_upper() == \"A\"",
        "parse_int(t) == 1",
        "\"a\" in t",
        "t in #{ a: 1 }",
        "\"abc\".contains(t)",
    ] {
        let (why, line) = ends(&format!("try {{ if {question} {{ act(\"a\"); }} }} catch {{ act(\"b\"); }}"));
        assert!(why.ends_with(" asks something of a ‹look:x›, which is not known before the run"), "{question}: {why}");
        assert_eq!(line, 2, "{question}");
    }
}

#[test]
fn the_order_of_such_texts_is_a_question_to_the_world() {
    let ran = Test::new("let t = `a ${look(\"x\")}`; t < \"b\" && \"b\" >= t").run();
    assert_eq!(ran.log[1..], ["? \"a ‹look:x›\" < \"b\"", "? \"b\" >= \"a ‹look:x›\""]);
    assert_eq!(
        Test::new("[\"a\" < \"b\", \"b\" <= \"a\", \"b\" > \"a\", \"a\" >= \"b\"]").run().value().to_string(),
        "[true, false, true, false]"
    );
}

#[test]
fn a_loop_an_index_and_what_nobody_thought_of_end_the_plan_where_they_stand() {
    for (asked, expected) in [
        ("for x in u { act(x); }", "how often the loop runs depends on ‹look:x›"),
        ("act(u[0]);", "`[0]` asks something of ‹look:x›"),
        ("act(max(u, 3));", "`max` asks something of ‹look:x›"),
        ("act(min(3, u));", "`min` asks something of ‹look:x›"),
    ] {
        let (why, line) = ends(&format!("try {{ {asked} }} catch {{ act(\"b\"); }}"));
        assert_eq!((why, line), (format!("{expected}, which is not known before the run"), 2), "{asked}");
    }
    let (why, _) = ends("try { act(is_odd(u)); } catch { act(\"b\"); }");
    assert_eq!(why, "`is_odd` asks something of ‹look:x›, which is not known before the run");
}

#[test]
fn texts_that_are_known_are_as_they_always_were() {
    let script = "let t = \"abc\"; t.replace(\"a\", \"bb\"); t.trim(); `${t} ${t.len()} ${t.sub_string(1)} ${t.contains('c')} ${t.len}`";
    assert_eq!(Test::new(script).run().value(), &Value::from("bbbc 4 bbc true 4"));
    let ran = Test::new("const T = \" a\"; let n = T.len(); T.trim(); n").run();
    assert!(ran.fault().message.contains("constant"), "{}", ran.fault().message);
}
