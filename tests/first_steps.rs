//! The first minutes with Lifeboat: a new project is sound, its drill passes, and what was run can be looked up.
#![expect(clippy::disallowed_methods, reason = "a test starts the program that it is about")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the program and returns what it wrote to standard output. It must succeed.
fn lifeboat<const N: usize>(directory: &Path, args: [&str; N]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    let output = command.args(args).current_dir(directory).stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{args:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect(text)
}

#[test]
fn a_new_project_can_be_checked_planned_and_run_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let made = lifeboat(directory.path(), ["init", "it's new"]);
    assert!(made.contains(r"cd 'it'\''s new'"), "{made}");
    let project = directory.path().join("it's new");
    assert_eq!(std::fs::read_to_string(project.join(".gitignore")).expect("reads"), ".lifeboat/\n");
    assert!(lifeboat(&project, ["check"]).contains("1 runbook: 0 errors, 0 warnings"));
    lifeboat(&project, ["plan", "runbooks/first.rhai"]);
    lifeboat(&project, ["run", "runbooks/first.rhai"]);
}

#[test]
fn the_drill_of_a_new_sandbox_passes_and_is_on_record() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = directory.path();
    std::fs::write(project.join(".gitignore"), "mine\n").expect("writes");
    lifeboat(project, ["init", "--sandbox"]);
    assert_eq!(std::fs::read_to_string(project.join(".gitignore")).expect("reads"), "mine\n");
    assert!(lifeboat(project, ["check"]).contains("2 runbooks: 0 errors, 0 warnings"));
    assert!(lifeboat(project, ["drill", "runbooks/drills/database-loss.rhai"]).contains("passed"));

    let run = json(&lifeboat(project, ["runs", "--status", "completed", "--env", "sandbox", "--json"]));
    assert_eq!(run["runbook"], "runbooks/drills/database-loss.rhai");
    assert_eq!(run["mode"], "drill");
    let id = run["id"].as_str().expect("an id");
    let short = id.rsplit('-').next().expect("an end");
    assert!(lifeboat(project, ["runs"]).lines().nth(1).is_some_and(|line| line.starts_with(short)));
    assert_eq!(lifeboat(project, ["runs", "--runbook", "nonesuch"]), "");

    let shown = lifeboat(project, ["show", short]);
    for part in [id, "hash chain whole", "▸ Stop writes", "✓ restore primary", "no longer owed: Stop writes"] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let shown = json(&lifeboat(project, ["show", "latest", "--json"]));
    assert_eq!(shown["run"]["id"], id);
    assert_eq!(shown["verified"]["broken"], serde_json::Value::Null);
    let events = shown["events"].as_array().map_or(0, Vec::len);
    assert_eq!(shown["run"]["events"], events);
}

#[test]
fn every_shell_gets_completions() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = lifeboat(here, ["completions", shell]);
        assert!(script.contains("lifeboat") && script.contains("drill"), "{shell}");
    }
}

#[test]
fn every_primitive_has_a_page_that_fits_the_terminal() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = lifeboat(here, ["doc", "--json"]);
    assert!(names.lines().count() > 20);
    for line in names.lines() {
        let name = json(line)["name"].as_str().expect("a name").to_owned();
        let page = lifeboat(here, ["doc", &name]);
        assert!(page.starts_with(&format!("{name}: ")) && page.contains("\nReturns\n"), "{page}");
        // Examples are not broken into lines: they are there to be copied.
        let prose = page.lines().filter(|line| !line.contains('#'));
        assert!(prose.into_iter().all(|line| line.chars().count() <= 80), "{page}");
    }
}

#[test]
fn help_fits_eighty_columns() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for command in ["init", "check", "plan", "run", "drill", "runs", "show", "doc", "doctor", "completions"] {
        for page in [lifeboat(here, ["-h"]), lifeboat(here, [command, "-h"])] {
            assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
        }
    }
}
