//! Faults, doubts and questions in a session: nothing unwinds that nobody asked to be undone.

use crate::project::Project;
use crate::terminal::Terminal;
use crate::{is_closed, told_apart};

/// Tools that fail as long as the file `broken` is there, that leave nobody knowing, and that take their time.
const TOOLS: &str = "[environments.test.tools.fails]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"test ! -e broken\"]\nunchanged_codes = [1]\nimpact = \"change\"\n\
                     [environments.test.tools.lost]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo x >> begun; test ! -e broken || kill -9 $$\"]\nimpact = \"change\"\n\
                     [environments.test.tools.slow]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo x >> begun; while ! test -e go; do sleep 0.02; done\"]\nimpact = \"change\"\n";

fn armed() -> (Project, Terminal) {
    let project = Project::configured("", TOOLS);
    project.database(5);
    project.write("broken", "");
    let terminal = Terminal::of_size(&project.path(""), "--color never repl", (100, 60), "xterm-256color");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    (project, terminal)
}

#[test]
fn outside_a_step_nothing_is_offered_that_nothing_would_come_of() {
    let (project, terminal) = armed();
    terminal.line("maintenance(\"web\", \"on\");", 3);
    // Nothing is undone by a requirement that does not hold: nothing is asked.
    let shown = terminal.line("require(false, \"not well\");", 4);
    assert!(shown.contains("× not well") && !shown.contains("What now?"), "{shown}");
    terminal.keys("exec(\"fails\"); maintenance(\"web\", \"off\");");
    terminal.press("Enter");
    let shown = terminal.shows("[retry/skip/leave]");
    assert!(shown.contains("`leave` stops here; nothing is undone"), "{shown}");
    terminal.press("Enter");
    terminal.shows("answer with one of: retry, skip, leave");
    terminal.keys("leave");
    terminal.press("Enter");
    terminal.asks_for(5);
    assert!(is_closed(&project));
}

#[test]
fn who_closes_the_question_leaves_it_as_it_is() {
    let (project, terminal) = armed();
    terminal.keys(
        "step \"Close\" { maintenance(\"web\", \"on\"); exec(\"fails\"); } rollback { maintenance(\"web\", \"off\"); }",
    );
    terminal.press("Enter");
    let shown = terminal.shows("[retry/skip/roll back/leave]");
    assert!(shown.contains("`roll back` undoes this step, `leave` leaves it owed"), "{shown}");
    terminal.press("C-d");
    let shown = terminal.asks_for(3);
    assert!(shown.contains("owes 1>") && is_closed(&project), "{shown}");
    let shown = terminal.line(":undo", 4);
    assert!(shown.contains("undone: Close") && !is_closed(&project), "{shown}");
    terminal.keys(
        "step \"Close\" { maintenance(\"web\", \"on\"); exec(\"fails\"); } rollback { maintenance(\"web\", \"off\"); }",
    );
    terminal.press("Enter");
    terminal.until("the second question", |shown| shown.matches("[retry/skip/roll back/leave]").count() == 2);
    terminal.keys("roll back");
    terminal.press("Enter");
    let shown = terminal.asks_for(5);
    assert!(shown.contains("rolled back: Close") && !is_closed(&project), "{shown}");
}

#[test]
fn a_question_that_is_closed_says_how_it_is_asked_again() {
    let (_project, terminal) = armed();
    terminal.keys("confirm(\"Is it off?\"); maintenance(\"web\", \"on\");");
    terminal.press("Enter");
    terminal.shows("Is it off? [yes/no]");
    terminal.press("C-d");
    let shown = terminal.asks_for(3);
    assert!(shown.contains("help: type it again, at a terminal, to be asked again"), "{shown}");
    assert!(!shown.contains("--yes") && !shown.contains("--answer"), "{shown}");
}

