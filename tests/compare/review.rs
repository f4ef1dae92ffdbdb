//! What `lifeboat review` says of a branch: comment, exit code, SARIF; and that it always fits.

use std::fmt::Write as _;

use serde_json::Value;

use crate::branch::{Branch, CONFIG, SAFE, git};
use crate::support::{Project, Run};

/// What GitHub takes as a comment, characters.
const LIMIT: usize = 65_536;

macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true, filters => [
            (r"\b[0-9a-f]{10}\b", "[COMMIT]"),
        ] }, { insta::assert_snapshot!(run.told()) });
    }};
}

const RUNBOOK: &str = "runbooks/restore.rhai";

/// The runbook without its rollback, and with a backup that nobody verified.
fn unsafe_now() -> String {
    let begin = SAFE.find("} rollback").expect("it has one");
    let end = SAFE.find("let good").expect("it looks for a backup");
    format!("{}}}\n{}", &SAFE[..begin], &SAFE[end..]).replace("verified: true", "verified: false")
}

fn json(project: &Project) -> Value {
    let run = project.run(["review", "main..feature", "--json"]);
    serde_json::from_str(&run.stdout).expect("one document")
}

#[test]
fn a_safe_runbook_that_becomes_unsafe() {
    golden!(Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &unsafe_now()).reviewed());
}

#[test]
fn one_that_stays_safe() {
    let after = SAFE.replace("Restore the database.", "Restore the primary database.");
    golden!(Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &after).reviewed());
}

#[test]
fn one_that_is_new() {
    golden!(Branch::from(&[]).change(RUNBOOK, SAFE).reviewed());
}

#[test]
fn one_that_is_gone() {
    golden!(Branch::from(&[(RUNBOOK, SAFE), ("runbooks/log.rhai", "log(\"a\");")]).remove(RUNBOOK).reviewed());
}

#[test]
fn one_that_does_not_compile() {
    golden!(Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, "step \"Stop\" {\n").reviewed());
}

#[test]
fn one_that_names_no_target() {
    golden!(Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &SAFE.replace("\"web\"", "\"wob\"")).reviewed());
}

#[test]
fn none_at_all() {
    golden!(Branch::from(&[(RUNBOOK, SAFE)]).change("README.md", "Read me.").reviewed());
}

#[test]
fn what_is_waived_is_said_with_its_reason() {
    let waived = format!("//! Restore.\n//! waive: maintenance-restored: we want it so, @all\n{}", unsafe_now());
    let project = Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &waived).committed();
    let run = project.run(["review", "main..feature"]);
    assert!(run.stdout.contains("**Waives `maintenance-restored`**, because: we want it so, @"), "{}", run.stdout);
    assert!(!run.stdout.contains("@all"), "nobody is called: {}", run.stdout);
}

#[test]
fn a_runbook_is_changed_through_its_modules_and_children() {
    let files = [
        ("runbooks/words.rhai", "fn greeting() { \"hello\" }"),
        ("runbooks/greet.rhai", "import \"words\" as words;\nlog(words::greeting());"),
        ("runbooks/outer.rhai", "runbook(\"runbooks/greet.rhai\", #{});"),
        ("runbooks/other.rhai", "log(\"other\");"),
    ];
    let project = Branch::from(&files).change("runbooks/words.rhai", "fn greeting() { \"good bye\" }").committed();
    let review = json(&project);
    let runbooks = review["runbooks"].as_array().expect("a list");
    let named: Vec<_> = runbooks.iter().map(|one| (one["runbook"].as_str().unwrap_or(""), &one["change"])).collect();
    let through = serde_json::json!({ "through": ["runbooks/words.rhai"] });
    assert_eq!(named, [("runbooks/greet.rhai", &through), ("runbooks/outer.rhai", &through)]);
    assert_eq!(review["untouched"], 1);
}

