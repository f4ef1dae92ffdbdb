//! Real programs under `exec`: shells here, where the driver itself never uses one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::config::Config;
use crate::model::{Fault, IdempotencyKey, Key, SecretSource, Segment, Symbol, Unknown};
use crate::primitives::targets::{CommandTool, STARTED};
use crate::primitives::{Driver, FromTarget as _, Preview, Reconciled};
use crate::system::{Act, Cancel, Console, Look, Secrets, System};

/// Remembers what was shown.
#[derive(Default)]
struct Screen(Mutex<Vec<String>>);

impl Console for Screen {
    fn show(&self, message: &str) {
        self.0.lock().expect("nobody panicked").push(message.to_owned());
    }
}

struct Bench {
    dir: tempfile::TempDir,
    tool: CommandTool,
    act: Act,
    cancel: Cancel,
    screen: Arc<Screen>,
}

const SECRETS: &str = "[environments.test.secrets]\nT = { file = \"token\" }\n";

/// A tool `t` with these settings, in a directory of its own; `sh` is a script there that the settings may name.
fn bench(script: &str, settings: &str) -> Bench {
    let dir = tempfile::tempdir().expect("a directory");
    write_script(&dir.path().join("sh"), script);
    let text =
        format!("[environments.test.tools.t]\ndriver = \"command\"\nprogram = [\"./sh\"]\n{settings}\n{SECRETS}");
    let config = Config::parse(&dir.path().join("lifeboat.toml"), text.into()).expect("it is TOML");
    let environment = &config.environments["test"];
    let target = &environment.targets["t"];
    let settings = target.settings().expect("settings");
    let tool = CommandTool::from_target(settings, target, environment).expect("it is configured");
    let mut system = System::new(dir.path().join("scratch"));
    let screen = Arc::new(Screen::default());
    system.console = screen.clone();
    let cancel = system.cancel.clone();
    Bench { dir, tool, act: Act::grant(&Look::new(Arc::new(system))), cancel, screen }
}

fn write_script(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("writes");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be executed");
}

impl Bench {
    async fn perform(&self, args: &[&str]) -> Result<Output, Fault> {
        self.tool.perform(&words(args), &self.act, &key()).await
    }
    async fn preview(&self, args: &Args) -> Result<Preview, Fault> {
        self.tool.preview(args, &self.act).await
    }
    async fn reconcile(&self, args: &[&str]) -> Reconciled<Output> {
        self.tool.reconcile(&words(args), &self.act, &key()).await
    }
    fn knows(&mut self, sources: BTreeMap<String, SecretSource>) {
        let secrets = Secrets::new(sources, self.dir.path().to_owned(), Arc::default());
        let look: Look = (*self.act).clone();
        self.act = Act::grant(&look.with_secrets(Arc::new(secrets)));
    }
    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join(name)).ok()
    }
}

fn words(args: &[&str]) -> Args {
    let args = args.iter().map(|word| Arg::Known(Word::Text((*word).to_owned()))).collect();
    Args { tool: "t".to_owned(), args, env: BTreeMap::new(), stdin: None, time_limit: None }
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(7)))
}

#[tokio::test]
async fn a_program_gets_its_arguments_and_the_key_and_gives_its_output() {
    let bench = bench("echo \"$#: $1, $2\"; echo \"key $LIFEBOAT_IDEMPOTENCY_KEY\" >&2; exit 2", "exit_codes = [0, 2]");
    let args: Args =
        Value::from_json(serde_json::json!({ "tool": "t", "args": ["a b; exit 1", 5] })).decode().expect("args");
    let output = bench.tool.perform(&args, &bench.act, &key()).await.expect("2 is a success");
    assert_eq!((output.code, output.ok, output.cut), (2, true, false));
    assert_eq!((output.stdout.to_string().as_str(), output.stderr.as_str()), ("2: a b; exit 1, 5\n", "key run/7\n"));
    let mut shown = bench.screen.0.lock().expect("nobody panicked").clone();
    shown.sort_unstable();
    assert_eq!(shown, ["t: 2: a b; exit 1, 5", "t: key run/7"]);
}

#[tokio::test]
async fn a_failure_says_the_code_and_the_last_lines() {
    let bench = bench("for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit \"$1\"", "unchanged_codes = [4]");
    let fault = bench.perform(&["3"]).await.expect_err("3 is no success");
    assert_eq!(
        (fault.code.as_str(), fault.applied, fault.target.as_deref()),
        ("exec-failed", Applied::Unknown, Some("t"))
    );
    assert!(fault.message.ends_with("sh 3` ended with exit code 3: line 3; line 4; line 5; line 6; line 7"), "{fault}");
    assert_eq!(
        bench.perform(&["4"]).await.expect_err("nor is 4").applied,
        Applied::No,
        "it says that it changed nothing"
    );
}

