//! What one input leaves for the next.

use super::world::Recorder;
use super::*;
use crate::model::{Halt, UnwoundStep};

struct Typing {
    session: Session,
    world: Arc<Recorder>,
    number: u32,
}

impl Typing {
    fn new(world: Recorder, files: Files) -> Self {
        let world = Arc::new(world);
        Self { session: Session::new(world.clone(), world::registry(), Arc::new(files)), world, number: 0 }
    }

    fn read(&mut self, text: &str) -> Input {
        self.number += 1;
        let name = format!("[{}]", self.number);
        self.session.read(&name, text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    fn type_(&mut self, text: &str) -> Verdict {
        let input = self.read(text);
        let (session, number) = (&mut self.session, self.number);
        on_deep_stack(|| session.evaluate(input, number, true)).expect("does not panic")
    }

    fn value(&mut self, text: &str) -> Value {
        match self.type_(text) {
            Verdict::Completed(value) => value,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn undo(&mut self) -> Option<UnwoundStep> {
        self.number += 1;
        let (session, number) = (&mut self.session, self.number);
        on_deep_stack(|| session.undo(number, ":undo")).expect("does not panic").map(|(step, _)| step)
    }

    fn calls(&self) -> Vec<String> {
        let log = self.world.log.lock().unwrap();
        log.iter().filter(|line| !line.starts_with(['>', '<', '~'])).cloned().collect()
    }
}

fn typing() -> Typing {
    Typing::new(Recorder::default(), Files::default())
}

#[test]
fn variables_constants_functions_and_closures_live_on() {
    let mut typing = typing();
    typing.value("let a = 1; const B = 10;");
    typing.value("fn double(x) { x * 2 + global::B }");
    typing.value("let add = |x| x + 1;");
    typing.value("a += 4;");
    assert_eq!(typing.value("double(a) + add.call(1)"), Value::Int(22));
    assert_eq!(typing.value("let a = \"again\"; a"), Value::from("again"));
    assert_eq!(typing.value("const LATER = 5; fn later() { global::LATER } later()"), Value::Int(5));
    let names: Vec<String> = typing.session.variables().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["LATER", "a", "add", "B"]);
    assert_eq!(typing.session.functions(), ["double(x)", "later()"]);
}

#[test]
fn imports_live_on_and_functions_of_a_session_see_them() {
    let mut files = Files::default();
    files.0.insert("tools.rhai".into(), "fn twice(x) { act(x); act(x); }".into());
    let mut typing = Typing::new(Recorder::default(), files);
    typing.value(r#"import "tools" as tools;"#);
    typing.value("fn thrice(x) { tools::twice(x); act(x); }");
    typing.value(r#"tools::twice("a"); thrice("b");"#);
    assert_eq!(typing.calls(), ["act a", "act a", "act b", "act b", "act b"]);
    assert_eq!(typing.session.modules(), ["tools"]);
}

#[test]
fn what_a_line_did_before_it_failed_stays() {
    let mut typing = typing();
    let failed = typing.type_("let a = 1; a = 2; throw \"no\"; a = 3;");
    assert!(matches!(&failed, Verdict::Failed { fault, .. } if fault.message == "no"), "{failed:?}");
    assert_eq!(typing.value("a"), Value::Int(2));
}

#[test]
fn steps_stay_owed_until_they_are_undone_newest_first() {
    let mut typing = typing();
    typing.value(r#"let before = "b"; step "one" { act("1"); } rollback { act(before); }"#);
    typing.value(r#"step "two" { act("2"); } rollback { act("u2"); }"#);
    typing.value("before = \"changed\";");
    assert_eq!(typing.session.owed(), ["two", "one"]);
    assert_eq!(typing.undo().expect("is owed").title, "two");
    assert_eq!(typing.undo().expect("is owed").title, "one");
    assert!(typing.undo().is_none());
    assert_eq!(typing.calls(), ["act 1", "act 2", "act u2", "act b"], "captured as it was when the step ended");
}

#[test]
fn a_later_line_that_fails_undoes_its_own_step_and_nothing_else() {
    let world = Recorder::default();
    world.failing.lock().unwrap().push("bad".into());
    let mut typing = Typing::new(world, Files::default());
    typing.value(r#"step "one" { act("1"); } rollback { act("u1"); }"#);
    let failed = typing.type_(r#"step "two" { act("2"); act("bad"); } rollback { act("u2"); }"#);
    let Verdict::Failed { unwound, .. } = failed else { panic!("{failed:?}") };
    assert_eq!(unwound.len(), 1);
    assert_eq!(
        (typing.calls().join(", "), typing.session.owed()),
        ("act 1, act 2, act bad, act u2".into(), vec!["one".into()])
    );
}

#[test]
fn a_halt_ends_the_line_and_not_the_session() {
    let world = Recorder::default();
    world.halting.lock().unwrap().push("full".into());
    let mut typing = Typing::new(world, Files::default());
    let halted = typing.type_(r#"step "s" { act("a"); act("full"); act("never"); } rollback { act("u"); }"#);
    assert!(matches!(&halted, Verdict::Halted { halt: Halt::Journal { .. }, .. }), "{halted:?}");
    assert_eq!(typing.session.owed(), ["s"], "what it changed is still owed");
    assert_eq!(typing.value("1 + 1"), Value::Int(2));
    assert_eq!(typing.calls(), ["act a", "act full"]);
}

#[test]
fn what_was_only_planned_owes_nothing() {
    let mut typing = typing();
    let input = typing.read(r#"step "s" { act("a"); } rollback { act("u"); }"#);
    let session = &mut typing.session;
    on_deep_stack(|| session.evaluate(input, 1, false)).expect("does not panic");
    assert_eq!(session.owed(), Vec::<String>::new());
}

#[test]
fn each_input_has_keys_of_its_own() {
    let mut typing = typing();
    typing.value(r#"act("a"); act("b");"#);
    typing.value(r#"act("c");"#);
    assert_eq!(*typing.world.keys.lock().unwrap(), ["1.0", "1.1", "2.0"]);
}

#[test]
fn what_is_open_goes_on_and_what_is_wrong_is_told_at_once() {
    let typing = typing();
    let session = &typing.session;
    let open = [
        "step \"x\" {",
        "step \"x\"",
        "step \"x\" { act(1); } rollback {",
        "act(",
        "act(\"a\", #{",
        "let x =",
        "let x = [1,",
        "`some\ntext",
        "if true {",
        "fn f(a,",
        "fn f(a)",
        "1 +",
        "x.",
        "try { 1 } catch",
        "switch 1 { 1 =>",
    ];
    for text in open {
        let text = text.replace("x.", "\"\".");
        let read = session.is_complete("[1]", &text);
        assert!(matches!(read, Err(Unread::Incomplete)), "{text}: {read:?}");
    }
    for text in ["", "1", "1 + 1;", "// note", "step \"x\" { }", "`text`", "let x = 1"] {
        assert!(session.is_complete("[1]", text).is_ok(), "{text}");
    }
    for text in ["1 + )", "let = 3", "\"open", "nowhere + 1", "step x { }", "}", "let x = 1; let y 2;"] {
        let read = session.is_complete("[1]", text);
        assert!(matches!(read, Err(Unread::Wrong(_))), "{text}: {read:?}");
    }
}

#[test]
fn a_block_that_was_begun_wrongly_is_typed_to_its_end_and_refused_whole() {
    for text in ["rollback {", "else {\n act(1);", "}}; f(", "let x 1; if y {", "foo bar [ #{"] {
        assert!(is_incomplete(text), "{text}");
    }
    for text in ["rollback { act(1); }", "let x 1;", "\"open { \" 1", "`${x} {` y z", "// {\n1 1", "}"] {
        assert!(!is_incomplete(text), "{text}");
    }
    for (text, word) in
        [("rollback { act(1); }", "rollback"), (" else { }", "else"), ("catch (e) { act(1); }", "catch")]
    {
        let Err(Unread::Wrong(error)) = typing().session.is_complete("[1]", text) else { panic!("{text}") };
        assert_eq!(error.message, format!("`{word}` stands alone: what was typed before is over"));
    }
    assert!(typing().session.is_complete("[1]", "let rollbacks = 1;").is_ok());
}

#[test]
fn an_error_points_into_the_line_that_was_typed() {
    let mut typing = typing();
    typing.value("let a = 1;");
    let failed = typing.type_("\nlet b = 2;\n  throw \"x\";");
    let Verdict::Failed { fault, .. } = failed else { panic!("{failed:?}") };
    assert_eq!(fault.site.as_deref(), Some("[2]:3:3"));
    let Err(Unread::Wrong(error)) = typing.session.read("[3]", "a + )") else { panic!("is wrong") };
    assert_eq!(error.site.to_string(), "[3]:1:5");
}

#[test]
fn a_text_with_parameters_is_read_with_their_values() {
    let mut typing = typing();
    let text = "param why: string;\nwhy";
    assert!(matches!(typing.session.read("[1]", text), Err(super::super::Unread::Wrong(_))), "one is missing");
    let params = Params::from([("why".to_owned(), Value::from("it burns"))]);
    let input = typing.session.read_with("[2]", text, &params).expect("it is whole");
    let verdict = on_deep_stack(|| typing.session.evaluate(input, 2, true)).expect("does not panic");
    assert_eq!(verdict, Verdict::Completed(Value::from("it burns")));
}
