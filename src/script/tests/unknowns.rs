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
        ("!!u", "? ‹look:x› is true"),
        ("`x${u}` == \"x1\"", "? \"x‹look:x›\" == \"x1\""),
        ("\"a\" != u", "? \"a\" != ‹look:x›"),
    ] {
        let ran = Test::new(&format!("let u = look(\"x\"); {expression}")).run();
        assert_eq!(ran.log.last().map(String::as_str), Some(question), "{expression}");
        assert_eq!(ran.value(), &Value::Bool(true));
    }
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

/// What the world is asked when `u` is looked at with this, the first answer being no so often.
fn asked(script: &str, noes: usize) -> (Vec<String>, Vec<String>) {
    let ran = Test::new(&format!("let u = look(\"x\");\n{script}")).denying(noes).run();
    let (questions, rest): (Vec<_>, Vec<_>) = ran.log.into_iter().skip(1).partition(|line| line.starts_with("? "));
    (questions.into_iter().map(|question| question[2..].to_owned()).collect(), rest)
}

#[test]
fn testing_one_asks_the_world() {
    for (tested, question) in [
        ("if u { act(\"a\"); }", "‹look:x› is true"),
        ("if true && u { act(\"a\"); }", "‹look:x› is true"),
        ("let y = u.done || false; if y { act(\"a\"); }", "‹look:x.done› is true"),
        ("if (u.a) { act(\"a\"); }", "‹look:x.a› is true"),
        ("act(if u { \"a\" } else { \"b\" });", "‹look:x› is true"),
        ("fn f(v) { if v { act(\"a\"); } } f(u);", "‹look:x› is true"),
        ("fn f(v) { if v { return \"a\"; } \"b\" } act(f(u));", "‹look:x› is true"),
        ("let c = |v| if v { act(\"a\") }; c.call(u);", "‹look:x› is true"),
        ("if false { } else if u { act(\"a\"); }", "‹look:x› is true"),
        ("while u { act(\"a\"); break; }", "‹look:x› is true"),
        ("do { act(\"a\"); } until u;", "‹look:x› is true"),
        ("for n in 0..9 { if u { act(\"a\"); break; } }", "‹look:x› is true"),
        ("step \"s\" { if u { act(\"a\"); } }", "‹look:x› is true"),
        ("act(`${if u { \"a\" } else { \"b\" }}`);", "‹look:x› is true"),
        ("let m = #{ a: [u && true] }; if m.a[0] { act(\"a\"); }", "‹look:x› is true"),
    ] {
        let (questions, calls) = asked(tested, 0);
        assert_eq!(questions, [question], "{tested}");
        assert!(calls.contains(&"act a".to_owned()), "{tested}: {calls:?}");
    }
    assert_eq!(asked("if u { act(\"a\"); } else if u.b { act(\"b\"); } else { act(\"c\"); }", 2).1, ["act c"]);
    assert_eq!(asked("if !u { act(\"a\"); } else { act(\"b\"); }", 1).1, ["act a"]);
    let swallowed = "try { if u { act(\"a\"); } } catch { act(\"b\"); }";
    assert_eq!(asked(swallowed, 0).1, ["act a"]);
}

#[test]
fn a_switch_asks_for_each_arm_in_turn() {
    let script = r#"
        switch u {
            "a" | "b" => act("ab"),
            -1 => act("minus"),
            1.5 => act("half"),
            'c' => act("char"),
            true => act("true"),
            () => act("nothing"),
            `d
e` => act("lines"),
            _ => act("other"),
        }"#;
    let all = [
        "‹look:x› in [\"a\", \"b\"]",
        "‹look:x› == -1",
        "‹look:x› == 1.5",
        "‹look:x› == \"c\"",
        "‹look:x› == true",
        "‹look:x› == ()",
        "‹look:x› == \"d\\ne\"",
    ];
    let ends = ["ab", "minus", "half", "char", "true", "nothing", "lines", "other"];
    for (noes, end) in ends.iter().enumerate() {
        let (questions, calls) = asked(script, noes);
        assert_eq!(questions, all[..(noes + 1).min(all.len())], "{end}");
        assert_eq!(calls, [format!("act {end}")]);
    }
}

