//! What people get wrong, and what they are told: exit code, both streams, and what is left in the project's files.
//!
//! Each test is a golden file in `snapshots/`. Read them with a tired person's eyes.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

mod support;

use support::{Project, Run};

/// Compares with the golden file of the test that calls; what differs from run to run is left out.
macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true, filters => [
            (r"\d{8}-\d{6}-[a-z0-9]{4}", "[RUN]"),
            (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "[BACKUP]"),
            (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z", "[MOMENT]"),
            (r"(?m)  (\d+ms|\d+\.\d\ds)$", ""),
            (r"has\s+\d+\s+bytes,\s+its\s+manifest\s+says\s+\d+", "has [N] bytes, its manifest says [M]"),
        ] }, { insta::assert_snapshot!(run.told()) });
        run
    }};
}

mod the_runbook {
    use super::*;

    #[test]
    fn ends_too_early() {
        golden!(Project::new().runbook("syntax-error").run(["check"]));
    }

    #[test]
    fn lacks_a_semicolon() {
        golden!(Project::new().runbook("missing-semicolon").run(["run", "runbooks/missing-semicolon.rhai"]));
    }

    #[test]
    fn misspells_a_primitive() {
        golden!(Project::new().runbook("typo-primitive").run(["check"]));
    }

    #[test]
    fn misspells_an_option() {
        golden!(Project::new().runbook("typo-option").run(["plan", "runbooks/typo-option.rhai"]));
    }

    #[test]
    fn misspells_a_target() {
        golden!(Project::new().runbook("typo-target").run(["check"]));
    }

    #[test]
    fn backs_up_a_service() {
        golden!(Project::new().runbook("wrong-target").run(["check"]));
    }

    #[test]
    fn misspells_a_module() {
        golden!(Project::new().runbook("typo-module").run(["check"]));
    }

    #[test]
    fn imports_from_outside_the_project() {
        golden!(Project::new().runbook("import-outside").run(["run", "runbooks/import-outside.rhai"]));
    }

    #[test]
    fn gives_an_option_of_the_wrong_type() {
        golden!(Project::new().runbook("wrong-type").run(["check"]));
    }

    #[test]
    fn gives_an_option_of_the_wrong_type_that_only_shows_later() {
        golden!(Project::new().runbook("wrong-type-later").run(["run", "runbooks/wrong-type-later.rhai"]));
    }

    #[test]
    fn writes_a_duration_that_is_none() {
        golden!(Project::new().runbook("bad-duration").run(["check"]));
    }

    #[test]
    fn forgets_quotes() {
        golden!(Project::new().runbook("undeclared").run(["check"]));
    }

    #[test]
    fn reads_a_parameter_in_a_function() {
        golden!(Project::new().runbook("function-sees-nothing").run(["check"]));
    }

    #[test]
    fn hides_a_primitive() {
        golden!(Project::new().runbook("shadow").run(["run", "runbooks/shadow.rhai"]));
    }

    #[test]
    fn catches_everything() {
        golden!(Project::new().runbook("catch-everything").run(["check"]));
    }

    #[test]
    fn catches_everything_that_only_shows_later() {
        golden!(Project::new().runbook("catch-everything-later").run(["run", "runbooks/catch-everything-later.rhai"]));
    }

    #[test]
    fn loops_for_ever() {
        golden!(Project::new().runbook("endless").run(["run", "runbooks/endless.rhai"]));
    }

    #[test]
    fn calls_itself_for_ever() {
        golden!(Project::new().runbook("recursion").run(["run", "runbooks/recursion.rhai"]));
    }

    #[test]
    fn is_missing() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/goood.rhai"]));
    }

    #[test]
    fn is_a_directory() {
        golden!(Project::new().runbook("good").run(["run", "runbooks"]));
    }

    #[test]
    fn is_not_text() {
        golden!(Project::new().runbook("not-utf8").run(["check"]));
    }

    #[test]
    fn breaks_something_outside_a_drill() {
        golden!(Project::new().runbook("inject").run(["run", "runbooks/inject.rhai"]));
    }
}

mod the_command_line {
    use super::*;

    #[test]
    fn is_empty() {
        golden!(Project::empty().run([]));
    }

    #[test]
    fn misspells_a_command() {
        golden!(Project::empty().run(["plna"]));
    }

    #[test]
    fn misspells_an_option() {
        golden!(Project::empty().run(["run", "runbooks/good.rhai", "--onfault", "stop"]));
    }