#[tokio::test]
async fn the_environment_is_small() {
    let bench = bench("env", "env = { PGDATA = \"data\" }");
    let output = bench.perform(&[]).await.expect("it runs");
    let stdout = output.stdout.to_string();
    let mut names: Vec<&str> = stdout.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_", "HOME", "LANG", "TZ"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["LIFEBOAT_IDEMPOTENCY_KEY", "PATH", "PGDATA"]);
}

#[tokio::test]
async fn long_output_is_cut_and_says_so() {
    let bench = bench("i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done", "output_limit = 256");
    let output = bench.perform(&[]).await.expect("it runs");
    let stdout = output.stdout.to_string();
    assert!(output.cut && stdout.contains(" bytes left out …") && stdout.len() < 320, "{stdout}");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_and_nobody_knows_how_far_it_came() {
    let mut bench = bench("echo waiting >&2; while :; do sleep 0.05; done", "time_limit = \"1s\"");
    let fault = bench.perform(&[]).await.expect_err("it never ends");
    assert_eq!((fault.code.as_str(), fault.applied), ("exec-timeout", Applied::Unknown));
    assert!(fault.message.contains("did not end within 1s, and was ended"), "{fault}");
    bench.tool.impact = ImpactKind::Look;
    let short = Args { time_limit: Some(Span::from_millis(50)), ..words(&[]) };
    bench.tool.allow = crate::primitives::targets::Allowed::anything();
    let fault = bench.tool.perform(&short, &bench.act, &key()).await.expect_err("it never ends");
    assert_eq!(fault.applied, Applied::No, "a look changes nothing however it ends");
    assert!(fault.message.contains("within 50ms"), "{fault}");
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_ends_it() {
    let bench = bench("touch begun; while :; do sleep 0.05; done", "");
    let fault = tokio::join!(bench.perform(&[]), async {
        while bench.read("begun").is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        bench.cancel.request();
    });
    let fault = fault.0.expect_err("it was ended");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::Unknown));
}

#[tokio::test]
async fn the_check_says_whether_it_took_place() {
    // The check gets the arguments of the call and its key.
    let check = "check = [\"./sh\", \"check\", \"{args}\"]";
    let script = "echo \"$* $LIFEBOAT_IDEMPOTENCY_KEY\" >> asked; test \"$1\" = check && exit \"$2\"; exit 9";
    let bench = bench(script, check);
    let Reconciled::Applied { output, evidence } = bench.reconcile(&["0"]).await else { panic!("0 says yes") };
    assert_eq!((output.code, output.ok, output.stdout.to_string().as_str()), (0, true, ""));
    assert!(evidence.contains("ended with exit code 0"), "{evidence}");
    assert!(matches!(bench.reconcile(&["1"]).await, Reconciled::NotApplied { .. }));
    let Reconciled::Unknown { why } = bench.reconcile(&["2"]).await else { panic!("2 says nothing") };
    assert!(why.contains("exit code 2, which says neither yes (0) nor no (1)"), "{why}");
    assert_eq!(bench.read("asked").as_deref(), Some("check 0 run/7\ncheck 1 run/7\ncheck 2 run/7\n"));
}

#[tokio::test]
async fn without_a_check_a_person_must_look() {
    let Reconciled::Unknown { why } = bench("exit 0", "").reconcile(&["stop"]).await else {
        panic!("nothing is known")
    };
    assert!(why.starts_with("tool t has no `check`: find out what `") && why.ends_with("sh stop` did"), "{why}");
}

#[tokio::test]
async fn a_plan_shows_a_change_and_starts_nothing() {
    let bench = bench("touch started", "impact = \"destroy\"");
    let label = Unknown::labelled("probe:web.detail");
    let args = Args { args: vec![Arg::Known(Word::Text("a b".to_owned())), Arg::Unknown(label)], ..words(&[]) };
    let preview = bench.preview(&args).await.expect("it can be shown");
    assert_eq!(preview.symbol, Symbol::Destroy);
    assert!(preview.summary.ends_with("sh 'a b' ‹probe:web.detail›"), "{}", preview.summary);
    assert!(preview.assumed.is_some() && preview.fault.is_none());
    assert_eq!(bench.read("started"), None);
}

