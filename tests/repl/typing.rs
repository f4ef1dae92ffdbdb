//! What helps while one types: completion, hints, colours, lines that go on, errors that point into the line.

use crate::project;
use crate::terminal::Terminal;
use crate::told_apart;

#[test]
fn names_targets_and_options_are_completed() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys("maint");
    terminal.press("Tab");
    terminal.shows("dry> maintenance(target, state)");
    terminal.keys("\"w");
    terminal.press("Tab");
    terminal.shows("dry> maintenance(\"web");
    terminal.press("C-u");
    terminal.keys("probe(\"primary\", #{ integ");
    terminal.press("Tab");
    terminal.shows("integrity: ");
    terminal.press("C-u");
    terminal.keys("let summit = 3;");
    terminal.press("Enter");
    terminal.asks_for(2);
    terminal.keys("summ");
    terminal.press("Tab");
    terminal.press("Enter");
    assert!(terminal.asks_for(3).contains("= 3"));
    terminal.keys(":postm");
    terminal.press("Tab");
    terminal.shows(":postmortem");
}

#[test]
fn backups_are_completed_by_asking_the_store() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("let b = backup(\"primary\");", 3);
    terminal.keys("restore(\"primary\", #{ from: \"2");
    terminal.press("Tab");
    let shown = terminal.until("the id of the backup", |shown| told_apart(shown).contains("from: \"<backup>"));
    assert!(shown.contains("restore(\"primary\", #{ from: \"2"), "{shown}");
}

#[test]
fn what_was_typed_before_is_offered_and_kept_for_the_next_session() {
    let project = project();
    {
        let terminal = Terminal::open(&project.path(""), "repl");
        terminal.asks_for(1);
        terminal.line("probe(\"web\").status", 2);
        terminal.press("C-d");
        assert_eq!(terminal.ends(), 0);
    }
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys("pro");
    terminal.shows("probe(\"web\").status");
    terminal.press("Right");
    terminal.press("Enter");
    assert!(terminal.asks_for(2).contains("= pass"));
}

#[test]
fn what_failed_and_what_destroys_is_not_offered_and_the_up_arrow_reaches_it() {
    let project = project();
    {
        let terminal = Terminal::open(&project.path(""), "repl");
        terminal.asks_for(1);
        terminal.line("let good = 1;", 2);
        terminal.line("let gone = nowhere;", 2);
        terminal.line("restore(\"primary\", #{ from: \"x\" });", 3);
        terminal.line("throw \"not now\"", 4);
        terminal.press("C-d");
        assert_eq!(terminal.ends(), 0);
    }
    for sessions in ["another", "the next but one"] {
        let terminal = Terminal::open(&project.path(""), "repl");
        terminal.asks_for(1);
        for (typed, shown) in
            [("let g", "let good = 1;"), ("restor", "restor"), ("restore(", "restore(target, #{"), ("throw", "throw")]
        {
            terminal.keys(typed);
            terminal.until(shown, |all| {
                let line = all.lines().last().unwrap_or_default();
                line.trim_end().ends_with(&format!("> {shown}"))
                    || (shown.ends_with('{') && line.contains(&format!("> {shown}")))
            });
            terminal.press("C-u");
        }
        terminal.press("Up");
        terminal.shows("> throw \"not now\"");
        terminal.press("Up");
        terminal.shows("> restore(\"primary\", #{ from: \"x\" });");
        terminal.press("Up");
        terminal.shows("> let gone = nowhere;");
        terminal.press("C-u");
        terminal.press("C-d");
        assert_eq!(terminal.ends(), 0, "{sessions}");
    }
}

#[test]
fn the_functions_of_a_module_are_completed_with_what_they_take() {
    let project = project();
    project.write(
        "runbooks/tools.rhai",
        "/// Doubles a number.\n/// Always.\nfn twice(x) { x * 2 }\n\nfn trice(x, y) { x * 3 }\n\nprivate fn hidden() { 1 }\n",
    );
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys("import \"too");
    terminal.press("Tab");
    terminal.keys("\" as t; import \"std/backups\" as b;");
    terminal.press("Enter");
    terminal.asks_for(2);
    terminal.keys("t::t");
    terminal.press("Tab");
    let shown = terminal.shows("twice(  (x)  Doubles a number.");
    assert!(shown.contains("trice(  (x, y)") && !shown.contains("hidden"), "{shown}");
    terminal.press("C-u");
    terminal.keys("t::tw");
    terminal.press("Tab");
    terminal.shows("t::twice(x)");
    terminal.press("C-u");
    terminal.keys("b::take");
    terminal.press("Tab");
    terminal.shows("b::take_verified(database)");
}

#[test]
fn what_is_logged_or_told_while_it_is_dry_is_called_what_it_is() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    let shown = terminal.line("log(\"here\");", 2);
    assert!(!shown.contains("only planned;"), "{shown}");
    let shown = terminal.line("notify(\"incidents\", \"down\");", 3);
    assert!(shown.contains("dry: 1 message not sent, only planned; `:arm`, and type it again, to send it"), "{shown}");
    assert!(!terminal.broke_a_line(), "{shown}");
}

#[test]
fn long_lines_break_between_words() {
    let project = project();
    project.write(
        "runbooks/close-the-shop-and-tell-everybody-it-is.rhai",
        "//! Close.\n\nlog(\"the shop is closed now, and everybody who asks is told so at the counter, politely\");\nthrow \"no\";\n",
    );
    let title = "Orders are lost since the deploy of this morning and nobody knows why that could be";
    let terminal = Terminal::open(&project.path(""), &format!("repl --incident '{title}'"));
    terminal.asks_for(1);
    let shown = terminal.line(":load runbooks/close-the-shop-and-tell-everybody-it-is.rhai", 2);
    assert!(shown.contains("everybody-it-is.rhai: 2 statements; `:next` carries out\nthe first, `:go` all"), "{shown}");
    let shown = terminal.line(":go", 4);
    assert!(shown.contains("it stays the next one: `:next` tries it again, `:skip WHY` leaves it out,"), "{shown}");
    terminal.line(":owed", 4);
    terminal.line(":who", 4);
    assert!(!terminal.broke_a_line(), "{}", terminal.all());
}

