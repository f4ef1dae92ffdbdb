//! `lifeboat init` at a terminal: its questions, and what comes of every way to answer them.
#![expect(clippy::disallowed_methods, reason = "a test starts the program that it is about, at a terminal of its own")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::Project;

/// The program at a terminal, which `script` gives it.
struct Terminal {
    child: Child,
    shown: String,
}

impl Terminal {
    fn open(directory: &Path, command: &str) -> Self {
        let line = format!("{} {command}", env!("CARGO_BIN_EXE_lifeboat"));
        let child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(directory)
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` (Debian: bsdutils) starts");
        Self { child, shown: String::new() }
    }

    /// Waits until the question is shown, and answers it.
    fn answer(&mut self, question: &str, keys: &str) {
        let out = self.child.stdout.as_mut().expect("a pipe");
        let asked = |shown: &str| shown.find(question).is_some_and(|at| shown[at..].contains("]\r\n"));
        while !asked(&self.shown) {
            let mut byte = [0; 256];
            let read = out.read(&mut byte).expect("it can be read");
            assert!(read > 0, "{question} was never asked:\n{}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&byte[..read]));
        }
        let at = self.shown.find(question).unwrap_or_default();
        self.shown.drain(..at + question.len());
        self.child.stdin.as_mut().expect("a pipe").write_all(keys.as_bytes()).expect("it can be written");
    }

    /// Waits for the end; everything that was not waited for, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        let _ = self.child.stdout.take().expect("a pipe").read_to_string(&mut rest);
        let code = self.child.wait().expect("it ends").code();
        (self.shown + &rest, code)
    }
}

fn names(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.path("")).expect("lists");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_answers_make_a_project_that_passes_check_and_doctor() {
    let project = Project::empty().database("data/orders.db", 10);
    let mut terminal = Terminal::open(&project.path(""), "init");
    terminal.answer("At which URL", "ftp://x\n");
    terminal.answer("write it as http://", "none\n");
    terminal.answer("In which file", "\n");
    terminal.answer("In which directory", "kept here\n");
    terminal.answer("Where are people told?", "notes.jsonl\n");
    terminal.answer("How is this environment called?", "Prod\n");
    terminal.answer("begin it with a letter", "prod\n");
    terminal.answer("Must runs in prod be confirmed", "\n");
    terminal.answer("Write these files?", "y\n");
    let (shown, code) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    let config = std::fs::read_to_string(project.path("lifeboat.toml")).expect("it was written");
    for part in ["path = \"data/orders.db\"", "path = \"kept here\"", "protected = true", "path = \"notes.jsonl\""] {
        assert!(config.contains(part), "{part} in\n{config}");
    }
    assert!(project.run(["check"]).stdout.contains("1 runbook: 0 errors, 0 warnings"));
    let doctor = project.run(["doctor"]);
    assert_eq!(doctor.exit, Some(0), "{}", doctor.stdout);
    let run = project.run(["run", "runbooks/first.rhai", "--yes", "prod"]);
    assert_eq!(run.exit, Some(0), "{}", run.stderr);
    assert!(std::fs::read_to_string(project.path("notes.jsonl")).expect("a message").contains("is good"));
}

#[test]
fn what_will_be_written_is_shown_first_and_a_no_leaves_nothing() {
    let project = Project::empty();
    let mut terminal = Terminal::open(&project.path(""), "init --url none --database none --tell terminal --env a new");
    terminal.answer("Must runs in a be confirmed", "no\n");
    terminal.answer("[environments.a.channels.team]", "");
    terminal.answer("Write these files?", "no\n");
    let (shown, code) = terminal.end();
    assert_eq!((code, names(&project)), (Some(3), vec![]), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
}

#[test]
fn ctrl_c_and_the_end_of_input_leave_nothing() {
    for keys in ["\u{3}", "\u{4}"] {
        let project = Project::empty();
        let mut terminal = Terminal::open(&project.path(""), "init new");
        terminal.answer("At which URL", "\n");
        terminal.answer("In which file", keys);
        let (shown, code) = terminal.end();
        assert!(code != Some(0) && names(&project).is_empty(), "{code:?} {shown}");
    }
}

#[test]
fn nobody_is_asked_in_vain_where_a_project_is_already() {
    let project = Project::new();
    let (shown, code) = Terminal::open(&project.path(""), "init").end();
    assert_eq!(code, Some(3));
    assert!(shown.contains("lifeboat.toml exists already") && !shown.contains("At which URL"), "{shown}");
}

#[test]
fn options_and_defaults_answer_for_scripts() {
    let project = Project::empty();
    let given = [
        "init",
        "--url",
        "https://example.org/health",
        "--database",
        "app.db",
        "--tell",
        "https://hooks.example.org/x",
    ];
    let run = project.run(given);
    assert_eq!(run.exit, Some(0), "{}", run.stderr);
    let config = std::fs::read_to_string(project.path("lifeboat.toml")).expect("it was written");
    assert!(config.contains("default = \"production\"") && config.contains("driver = \"webhook\""), "{config}");
    assert!(!config.contains("protected"), "nobody said so: {config}");
    assert!(project.run(["check"]).stdout.contains("1 runbook: 0 errors, 0 warnings"));
    let project = Project::empty();
    let (shown, code) = Terminal::open(&project.path(""), "init --defaults").end();
    assert_eq!((code, shown.contains("At which URL")), (Some(0), false), "{shown}");
    assert_eq!(Project::empty().run(["init", "--sandbox", "--url", "none"]).exit, Some(64));
    assert_eq!(Project::empty().run(["init", "--url", "example.org"]).exit, Some(64));
}