#[tokio::test]
async fn a_plan_runs_what_is_declared_to_look() {
    let bench = bench("echo \"3 of 4\"; touch started; exit 0", "impact = \"look\"\nallow = [\"status\"]");
    let preview = bench.preview(&words(&["status"])).await.expect("it looks");
    assert!(preview.summary.ends_with("sh status → 3 of 4"), "{}", preview.summary);
    assert_eq!(preview.output.get("stdout"), Some(&Value::from("3 of 4\n")));
    assert!(bench.read("started").is_some());
    assert_eq!(bench.tool.impact(&words(&[])), Some(ImpactKind::Look));
    let fault = bench.preview(&words(&["stop"])).await.expect_err("not this");
    assert_eq!(fault.code, "exec-refused");
}

#[tokio::test]
async fn arguments_that_are_not_allowed_are_refused_before_anything_starts() {
    let bench = bench("touch started", "allow = [\"start\", [\"stop\", \"--fast\"]]");
    for args in [&["stop"][..], &[], &["restart"], &["start\0"]] {
        let fault = bench.perform(args).await.expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.applied), ("exec-refused", Applied::No), "{args:?}");
        let preview = bench.preview(&words(args)).await.expect("it can be shown");
        assert_eq!(preview.fault.expect("and the plan says so").code, "exec-refused");
    }
    let fault = bench.perform(&["stop"]).await.expect_err("refused");
    assert_eq!(fault.message, "tool t does not take `stop`: its `allow` is `start …`, `stop --fast`");
    assert_eq!(bench.read("started"), None);
    bench.perform(&["stop", "--fast"]).await.expect("allowed");
    assert!(bench.read("started").is_some());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_foreseen() {
    let mut bench = bench("", "");
    bench.tool.program = vec!["no-such-program-anywhere".to_owned()];
    let foreseen = bench.preview(&words(&[])).await.expect("it can be shown").fault.expect("it would fail");
    let fault = bench.perform(&[]).await.expect_err("it is not there");
    assert_eq!(fault, foreseen);
    assert_eq!((fault.code.as_str(), fault.applied), ("exec-not-started", Applied::No));
    assert!(fault.hint.is_some());
}

