//! A session that was cut off is taken up again: nothing is done twice, nothing is forgotten.

use rustix::process::{Pid, Signal, kill_process};

use lifeboat::journal::{Journal as _, LibsqlJournal, RunQuery};
use lifeboat::model::EventBody;

use crate::project::Project;
use crate::terminal::Terminal;
use crate::{is_closed, project, told_apart};

pub(crate) fn kill(terminal: &Terminal) {
    kill_process(Pid::from_raw(terminal.process()).expect("a process"), Signal::KILL).expect("it runs");
    terminal.shows("it ended with 137");
}

#[test]
fn variables_functions_imports_and_what_is_owed_come_back() {
    let project = project();
    project.write("runbooks/tools.rhai", "fn twice(x) { x * 2 }\n");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line("import \"tools\" as tools;", 2);
    terminal.line("fn thrice(x) { tools::twice(x) + x }", 3);
    terminal.line("let seen = probe(\"web\").status; let planned = backup(\"primary\");", 4);
    terminal.line(":arm", 5);
    terminal.line("let before = maintenance(\"web\");", 6);
    terminal.line("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", before); }", 7);
    terminal.line("throw \"a mistake\"", 8);
    let requests = project.web.requests();
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(8);
    assert!(shown.contains("nothing was done twice") && shown.contains("to be undone: Close"), "{shown}");
    assert!(shown.contains("test dry") && shown.contains("owes 1>"), "it is dry again: {shown}");
    assert_eq!(project.web.requests(), requests, "what was looked at is answered from the record");
    let shown = again.line("`${thrice(3)} ${seen} ${planned.id}`", 9);
    assert!(shown.contains("= 9 pass ‹"), "{shown}");
    again.line(":arm", 10);
    again.line(":undo", 11);
    assert!(!is_closed(&project));
    again.press("C-d");
    assert_eq!(again.ends(), 0);
    let once_more = Terminal::open(&project.path(""), "repl --resume");
    assert_eq!(once_more.ends(), 3);
    assert!(once_more.all().contains("no session is left open"));
}

#[test]
fn a_restore_that_was_cut_off_is_looked_into() {
    let project = Project::configured("", "");
    project.database(400_000);
    let terminal = Terminal::open(&project.path(""), "repl --incident 'Orders are lost'");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("let b = backup(\"primary\");", 3);
    terminal.keys("restore(\"primary\", #{ from: b.id }); maintenance(\"web\", \"off\");");
    terminal.press("Enter");
    terminal.shows("[yes/no]");
    terminal.keys("yes");
    terminal.press("Enter");
    let journal = || LibsqlJournal::open(project.path(".lifeboat/journal.db")).expect("opens");
    loop {
        let journal = journal();
        let run = journal.runs(&RunQuery::newest(1)).expect("reads").pop().expect("the session").id;
        let begun = |body: &EventBody| matches!(body, EventBody::Intended { primitive, .. } if primitive == "restore");
        if journal.events(&run).expect("reads").iter().any(|event| begun(&event.body)) {
            break;
        }
    }
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(4);
    let told = told_apart(&shown);
    assert!(told.contains("[3] was cut short: restore(\"primary\""), "{shown}");
    assert!(told.contains("restore primary was under way: it "), "{shown}");
    let done = told.contains("it took place");
    let line = if done { "what stood behind it was not done" } else { "type it again if it is still wanted" };
    assert!(told.contains(line), "{shown}");
    assert!(!shown.contains("maintenance web off"), "what stood behind it was not done: {shown}");
    // Whatever became of it, the session goes on, and b is there.
    let shown = again.line("b.id", 5);
    assert!(told_apart(&shown).contains("= <backup>"), "{shown}");
    let shown = again.line("probe(\"primary\", #{ query: \"SELECT count(*) FROM orders\" }).value", 6);
    assert!(shown.contains("= 400000"), "{shown}");
}

#[test]
fn a_session_that_goes_on_is_not_taken_from_whoever_types() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line("1 + 1", 2);
    let other = Terminal::open(&project.path(""), "repl --resume latest");
    assert_eq!(other.ends(), 3);
    assert!(other.all().contains("still goes on, in process"), "{}", other.all());
    let other = Terminal::open(&project.path(""), "repl --resume");
    assert_eq!(other.ends(), 3);
    let told = other.all().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("no session is left open"), "it is not the one to take: {told}");
    assert!(told.contains(") still goes on, in process "), "it may be the one that is meant: {told}");
    let other = Terminal::open(&project.path(""), "resume");
    assert_eq!(other.ends(), 3);
    assert!(other.all().contains("no run is unfinished"), "{}", other.all());
}

