//! A session that was left open is found again, in its environment and nowhere else; and whatever says what to do about it names what
//! works.

use crate::piped::piped;
use crate::project::Project;
use crate::resumed::kill;
use crate::terminal::Terminal;
use crate::{is_closed, told_apart};

const CLOSE: &str = "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }";

const OTHER: &str = "[environments.other.services.web]\ndriver = \"http\"\nurl = \"http://127.0.0.1:9/health\"\n\
                     maintenance_file = \"other-maintenance\"\n\
                     [environments.test.tools.lost]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"kill -9 $$\"]\nimpact = \"change\"\n";

fn project() -> Project {
    let project = Project::configured("", OTHER);
    project.database(5);
    project
}

/// A session that has closed the shop, and died.
fn died(project: &Project, arguments: &str) {
    let terminal = Terminal::open(&project.path(""), arguments);
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line(CLOSE, 3);
    kill(&terminal);
}

/// What is said in words on a screen, without its line ends.
fn words(text: &str) -> String {
    told_apart(text).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn refused(project: &Project, arguments: &[&str]) -> String {
    let (code, out, err) = piped(project, arguments, "");
    assert_eq!(code, 3, "{out}{err}");
    words(&err)
}

#[test]
fn it_is_looked_for_in_its_environment_however_many_came_after_it() {
    let project = project();
    died(&project, "repl --incident 'Orders are lost'");
    for _ in 0..21 {
        assert_eq!(piped(&project, &["repl", "--env", "other"], "1\n").0, 0);
    }
    let told = refused(&project, &["repl", "--env", "other", "--resume"]);
    assert!(told.contains("no session is left open in other"), "{told}");
    assert!(told.contains("in test: lifeboat repl --resume <session> (Orders are lost, <person>, "), "{told}");
    assert!(told.contains("; to be undone: Close; in maintenance: web)"), "{told}");
    let (code, _, err) = piped(&project, &["repl"], "1\n");
    let told = words(&err);
    assert!(
        told.contains("died (to be undone: Close; in maintenance: web): `lifeboat repl --resume <session>`"),
        "{told}"
    );
    assert_eq!(code, 0);
    let (code, out, err) = piped(&project, &["repl", "--resume"], ":arm\n:undo\n");
    assert_eq!((code, is_closed(&project)), (0, false), "{out}{err}");
    let (_, _, err) = piped(&project, &["repl"], "1\n");
    assert_eq!(err, "");
}

#[test]
fn one_that_still_goes_on_may_be_the_one_that_is_meant() {
    let project = project();
    died(&project, "repl --incident One");
    let terminal = Terminal::open(&project.path(""), "repl --incident Two");
    terminal.asks_for(1);
    let told = refused(&project, &["repl", "--resume"]);
    assert!(told.contains("a session was left open in test, and a newer one goes on: which one?"), "{told}");
    assert!(told.contains("(Two, <person>, "), "{told}");
    assert!(told.contains("lifeboat repl --resume <session> (One, "), "{told}");
}

#[test]
fn it_is_not_taken_up_in_another_environment() {
    let project = project();
    died(&project, "repl");
    let (code, _, err) = piped(&project, &["repl", "--env", "other", "--resume", "latest"], "");
    assert_eq!((code, words(&err).contains("is in test, not in other")), (64, true), "{err}");
}

#[test]
fn of_several_that_owe_something_none_is_guessed() {
    let project = project();
    died(&project, "repl --incident One");
    died(&project, "repl --incident Two");
    let (_, _, err) = piped(&project, &["repl"], "1\n");
    assert!(words(&err).contains("2 sessions died and owe something: `lifeboat repl --resume` lists them"), "{err}");
    let told = refused(&project, &["repl", "--resume"]);
    assert!(told.contains("2 sessions were left open in test: which one?"), "{told}");
    let listed = told.split("lifeboat repl --resume <session>").collect::<Vec<_>>();
    assert!(
        listed.len() == 3 && listed[1].contains("(Two,") && listed[2].contains("(One,"),
        "the newest first: {told}"
    );
}

#[test]
fn one_that_died_and_owes_nothing_hides_none_that_does() {
    let project = project();
    died(&project, "repl --incident One");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line("1 + 1", 2);
    kill(&terminal);
    let told = refused(&project, &["repl", "--resume"]);
    assert!(told.contains("owes nothing") && told.contains("(One,"), "{told}");
}

#[test]
fn what_somebody_decided_to_leave_hides_none_that_died() {
    let project = project();
    let left = format!(":arm\n{CLOSE}\n");
    assert_eq!(piped(&project, &["repl", "--incident", "Left"], &left).0, 6);
    died(&project, "repl --incident Died");
    assert_eq!(piped(&project, &["repl", "--incident", "Left too"], &left).0, 6);
    let (_, out, err) = piped(&project, &["repl", "--resume"], ":who\n:arm\n:undo all\n");
    assert!(out.contains("incident: Died"), "{out}{err}");
    let told = refused(&project, &["repl", "--resume"]);
    assert!(told.contains("2 sessions were left open in test: which one?") && told.contains("(Left,"), "{told}");
    let named: Vec<serde_json::Value> = piped(&project, &["runs", "--json"], "")
        .1
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .filter(|run: &serde_json::Value| run["status"] == "left-changed")
        .collect();
    let id = named[0]["id"].as_str().expect("an id");
    assert_eq!(piped(&project, &["repl", "--resume", id], ":arm\n:undo all\n").0, 0);
    let (code, out, err) = piped(&project, &["repl", "--resume"], ":who\n:arm\n:undo all\n");
    assert!(code == 0 && out.contains("incident: Left"), "the one that is left: {out}{err}");
}

#[test]
fn whoever_is_kept_from_a_target_is_told_how_a_session_gives_it_back() {
    let project = project();
    project.write("runbooks/close.rhai", "maintenance(\"web\", \"on\");\n");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line(CLOSE, 3);
    let told = refused(&project, &["run", "runbooks/close.rhai", "--yes"]);
    assert!(told.contains("web is being changed by session <session>, started by"), "{told}");
    assert!(
        told.contains("`lifeboat attach <session>`; whoever types there gives it back by `:undo all` and `:quit`"),
        "{told}"
    );
    let told = refused(&project, &["settle", "latest", "--applied"]);
    assert!(told.contains("still goes on") && told.contains("says so with `:settle`"), "{told}");
    let told = refused(&project, &["cancel", "latest"]);
    assert!(told.contains("`:undo` there undoes what it owes, and `:quit` ends it"), "{told}");
    let (_, out, _) = piped(&project, &["show", "latest"], "");
    let told = words(&out);
    assert!(
        told.contains("status <person> types, in process") && told.contains("(lifeboat attach <session>)"),
        "{told}"
    );
    assert!(told.contains("owes to be undone: Close; in maintenance: web"), "{told}");
    assert!(!told.contains("cannot be told"), "{told}");
    terminal.line(":undo all", 4);
    terminal.keys(":quit");
    terminal.press("Enter");
    assert_eq!(terminal.ends(), 0);
    let (code, out, err) = piped(&project, &["run", "runbooks/close.rhai", "--yes"], "");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_session_that_died_is_taken_up_by_what_is_said_of_it() {
    let project = project();
    project.write("runbooks/close.rhai", "maintenance(\"web\", \"on\");\n");
    died(&project, "repl");
    let (_, out, _) = piped(&project, &["show", "latest"], "");
    assert!(words(&out).contains("its process is gone (lifeboat repl --resume <session>)"), "{out}");
    let (_, _, err) = piped(&project, &["attach"], "");
    assert!(words(&err).contains("go on with: lifeboat repl --resume <session>, `:undo` there undoes"), "{err}");
    let (_, out, err) = piped(&project, &["run", "runbooks/close.rhai", "--yes"], "");
    let told = words(&format!("{out}{err}"));
    assert!(
        told.contains("is not over, and owes: Close; `lifeboat repl --resume <session>` takes it up again"),
        "{told}"
    );
    let (_, out, _) = piped(&project, &["doctor"], "");
    assert!(words(&out).contains("`lifeboat repl --resume` takes it up again"), "{out}");
}

#[test]
fn what_was_settled_from_elsewhere_goes_on_as_a_session() {
    let project = project();
    assert_eq!(piped(&project, &["repl"], ":arm\nexec(\"lost\");\n").0, 4);
    let (_, out, _) = piped(&project, &["show", "latest"], "");
    assert!(
        words(&out).contains("owes in doubt: exec lost (call 2.0) to see to it: lifeboat repl --resume <session>"),
        "{out}"
    );
    let (code, out, _) = piped(&project, &["settle", "latest", "--not-applied"], "");
    assert_eq!(code, 0);
    assert!(words(&out).contains("carry on with: lifeboat repl --resume <session>"), "{out}");
    let (_, out, _) = piped(&project, &["repl", "--resume"], ":owed\n");
    assert!(out.contains("nothing is owed"), "{out}");
}

#[test]
fn what_cannot_begin_leaves_no_session() {
    let project = project();
    project.write("runbooks/broken.rhai", "let a = ;\n");
    project.write("runbooks/wrong.rhai", "probe(\"nothing\");\n");
    project.write("runbooks/good.rhai", "param why: string;\n\nlog(why);\nprobe(\"web\");\n");
    for arguments in [
        &["repl", "nope.rhai"][..],
        &["repl", "runbooks/broken.rhai"],
        &["repl", "runbooks/wrong.rhai"],
        &["repl", "runbooks/good.rhai", "--set", "what=x"],
        &["repl", "runbooks/good.rhai", "--set", "why=ghp_0123456789abcdefghijABCDEFGHIJ"],
        &["repl", "--incident", "the token is ghp_0123456789abcdefghijABCDEFGHIJ"],
        &["repl", "--env", "nowhere"],
        &["repl", "--resume", "nothing"],
        &["repl", "--from", "nothing"],
    ] {
        let (code, out, err) = piped(&project, arguments, "");
        assert!(code != 0 && !err.is_empty(), "{arguments:?}: {out}{err}");
    }
    assert_eq!(piped(&project, &["runs", "--json"], "").1, "");
    assert_eq!(piped(&project, &["run", "runbooks/good.rhai", "--set", "why=x"], "").0, 0);
    project.write("runbooks/good.rhai", "param why: string;\n\nlog(why);\nbackup(\"primary\");\n");
    let told = refused(&project, &["repl", "--from", "latest"]);
    assert!(told.contains("was edited since run <session>"), "{told}");
    assert_eq!(piped(&project, &["runs", "--json"], "").1.lines().count(), 1, "of the run alone");
}