    #[test]
    fn misspells_a_parameter() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/good.rhai", "--set", "mesage=hi"]));
    }

    #[test]
    fn gives_a_parameter_without_a_value() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/good.rhai", "--set", "message"]));
    }

    #[test]
    fn gives_a_parameter_of_the_wrong_type() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/good.rhai", "--set", "delay=soon"]));
    }

    #[test]
    fn lacks_a_parameter() {
        golden!(Project::new().runbook("required-parameter").run(["run", "runbooks/required-parameter.rhai"]));
    }

    #[test]
    fn names_an_unknown_environment() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/good.rhai", "--env", "prodcution"]));
    }

    #[test]
    fn forgets_that_an_environment_is_protected() {
        golden!(Project::new().runbook("good").run(["run", "runbooks/good.rhai", "--env", "production"]));
    }

    #[test]
    fn says_yes_to_another_environment() {
        let project = Project::new().runbook("good");
        golden!(project.run(["run", "runbooks/good.rhai", "--env", "production", "--yes", "test"]));
    }

    #[test]
    fn drills_where_nothing_may_be_broken() {
        golden!(Project::new().runbook("good").run(["drill", "runbooks/good.rhai"]));
    }

    #[test]
    fn assumes_what_no_call_can_be() {
        let project = Project::new().runbook("probe-required");
        golden!(project.run(["plan", "runbooks/probe-required.rhai", "--assume", "probe(web)=broken"]));
    }

    #[test]
    fn asks_for_an_unknown_run() {
        let project = Project::new().runbook("good");
        assert_eq!(project.run(["run", "runbooks/good.rhai"]).exit, Some(0));
        golden!(project.run(["show", "nonesuch"]));
    }

    #[test]
    fn asks_for_runs_before_there_are_any() {
        let project = Project::new();
        golden!(project.run(["runs"]));
        golden!(project.run(["show", "latest"]));
    }

    #[test]
    fn asks_about_an_unknown_primitive() {
        golden!(Project::empty().run(["doc", "restor"]));
    }

    #[test]
    fn makes_a_project_where_one_is() {
        golden!(Project::new().run(["init"]));
    }
}

mod the_configuration {
    use super::*;

    #[test]
    fn is_missing() {
        golden!(Project::empty().runbook("good").run(["--config", "none.toml", "run", "runbooks/good.rhai"]));
    }

    #[test]
    fn is_no_toml() {
        golden!(Project::empty().config("syntax").runbook("good").run(["run", "runbooks/good.rhai"]));
    }

    #[test]
    fn has_an_unknown_key() {
        golden!(Project::empty().config("unknown-key").runbook("good").run(["check"]));
    }

    #[test]
    fn has_an_unknown_setting_and_lacks_one() {
        golden!(Project::empty().config("unknown-setting").runbook("good").run(["run", "runbooks/good.rhai"]));
    }

    #[test]
    fn names_an_unknown_driver() {
        golden!(Project::empty().config("unknown-driver").runbook("good").run(["run", "runbooks/good.rhai"]));
    }

    #[test]
    fn rehearses_on_the_production_database() {
        golden!(Project::empty().config("shared-with-production").run(["check"]));
    }
}

mod the_world {
    use super::*;

    /// Not even the beginning of what a database begins with.
    const GARBAGE: [u8; 8192] = [0xa5; 8192];

    #[test]
    fn has_no_database() {
        golden!(Project::new().runbook("backup").run(["run", "runbooks/backup.rhai"]));
    }

    #[test]
    fn has_a_database_full_of_garbage() {
        let project = Project::new().runbook("look-at-database").runbook("backup").file("data/app.db", GARBAGE);
        golden!(project.run(["run", "runbooks/look-at-database.rhai"]));
        golden!(project.run(["run", "runbooks/backup.rhai"]));
    }

    #[test]
    fn has_a_database_of_which_the_half_is_missing() {
        let project = Project::new().runbook("backup").database("data/app.db", 1000);
        let whole = std::fs::read(project.path("data/app.db")).expect("reads");
        let project = project.file("data/app.db", &whole[..whole.len() / 2]);
        golden!(project.run(["run", "runbooks/backup.rhai"]));
    }

    #[test]
    fn has_no_backup() {
        golden!(Project::new().runbook("restore").database("data/app.db", 10).run(["run", "runbooks/restore.rhai"]));
    }

