//! Drivers that are real programs: what they are given, and what is made of everything that they can do wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::{Config, ConfigError};
use crate::model::{Applied, Fault, IdempotencyKey, Key, SecretSource, Value};
use crate::primitives::{ErasedReconciled, Handler, Reconciled, Registry};
use crate::system::{Act, Look, Redactor, Secrets, System};

/// What every driver here says of itself.
const DESCRIPTION: &str = r#"{"name": "door", "version": "2", "serves": {"service": ["maintenance", "probe", "nonesuch"]},
    "settings": {"required": ["path"], "properties": {
        "path": {"type": "string", "description": "The door."}, "width": {"type": "integer", "description": "In cm."},
        "side": {"type": "string", "enum": ["left", "right"]}, "locks": {"type": "array", "items": {"type": "boolean", "description": "Shut?"}},
        "token": {"type": "string", "writeOnly": true}}}}"#;

/// A project with one target, served by a program in the shell's language.
struct Bench {
    dir: tempfile::TempDir,
    config: Config,
    act: Act,
}

impl Bench {
    /// `body` answers: `$request` is what was asked, `$id` its number, and `reply` writes what is in `ok`.
    fn new(body: &str, settings: &str, declared: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let program = dir.path().join("door");
        let text = format!(
            "#!/bin/sh\nread -r request\nid=$(printf %s \"$request\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')\n\
             reply() {{ printf '{{\"protocol\":1,\"id\":\"%s\",\"ok\":%s}}' \"$id\" \"$1\"; }}\n\
             fault() {{ printf '{{\"protocol\":1,\"id\":\"%s\",\"fault\":%s}}' \"$id\" \"$1\"; }}\n\
             case $request in *'\"request\":\"describe\"'*) reply '{DESCRIPTION}'; exit;; esac\n{body}\n"
        );
        fs::write(&program, text).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be executed");
        let config = format!(
            "[drivers.door]\nprogram = [\"./door\", \"an argument\"]\n{declared}\n[environments.a.secrets]\n\
             T = {{ file = \"token\" }}\n[environments.a.services.front]\ndriver = \"door\"\n{settings}\n"
        );
        let config = Config::parse(&dir.path().join("lifeboat.toml"), config.into()).expect("a sound configuration");
        let token = dir.path().join("token");
        fs::write(&token, "open-sesame\n").expect("a secret");
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("it is ours alone");
        let sources = [("T".to_owned(), SecretSource::File(token))].into();
        let secrets = Secrets::new(sources, dir.path().to_owned(), Arc::<Redactor>::default());
        let look = Look::new(Arc::new(System::new(dir.path().join("scratch")))).with_secrets(Arc::new(secrets));
        Self { act: Act::grant(&look), dir, config }
    }

