//! Conditions on values: taken where they are facts, and left open where nobody knows them before the run, whatever was made of
//! them.

use crate::case::{Case, cases};

/// Closes the shop where a condition on `n` (orders) and `v` (version) holds, both looked up behind a change.
fn behind_a_change(condition: &str) -> Case {
    decides(&format!("exec(\"run\", [\"true\"]);\n{LOOKS}"), condition).plan(&[
        "assumed exec run",
        "assumed probe shop",
        "assumed version shop",
    ])
}

/// The same with what is seen now.
fn seen_now(condition: &str) -> Case {
    decides(LOOKS, condition)
}

/// The same with a `switch` over `subject`.
fn switched(looks: &str, subject: &str) -> Case {
    Case::of(&format!(
        "{looks}\nswitch {subject} {{ \"1.0.0\" | 7 => maintenance(\"shop\", \"on\"), _ => log(\"it stays open\") }}"
    ))
}

fn switched_behind_a_change(subject: &str) -> Case {
    let looks = format!("exec(\"run\", [\"true\"]);\n{LOOKS}");
    switched(&looks, subject).plan(&["assumed exec run", "assumed probe shop", "assumed version shop"])
}

const LOOKS: &str = r#"
    let n = probe("shop", #{ pointer: "/orders" }).value;
    let v = version("shop").version;
"#;

fn decides(looks: &str, condition: &str) -> Case {
    Case::of(&format!(
        "{looks}\nif {condition} {{ maintenance(\"shop\", \"on\"); }} else {{ log(\"it stays open\"); }}"
    ))
}

const CLOSES: &[&str] = &["observed probe shop", "observed version shop", "predicted maintenance shop"];
const STAYS: &[&str] = &["observed probe shop", "observed version shop", "predicted log"];

cases! {
    a_number_that_is_seen => seen_now("n > 5 && n != 8").plan(CLOSES).file_left("closed", "on");
    a_number_that_is_seen_after_arithmetic => seen_now("(n + 1) * 2 - n % 4 == 14").plan(STAYS).file_left("closed", "");
    a_text_that_is_seen => seen_now("v == \"1.0.0\" || v < \"1\"").plan(CLOSES).file_left("closed", "on");
    a_text_that_is_seen_after_interpolation =>
        seen_now("`v${v} with ${n}`.starts_with(\"v1.\") && `${n}` == \"7\"").plan(CLOSES).file_left("closed", "on");

    a_number_that_is_not_known => behind_a_change("n > 5").open("`‹probe:shop.value› > 5`").file_left("closed", "on");
    a_number_that_is_not_known_after_arithmetic =>
        behind_a_change("(n + 1) * 2 > 5").open("`((‹probe:shop.value› + 1) * 2) > 5`").file_left("closed", "on");
    a_number_that_is_not_known_in_a_list =>
        behind_a_change("n in [6, 7, 8]").open("`‹probe:shop.value› in [6, 7, 8]`").file_left("closed", "on");
    /// Rhai would say of it that it is no bool, which a script may catch.
    a_condition_that_is_not_known => Case::of(r#"
        exec("run", ["true"]);
        let v = version("shop").version;
        try { if v { log("it is so"); } } catch { maintenance("shop", "on"); }
    "#)
    .plan(&["assumed exec run", "assumed version shop"])
    .open("`‹version:shop.version› is true`")
    .unwalked("a text is no bool: the run finds a mistake of the runbook, which it catches")
    .file_left("closed", "on");
    a_half_of_a_condition_that_is_not_known =>
        behind_a_change("n == 7 || n").open("`‹probe:shop.value› == 7`").file_left("closed", "on");

    /// Rhai would take the default, and tell nobody.
    a_switch_over_text_that_is_seen => switched(LOOKS, "v").plan(CLOSES).file_left("closed", "on");
    a_switch_over_a_number_that_is_seen => switched(LOOKS, "n").plan(CLOSES).file_left("closed", "on");
    a_switch_over_text_that_is_not_known =>
        switched_behind_a_change("v").open("`‹version:shop.version› in [\"1.0.0\", 7]`").file_left("closed", "on");
    a_switch_over_a_number_that_is_not_known =>
        switched_behind_a_change("n").open("`‹probe:shop.value› in [\"1.0.0\", 7]`").file_left("closed", "on");
    a_switch_over_text_with_something_in_it_that_is_not_known =>
        switched_behind_a_change("`${v}`").open("`‹version:shop.version› in [\"1.0.0\", 7]`").file_left("closed", "on");
    a_switch_over_ranges => Case::of(r#"
        exec("run", ["true"]);
        let n = probe("shop", #{ pointer: "/orders" }).value;
        fn level(n) { switch n { 0..5 => "low", 5..=9 => "high", _ => "other" } }
        if level(n) == "high" { maintenance("shop", "on"); }
    "#)
    .plan(&["assumed exec run", "assumed probe shop"])
    .open("`‹probe:shop.value› >= 0`")
    .file_left("closed", "on");

    /// Rhai would take it for a no.
    items_that_are_chosen_by_what_is_not_known => behind_a_change("[v].filter(|x| x == \"1.0.0\").len() == 1")
        .open("`‹version:shop.version› == \"1.0.0\"`")
        .file_left("closed", "on");
    an_item_that_is_found_by_what_is_not_known => behind_a_change("[#{ n: n }].some(|x| x.n > 5)")
        .open("`‹probe:shop.value› > 5`")
        .file_left("closed", "on");
    a_key_that_is_not_known => behind_a_change("`${v}` in #{ a: 1 } || v in #{ \"1.0.0\": 1 }")
        .open("`contains` asks something of ‹version:shop.version›")
        .file_left("closed", "on");
    an_order_that_is_not_known => behind_a_change("[9, n].order()[0] == 7")
        .open("`order` asks something of ‹probe:shop.value›")
        .file_left("closed", "on");

    an_answer_out_of_some => Case::of(r#"
        let state = ask("Which?", #{ choices: ["on", "off", "neither"] });
        switch state { "neither" => log("as it is"), _ => maintenance("shop", state) }
    "#)
    .answered("on")
    .plan(&["assumed ask"])
    .open("`‹ask› == \"neither\"`")
    .file_left("closed", "on");

    the_greater_of_two_numbers =>
        behind_a_change("max(n, 3) == 7").open("`max` asks something of ‹probe:shop.value›").file_left("closed", "on");
    a_text_that_is_not_known =>
        behind_a_change("v == \"1.0.0\"").open("`‹version:shop.version› == \"1.0.0\"`").file_left("closed", "on");
    a_text_that_is_not_known_after_interpolation =>
        behind_a_change("`v${v}` == \"v1.0.0\"").open("`\"v‹version:shop.version›\" == \"v1.0.0\"`").file_left("closed", "on");
    the_order_of_a_text_that_is_not_known =>
        behind_a_change("`v${v}` < \"v2\"").open("`\"v‹version:shop.version›\" < \"v2\"`").file_left("closed", "on");

    /// To Rhai the label would be a text like any other: it holds no `1.`, and so the plan would go the other way.
    a_part_of_a_text_that_is_not_known =>
        behind_a_change("`v${v}`.contains(\"1.\")").open("`contains` asks something of v‹version:shop.version›").file_left("closed", "on");
    the_length_of_a_text_that_is_not_known =>
        behind_a_change("`${v}`.len() == 5").open("`len` asks something of ‹version:shop.version›").file_left("closed", "on");
    a_number_read_from_a_text_that_is_not_known =>
        behind_a_change("parse_int(`${n}`) == 7").open("`parse_int` asks something of ‹probe:shop.value›").file_left("closed", "on");

    /// Inside a `try` it would be a fault like any other, which the runbook catches, and goes the other way.
    a_question_inside_a_try => Case::of(r#"
        exec("run", ["true"]);
        let newest = ();
        try { newest = backups("primary")[0].id; } catch { notify("incidents", "there is no backup"); }
        log("on");
    "#)
    .given(|world| drop(world.write("ill", "")))
    .plan(&["assumed exec run", "assumed backups primary"])
    .open("`[0]` asks something of ‹backups:primary›");

    what_is_not_known_flows_through_texts_and_arguments => Case::of(r#"
        exec("run", ["true"]);
        let v = version("shop").version;
        let n = probe("shop", #{ pointer: "/orders" }).value;
        notify("incidents", `version ${v}, twice ${n} is ${n * 2}`);
        configure("env", #{ set: #{ RELEASE: v, ORDERS: `${n} orders` } });
    "#)
    .plan(&[
        "assumed exec run",
        "assumed version shop",
        "assumed probe shop",
        "assumed notify incidents",
        "assumed configure env",
    ])
    .file_left("app.env", "PORT=80\nMODE=slow\nORDERS='7 orders'\nRELEASE=1.0.0");
}
