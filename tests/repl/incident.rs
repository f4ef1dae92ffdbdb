//! One incident from the first look to the report, and what it leaves.

use std::process::Command;

use crate::terminal::Terminal;
use crate::{is_closed, project, told_apart};

/// Types everything that somebody types that night.
fn that_night(terminal: &Terminal, fall_ill: impl Fn()) {
    terminal.asks_for(1);
    terminal.line(":health", 2);
    fall_ill();
    terminal.line("probe(\"web\").status", 3);
    terminal.line("# the shop shows errors since the deploy", 4);
    terminal.line("maintenance(\"web\", \"on\");", 5);
    terminal.line(":arm", 6);
    terminal.line("notify(\"incidents\", \"orders are lost\", #{ severity: \"critical\", key: \"orders\" });", 7);
    terminal.line(":step Close the shop", 8);
    terminal.line("maintenance(\"web\", \"on\");", 9);
    terminal.line(":step Bring the orders back", 10);
    terminal.line("let snapshot = latest_backup(\"primary\", #{ verified: true });", 11);
    terminal.line("let fresh = backup(\"primary\");", 12);
    terminal.line("require(verify_backup(\"primary\", #{ id: fresh.id }).ok, \"the backup is broken\");", 13);
    terminal.line(":step end", 14);
}

#[test]
fn an_incident_from_the_first_look_to_the_report() {
    let project = project();
    project.write("runbooks/README", "");
    let terminal = Terminal::open(&project.path(""), "repl --incident 'Orders are lost'");
    that_night(&terminal, || project.web.fall_ill());
    insta::assert_snapshot!("an_incident", told_apart(&terminal.all()));
    terminal.keys(":save runbooks/orders.rhai");
    terminal.press("Enter");
    terminal.asks_for(15);
    terminal.keys(":postmortem orders.md");
    terminal.press("Enter");
    terminal.asks_for(16);
    terminal.press("C-d");
    terminal.shows("[leave/stay]");
    insta::assert_snapshot!("its_runbook", told_apart(&project.read("runbooks/orders.rhai")));
    insta::assert_snapshot!("its_report", told_apart(&project.read("orders.md")));
    terminal.keys("leave");
    terminal.press("Enter");
    assert_eq!(terminal.ends(), 6, "the shop is still closed");
    for arguments in [&["check"][..], &["plan"], &["run", "--on-fault", "rollback"]] {
        let arguments = [arguments, &["runbooks/orders.rhai"]].concat();
        let ran = Command::new(env!("CARGO_BIN_EXE_lifeboat"))
            .args(&arguments)
            .current_dir(project.path(""))
            .output()
            .expect("starts");
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

#[test]
fn a_runbook_is_taken_statement_by_statement() {
    let project = project();
    project.write(
        "runbooks/close.rhai",
        "//! Close the shop.\n\nparam why: string = \"a test\";\n\nlog(why);\nmaintenance(\"web\", \"on\");\nthrow \"not here\";\nmaintenance(\"web\", \"off\");\n",
    );
    let terminal = Terminal::open(&project.path(""), "repl runbooks/close.rhai --set why=rehearsal");
    terminal.asks_for(2);
    terminal.line(":arm", 3);
    terminal.line(":next", 4);
    terminal.line(":next", 5);
    assert!(terminal.all().contains("rehearsal"), "{}", terminal.all());
    terminal.line(":go", 7);
    assert!(is_closed(&project), "{}", terminal.all());
    terminal.line(":skip it only gets in the way", 8);
    terminal.keys(":edit");
    terminal.press("Enter");
    terminal.shows("[9] test ARMED 14m> maintenance(\"web\", \"off\");");
    terminal.press("Enter");
    terminal.asks_for(10);
    assert!(!is_closed(&project));
}

#[test]
fn something_is_watched_until_ctrl_c() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys(":watch 200ms probe(\"web\")");
    terminal.press("Enter");
    terminal.shows("probe(\"web\"): pass");
    project.web.fall_ill();
    terminal.shows("probe(\"web\"): fail");
    terminal.shows("✗");
    terminal.press("C-c");
    terminal.shows("looked ");
    terminal.keys(":postmortem watch.md");
    terminal.press("Enter");
    terminal.shows("written to watch.md");
    let report = project.read("watch.md");
    assert!(
        report.contains("| probe web |") && report.contains("| not known: ") && !report.contains("still"),
        "{report}"
    );
}

#[test]
fn what_is_watched_is_only_looked_at() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    for (change, what) in [
        ("maintenance(\"web\", \"on\")", "`maintenance web` changes something"),
        ("notify(\"incidents\", \"x\")", "`notify incidents` tells somebody"),
    ] {
        let shown = terminal.line(&format!(":watch 1s {change}"), terminal.number() + 1);
        assert!(shown.contains(&format!("refused: `:watch` only looks, and {what}")), "{shown}");
        assert!(shown.contains("type it by itself"), "{shown}");
    }
    assert!(!is_closed(&project));
    assert!(!terminal.broke_a_line(), "{}", terminal.all());
}

