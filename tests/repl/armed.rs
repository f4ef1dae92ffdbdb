//! Changes take place only while a session is armed, and what goes on can be stopped without losing the session.

use crate::project::Project;
use crate::terminal::Terminal;
use crate::{is_closed, project, told_apart};

#[test]
fn a_session_is_dry_until_it_is_armed() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    let shown = terminal
        .line("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }", 2);
    assert!(shown.contains("1 change only planned"), "{shown}");
    terminal.line("notify(\"incidents\", \"closing\");", 3);
    assert!(!is_closed(&project), "it was only planned");
    assert_eq!(project.read("incidents.jsonl"), "");
    terminal.line(":undo", 3);
    terminal.shows("nothing is owed");
    let shown = terminal.line(":arm 10m", 4);
    assert!(shown.contains("test ARMED 9m>") || shown.contains("test ARMED 10m>"), "{shown}");
    terminal.line("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }", 5);
    assert!(is_closed(&project));
    terminal.shows("owes 1>");
    terminal.line(":disarm", 6);
    let shown = terminal.line(":undo", 6);
    assert!(shown.contains("refused: undoing `Close` changes something, and the session is dry"), "{shown}");
    assert!(is_closed(&project));
    terminal.line(":arm", 7);
    terminal.line(":undo", 8);
    assert!(!is_closed(&project));
    let shown = terminal.line(":owed", 8);
    assert!(shown.contains("nothing is owed"), "{shown}");
}

#[test]
fn it_is_dry_again_when_the_time_is_over() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys(":arm 2s");
    terminal.press("Enter");
    terminal.asks_for(2);
    // One line that lasts longer than that: what stands behind the end does not take place.
    terminal.keys("sleep(\"3s\"); maintenance(\"web\", \"on\");");
    terminal.press("Enter");
    let shown = terminal.shows("dry>");
    terminal.shows("the session is dry again");
    assert!(terminal.all().contains("the session is not armed any more"), "{shown}");
    assert!(!is_closed(&project));
}

#[test]
fn a_protected_environment_is_armed_by_whoever_types_its_name() {
    let project = Project::configured("protected = true", "");
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys(":arm");
    terminal.press("Enter");
    terminal.shows("type its name");
    terminal.keys("production");
    terminal.press("Enter");
    let shown = terminal.asks_for(1);
    assert!(shown.contains("names another environment than test"), "{shown}");
    terminal.keys(":arm");
    terminal.press("Enter");
    terminal.until("the second question", |shown| shown.matches("type its name").count() == 2);
    terminal.keys("test");
    terminal.press("Enter");
    terminal.shows("ARMED for 15m");
}

#[test]
fn what_destroys_is_asked_about_each_time() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("let b = backup(\"primary\");", 3);
    terminal.line("sql(\"primary\", \"DELETE FROM orders\", #{ expect_rows: 50 });", 4);
    for (answer, next) in [("no", 5), ("yes", 6)] {
        terminal.keys("restore(\"primary\", #{ from: b.id });");
        terminal.press("Enter");
        let asked = usize::from(answer == "yes") + 1;
        terminal
            .until("the question", |shown| shown.matches("destroys what is there. Do it? [yes/no]").count() == asked);
        terminal.keys(answer);
        terminal.press("Enter");
        terminal.asks_for(next);
    }
    let shown = terminal.line("probe(\"primary\", #{ query: \"SELECT count(*) FROM orders\" }).value", 7);
    assert!(shown.contains("nobody agreed to that") && shown.contains("= 50"), "{shown}");
}

#[test]
fn an_answer_that_comes_when_the_time_is_over_lets_nothing_take_place() {
    let tool = |name: &str, impact: &str| {
        format!(
            "[environments.test.tools.{name}]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo {name} >> log; exit 1\"]\n\
             unchanged_codes = [1]\nimpact = \"{impact}\"\n"
        )
    };
    let project = Project::configured("", &format!("{}{}", tool("nuke", "destroy"), tool("flaky", "change")));
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm 2s", 2);
    terminal.keys("exec(\"nuke\");");
    terminal.press("Enter");
    terminal.shows("[yes/no]");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    terminal.keys("yes");
    terminal.press("Enter");
    // The end of the time is on record, too.
    let shown = terminal.asks_for(4);
    assert!(shown.contains("the session is not armed any more"), "{shown}");
    terminal.line(":arm 2s", 5);
    terminal.keys("exec(\"flaky\");");
    terminal.press("Enter");
    terminal.shows("What now?");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    terminal.keys("retry");
    terminal.press("Enter");
    terminal.asks_for(7);
    assert_eq!(project.read("log"), "flaky\n", "once, when it was armed; never again");
}

#[test]
fn a_rollback_that_is_typed_too_late_does_not_take_place_at_once() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    for text in ["step \"X\" {", "maintenance(\"web\", \"on\");", "}"] {
        terminal.keys(text);
        terminal.press("Enter");
    }
    terminal.asks_for(3);
    for text in ["rollback {", "maintenance(\"web\", \"off\");", "}"] {
        terminal.keys(text);
        terminal.press("Enter");
    }
    terminal.shows("`rollback` stands alone");
    let shown = terminal.line(":undo", 3);
    assert!(is_closed(&project), "{shown}");
    assert!(shown.contains("no step is to be undone") && shown.contains("in maintenance: web"), "{shown}");
}