    /// A driver whose target is sound.
    fn answering(body: &str) -> Self {
        Self::new(body, "path = \"/door\"", "")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    async fn registry(&self) -> Result<Registry, Fault> {
        let driver = ExternalDriver::describe(&self.config.drivers["door"], &self.act).await?;
        Ok(Registry::standard().external(&Arc::new(driver)))
    }

    async fn handler(&self, primitive: &'static str) -> Arc<dyn Handler> {
        let registry = self.registry().await.expect("it describes itself");
        let bound = registry.bind(&self.config.environments["a"]).expect("it serves its target");
        bound.handler(primitive, Some("front")).expect("it serves this").clone()
    }

    async fn perform(&self) -> Result<Value, Fault> {
        self.handler("maintenance").await.perform(&close(), &self.act, &key()).await
    }

    async fn preview(&self) -> Result<crate::primitives::Preview, Fault> {
        self.handler("maintenance").await.preview(&close(), &self.act).await
    }

    async fn reconcile(&self) -> ErasedReconciled {
        self.handler("maintenance").await.reconcile(&close(), &self.act, &key()).await
    }

    /// The mistakes in its target's settings.
    async fn mistakes(&self) -> Vec<ConfigError> {
        let registry = self.registry().await.expect("it describes itself");
        registry.bind(&self.config.environments["a"]).err().unwrap_or_default()
    }
}

fn close() -> Value {
    Value::from_json(json!({ "target": "front", "state": "on" }))
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new("run-1", &Key::ROOT)
}

fn said(fault: &Fault) -> (&str, &str, Applied) {
    (fault.code.as_str(), fault.message.as_str(), fault.applied)
}

#[tokio::test]
async fn a_driver_serves_what_it_describes_as_any_other() {
    let bench = Bench::answering(
        "case $request in *observe*) reply '{\"output\":\"off\"}';; *preview*) reply '{\"summary\":\"shuts\\u001b[2J it\",\
         \"before\":\"off\",\"output\":\"off\"}';; *) echo half >&2; reply '{\"output\":\"off\"}';; esac",
    );
    let registry = bench.registry().await.expect("it describes itself");
    let service = crate::config::TargetKind::Service;
    assert_eq!(registry.served_by(service, "door").into_iter().collect::<Vec<_>>(), ["maintenance", "probe"]);
    assert_eq!(registry.settings(service, "door").expect("its settings").len(), 5);
    let look = Value::from_json(json!({ "target": "front" }));
    let handler = bench.handler("maintenance").await;
    let observed = handler.observe(&look, &bench.act).expect("without a state it looks").await;
    assert_eq!(observed, Ok(Value::from("off")));
    assert!(handler.observe(&close(), &bench.act).is_none(), "with one it changes something");
    let preview = bench.preview().await.expect("it previews");
    assert_eq!((preview.summary.as_str(), &preview.output), ("shuts[2J it", &Value::from("off")));
    assert_eq!(bench.perform().await, Ok(Value::from("off")));
}

#[tokio::test]
async fn only_who_performs_gets_key_and_secrets_and_nobody_gets_our_environment() {
    let body =
        "printf '%s\\n' \"$request\" >> \"$LOG\"; env | cut -d= -f1 | sort | tr '\\n' ' ' >> \"$LOG\"; pwd >> \"$LOG\"
        ls -A . | wc -l >> \"$LOG\"; [ \"$1\" = 'an argument' ] || exit 9
        case $request in *preview*) reply '{\"summary\":\"shuts it\"}';; *) reply '{\"output\":\"off\"}';; esac";
    let log = tempfile::NamedTempFile::new().expect("a file");
    let declared = format!("env = {{ LOG = \"{}\" }}\npass = [\"HOME\", \"LIFEBOAT_NOT_SET\"]", log.path().display());
    let bench = Bench::new(body, "path = \"/door\"\ntoken = \"{secret:T}\"", &declared);
    bench.preview().await.expect("it previews");
    let previewed = fs::read_to_string(log.path()).expect("a log");
    assert!(!previewed.contains("open-sesame") && !previewed.contains("idempotency_key"), "{previewed}");
    assert!(previewed.contains("\"withheld\":[\"token\"]") && previewed.contains("\"path\":\"/door\""), "{previewed}");
    let words: Vec<&str> = previewed.lines().nth(1).expect("its variables").split(' ').collect();
    for (name, there) in [("HOME", true), ("PATH", true), ("LOG", true), ("CARGO_MANIFEST_DIR", false), ("USER", false)]
    {
        assert_eq!(words.contains(&name), there, "{name} in {words:?}");
    }
    assert_eq!(previewed.lines().last().expect("a count").trim(), "0", "it starts in an empty directory");
    bench.perform().await.expect("it performs");
    let performed = fs::read_to_string(log.path()).expect("a log");
    assert!(performed.contains("\"token\":\"open-sesame\"") && performed.contains("\"idempotency_key\":\"run-1/\""));
    let trusting =
        Bench::new(body, "path = \"/door\"\ntoken = \"{secret:T}\"", &format!("{declared}\nsecrets_for_looks = true"));
    fs::write(log.path(), "").expect("emptied");
    trusting.preview().await.expect("it previews");
    assert!(fs::read_to_string(log.path()).expect("a log").contains("open-sesame"));
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_foreseen() {
    let bench = Bench::new("reply '{\"summary\":\"shuts it\"}'", "path = \"/door\"\ntoken = \"{secret:T}\"", "");
    assert_eq!(bench.preview().await.expect("it previews").fault, None);
    let gone = Bench::new("reply '{\"summary\":\"shuts it\"}'", "path = \"/door\"\ntoken = \"{secret:T}\"", "");
    fs::remove_file(gone.path("token")).expect("it was there");
    let sources = [("T".to_owned(), SecretSource::File(gone.path("token")))].into();
    let secrets = Arc::new(Secrets::new(sources, gone.path(""), Arc::default()));
    let look = Look::new(Arc::new(System::new(gone.path("scratch")))).with_secrets(secrets);
    let preview = gone.handler("maintenance").await.preview(&close(), &look).await.expect("it previews");
    assert_eq!(preview.fault.expect("a fault").code, "secret-unavailable");
}