#[test]
fn a_block_goes_on_until_it_is_closed_and_an_error_points_into_it() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    for line in ["if probe(\"web\").ok {", "    `one", "two`"] {
        terminal.keys(line);
        terminal.press("Enter");
    }
    let shown = terminal.line("}", 2);
    assert!(shown.contains("= one\n  two"), "{shown}");
    terminal.line("let a = 1; a + nowhere", 2);
    terminal.line("probe(\"primray\")", 3);
    terminal.line("probe(\"web\", #{ timout: \"1s\" })", 4);
    let shown = terminal.line("throw \"not today\"", 5);
    insta::assert_snapshot!("errors_point_into_the_line", told_apart(&shown));
}

#[test]
fn a_long_script_is_pasted_as_one() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    let body = (0..198).map(|n| format!("    sum += {n}; // line {n}\n")).collect::<Vec<_>>().concat();
    terminal.paste(&format!("let sum = 0;\nif true {{\n{body}}}\nsum"));
    terminal.until("the last line", |shown| shown.lines().last() == Some("sum"));
    terminal.press("Enter");
    let shown = terminal.asks_for(2);
    assert!(shown.contains(&format!("= {}", (0..198).sum::<u32>())), "{shown}");
}

#[test]
fn a_primitive_is_explained_and_the_commands_are_listed_in_eighty_columns() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys("?maintenance");
    terminal.press("Enter");
    let shown = terminal.shows("Targets");
    assert!(shown.contains("maintenance: "), "{shown}");
    terminal.line(":help", 1);
    let shown = terminal.all();
    let at = shown.find(":help\n").expect("it was typed");
    insta::assert_snapshot!("help", &shown[at..]);
    assert!(shown[at..].lines().count() <= 24 && !terminal.broke_a_line(), "{shown}");
    let shown = terminal.line(":help settle", 1);
    assert!(shown.contains(":settle KEY applied|not-applied\nsay what became of a change"), "{shown}");
    let shown = terminal.line(":help setle", 1);
    assert!(shown.contains("there is no command `:setle`") && shown.contains("did you mean `settle`?"), "{shown}");
}

#[test]
fn without_colours_and_on_a_dumb_terminal_everything_is_said_in_words() {
    let project = project();
    let terminal = Terminal::of_size(&project.path(""), "--color never repl", (80, 24), "dumb");
    terminal.shows("dry>");
    terminal.keys(":arm 1m");
    terminal.press("Enter");
    terminal.until("ARMED", |shown| shown.ends_with("test ARMED 59s>") || shown.ends_with("test ARMED 1m>"));
    assert!(!terminal.coloured().contains('\u{1b}'), "{}", terminal.coloured());
    terminal.keys("1 + 1");
    terminal.press("Enter");
    terminal.shows("= 2");
}

#[test]
fn a_narrow_terminal_breaks_no_line_off() {
    let project = project();
    let terminal = Terminal::of_size(&project.path(""), "repl", (60, 20), "xterm-256color");
    terminal.asks_for(1);
    terminal.line("maintenance(\"web\", \"on\");", 2);
    let shown = terminal.line(":owed", 2);
    assert!(shown.contains("predicted") && shown.contains("nothing is owed"), "{shown}");
}

#[test]
fn what_there_is_to_see_is_shown() {
    let project = project();
    project.write("runbooks/close.rhai", "maintenance(\"web\", \"on\");\n");
    let terminal = Terminal::of_size(&project.path(""), "repl", (80, 60), "xterm-256color");
    terminal.asks_for(1);
    let shown = terminal.line(":targets", 1);
    assert!(shown.contains("primary    database, sqlite: "), "{shown}");
    terminal.line("let answer = 42; fn twice(x) { x * 2 }", 2);
    let shown = terminal.line(":vars", 2);
    assert!(shown.contains("answer  42\nfn twice(x)"), "{shown}");
    let shown = terminal.line(":health web", 3);
    assert!(shown.contains("? probe web → pass"), "{shown}");
    let shown = terminal.line(":plan maintenance(\"web\", \"on\");", 4);
    assert!(shown.contains("~ maintenance web: off → on"), "{shown}");
    let shown = terminal.line(":plan runbooks/close.rhai", 4);
    assert!(shown.contains("runbooks/close.rhai in test, as seen at"), "{shown}");
    let shown = terminal.line(":explore runbooks/close.rhai", 4);
    assert!(shown.contains("maintenance-restored"), "{shown}");
    let shown = terminal.line(":who", 4);
    assert!(shown.contains("in test, session ") && shown.contains("(session)"), "{shown}");
    let shown = terminal.line(":amr", 4);
    assert!(shown.contains("there is no command `:amr`") && shown.contains("did you mean `arm`?"), "{shown}");
    let shown = terminal.line(":timeline", 4);
    assert!(shown.contains("typed: let answer = 42"), "{shown}");
}

#[test]
fn lines_that_come_in_one_burst_are_all_evaluated() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys("let a = 1;\rlet b = 2;\rlet c = 3;\ra + b + c\r");
    let shown = terminal.asks_for(5);
    assert!(shown.contains("= 6"), "{shown}");
}
