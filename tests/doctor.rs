//! `lifeboat doctor`: what it finds, what it says to do, and that it changes nothing.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::{Project, Run};

const EXAMPLE: &str = include_str!("../examples/drivers/lifeboat-driver-flag");

const SOUND: &str = r#"
[environments.local]
[environments.local.databases.primary]
driver = "sqlite"
path = "app.db"
store = "backups"
[environments.local.stores.backups]
driver = "directory"
path = "backups"
[environments.local.channels.team]
driver = "file"
path = "notes.jsonl"
[environments.local.tools.shell]
driver = "command"
program = ["sh"]
"#;

fn project(config: &str) -> Project {
    Project::empty().file("lifeboat.toml", config).database("app.db", 10)
}

/// The findings of a subject, as `level message`.
fn of(run: &Run, subject: &str) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect(&run.stdout);
    let findings = json["findings"].as_array().expect("a list").iter();
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let of = findings.filter(|finding| finding["subject"] == subject);
    of.map(|finding| format!("{} {}", text(finding, "level"), text(finding, "message"))).collect()
}

#[test]
fn a_sound_project_has_nothing_that_fails() {
    let project = project(SOUND);
    let run = project.run(["doctor"]);
    assert_eq!((run.exit, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    assert!(run.stdout.ends_with(" ok, 0 warnings, 0 failures\n"), "{}", run.stdout);
    let run = project.run(["doctor", "--json"]);
    assert!(of(&run, "database primary")[0].contains(", version 3."), "{}", run.stdout);
    assert_eq!(of(&run, "journal"), ["ok is not there yet; it is made with the first run"]);
    assert_eq!(of(&run, "tool shell").len(), 1);
    let changes: Vec<_> = run.files.iter().filter(|change| !change.contains("app.db-")).collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn what_a_run_would_fail_for_is_said_with_what_to_do() {
    let broken = SOUND.replace("app.db", "gone.db").replace("[\"sh\"]", "[\"no-such-program\"]").replace(
        "[environments.local]\n",
        "[environments.local]\n[environments.local.secrets]\nT = { env = \"NOT_SET\" }\n",
    );
    let web = "[environments.local.services.web]\ndriver = \"http\"\nurl = \"http://127.0.0.1:9/\"\n\
               headers = { Authorization = \"Bearer abc\" }\n";
    let project = project(&format!("{broken}{web}"));
    let run = project.run(["doctor", "--json"]);
    assert_eq!(run.exit, Some(78), "{}", run.stdout);
    assert_eq!(of(&run, "database primary"), ["fail [PROJECT]/gone.db does not exist"]);
    assert_eq!(of(&run, "tool shell"), ["fail no program `no-such-program` can be started here"]);
    assert!(of(&run, "service web").contains(&"fail connection refused".to_owned()), "{}", run.stdout);
    assert!(of(&run, "service web").contains(&"warn `Authorization` stands in lifeboat.toml as plain text".to_owned()));
    assert!(of(&run, "secret T")[0].starts_with("fail secret T"), "{}", run.stdout);
    assert!(!run.stdout.contains("Bearer abc"));
    let shown = project.run(["doctor"]);
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    assert!(shown.stdout.contains("      help: install it, or name its file in lifeboat.toml"), "{}", shown.stdout);
}

#[test]
fn a_mistake_in_the_settings_does_not_hide_the_rest() {
    let run = project(&SOUND.replace("path = \"app.db\"", "paht = \"app.db\"")).run(["doctor", "--json"]);
    assert_eq!(run.exit, Some(78));
    assert_eq!(of(&run, "lifeboat.toml"), ["fail unknown setting `paht` for driver sqlite (line 5)"]);
    assert_eq!(of(&run, "permissions").len(), 1, "{}", run.stdout);
}

#[test]
fn a_target_that_does_not_answer_costs_no_more_than_its_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let silent = (0..8).map(|n| {
        format!(
            "[environments.local.services.web{n}]\ndriver = \"http\"\nurl = \"http://{address}/\"\ntimeout = \"60s\"\n"
        )
    });
    let run =
        project(&format!("{SOUND}{}", silent.collect::<String>())).run(["doctor", "--timeout", "300ms", "--json"]);
    assert_eq!(of(&run, "service web0"), ["fail did not answer within 300ms"]);
}

#[test]
fn a_secret_that_can_be_had_is_not_shown() {
    let secret = "[environments.local.secrets]\nT = { command = [\"echo\", \"open-sesame\"] }\n";
    let run = project(&format!("{SOUND}{secret}")).run(["doctor"]);
    assert_eq!(run.exit, Some(0), "{}", run.stdout);
    assert!(
        run.stdout.contains("secret T: can be had from `echo`") && !run.stdout.contains("open-sesame"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_run_that_waits_for_a_person_is_named() {
    let failing = "step \"Break\" { sql(\"primary\", \"DELETE FROM orders\"); }\nrequire(false, \"enough\");";
    let project = project(SOUND).file("runbooks/fails.rhai", failing);
    assert_eq!(project.run(["run", "runbooks/fails.rhai"]).exit, Some(6));
    let run = project.run(["doctor", "--json"]);
    assert_eq!(run.exit, Some(0));
    assert!(
        of(&run, "journal")[0].ends_with("of runbooks/fails.rhai is failed and left something changed"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_driver_is_tried_out_case_by_case() {
    let declared = "[drivers.flag]\nprogram = [\"./flag\"]\n[environments.local]\n";
    let project = Project::empty().file("lifeboat.toml", declared).file("flag", EXAMPLE);
    let refused = project.run(["doctor", "--driver", "flag"]);
    assert_eq!(refused.exit, Some(78), "{}", refused.stdout);
    assert!(refused.stdout.contains("cannot start ./flag: it may not be"), "{}", refused.stdout);
    std::fs::set_permissions(project.path("flag"), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let run = project.run(["doctor", "--driver", "flag"]);
    assert_eq!((run.exit, run.stderr.as_str(), &run.files[..]), (Some(0), "", &[][..]), "{}", run.stdout);
    assert!(
        run.stdout.contains("ok    maintenance: does nothing more for the same idempotency key\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.ends_with("driver flag: 24 passed, 0 failed, 1 not tried\n"), "{}", run.stdout);
    let trial = r#"[{"kind": "service", "primitive": "maintenance", "settings": {"flag": "{scratch}/x"}, "args": {"state": "of"}}]"#;
    let json =
        project.file("trials.json", trial).run(["doctor", "--driver", "flag", "--trials", "trials.json", "--json"]);
    assert_eq!(json.exit, Some(78), "a trial must be one: {}", json.stdout);
}

#[test]
fn an_undeclared_driver_is_tried_by_its_program() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/drivers/lifeboat-driver-flag");
    let project = Project::empty();
    assert_eq!(project.run(["doctor", "--driver", "flag", "--program", program]).exit, Some(0));
    let undeclared = Project::empty().file("lifeboat.toml", "[environments.local]").run(["doctor", "--driver", "flag"]);
    assert_eq!(undeclared.exit, Some(64));
    assert!(undeclared.stderr.contains("there is no `[drivers.flag]` in lifeboat.toml"), "{}", undeclared.stderr);
}

#[test]
fn the_protocol_can_be_printed() {
    let run = Project::empty().run(["doctor", "--driver-schema"]);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(schema["title"], "The driver protocol of Lifeboat, version 1");
}