#[test]
fn it_looks_back_at_last_nights_run() {
    let project = project();
    project.write(
        "runbooks/night.rhai",
        "let b = backup(\"primary\");\nlet ok = probe(\"web\").ok;\nstep \"Close\" {\n    maintenance(\"web\", \"on\");\n} rollback {\n    maintenance(\"web\", \"off\");\n}\nlet late = 7;\n",
    );
    let run = Terminal::open(&project.path(""), "run runbooks/night.rhai --yes");
    assert_eq!(run.ends(), 0, "{}", run.all());
    let terminal = Terminal::open(&project.path(""), "repl --from latest@Close");
    let banner = told_apart(&terminal.asks_for(2));
    let said = "looks back at run <session> of runbooks/night.rhai in test, begun\n<moment>Z: as it was before step `Close` (2)\n\
                dry, and stays so: looks are real, and of now; changes are only planned\n";
    assert!(banner.contains(said), "{banner}");
    let shown = terminal.line("`${b.id} ${ok}`", 3);
    assert!(told_apart(&shown).contains("= <backup> true"), "{shown}");
    let shown = terminal.line("late", 3);
    assert!(shown.contains("there is no variable `late` here"), "it was opened before that: {shown}");
    let shown = terminal.line("maintenance(\"web\", \"off\");", 4);
    assert!(shown.contains("only planned"), "{shown}");
    let shown = terminal.line(":arm", 4);
    assert!(shown.contains("this session looks back at another run: it stays dry"), "{shown}");
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume latest");
    assert_eq!(again.ends(), 3);
    let told = told_apart(&again.all()).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("only looked back at a run"), "it could be armed: {told}");
    assert!(told.contains("lifeboat repl --from <session>@2"), "{told}");
    let (_, _, err) = crate::piped::piped(&project, &["repl"], "1\n");
    assert_eq!(err, "", "nobody misses it");
}

#[test]
fn a_lost_connection_stops_nothing_and_ends_nothing() {
    let project = project();
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.keys("sleep(\"1s\"); maintenance(\"web\", \"on\");");
    terminal.press("Enter");
    terminal.shows("sleep 1s");
    let process = terminal.process();
    drop(terminal);
    let began = std::time::Instant::now();
    while std::path::Path::new(&format!("/proc/{process}")).exists() {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it never ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(is_closed(&project), "what was asked for was done");
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(3);
    assert!(shown.contains("in maintenance: web"), "{shown}");
}

#[test]
fn a_rollback_that_was_cut_off_is_only_looked_into_and_can_be_taken_on() {
    let slow = "[environments.test.tools.slow]\ndriver = \"command\"\nimpact = \"change\"\n\
                program = [\"sh\", \"-c\", \"echo x >> begun; while ! test -e go; do sleep 0.02; done; echo x >> counted\"]\n\
                check = [\"test\", \"-e\", \"counted\"]\n";
    let project = Project::configured("", slow);
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line(
        "step \"Close\" { maintenance(\"web\", \"on\"); } rollback { exec(\"slow\"); maintenance(\"web\", \"off\"); }",
        3,
    );
    terminal.keys(":undo");
    terminal.press("Enter");
    terminal.until("its begin", |_| !project.read("begun").is_empty());
    let child = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", terminal.process())).unwrap_or_default();
    kill(&terminal);
    for pid in child.split_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
    for pid in carrying_out() {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
    let again = Terminal::of_size(&project.path(""), "repl --resume", (80, 60), "xterm-256color");
    let shown = again.asks_for(4);
    assert!(shown.contains("it did NOT take place") && shown.contains("to be undone: Close"), "{shown}");
    assert_eq!(project.read("begun").lines().count(), 1, "it is looked into, and not done: {shown}");
    project.write("go", "");
    again.line(":arm", 5);
    let shown = again.line(":undo", 6);
    assert!(shown.contains("undone: Close"), "{shown}");
    assert_eq!((project.read("begun").lines().count(), project.read("counted").lines().count()), (2, 1));
    assert!(!is_closed(&project));
    again.line("1 + 1", 7);
    again.press("C-d");
    assert_eq!(again.ends(), 0);
}

/// The programs of this test that outlived who started them.
fn carrying_out() -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mine = processes.filter(|entry| {
        let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        line.contains("echo x >> begun")
    });
    mine.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

#[test]
fn a_question_that_was_cut_off_was_not_answered_and_what_stood_behind_it_was_not_done() {
    let lost = "[environments.test.tools.lost]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"kill -9 $$\"]\nimpact = \"change\"\n";
    let project = Project::configured("", lost);
    project.database(5);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("exec(\"lost\");", 3);
    terminal.keys("confirm(\"Go on?\"); maintenance(\"web\", \"on\");");
    terminal.press("Enter");
    terminal.shows("Go on? [yes/no]");
    kill(&terminal);
    let again = Terminal::of_size(&project.path(""), "repl --resume", (80, 60), "xterm-256color");
    let shown = again.asks_for(4);
    assert!(shown.contains("[3] was cut short: confirm(\"Go on?\"); maintenance"), "{shown}");
    assert!(shown.contains("it asked `Go on?`: that was not answered"), "{shown}");
    assert!(shown.contains("what stood behind it was not done; type it again"), "{shown}");
    assert!(!shown.contains("exec lost was under way"), "that was in doubt before: {shown}");
    assert!(shown.contains("in doubt: exec lost: `:settle 2.0 applied`"), "{shown}");
    assert!(!is_closed(&project));
}

#[test]
fn a_runbook_that_was_loaded_is_where_it_was() {
    let project = project();
    let text = "//! Close the shop.\n\nparam why: string;\n\nlog(why);\nlet a = 1;\nmaintenance(\"web\", \"on\");\nlet b = 2;\nlet b = 2;\nlog(\"end\");\n";
    project.write("runbooks/close.rhai", text);
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":load runbooks/close.rhai why=\"it burns\"", 2);
    terminal.line(":next", 3);
    terminal.line(":next", 4);
    terminal.line("probe(\"web\").ok", 5);
    terminal.line(":skip not needed", 6);
    // What is typed as it stands there takes its place.
    terminal.line("maintenance(\"web\", \"on\");", 7);
    terminal.line("throw \"a mistake\"", 8);
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(8);
    assert!(shown.contains("close.rhai: 4 of 7 statements were taken"), "{shown}");
    assert!(shown.contains("next, 5 of 7:\n  let b = 2;"), "{shown}");
    again.keys(":edit");
    again.press("Enter");
    again.shows("> let b = 2;");
    again.press("Enter");
    again.asks_for(10);
    let shown = again.line(":next", 11);
    assert!(shown.contains("next, 7 of 7:\n  log(\"end\");"), "the one that says the same was not passed by: {shown}");
    kill(&again);
    project.write("runbooks/close.rhai", &text.replace("end", "over"));
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(11);
    let told = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("close.rhai was edited since it was loaded; [10] was done last: let b = 2;."), "{shown}");
    assert!(told.contains("`:load runbooks/close.rhai why=\"it burns\"` takes it from its beginning"), "{shown}");
}