#[tokio::test]
async fn what_breaks_the_protocol_leaves_a_change_in_doubt_and_a_look_undone() {
    for (body, why) in [
        ("exit 3", "ended with exit code 3"),
        ("echo oh dear >&2; kill -9 $$", "was ended by signal 9: oh dear"),
        ("", "wrote no reply"),
        ("echo hello", "wrote something that is no JSON"),
        ("reply '{\"output\":\"off\"}'; echo more", "wrote something that is no JSON"),
        ("id=x; reply '{\"output\":\"off\"}'", "answered request `x`, not `"),
        ("printf '{\"protocol\":7}'", "speaks version 7 of the protocol; this Lifeboat speaks 1"),
        ("printf '{\"id\":\"1\"}'", "wrote a reply without `protocol`"),
        ("printf '{\"protocol\":1,\"id\":\"%s\"}' $id", "has not just one of `ok` and `fault`"),
        ("printf '{\"protocol\":1,\"id\":\"%s\",\"ok\":{},\"colour\":1}' $id", "unknown field `colour`"),
        ("head -c 5000000 /dev/zero", "wrote more than 4 MiB"),
        ("reply '{\"output\":\"ajar\"}'", "an output that is none of `maintenance`"),
        ("reply '{\"output\":{\"$unknown\":\"x\"}}'", "a result is known, and no secret"),
        ("reply '{\"output\":\"off\",\"more\":1}'", "unknown field `more`"),
        ("fault '{\"code\":\"No Good\",\"message\":\"m\"}'", "a fault whose code `No Good` is none"),
        ("reply '{\"output\":\"off\"}'; exit 1", "ended with exit code 1"),
    ] {
        let bench = Bench::answering(body);
        let fault = bench.perform().await.expect_err(body);
        let (code, message, applied) = said(&fault);
        assert_eq!(
            (code, applied, fault.target.as_deref()),
            ("driver-failed", Applied::Unknown, Some("front")),
            "{body}"
        );
        assert!(message.starts_with("driver door ") && message.contains(why), "{body}: {message}");
        let fault = bench.preview().await.expect_err(body);
        assert_eq!((fault.code.as_str(), fault.applied), ("driver-failed", Applied::No), "{body}");
        assert!(matches!(bench.reconcile().await, Reconciled::Unknown { .. }), "{body}");
    }
}

