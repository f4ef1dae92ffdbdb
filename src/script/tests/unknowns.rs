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
