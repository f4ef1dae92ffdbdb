//! Secrets inside scripts: names that flow, and nothing that can be learned from them.

use super::*;
use crate::model::{Halt, Part, SecretText};

fn bearer() -> SecretText {
    SecretText::of([Part::Text("Bearer ".into()), Part::Secret { name: "T".into() }, Part::Text("!".into())])
}

#[test]
fn they_are_joined_with_text_and_stay_secrets() {
    for expression in ["`Bearer ${secret(\"T\")}!`", "\"Bearer \" + secret(\"T\") + \"!\"", "#{ a: `Bearer ${s}!` }.a"]
    {
        let ran = Test::new(&format!("let s = secret(\"T\"); {expression}")).run();
        assert_eq!(ran.value(), &Value::Secret(bearer()), "{expression}");
    }
    let ran = Test::new("let s = secret(\"A\") + secret(\"B\"); s").run();
    assert_eq!(ran.value().to_string(), "secret(A)secret(B)");
}

#[test]
fn they_cannot_be_compared() {
    for expression in ["secret(\"T\") == \"x\"", "\"x\" != secret(\"T\")", "secret(\"A\") < secret(\"B\")"] {
        let ran = Test::new(&format!("try {{ if {expression} {{ act(\"a\"); }} }} catch {{ act(\"b\"); }}")).run();
        let Halt::Mistake { why, .. } = ran.halt() else { panic!("{expression}: {:?}", ran.verdict) };
        assert!(why.contains("a secret cannot be compared"), "{why}");
        assert!(ran.log.is_empty(), "{:?}", ran.log);
    }
}

#[test]
fn text_that_was_taken_apart_cannot_leave() {
    let ran = Test::new("let t = `x${secret(\"TOKEN\")}y`; look(t.sub_string(0, 4))").run();
    let Halt::Mistake { why, .. } = ran.halt() else { panic!("{:?}", ran.verdict) };
    assert!(why.contains("can be joined with other text, and nothing else"), "{why}");
}

#[test]
fn what_is_thrown_names_them() {
    let ran = Test::new("throw `no login with ${secret(\"T\")}`").run();
    let Verdict::Failed { fault, .. } = &ran.verdict else { panic!("{:?}", ran.verdict) };
    assert_eq!(fault.message, "no login with secret(T)");
}

#[test]
fn nobody_else_can_make_one() {
    // Text from outside that looks like the inside of a marked text.
    let ran = Test::new("param text: string; text").set("text", "\u{E0F1}T\u{E0F2}").run();
    assert_eq!(ran.value(), &Value::from("T"));
}