#[test]
fn a_runbook_that_only_moves_is_compared_with_what_it_was() {
    let project = Branch::from(&[(RUNBOOK, SAFE)]).remove(RUNBOOK).change("runbooks/db/restore.rhai", SAFE).committed();
    let review = json(&project);
    assert_eq!(review["runbooks"][0]["change"], serde_json::json!({ "moved": RUNBOOK }));
    assert_eq!(review["runbooks"][0]["plans"][0]["diff"]["calls"], serde_json::json!([]));
    assert_eq!(review["runbooks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_main_has_got_meanwhile_is_not_taken_for_the_branchs() {
    let project = Branch::from(&[(RUNBOOK, SAFE), ("runbooks/a.rhai", "log(\"a\");")])
        .change(RUNBOOK, &SAFE.replace("Restore the", "Restore a"))
        .committed();
    git(&project.path("."), &["switch", "-q", "main"]);
    let project = project.file("runbooks/a.rhai", "log(\"b\");");
    git(&project.path("."), &["commit", "-qam", "Change a"]);
    let review = json(&project);
    assert_eq!(review["runbooks"].as_array().map(Vec::len), Some(1));
    assert_eq!(review["runbooks"][0]["runbook"], RUNBOOK);
}

#[test]
fn one_runbook_is_reviewed_alone() {
    let project = Branch::from(&[]).change("runbooks/a.rhai", "log(\"a\");").change("runbooks/b.rhai", "log(\"b\");");
    let project = project.committed();
    let run = project.run(["review", "main..feature", "--runbook", "runbooks/b.rhai"]);
    assert!(run.stdout.contains("runbooks/b.rhai") && !run.stdout.contains("runbooks/a.rhai"), "{}", run.stdout);
    golden!(project.run(["review", "main..feature", "--runbook", "runbooks/c.rhai"]));
}

#[test]
fn it_always_fits() {
    let mut branch = Branch::from(&[]);
    for n in 0..50 {
        let mut text = format!("//! Turn {n}.\n");
        for turn in 0..25 {
            let _ = writeln!(text, "exec(\"turn\", [\"number {turn} of {n}, which is told at some length\"]);");
        }
        branch = branch.change(&format!("runbooks/turn-{n:03}-{}.rhai", "x".repeat(80)), &text);
    }
    let run = branch.committed().run(["review", "main..feature", "--faults", "1"]);
    assert!(run.stdout.len() <= LIMIT, "{} bytes", run.stdout.len());
    assert!(run.stdout.len() > LIMIT / 2, "there is much to say: {} bytes", run.stdout.len());
    assert!(run.stdout.contains("did not fit. To see them: `lifeboat review main..feature --runbook runbooks/"));
    // What is opened is closed.
    let count = |what: &str| run.stdout.matches(what).count();
    assert_eq!(count("<details>"), count("</details>"));
    assert_eq!(run.exit, Some(1), "{}", run.stdout.lines().nth(1).unwrap_or_default());
}

#[test]
fn text_of_the_branch_stays_text() {
    let hostile = "//! </details> @all [x](http://x) `code` | <img src=x>\nlog(\"```\\n</details>\\n# head\");\n\
                   throw \"@all </details> ``` |\";";
    let run = Branch::from(&[]).change("runbooks/a`|<b>.rhai", hostile).reviewed();
    // What stands between fences means nothing to whoever shows it.
    let outside = run.stdout.split("````").step_by(2).collect::<Vec<_>>().concat();
    assert!(
        !outside.contains("@all") && !outside.contains("<img") && outside.contains("<code>runbooks/a&#96;"),
        "{outside}"
    );
    assert_eq!(outside.matches("</details>").count(), 1, "{outside}");
    assert!(run.stdout.contains("! look"), "what would fail is to be looked at: {}", run.stdout);
}

#[test]
fn sarif_points_at_the_line() {
    let project = Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &unsafe_now()).committed();
    let run = project.run(["review", "main..feature", "--sarif", "review.sarif"]);
    assert_eq!(run.exit, Some(1));
    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(project.path("review.sarif")).expect("it is there"))
            .expect("one document");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    let broken = results.iter().find(|one| one["ruleId"] == "maintenance-restored").expect("it is broken");
    assert_eq!(broken["level"], "error");
    let place = &broken["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&RUNBOOK.into(), &4.into()));
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("a list");
    assert!(results.iter().all(|one| rules.iter().any(|rule| rule["id"] == one["ruleId"])), "{rules:?}");
}

#[test]
fn junit_has_a_case_for_whatever_is_judged() {
    let project = Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &unsafe_now()).committed();
    let run = project.run(["review", "main..feature", "--junit", "review.xml"]);
    assert_eq!(run.exit, Some(1));
    insta::assert_snapshot!(std::fs::read_to_string(project.path("review.xml")).expect("it is there"));
    let project = project.file("review.xml", "<notes/>");
    let run = project.run(["review", "main..feature", "--junit", "review.xml"]);
    assert_eq!((run.exit, run.files.len()), (Some(3), 0), "another file is not replaced: {}", run.stderr);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let project = Branch::from(&[(RUNBOOK, SAFE)]).committed_nothing();
    golden!(project.run(["review", "main..nowhere"]));
    golden!(project.run(["review", "main"]));
    git(&project.path("."), &["switch", "-q", "--orphan", "other"]);
    let project = project.file("lifeboat.toml", CONFIG);
    git(&project.path("."), &["add", "-A"]);
    git(&project.path("."), &["commit", "-q", "-m", "Something else"]);
    golden!(project.run(["review", "main..other"]));
}