/// A client that notes its arguments and lets a shell of this machine be the other one, unless `down` is there.
const CLIENT: &str = "printf '%s\\n' \"$@\" > arguments
test -n \"$SSH_AUTH_SOCK$COLOUR\" && exit 8
while [ \"$1\" != -- ]; do shift; done
if [ -e down ]; then echo \"ssh: connect to host $2 port 22: Connection refused\" >&2; exit 255; fi
exec sh -c \"$3\"";

/// The client changes into its own directory, because ours starts at `/`.
fn far(script: &str, settings: &str) -> Bench {
    let bench = bench(script, &format!("ssh = \"admin@db-1\"\nssh_program = \"./ssh\"\n{settings}"));
    let here = bench.dir.path().display();
    write_script(&bench.dir.path().join("ssh"), &format!("cd '{here}'\n{CLIENT}"));
    bench
}

#[tokio::test]
async fn another_host_gets_the_words_one_by_one() {
    let bench = far(
        "echo \"$#: $1\"; echo \"$COLOUR $LIFEBOAT_IDEMPOTENCY_KEY\"; echo warning >&2",
        "env = { COLOUR = \"it's\" }",
    );
    let output = bench.perform(&["a 'b' $(id)"]).await.expect("it runs");
    assert_eq!(output.stdout.to_string(), "1: a 'b' $(id)\nit's run/7\n");
    assert_eq!(output.stderr, "warning\n", "our own mark is taken out");
    let shown = bench.screen.0.lock().expect("nobody panicked").clone();
    assert!(shown.contains(&"t: warning".to_owned()) && shown.iter().all(|line| !line.contains(STARTED)), "{shown:?}");
    let arguments = bench.read("arguments").expect("noted");
    assert!(arguments.starts_with("-T\n-o\nBatchMode=yes\n-o\nConnectTimeout=15\n--\nadmin@db-1\n"), "{arguments}");
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_was_not_changed_and_one_that_was_lost_may_have_been() {
    let bench = far("echo 'ssh: connect to host db-2 port 22: Connection refused' >&2; exit 255", "");
    let fault = bench.perform(&[]).await.expect_err("the program itself fails with ssh's own code and words");
    assert_eq!((fault.code.as_str(), fault.applied), ("exec-failed", Applied::Unknown));
    fs::write(bench.dir.path().join("down"), "").expect("writes");
    let fault = bench.perform(&[]).await.expect_err("the host is down");
    assert_eq!((fault.code.as_str(), fault.applied), ("exec-not-started", Applied::No));
    assert!(fault.message.ends_with("ssh: connect to host admin@db-1 port 22: Connection refused"), "{fault}");
}

/// A bench whose environment has the secret `T`, in a file.
fn secret_bench(script: &str, settings: &str) -> Bench {
    let mut bench = bench(script, settings);
    let file = bench.dir.path().join("token");
    fs::write(&file, "s3cr3t-t0ken\n").expect("writes");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("private");
    let sources = [("T".to_owned(), SecretSource::File(file))].into();
    bench.knows(sources);
    bench
}

fn given(json: &serde_json::Value) -> Args {
    let mut args = serde_json::json!({ "tool": "t" });
    args.as_object_mut().expect("a map").extend(json.as_object().expect("a map").clone());
    Value::from_json(args).decode().expect("arguments")
}

#[tokio::test]
async fn secrets_reach_the_program_and_nobody_else() {
    let script = "read line; echo \"in $line\"; echo \"arg $1\" | tee seen; echo \"env $A $B\" >&2; exit 3";
    let bench = secret_bench(script, "env = { A = \"x {secret:T}\" }");
    let secret = serde_json::json!({ "$secret": "T" });
    let args = given(&serde_json::json!({ "args": [secret], "env": { "B": secret }, "stdin": secret }));
    let fault = bench.tool.perform(&args, &bench.act, &key()).await.expect_err("3 is no success");
    assert_eq!(bench.read("seen").as_deref(), Some("arg s3cr3t-t0ken\n"), "the program got it");
    assert!(fault.message.ends_with("ended with exit code 3: env x [secret T] [secret T]"), "{fault}");
    assert!(fault.message.contains("sh 'secret(T)'`"), "{fault}");
    let mut shown = bench.screen.0.lock().expect("nobody panicked").clone();
    shown.sort_unstable();
    assert_eq!(shown, ["t: arg [secret T]", "t: env x [secret T] [secret T]", "t: in [secret T]"]);
    let preview = bench.preview(&args).await.expect("it can be shown");
    assert!(preview.notes.iter().any(|note| note.contains("prefer `env` or `stdin`")), "{preview:?}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_foreseen() {
    let mut bench = secret_bench("exit 0", "");
    fs::set_permissions(bench.dir.path().join("token"), fs::Permissions::from_mode(0o644)).expect("open");
    // Another process, which has not read it before.
    let sources = [("T".to_owned(), SecretSource::File(bench.dir.path().join("token")))].into();
    bench.knows(sources);
    let args = given(&serde_json::json!({ "stdin": { "$secret": "T" } }));
    let foreseen = bench.preview(&args).await.expect("it can be shown").fault.expect("it would fail");
    assert_eq!(foreseen, bench.tool.perform(&args, &bench.act, &key()).await.expect_err("it fails"));
    assert_eq!(foreseen.code, "secret-unavailable");
}

#[tokio::test]
async fn what_a_program_prints_can_be_a_secret() {
    let bench = secret_bench("echo fresh-credential; echo done >&2", "secret_output = true");
    let output = bench.perform(&[]).await.expect("it runs");
    assert_eq!(output.stdout.to_string(), "secret(t@run/7)");
    assert_eq!(&*bench.act.reveal(&output.stdout).await.expect("it is known"), "fresh-credential");
    assert!(bench.screen.0.lock().expect("nobody panicked").is_empty(), "nobody sees it");
    assert_eq!(bench.act.redacted("got fresh-credential"), "got [secret t@run/7]");
}

#[tokio::test]
async fn another_host_never_gets_a_secret_on_its_command_line() {
    let bench = far("cat", "");
    for args in
        [serde_json::json!({ "args": [{ "$secret": "T" }] }), serde_json::json!({ "env": { "A": { "$secret": "T" } } })]
    {
        let fault = bench.tool.perform(&given(&args), &bench.act, &key()).await.expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.hint.as_deref()), ("exec-refused", Some("give it as `stdin`")));
    }
    let output = bench.tool.perform(&given(&serde_json::json!({ "stdin": "plain" })), &bench.act, &key()).await;
    assert_eq!(output.expect("it runs").stdout.to_string(), "plain");
}