#[test]
fn a_target_in_doubt_is_not_changed_again_before_that_is_settled() {
    let (project, terminal) = armed();
    let shown = terminal.line("exec(\"lost\");", 3);
    assert_eq!(shown.matches("was ended by signal 9").count(), 1, "it is said once: {shown}");
    assert!(shown.contains("× in doubt: exec lost") && shown.contains("`:settle 2.0 applied`"), "{shown}");
    std::fs::remove_file(project.path("broken")).expect("is there");
    let shown = terminal.line("exec(\"lost\");", 4);
    assert!(shown.contains("refused: lost is in doubt: nobody knows whether exec (call 2.0) took place"), "{shown}");
    let told = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(told.matches("`:settle 2.0 applied` or `:settle 2.0 not-applied`").count(), 2, "{shown}");
    assert_eq!(project.read("begun").lines().count(), 1);
    // Others are not concerned.
    terminal.line("maintenance(\"web\", \"on\");", 5);
    assert!(is_closed(&project));
    terminal.line(":settle 2.0 not-applied", 5);
    terminal.line("exec(\"lost\");", 6);
    assert_eq!(project.read("begun").lines().count(), 2);
}

#[test]
fn a_summary_names_the_input_in_which_something_was_changed() {
    let (project, terminal) = armed();
    terminal.line("maintenance(\"web\", \"on\");", 3);
    terminal.paste("if true {\n  exec(\"slow\");\n}\n");
    terminal.press("Enter");
    project.write("go", "");
    terminal.asks_for(4);
    terminal.press("C-d");
    terminal.shows("[leave/stay]");
    terminal.keys("leave");
    terminal.press("Enter");
    assert_eq!(terminal.ends(), 6);
    let shown = terminal.all();
    assert!(shown.contains("maintenance web ([2]), exec slow ([3], line 2)"), "{shown}");
}

#[test]
fn ctrl_c_in_an_undo_is_answered_at_once_and_the_next_one_is_not_begun() {
    let (project, terminal) = armed();
    terminal.line("step \"A\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }", 3);
    terminal.line(
        "step \"B\" { maintenance(\"web\", \"on\"); maintenance(\"web\", \"off\"); } rollback { exec(\"slow\"); }",
        4,
    );
    terminal.keys(":undo all");
    terminal.press("Enter");
    terminal.until("its begin", |_| !project.read("begun").is_empty());
    terminal.press("C-c");
    terminal.shows("stopping: the rollback under way comes to its end; press Ctrl-C again");
    project.write("go", "");
    let shown = terminal.asks_for(5);
    assert!(shown.contains("undone: B") && !shown.contains("undone: A"), "{shown}");
    assert!(shown.contains("stopped: 1 step is still owed; `:undo all` goes on"), "{shown}");
    let shown = told_apart(&terminal.line(":undo all", 6));
    assert!(shown.contains("undone: A") && !is_closed(&project), "{shown}");
}

#[test]
fn a_rollback_waits_until_it_is_settled_what_it_would_undo() {
    let (project, terminal) = armed();
    terminal.line("step \"Send\" { maintenance(\"web\", \"on\"); exec(\"lost\"); } rollback { exec(\"lost\"); maintenance(\"web\", \"off\"); }", 3);
    std::fs::remove_file(project.path("broken")).expect("is there");
    let shown = terminal.line(":undo", 4);
    let told = shown.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(told.contains("the rollback of Send was refused, and is still owed: lost is in doubt"), "{shown}");
    let (_, behind) = told.split_once("was refused").expect("it was");
    let (key, _) = behind.split_once("`:settle ").and_then(|(_, rest)| rest.split_once(' ')).expect("a key");
    terminal.line(&format!(":settle {key} applied"), 4);
    let shown = terminal.line(":undo", 5);
    assert!(shown.contains("undone: Send") && !is_closed(&project), "{shown}");
}

#[test]
fn what_was_cut_off_in_a_console_that_goes_on_is_not_said_to_have_ended_with_it() {
    let (_project, terminal) = armed();
    terminal.line("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { exec(\"lost\"); }", 3);
    let shown = terminal.line(":undo", 4);
    assert!(shown.contains("was ended by signal 9"), "{shown}");
    let told = terminal.line(":undo", 5).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("in doubt: `exec` was cut off before it was seen to end"), "{told}");
    assert!(!told.contains("the process ended"), "{told}");
}