#[test]
fn a_switch_keeps_guards_ranges_and_what_is_behind_them() {
    let guarded = "let on = false; switch u { 1 | 2 if on => act(\"a\"), 2 => act(\"b\"), _ => act(\"c\") }";
    assert_eq!(asked(guarded, 0), (vec!["‹look:x› == 1".into()], vec!["act c".into()]));
    assert_eq!(asked(guarded, 1), (vec!["‹look:x› == 1".into(), "‹look:x› == 2".into()], vec!["act b".into()]));
    let by_another = "switch u { 1 if look(\"y\") => act(\"a\"), _ => act(\"c\") }";
    assert_eq!(asked(by_another, 0).0, ["‹look:x› == 1", "‹look:y› is true"]);
    let ranges = "switch u { 3 => act(\"three\"), 0..5 => act(\"low\"), 5..=9 => act(\"high\"), _ => act(\"other\") }";
    for (noes, expected, end) in [
        (0, vec!["‹look:x› == 3"], "three"),
        (1, vec!["‹look:x› == 3", "‹look:x› >= 0", "‹look:x› < 5"], "low"),
        (2, vec!["‹look:x› == 3", "‹look:x› >= 0", "‹look:x› >= 5", "‹look:x› <= 9"], "high"),
        (9, vec!["‹look:x› == 3", "‹look:x› >= 0", "‹look:x› >= 5"], "other"),
    ] {
        let (questions, calls) = asked(ranges, noes);
        assert_eq!((questions, calls), (expected.into_iter().map(str::to_owned).collect(), vec![format!("act {end}")]));
    }
    // One number is left in the first range, and none in the second.
    let full = "switch u { 1 => act(\"a\"), 1..=1 => act(\"never\"), 1..3 => act(\"b\"), _ => act(\"c\") }";
    assert_eq!(asked(full, 1).0, ["‹look:x› == 1", "‹look:x› >= 1", "‹look:x› < 3"]);
    assert_eq!(asked(full, 1).1, ["act b"]);
}

#[test]
fn a_switch_over_text_that_one_went_into_asks_as_well() {
    let script = "switch `a ${u}` { \"a 1\" => act(\"one\"), _ => act(\"other\") }";
    assert_eq!(asked(script, 0), (vec!["a ‹look:x› == \"a 1\"".into()], vec!["act one".into()]));
    assert_eq!(asked(script, 1).1, ["act other"]);
}

#[test]
fn a_switch_that_cannot_be_asked_about_ends_the_plan_where_it_stands() {
    let (why, line) = ends("try { switch u { [1] => act(\"a\"), _ => act(\"b\") } } catch { act(\"c\"); }");
    assert_eq!(why, "which arm the `switch` takes depends on ‹look:x›, which is not known before the run");
    assert_eq!(line, 2);
}

#[test]
fn conditions_and_switches_that_are_known_are_as_they_always_were() {
    let script = r#"
        fn f(n) { switch n { 1 | 2 => "few", 3..9 if n != 5 => "some", _ => { if n > 100 { return "very many"; } "many" } } }
        let found = [];
        for n in [1, 2, 3, 5, 9, 1000] { if n == 2 { continue; } found.push(f(n)); }
        let n = 0;
        while n < 3 && true { n += 1; if n == 2 { break; } }
        let m = #{ on: true };
        if m.on || false { let n = 9; }
        [found, n, switch "x" { "x" => 1 }, switch 5 { 1 => 2 }]
    "#;
    let expected = r#"[["few", "some", "many", "many", "very many"], 2, 1, ()]"#;
    assert_eq!(Test::new(script).run().value().to_string(), expected);
    for (script, message) in [
        ("let x = 5; if x { }", "expected a bool, got a i64"),
        ("let x = 1; while x { }", "expected a bool, got a i64"),
        ("let x = \"a\"; true && x", "expected a bool, got a string"),
    ] {
        let ran = Test::new(script).run();
        assert_eq!(ran.fault().message, message, "{script}");
    }
    let at = Test::new("let x = 1;\nif x { }").run();
    assert_eq!(at.fault().site.as_deref(), Some("main.rhai:2:4"));
}