#[test]
fn what_a_line_defined_before_it_failed_is_saved() {
    let project = project();
    project.write("runbooks/README", "");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line("fn probe_fails(b) { throw `${b.id} is odd`; }", 2);
    terminal.line(":arm", 3);
    terminal.line("let b = backup(\"primary\"); probe_fails(b); let late = 1;", 4);
    terminal.line("let newest = latest_backup(\"primary\"); throw \"x\";", 5);
    terminal.line("verify_backup(\"primary\", #{ id: b.id });", 6);
    terminal.keys(":save runbooks/odd.rhai");
    terminal.press("Enter");
    let shown = terminal.shows("0 errors");
    let saved = project.read("runbooks/odd.rhai");
    assert!(saved.contains("\n// What follows needs of it:\nlet b = backup(\"primary\");\n"), "{shown}\n{saved}");
    assert!(!saved.contains("\nlet newest") && !saved.contains("\nlet late"), "nothing uses it: {saved}");
}

#[test]
fn what_was_saved_is_written_over_only_where_nobody_has_edited_it() {
    let project = project();
    let terminal = Terminal::of_size(&project.path(""), "repl", (80, 60), "xterm-256color");
    terminal.asks_for(1);
    terminal.line("probe(\"web\");", 2);
    for (command, file, other) in
        [(":save", "orders.rhai", "orders-2.rhai"), (":postmortem", "orders.md", "orders-2.md")]
    {
        terminal.line(&format!("{command} {file}"), terminal.number() + 1);
        terminal.line(&format!("{command} {file}"), terminal.number() + 1);
        let edited = format!("{}\nmine();\n", project.read(file));
        project.write(file, &edited);
        let shown = terminal.line(&format!("{command} {file}"), terminal.number());
        assert!(shown.contains(&format!("refused: {file} was changed since `{command}` wrote it")), "{shown}");
        assert!(shown.contains(&format!("name another file: `{command} {other}`")), "{shown}");
        assert_eq!(project.read(file), edited);
    }
}

#[test]
fn what_is_saved_can_be_read_whatever_was_typed() {
    let project = project();
    project.write("runbooks/README", "");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line("probe(\"primary\").value // a remark", 2);
    terminal.line("fn g(x) { x + 1 }", 3);
    terminal.line("fn g(x) { x + 2 }", 4);
    terminal.line("let n = g(1) // and another", 5);
    terminal.line(":arm", 6);
    terminal.line("maintenance(\"web\", \"on\"); throw \"late\";", 7);
    terminal.keys(":save runbooks/odd.rhai");
    terminal.press("Enter");
    let shown = terminal.shows("0 errors");
    let saved = project.read("runbooks/odd.rhai");
    assert!(saved.contains("// failed: late; it had done: maintenance web"), "{shown}\n{saved}");
    assert!(saved.contains("let n = g(1); // and another"), "{saved}");
    assert_eq!(saved.lines().filter(|line| line.starts_with("fn g(x)")).count(), 1, "{saved}");
}

#[test]
fn a_parameter_with_its_comment_is_loaded() {
    let project = project();
    project.write(
        "runbooks/why.rhai",
        "//! Why.\n\n/// Why it is done.\n/// In two lines.\nparam why: string;\n\nlog(why);\n",
    );
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":load runbooks/why.rhai why=fire", 2);
    terminal.line(":arm", 3);
    terminal.line(":go", 5);
    assert!(terminal.all().contains("fire"), "{}", terminal.all());
}
