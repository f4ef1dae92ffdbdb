//! Input from a file or a pipe, for whoever tries something out in a script.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::project::Project;
use crate::{is_closed, project, told_apart};

pub(crate) fn piped(project: &Project, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lifeboat"))
        .args(arguments)
        .current_dir(project.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

#[test]
fn each_line_is_evaluated_and_a_block_goes_on() {
    let (code, out, err) = piped(&project(), &["repl"], "let a = 1;\nif a == 1 {\n  `yes`\n}\na + 1\n");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(told_apart(&out), "= yes\n= 2\nnothing was changed\nsession <session>\n");
}

#[test]
fn it_ends_at_the_first_line_that_fails() {
    let project = project();
    let (code, out, err) = piped(&project, &["repl"], ":arm\nthrow \"x\"\nmaintenance(\"web\", \"on\");\n");
    assert_eq!(code, 1);
    assert!(err.contains("× x") && out.contains("nothing was changed"), "{out}{err}");
    assert!(!is_closed(&project));
    let (code, _, err) = piped(&project, &["repl"], "step \"x\" {\n");
    assert_eq!(code, 1);
    assert!(err.contains("the input ends in the middle"), "{err}");
}

#[test]
fn nobody_agrees_to_what_destroys() {
    let project = project();
    let input = ":arm\nlet b = backup(\"primary\");\nrestore(\"primary\", #{ from: b.id });\n";
    let (code, _, err) = piped(&project, &["repl"], input);
    assert_eq!(code, 1);
    assert!(err.contains("and nobody is here to"), "{err}");
}

#[test]
fn what_is_left_owed_is_told_by_the_exit_code() {
    let input = ":arm\nstep \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\n";
    let (code, out, _) = piped(&project(), &["repl"], input);
    assert_eq!(code, 6, "{out}");
    assert!(told_apart(&out).contains("to go on with it: lifeboat repl --resume <session>"), "{out}");
}

#[test]
fn machines_get_json() {
    let (code, out, _) = piped(&project(), &["repl", "--json"], "1 + 1\nmaintenance(\"web\", \"on\")\n");
    assert_eq!(code, 0);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!((&lines[0]["value"], &lines[0]["ended"]), (&serde_json::json!(2), &serde_json::json!("completed")));
    assert_eq!(lines[1]["planned"][0]["call"]["primitive"], "maintenance", "{}", lines[1]);
}

#[test]
fn machines_get_nothing_but_json_and_each_event_as_it_was() {
    let project = project();
    project.write("runbooks/a.rhai", "//! A.\n\nprobe(\"web\");\nlog(\"x\");\n");
    let input = ":arm\n:targets\n:owed\nmaintenance(\"web\", \"on\");\n:health\n:load runbooks/a.rhai\n:go\n:who\n:timeline\n\
                 :help\n:vars\n?probe\n:plan runbooks/a.rhai\n:explore runbooks/a.rhai --help\n# done\n:settle 9.9 applied\n";
    let (code, out, err) = piped(&project, &["repl", "--json"], input);
    assert_eq!(code, 6, "{out}{err}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let command = |name: &str| {
        let is_it = |line: &&serde_json::Value| line["kind"] == "command" && line["command"] == name;
        lines.iter().find(is_it).unwrap_or_else(|| panic!("{name}: {out}"))
    };
    assert_eq!((&command(":owed")["ok"], &command(":owed")["text"]), (&true.into(), &"nothing is owed".into()));
    assert!(command(":targets")["text"].as_str().expect("a text").contains("primary"), "{out}");
    assert_eq!(command(":settle 9.9 applied")["ok"], false);
    let left: Vec<&str> =
        lines.iter().filter(|line| line["event"] == "left").map(|line| line["key"].as_str().expect("a key")).collect();
    assert_eq!(left.first(), Some(&"2"), "{out}");
    assert!(!out.contains("halted"), "what was completed was not halted: {out}");
    assert!(lines.iter().any(|line| line["kind"] == "input" && line["ended"] == "completed"), "{out}");
}

#[test]
fn a_protected_environment_is_not_armed_where_nobody_can_type_its_name() {
    let project = Project::configured("protected = true", "");
    project.database(5);
    let (code, _, err) = piped(&project, &["repl"], ":arm\n");
    assert_eq!(code, 1);
    let told = err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("nobody is here to type its name") && told.contains("lifeboat run RUNBOOK --yes test"),
        "{err}"
    );
}

#[test]
fn a_secret_that_is_typed_goes_nowhere() {
    let project = Project::configured("", "[environments.test.secrets]\nDB = { file = \"db-password\" }\n");
    project.database(5);
    let path = project.write("db-password", "correct-horse-battery\n");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("is ours");
    for (typed, secret) in [
        ("notify(\"incidents\", \"use correct-horse-battery\");", "correct-horse-battery"),
        ("# it is correct-horse-battery", "correct-horse-battery"),
        ("let t = \"ghp_0123456789abcdefghijABCDEFGHIJ\";", "ghp_0123456789"),
        ("configure(\"web\", #{ password: \"hunter2222\" })", "hunter2222"),
    ] {
        let (code, out, err) = piped(&project, &["repl"], &format!(":arm\n{typed}\n"));
        assert_eq!(code, 1, "{out}{err}");
        assert!(err.contains("Nothing of it was evaluated or kept"), "{err}");
        assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
        for file in walk(&project.path(".lifeboat")) {
            let bytes = std::fs::read(&file).expect("reads");
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds it", file.display());
        }
    }
    assert_eq!(project.read("incidents.jsonl"), "");
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