#[test]
fn ctrl_c_stops_what_goes_on_and_not_the_session() {
    let slow =
        "[environments.test.tools.slow]\ndriver = \"command\"\nprogram = [\"sleep\", \"30\"]\nimpact = \"change\"\n";
    let project = Project::configured("", slow);
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("let kept = 41;", 3);
    terminal.keys("sleep(\"30s\"); let never = 1;");
    terminal.press("Enter");
    terminal.shows("sleep 30s");
    terminal.press("C-c");
    let shown = terminal.asks_for(4);
    assert!(!shown.contains("sleep 30s"), "nothing goes on, and nothing stands there as if: {shown}");
    let shown = terminal.line("kept + 1", 5);
    assert!(shown.contains("stopped: the session goes on") && shown.contains("= 42"), "{shown}");
    let shown = terminal.line("never", 5);
    assert!(shown.contains("there is no variable `never` here"), "{shown}");
    terminal.keys("exec(\"slow\");");
    terminal.press("Enter");
    terminal.shows("exec slow");
    terminal.press("C-c");
    let shown = terminal.asks_for(6);
    assert!(!shown.contains("never came"), "{shown}");
    // At the prompt it only empties the line.
    terminal.keys("half a li");
    terminal.press("C-c");
    let shown = terminal.line("kept + 2", 7);
    assert!(shown.contains("= 43"), "{shown}");
}

#[test]
fn nobody_leaves_by_accident_while_something_is_owed() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }", 3);
    terminal.press("C-d");
    let shown = terminal.shows("[leave/stay]");
    assert!(shown.contains("to be undone: Close") && shown.contains("in maintenance: web"), "{shown}");
    terminal.keys("stay");
    terminal.press("Enter");
    terminal.asks_for(3);
    terminal.press("C-d");
    terminal.until("the second question", |shown| shown.matches("[leave/stay]").count() == 2);
    terminal.keys("leave");
    terminal.press("Enter");
    assert_eq!(terminal.ends(), 6);
    assert!(told_apart(&terminal.all()).contains("lifeboat repl --resume <session>"));
}

/// Two tools: one that works as long as the file `broken` is not there, and says how often it was called; one that takes its time.
const TOOLS: &str = "[environments.test.tools.count]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo x >> counted; test ! -e broken\"]\nunchanged_codes = [1]\nimpact = \"change\"\n\
                     [environments.test.tools.wipe]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo x >> wiped\"]\nimpact = \"destroy\"\n";

#[test]
fn a_rollback_that_fails_stays_owed_and_what_it_did_is_not_done_twice() {
    let project = Project::configured("", TOOLS);
    project.database(5);
    project.write("broken", "");
    let terminal = Terminal::of_size(&project.path(""), "--color never repl", (80, 60), "xterm-256color");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line(
        "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); exec(\"count\"); }",
        3,
    );
    terminal.keys(":undo");
    terminal.press("Enter");
    // A person may be asked what now: the fault goes on to the rollback.
    let shown = terminal.until("its end", |shown| shown.contains("[retry/") || shown.contains("still owed"));
    if shown.contains("[retry/") {
        terminal.keys("roll back");
        terminal.press("Enter");
    }
    terminal.shows("FAILED, and is still owed");
    let shown = terminal.asks_for(4);
    assert!(shown.contains("owes 1>"), "{shown}");
    std::fs::remove_file(project.path("broken")).expect("is there");
    let shown = terminal.line(":undo", 5);
    assert!(shown.contains("undone: Close"), "{shown}");
    assert_eq!(shown.matches("maintenance web off").count(), 1, "{shown}");
    assert_eq!(project.read("counted").lines().count(), 2);
    terminal.line("1 + 1", 6);
    terminal.press("C-d");
    assert_eq!(terminal.ends(), 0);
    let again = Terminal::open(&project.path(""), "repl --resume latest");
    let shown = again.asks_for(6);
    assert!(!shown.contains("to be undone") && !shown.contains("came to something else"), "{shown}");
    assert_eq!(project.read("counted").lines().count(), 2, "nothing is done again");
}

#[test]
fn what_destroys_is_asked_about_in_a_rollback_too() {
    let project = Project::configured("", TOOLS);
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("step \"s\" { maintenance(\"web\", \"on\"); } rollback { exec(\"wipe\"); }", 3);
    terminal.keys(":undo");
    terminal.press("Enter");
    terminal.shows("[yes/no]");
    terminal.keys("no");
    terminal.press("Enter");
    let shown = terminal.asks_for(4);
    assert!(shown.contains("still owed") && shown.contains("owes 1>"), "{shown}");
    assert_eq!(project.read("wiped"), "");
}

#[test]
fn ctrl_c_at_a_question_does_not_end_the_session() {
    let project = Project::configured("protected = true", TOOLS);
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.keys(":arm");
    terminal.press("Enter");
    terminal.shows("type its name");
    terminal.press("C-c");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.press("Enter");
    terminal.asks_for(1);
    terminal.keys(":arm");
    terminal.press("Enter");
    terminal.until("the second question", |shown| shown.matches("type its name").count() == 2);
    terminal.keys("test");
    terminal.press("Enter");
    terminal.asks_for(2);
    terminal.keys("exec(\"wipe\");");
    terminal.press("Enter");
    terminal.shows("[yes/no]");
    terminal.press("C-c");
    let shown = terminal.asks_for(3);
    assert!(shown.contains("nobody agreed") || shown.contains("stopped"), "{shown}");
    assert_eq!(project.read("wiped"), "");
}
