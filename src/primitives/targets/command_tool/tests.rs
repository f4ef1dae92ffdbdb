//! What may be set for a tool, and how a command reaches another host.

use std::process::Command;

use super::remote::quoted;
use super::*;
use crate::config::Config;

fn tool(settings: &str) -> Result<CommandTool, ConfigError> {
    let text = format!("[environments.test.tools.pg]\ndriver = \"command\"\n{settings}\n");
    let config = Config::parse(Path::new("/project/lifeboat.toml"), text.into()).expect("it is TOML");
    let environment = &config.environments["test"];
    let target = &environment.targets["pg"];
    CommandTool::from_target(target.settings()?, target, environment)
}

fn refused(settings: &str) -> String {
    tool(settings).expect_err("refused").message
}

#[test]
fn what_is_not_set_is_safe() {
    let tool = tool(r#"program = ["pg_ctl", "-D", "data"]"#).expect("it is configured");
    assert_eq!((tool.impact, tool.ssh, tool.time_limit), (ImpactKind::Change, None, Span::from_secs(300)));
    assert_eq!((tool.exit_codes, tool.unchanged_codes), (vec![0], vec![]));
    assert_eq!(tool.program, ["pg_ctl", "-D", "data"], "what is no path is looked for on the PATH");
    assert_eq!(tool.directory, Some(PathBuf::from("/project/")));
}

#[test]
fn paths_start_at_the_project_and_on_another_host_at_its_own_root() {
    let local = tool("program = [\"bin/failover\", \"x/y\"]\ncheck = [\"./is-up\"]\ndirectory = \"data\"");
    let local = local.expect("it is configured");
    assert_eq!(local.program, ["/project/bin/failover", "x/y"]);
    assert_eq!(local.check.expect("it is set"), ["/project/./is-up"]);
    assert_eq!(local.directory, Some(PathBuf::from("/project/data")));
    let far = tool("program = [\"bin/failover\"]\nssh = \"db-1\"\ndirectory = \"data\"\nssh_program = \"bin/ssh\"");
    let far = far.expect("it is configured");
    assert_eq!((far.program, far.directory), (vec!["bin/failover".to_owned()], Some(PathBuf::from("data"))));
    assert_eq!(far.ssh.expect("it is set").program, "/project/bin/ssh");
}

#[test]
fn a_tool_that_looks_takes_no_arguments_unless_it_is_said_which() {
    let takes = |settings: &str| tool(settings).expect("it is configured").allow.allows(&[Some("x")]);
    assert!(takes(r#"program = ["df"]"#));
    assert!(!takes("program = [\"df\"]\nimpact = \"look\""), "whoever wrote the runbook would decide what a plan runs");
    assert!(takes("program = [\"df\"]\nimpact = \"look\"\nallow = [\"x\"]"));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (settings, why) in [
        ("program = []", "`program` of tool `pg` names no program"),
        (r#"program = [""]"#, "names no program"),
        (r#"program = "pg_ctl stop""#, "must be a list"),
        ("program = [\"x\"]\ncheck = []", "`check` of tool `pg` names no program"),
        ("program = [\"x\"]\nimpact = \"none\"", "cannot be `none`"),
        ("program = [\"x\"]\nssh = \"-oProxyCommand=evil\"", "`ssh` of tool `pg` is no host"),
        ("program = [\"x\"]\nssh = \"a b\"", "is no host"),
        ("program = [\"a=b\"]\nssh = \"db-1\"", "has a `=` in its name"),
        ("program = [\"x\"]\nenv = { \"A=B\" = \"c\" }", "has a name that is empty or holds `=`"),
        ("program = [\"x\"]\nenv = { LIFEBOAT_IDEMPOTENCY_KEY = \"k\" }", "sets LIFEBOAT_IDEMPOTENCY_KEY"),
        ("program = [\"x\"]\ntime_limit = \"0s\"", "a program needs time"),
        ("program = [\"x\"]\noutput_limit = 0", "must be from 256"),
        ("program = [\"x\"]\nexit_codes = []", "nothing would be a success"),
        ("program = [\"x\"]\nexit_codes = [300]", "a whole number from 0 to 255"),
        ("program = [\"x\"]\nexit_codes = [0, 3]\nunchanged_codes = [3]", "has a code of success in it"),
    ] {
        assert!(refused(settings).contains(why), "{settings}: {}", refused(settings));
    }
}

#[test]
fn a_shell_gives_every_quoted_word_back_as_it_was() {
    let odd = ["", "a b", "it's", "''", "$(id)`id`$HOME", "*?[a]~", "a\nb", "\\", "-n", "!x", "é;|&<>#"];
    let script = format!("printf '%s\\0' {}", odd.map(quoted).join(" "));
    #[expect(clippy::disallowed_methods, reason = "a real shell reads what we wrote for it")]
    let output = Command::new("/bin/sh").args(["-c", &script]).output().expect("it starts");
    let words = String::from_utf8(output.stdout).expect("text");
    assert_eq!(words, odd.map(|word| format!("{word}\0")).concat());
}

#[test]
fn the_client_is_asked_for_no_terminal_and_no_questions() {
    let ssh = Ssh { host: "admin@db-1".to_owned(), program: "ssh".to_owned() };
    let words = ["pg_ctl", "it's"].map(str::to_owned);
    let environment = BTreeMap::from([("KEY".to_owned(), "a b".to_owned())]);
    let arguments = ssh.arguments(&words, &environment, Some(Path::new("/var/lib/my data")));
    let (command, options) = arguments.split_last().expect("arguments");
    assert_eq!(options, ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "--", "admin@db-1"]);
    let expected = [
        r#"echo 'lifeboat: started' >&2; cd -- '/var/lib/my data' && exec env -i PATH="$PATH" ${HOME+HOME="$HOME"} "#,
        r#"${LANG+LANG="$LANG"} ${TZ+TZ="$TZ"} 'KEY=a b' 'pg_ctl' 'it'\''s'"#,
    ];
    assert_eq!(*command, expected.concat());
}