#[tokio::test]
async fn a_driver_that_hangs_is_ended_with_all_that_it_started() {
    let bench = Bench::new(
        "echo starting >&2; sleep 600 & echo $! > \"$LOG\"; wait",
        "path = \"/door\"",
        "time_limit = \"200ms\"\nenv = { LOG = \"/dev/null\" }",
    );
    let log = bench.path("pid");
    let mut config = bench.config.clone();
    let spec = config.drivers.get_mut("door").expect("declared");
    spec.env.insert("LOG".to_owned(), log.display().to_string());
    let bench = Bench { config, ..bench };
    let fault = bench.perform().await.expect_err("it hangs");
    assert_eq!((fault.code.as_str(), fault.applied), ("driver-timeout", Applied::Unknown));
    assert_eq!(fault.message, "driver door did not answer `perform` within 200ms, and was ended: starting");
    let pid: u32 = fs::read_to_string(log).expect("a number").trim().parse().expect("a number");
    while bench.act.process_runs(pid) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_driver_that_says_in_time_how_far_it_came_is_believed() {
    let body = "trap 'fault \"{\\\"code\\\":\\\"interrupted\\\",\\\"message\\\":\\\"not begun\\\",\\\"applied\\\":\\\"no\\\"}\"; exit' TERM
        sleep 600 & wait";
    let fault = Bench::new(body, "path = \"/door\"", "time_limit = \"500ms\"").perform().await.expect_err("it fails");
    assert_eq!(said(&fault), ("interrupted", "not begun", Applied::No));
}

#[tokio::test]
async fn faults_of_drivers_are_faults() {
    let fault = |json: &str| Bench::answering(&format!("fault '{json}'"));
    let said_all = fault(r#"{"code":"maintenance-failed","message":"it\nsticks","hint":"oil it","applied":"no"}"#);
    let caught = said_all.perform().await.expect_err("it fails");
    assert_eq!(said(&caught), ("maintenance-failed", "it sticks", Applied::No));
    assert_eq!((caught.hint.as_deref(), caught.target.as_deref()), (Some("oil it"), Some("front")));
    let said_little = fault(r#"{"code":"maintenance-failed","message":"m"}"#);
    assert_eq!(said_little.perform().await.expect_err("it fails").applied, Applied::Unknown);
    assert_eq!(said_little.preview().await.expect_err("it fails").applied, Applied::No);
}

#[tokio::test]
async fn evidence_decides_and_a_preview_predicts_only_what_can_be() {
    let applied = r#"reply '{"verdict":"applied","evidence":"the log","output":"off"}'"#;
    let Reconciled::Applied { output, evidence } = Bench::answering(applied).reconcile().await else {
        panic!("applied")
    };
    assert_eq!((output, evidence.as_str()), (Value::from("off"), "the log"));
    let untouched = r#"reply '{"verdict":"not-applied","evidence":"the log"}'"#;
    assert!(matches!(Bench::answering(untouched).reconcile().await, Reconciled::NotApplied { .. }));
    for output in ["\"ajar\"", "{\"state\":\"on\"}", "{\"$secret\":\"T\"}"] {
        let bench = Bench::answering(&format!("reply '{{\"summary\":\"s\",\"output\":{output}}}'"));
        let fault = bench.preview().await.expect_err(output);
        assert!(fault.message.contains("predicted what `maintenance` cannot return"), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_driver_that_cannot_be_started_changes_nothing() {
    let described = |bench: Bench| async move { bench.registry().await.err().expect("it cannot be started") };
    let gone = Bench::answering("");
    fs::remove_file(gone.path("door")).expect("it was there");
    assert_eq!(described(gone).await.message, "driver door: cannot start ./door: there is no such program");
    let locked = Bench::answering("");
    fs::set_permissions(locked.path("door"), fs::Permissions::from_mode(0o644)).expect("it is ours");
    let fault = described(locked).await;
    assert_eq!(said(&fault).1, "driver door: cannot start ./door: it may not be executed");
    assert_eq!(
        (fault.code.as_str(), fault.hint.as_deref()),
        ("driver-not-started", Some("make it executable: chmod +x"))
    );
    let other = Bench::new("", "path = \"/door\"", &format!("sha256 = \"{}\"", "0".repeat(64)));
    assert!(described(other).await.message.contains("is not the file that lifeboat.toml declares: its SHA-256 is "));
    let begun = Bench::answering("reply '{\"output\":\"off\"}'");
    let handler = begun.handler("maintenance").await;
    fs::remove_file(begun.path("door")).expect("it was there");
    let fault = handler.perform(&close(), &begun.act, &key()).await.expect_err("it is gone");
    assert_eq!((fault.code.as_str(), fault.applied), ("driver-not-started", Applied::No));
}

#[tokio::test]
async fn settings_are_checked_against_the_description() {
    for (settings, said) in [
        ("", "service `front` has no `path`, which driver door needs"),
        ("path = 5", "`path` of service `front` must be text, not the number `5`"),
        ("path = \"p\"\npaht = \"p\"", "unknown setting `paht` for driver door"),
        ("path = \"p\"\nside = \"lefft\"", "`side` of service `front` cannot be `lefft`"),
        ("path = \"p\"\nwidth = 1.5", "`width` of service `front` must be a whole number, not the number `1.5`"),
        ("path = \"p\"\nlocks = [true, 2]", "`locks[1]` of service `front` must be true or false, not the number `2`"),
        ("path = \"{secret:T}\"", "`path` of service `front` does not take a secret"),
    ] {
        let mistakes = Bench::new("", settings, "").mistakes().await;
        assert_eq!(mistakes.len(), 1, "{settings}");
        assert_eq!(mistakes[0].message, said);
        assert!(mistakes[0].span.is_some() && mistakes[0].help.is_some(), "{settings}");
    }
    assert!(Bench::new("", "path = \"p\"\nside = \"left\"\nlocks = [true]\nwidth = 3", "").mistakes().await.is_empty());
}

#[test]
fn the_schema_names_every_message() {
    let schema = protocol_schema();
    for name in
        ["request", "reply", "ok of describe", "ok of observe", "ok of preview", "ok of perform", "ok of reconcile"]
    {
        assert!(schema["properties"][name].is_object(), "{name}");
    }
    let request = serde_json::to_string(&schema["$defs"]["Request"]).expect("JSON");
    assert!(request.contains("idempotency_key"));
}
