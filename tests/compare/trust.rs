//! Nothing of a branch is executed, and nothing of its configuration counts.

use crate::branch::{Branch, CONFIG, SAFE, git};

/// A driver that leaves a mark when it is started.
fn driver(mark: &str) -> String {
    format!("#!/bin/sh\necho started >> {mark}\nexec \"$(dirname \"$0\")/serve\"\n")
}

const RUNBOOK: &str = "runbooks/restore.rhai";

#[test]
fn what_a_branch_allows_itself_does_not_count() {
    let open = CONFIG.replace("protected = true", "protected = false");
    let careless = "//! Restore.\nrestore(\"primary\", #{ from: latest_backup(\"primary\").id });\n";
    let project = Branch::from(&[(RUNBOOK, SAFE)]).change("lifeboat.toml", &open).change(RUNBOOK, careless).committed();
    let run = project.run(["review", "main..feature"]);
    assert_eq!(run.exit, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("in `live` (protected)"), "{}", run.stdout);
    assert!(run.stdout.contains("**breaks backup"), "only a protected target needs a backup: {}", run.stdout);
    assert!(run.stdout.contains("**!** `environments.live.protected`: `true` → `false`"), "{}", run.stdout);
}

#[test]
fn a_target_that_only_the_branch_has_is_none() {
    let more =
        format!("{CONFIG}\n[environments.live.services.shop]\ndriver = \"http\"\nurl = \"http://127.0.0.1:1/\"\n");
    let project = Branch::from(&[]).change("lifeboat.toml", &more).change(RUNBOOK, "probe(\"shop\");").committed();
    let run = project.run(["review", "main..feature"]);
    assert_eq!(run.exit, Some(65), "{}", run.stdout);
    assert!(run.stdout.contains("bring in the configuration first"), "{}", run.stdout);
}

#[test]
fn no_declared_program_is_started_wherever_the_branch_is_checked_out() {
    let marks = tempfile::tempdir().expect("a directory");
    let mark = |name: &str| marks.path().join(name).display().to_string();
    let config = format!(
        "{CONFIG}\n[drivers.own]\nprogram = [\"./drivers/own\"]\n\n[environments.live.tools.mine]\ndriver = \"own\"\n"
    );
    let files = [("lifeboat.toml", config.as_str()), ("drivers/own", &driver(&mark("base"))), (RUNBOOK, SAFE)];
    let branch = Branch::from(&files);
    git(&branch.0.path("."), &["update-index", "--chmod=+x", "drivers/own"]);
    git(&branch.0.path("."), &["commit", "-q", "-m", "It can be started"]);
    git(&branch.0.path("."), &["branch", "-f", "main"]);
    let branch =
        branch.change("drivers/own", &driver(&mark("branch"))).change(RUNBOOK, &SAFE.replace("given up", "left"));
    git(&branch.0.path("."), &["add", "-A", "--chmod=+x"]);
    std::os::unix::fs::symlink("/etc/passwd", branch.0.path("runbooks/link.rhai")).expect("links");
    let project = branch.committed();
    let run = project.run(["review", "main..feature"]);
    for mark in ["base", "branch"] {
        assert!(!marks.path().join(mark).exists(), "{mark} was started: {}{}", run.stdout, run.stderr);
    }
    assert!(!run.stdout.contains("root:") && !run.stderr.contains("root:"), "no link is followed");
}

#[test]
fn no_hook_and_no_filter_of_the_repository_runs() {
    let marks = tempfile::tempdir().expect("a directory");
    let touch = format!("touch {}", marks.path().join("ran").display());
    let branch = Branch::from(&[(RUNBOOK, SAFE)])
        .change(RUNBOOK, &SAFE.replace("given up", "left"))
        .change(".gitattributes", "*.rhai filter=evil diff=evil\n");
    let project = branch.committed();
    let root = project.path(".");
    for (key, value) in [("filter.evil.smudge", &touch), ("filter.evil.clean", &touch), ("diff.evil.textconv", &touch)]
    {
        git(&root, &["config", key, value]);
    }
    let run = project.run(["review", "main..feature"]);
    assert_eq!(run.exit, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(!marks.path().join("ran").exists());
}

#[test]
fn nothing_is_written_and_nothing_is_looked_at() {
    let run = Branch::from(&[(RUNBOOK, SAFE)]).change(RUNBOOK, &SAFE.replace("given up", "left")).reviewed();
    assert_eq!((run.exit, run.files.len()), (Some(0), 0), "{:?}", run.files);
}

#[test]
fn the_policy_is_that_of_the_base() {
    let strict = "/// Nobody closes the site.\nfn never_closed(path) {\n    for event in path.events {\n        \
                  if event.primitive == \"maintenance\" && event.args.state == \"on\" { return event.breaks(\"closed\"); }\n    }\n}\n";
    let calm = "//! Look.\nprobe(\"web\");\n";
    let project = Branch::from(&[(RUNBOOK, calm), ("policy/team.rhai", strict)])
        .change(RUNBOOK, SAFE)
        .remove("policy/team.rhai")
        .committed();
    let run = project.run(["review", "main..feature"]);
    assert_eq!(run.exit, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("breaks never-closed"), "{}", run.stdout);
    assert!(run.stdout.contains("The branch changes the policy"), "{}", run.stdout);
}