#[test]
fn lists_ask_about_items_that_are_not_known() {
    for (tested, question, end) in [
        ("if [#{ on: u, n: \"a\" }].filter(|x| x.on).len() == 1 { act(\"a\"); }", "‹look:x› is true", "act a"),
        ("act([1, 2].filter(|x| x > u).len());", "1 > ‹look:x›", "act 2"),
        ("if [u].some(|x| x) { act(\"a\"); }", "‹look:x› is true", "act a"),
        ("if [u].all(|x| x.ok) { act(\"a\"); }", "‹look:x.ok› is true", "act a"),
        ("act([#{ n: \"a\", on: u }].find(|x| x.on).n);", "‹look:x› is true", "act a"),
        ("act([false, u].index_of(|x| x));", "‹look:x› is true", "act 1"),
        ("let l = [u]; l.retain(|x| x); act(l.len());", "‹look:x› is true", "act 1"),
        ("let l = [u]; act(l.drain(|x| x).len());", "‹look:x› is true", "act 1"),
        ("act(#{ a: u, b: false }.filter(|k, v| v).keys()[0]);", "‹look:x› is true", "act a"),
        ("fn yes(x) { x } if [u].some(yes) { act(\"a\"); }", "‹look:x› is true", "act a"),
        ("[u].map(|x, n| if x { act(`${n}`) });", "‹look:x› is true", "act 0"),
        ("let l = [1, 2]; l.dedup(|a, b| u); act(l.len());", "‹look:x› is true", "act 1"),
        ("if u in [1, \"b\"] { act(\"a\"); }", "‹look:x› in [1, \"b\"]", "act a"),
        ("if [1, 2].contains(u) { act(\"a\"); }", "‹look:x› in [1, 2]", "act a"),
        ("if u in #{ eu: 1, us: 2 } { act(\"a\"); }", "‹look:x› in [\"eu\", \"us\"]", "act a"),
        ("if 3 in [1, u] { act(\"a\"); }", "‹look:x› == 3", "act a"),
        ("if u.is_empty() { act(\"a\"); }", "‹look:x› is empty", "act a"),
        ("if u.contains(\"a\") { act(\"a\"); }", "‹look:x› contains \"a\"", "act a"),
        ("if \"a\" in u { act(\"a\"); }", "‹look:x› contains \"a\"", "act a"),
        ("if u.starts_with(\"v1\") { act(\"a\"); }", "‹look:x› starts with \"v1\"", "act a"),
        ("if \"v1\".ends_with(u) { act(\"a\"); }", "\"v1\" ends with ‹look:x›", "act a"),
    ] {
        let (questions, calls) = asked(tested, 0);
        assert_eq!(questions.first().map(String::as_str), Some(question), "{tested}");
        assert_eq!(calls, [end], "{tested}");
    }
    assert_eq!(asked("if u in [] { act(\"a\"); } else { act(\"b\"); }", 0), (vec![], vec!["act b".into()]));
    assert_eq!(asked("act([1, u].filter(|x| x == 1).len());", 9).1, ["act 1"]);
}

#[test]
fn no_list_is_put_in_order_by_what_is_not_known() {
    for (sorted, name) in [
        ("[3, u, 1].sort()", "sort"),
        ("[t, \"b\"].order()", "order"),
        ("[#{ n: u }, #{ n: 1 }].sort(|a, b| a.n - b.n)", "sort"),
        ("[2, 1].order_by(|a, b| u)", "order_by"),
        ("u.sort()", "sort"),
    ] {
        let (why, line) = ends(&format!("try {{ {sorted}; act(\"a\"); }} catch {{ act(\"b\"); }}"));
        assert!(why.starts_with(&format!("`{name}` asks something of ")), "{sorted}: {why}");
        assert_eq!(line, 2, "{sorted}");
    }
}