    #[test]
    fn has_only_a_truncated_backup() {
        let project = Project::new().runbook("backup").runbook("restore").runbook("restore-blindly");
        let project = project.database("data/app.db", 1000);
        assert_eq!(project.run(["run", "runbooks/backup.rhai"]).exit, Some(0));
        let id = truncate_backups(&project);
        golden!(project.run(["run", "runbooks/restore.rhai"]));
        golden!(project.run(["run", "runbooks/restore-blindly.rhai", "--set", &format!("id={id}")]));
    }

    /// Cuts every backup's data in half. The id of the last one.
    fn truncate_backups(project: &Project) -> String {
        let mut folders = vec![project.path("backups")];
        let (mut cut, mut id) = (0, None);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("lists") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|extension| extension != "json") {
                    let file = std::fs::File::options().write(true).open(&path).expect("opens");
                    file.set_len(file.metadata().expect("known").len() / 2).expect("cuts");
                    id = path.parent().and_then(|p| p.file_name()).map(|name| name.to_string_lossy().into_owned());
                    cut += 1;
                }
            }
        }
        assert_eq!(cut, 1, "one backup has one file of data");
        id.expect("a backup lies in a directory of its own")
    }

    #[test]
    fn has_nobody_who_takes_the_message() {
        golden!(Project::new().runbook("notify-required").run(["run", "runbooks/notify-required.rhai"]));
    }

    #[test]
    fn has_no_service_that_answers() {
        golden!(Project::new().runbook("probe-required").run(["run", "runbooks/probe-required.rhai"]));
    }

    #[test]
    fn fails_after_something_was_changed() {
        let project = Project::new().runbook("fails-halfway").database("data/app.db", 10);
        golden!(project.run(["run", "runbooks/fails-halfway.rhai"]));
    }

    #[test]
    fn has_a_journal_full_of_garbage() {
        let project = Project::new().runbook("good").file(".lifeboat/journal.db", GARBAGE);
        golden!(project.run(["run", "runbooks/good.rhai"]));
        golden!(project.run(["runs"]));
    }

    #[test]
    fn has_a_journal_that_was_tampered_with() {
        let project = Project::new().runbook("good");
        assert_eq!(project.run(["run", "runbooks/good.rhai"]).exit, Some(0));
        let journal = project.path(".lifeboat/journal.db");
        let mut bytes = std::fs::read(&journal).expect("reads");
        let at = bytes.windows(5).position(|five| five == b"hello").expect("the message is in the journal");
        bytes[at] = b'j';
        std::fs::write(&journal, bytes).expect("writes");
        let shown = project.run(["show", "latest"]);
        assert!(shown.stdout.contains("BROKEN"), "{}", shown.stdout);
        assert_eq!(shown.exit, Some(74));
    }

    #[test]
    fn lets_no_file_grow_that_a_backup_needs() {
        let project = Project::new().runbook("backup").database("data/app.db", 4000);
        // In blocks of 512 bytes; enough for the journal, too little for the copy.
        golden!(project.shell("trap '' XFSZ; ulimit -f 256; exec \"$LIFEBOAT\" run runbooks/backup.rhai"));
    }

    /// Runs a line of shell with file systems of its own; `None` where this machine does not allow them: a failure in CI.
    #[expect(clippy::print_stderr, reason = "a test that cannot be made says so")]
    fn with_own_mounts(project: &Project, line: &str) -> Option<Run> {
        let mine = |line: &str| project.shell(&format!("unshare --mount --map-root-user sh -c '{line}'"));
        if mine("mount -t tmpfs none /mnt").exit == Some(0) {
            return Some(mine(line));
        }
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "a file system of its own is needed to fill a disk");
        eprintln!("NOT TESTED: this machine allows no file systems of one's own, so no disk can be filled");
        None
    }

    #[test]
    fn has_no_space_left_for_a_backup() {
        let project = Project::new().runbook("backup").database("data/app.db", 4000).file("backups/.keep", "");
        let line = "mount -t tmpfs -o size=64k none backups && \"$LIFEBOAT\" run runbooks/backup.rhai; \
            code=$?; echo; echo left in the store:; find backups -type f; exit $code";
        if let Some(run) = with_own_mounts(&project, line) {
            golden!(run);
        }
    }

    #[test]
    fn has_no_space_left_for_the_journal() {
        let project = Project::new().runbook("backup").database("data/app.db", 10).file(".lifeboat/.keep", "");
        let line = "mount -t tmpfs -o size=16k none .lifeboat && \"$LIFEBOAT\" run runbooks/backup.rhai";
        if let Some(run) = with_own_mounts(&project, line) {
            golden!(run);
            assert!(!project.path("backups").exists(), "nothing is done without a record");
        }
    }
}