#[test]
fn what_of_a_loaded_runbook_was_only_planned_is_said_when_the_session_is_armed() {
    let project = project();
    project.write("runbooks/close.rhai", "//! Close.\nlet a = 1;\nmaintenance(\"web\", \"on\");\nlog(\"end\");\n");
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":load runbooks/close.rhai", 2);
    terminal.line(":next", 3);
    terminal.line(":next", 4);
    let shown = terminal.line(":arm", 5).split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "what was typed since close.rhai was loaded holds 1 statement that did NOT take place, the first is [3]";
    assert!(shown.contains(told), "{shown}");
    terminal.line("maintenance(\"web\", \"on\");", 6);
    terminal.line(":disarm", 7);
    let shown = terminal.line(":arm", 8).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(shown.matches("did NOT take place").count(), 1, "it took place meanwhile: {shown}");
}

#[test]
fn a_statement_of_a_loaded_runbook_that_was_cut_off_stays_the_next_one() {
    let project = project();
    project.write("runbooks/ask.rhai", "//! Ask.\n\nlog(\"begins\");\nconfirm(\"Go on?\");\nlog(\"ends\");\n");
    let terminal = Terminal::open(&project.path(""), "repl runbooks/ask.rhai");
    terminal.asks_for(2);
    terminal.line(":arm", 3);
    terminal.keys(":go");
    terminal.press("Enter");
    terminal.shows("Go on? [yes/no]");
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume");
    let shown = again.asks_for(5);
    assert!(shown.contains("ask.rhai: 1 of 3 statements were taken"), "{shown}");
    assert!(shown.contains("it is the one that was cut short: `:next` does all of it"), "{shown}");
    again.line(":arm", 6);
    let shown = again.line(":skip they agreed", 7);
    assert!(shown.contains("next, 3 of 3:\n  log(\"ends\");"), "{shown}");
}

#[test]
fn who_holds_a_target_is_told_as_it_is_now() {
    let slow = "[environments.test.tools.slow]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", \"echo x >> begun; while ! test -e go; do sleep 0.02; done\"]\nimpact = \"change\"\n";
    let project = Project::configured("", slow);
    project.database(5);
    let other = |change: &str| {
        let (_, out, err) = crate::piped::piped(&project, &["repl"], &format!(":arm\n{change}\n"));
        format!("{out}{err}").split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
    };
    let terminal = Terminal::open(&project.path(""), "repl");
    terminal.asks_for(1);
    terminal.line(":arm", 2);
    terminal.line("maintenance(\"web\", \"on\");", 3);
    kill(&terminal);
    let again = Terminal::open(&project.path(""), "repl --resume");
    again.asks_for(3);
    let told = other("maintenance(\"web\", \"off\");");
    assert!(told.contains(&format!("process {} on ", again.process())), "the one that carries it now: {told}");
    again.line(":arm", 4);
    again.keys("exec(\"slow\");");
    again.press("Enter");
    again.until("its begin", |_| project.path("begun").exists());
    kill(&again);
    let told = other("exec(\"slow\");");
    project.write("go", "");
    assert!(told.contains("slow is in doubt: session ") && told.contains("`lifeboat repl --resume "), "{told}");
    assert!(!told.contains("another run was faster") && !told.contains("wait for it"), "{told}");
}