impl Branch {
    fn committed_nothing(self) -> Project {
        git(&self.0.path("."), &["commit", "-q", "--allow-empty", "-m", "Nothing"]);
        self.0
    }
}

#[test]
fn what_was_not_walked_to_its_end_is_said_and_looked_at() {
    let many = "try { exec(\"turn\", []); } catch { }\n".repeat(12);
    let project = Branch::from(&[]).change("runbooks/many.rhai", &many).committed();
    let run = project.run(["review", "main..feature", "--faults", "all", "--time", "50ms"]);
    assert_eq!(run.exit, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("| ! look | `runbooks/many.rhai` | new; **not all paths were walked**"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("**Not all of them were walked**: the time was over"), "{}", run.stdout);
}

#[test]
fn a_rollback_that_restores_something_else_is_to_be_looked_at() {
    let before = "step \"S\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\nconfirm(\"Go on?\");";
    for after in [before.replace("\"off\"", "\"on\""), before.replace("maintenance(\"web\", \"off\")", "log(\"x\")")] {
        let run = Branch::from(&[(RUNBOOK, before)]).change(RUNBOOK, &after).reviewed();
        assert!(run.stdout.contains("**rolls back otherwise**"), "{}", run.stdout);
        assert!(!run.stdout.contains("~ differs"), "{}", run.stdout);
    }
}

#[test]
fn an_old_mistake_that_is_mended_does_not_hide_a_new_one() {
    let wrong = |text: &str| format!("//! Look.\nif probe(\"web\").ok {{ let a = #{{}}; {text}; }}\n");
    let run = Branch::from(&[(RUNBOOK, &wrong("a.x"))]).change(RUNBOOK, &wrong("a.y")).reviewed();
    assert_eq!(run.exit, Some(1), "{}", run.stdout);
}

#[test]
fn a_script_without_an_end_is_not_planned_for_ever() {
    let run = Branch::from(&[]).change(RUNBOOK, "for n in 0..1000000 { log(\"again\"); }").reviewed();
    assert!(run.stdout.contains("it makes more than 20000 calls"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_command_that_is_copied_runs_nothing_of_the_branch() {
    let mut branch = Branch::from(&[]);
    for n in 0..40 {
        let text = "exec(\"turn\", [\"at some length, so that not all of it fits into the comment\"]);\n".repeat(40);
        branch = branch.change(&format!("runbooks/x; touch y{n}; #.rhai"), &text);
    }
    let run = branch.committed().run(["review", "main..feature", "--faults", "0"]);
    let command = run.stdout.lines().find(|line| line.contains("did not fit")).expect("there is more");
    assert!(command.contains("--runbook 'runbooks/x; touch y"), "{command}");
}

#[test]
fn what_is_waived_and_breaks_in_more_ways_is_to_be_looked_at() {
    let waived = format!("//! Restore.\n//! waive: maintenance-restored: we know\n{}", unsafe_now());
    let more = format!("{waived}maintenance(\"web\", \"on\");\nconfirm(\"Leave it closed?\");\n");
    let run = Branch::from(&[(RUNBOOK, &waived)]).change(RUNBOOK, &more).reviewed();
    let said = "**breaks maintenance-restored in more ways than before**";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    // What is no longer waived is new, and said once.
    let unwaived = more.replace("//! waive: maintenance-restored: we know\n", "");
    let run = Branch::from(&[(RUNBOOK, &waived)]).change(RUNBOOK, &unwaived).reviewed();
    assert!(run.stdout.contains("**breaks maintenance-restored**") && !run.stdout.contains(said), "{}", run.stdout);
}