#[test]
fn lists_that_are_known_are_as_they_always_were() {
    for (script, expected) in [
        ("const L = [3, 1, 2]; [L.filter(|x| x > 1), L.some(|x| x > 2), L.all(|x| x > 2)]", "[[3, 2], true, false]"),
        ("[[1, 2, 3].filter(|x, n| n > 0), [1, 2].filter(|| this > 1)]", "[[2, 3], [2]]"),
        (
            "let l = [1, 2, 3, 4]; let d = l.drain(|x| x > 2); [l, d, l.retain(|x| x > 1), l]",
            "[[1, 2], [3, 4], [1], [2]]",
        ),
        (
            "[[5, 6, 5].find(|x| x == 5, 1), [5].find(|x| x == 6), [5, 6, 5].index_of(|x| x == 5, -1), [5].index_of(|x| x == 6)]",
            "[5, (), 2, -1]",
        ),
        (
            "let l = [3, 1, 2]; l.sort(); let m = [\"b\", \"a\"]; m.sort_desc(); [l, m, [2.5, 1.5].order(), [1].order_desc()]",
            "[[1, 2, 3], [\"b\", \"a\"], [1.5, 2.5], [1]]",
        ),
        (
            "[[#{ k: 2, n: \"a\" }, #{ k: 1, n: \"b\" }, #{ k: 2, n: \"c\" }].order_by(|a, b| a.k - b.k).map(|x| x.n)]",
            "[[\"b\", \"a\", \"c\"]]",
        ),
        ("let l = [1, 3, 2]; l.sort(|a, b| a > b); l", "[3, 2, 1]"),
        ("let l = [1.5, 0.5]; l.sort_by(|a, b| a - b); l", "[0.5, 1.5]"),
        (
            "let l = [1, 1, 2, 3, 3]; l.dedup(); let m = [1, 2, 9]; m.dedup(|a, b| a - b < 3); [l, m]",
            "[[1, 2, 3], [1, 9]]",
        ),
        (
            "let m = #{ a: 1, b: 2 }; let d = m.drain(|k, v| v > 1); [m, d, #{ a: 1, b: 2 }.filter(|k| k == \"b\")]",
            "[{ a: 1 }, { b: 2 }, { b: 2 }]",
        ),
        ("[[1].filter(|x| \"yes\"), [1].some(|x| ())]", "[[], false]"),
    ] {
        assert_eq!(Test::new(script).run().value().to_string(), expected, "{script}");
    }
    let ran = Test::new("[2, 1].sort(|a, b| throw \"no\"); act(\"a\");").run();
    assert_eq!((ran.fault().message.as_str(), ran.calls().len()), ("no", 0));
    let ran = Test::new("[2, 1].sort(|a, b| \"x\");").run();
    assert_eq!(ran.fault().message, "`sort` takes a closure that returns a number or a bool, not a string");
}

#[test]
fn what_stands_at_a_place_that_is_not_known_ends_the_plan() {
    for (asked, unknown) in [
        ("let l = [1, 2]; act(l[u]);", "‹look:x›"),
        ("act([#{ n: 1 }][u].n);", "‹look:x›"),
        ("let m = #{ a: [1] }; act(m.a[u]);", "‹look:x›"),
        ("let m = #{ a: 1 }; act(m[u]);", "‹look:x›"),
        ("let m = #{ a: 1 }; act(m[t]);", "a ‹look:x›"),
        ("let l = [[1]]; act(l[0][u]);", "‹look:x›"),
        ("let l = [[1]]; act(l[u][0]);", "‹look:x›"),
        ("let l = [1]; l[u] = 2;", "‹look:x›"),
        ("act(\"abc\"[u]);", "‹look:x›"),
    ] {
        let (why, line) = ends(&format!("try {{ {asked} }} catch {{ act(\"b\"); }}"));
        let expected = format!("what stands at `[…]` depends on {unknown}, which is not known before the run");
        assert_eq!((why, line), (expected, 2), "{asked}");
    }
    let (why, _) = ends("try { let v = u; v.on = true; act(\"a\"); } catch { act(\"b\"); }");
    assert_eq!(why, "`on` asks something of ‹look:x›, which is not known before the run");
    let known = "let l = [[1, 2], [3, 4]]; let i = 1; let m = #{ a: #{ b: [5] } }; let k = \"a\"; l[i][i - 1] = 9; m[k].b[i - 1] += 1;\n\
        [l[i][0], l[-1][i], m[k][\"b\"][0], m[\"a\"].b[i - 1], l[i].len(), \"abc\"[i], [7, 8][i], l?[i][0]]";
    assert_eq!(Test::new(known).run().value().to_string(), "[9, 4, 6, 6, 2, \"b\", 8, 9]");
}
