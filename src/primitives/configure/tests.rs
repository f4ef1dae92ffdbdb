//! What `configure` does to real files, and what it leaves alone.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::model::{ArgList, Fault, Symbol};
use crate::primitives::documents::testing::{Bench, key};
use crate::primitives::targets::{DocumentSyntax, EnvFileSyntax, JsonSyntax, TomlSyntax};
use crate::primitives::{Driver, Preview, Reconciled};

const TEXT: &str = "# The app.\nlevel = \"info\"\n\n[pool]\nsize = 10 # connections\n\n[auth]\napi_key = \"hunter2\"\n";

fn bench() -> Bench {
    Bench::new("app.toml", TEXT)
}

fn set(pairs: &[(&str, Value)]) -> Args {
    let set = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Args { target: "app".to_owned(), set, ..Args::default() }
}

fn size(to: i64) -> Args {
    set(&[("pool.size", Value::Int(to))])
}

fn restore(version: &str) -> Args {
    Args { target: "app".to_owned(), restore: Some(Arg::Known(version.to_owned())), ..Args::default() }
}

impl Bench {
    async fn preview(&self, args: &Args) -> Result<Preview, Fault> {
        Driver::<Configure>::preview(&self.driver::<TomlSyntax>(), args, &self.act).await
    }

    async fn configure_as<S: DocumentSyntax>(&self, args: &Args, call: u32) -> Result<Output, Fault> {
        Driver::<Configure>::perform(&self.driver::<S>(), args, &self.act, &key(call)).await
    }

    async fn configure(&self, args: &Args, call: u32) -> Result<Output, Fault> {
        self.configure_as::<TomlSyntax>(args, call).await
    }

    async fn reconcile(&self, call: u32) -> Reconciled<Output> {
        Driver::<Configure>::reconcile(&self.driver::<TomlSyntax>(), &size(0), &self.act, &key(call)).await
    }
}

#[tokio::test]
async fn a_change_touches_nothing_but_its_keys() {
    let bench = bench();
    let args = Args {
        unset: ArgList::from_iter(["level".to_owned(), "none".to_owned()]),
        ..set(&[("pool.size", 20.into()), ("pool.idle", true.into())])
    };
    let output = bench.configure(&args, 0).await.expect("it is changed");
    let expected = TEXT
        .replace("# The app.\nlevel = \"info\"\n\n", "")
        .replace("10 # connections\n", "20 # connections\nidle = true\n");
    assert_eq!(bench.text().trim_start(), expected);
    let lines: Vec<_> =
        output.changes.iter().map(|c| format!("{} {:?} {} {}", c.key, c.change, c.before, c.after)).collect();
    assert_eq!(lines, ["level Removed info ()", "pool.idle Added () true", "pool.size Changed 10 20"]);
    let before: Vec<_> = output.before.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        (before, output.added),
        (vec!["level=info".to_owned(), "pool.size=10".to_owned()], vec!["pool.idle".to_owned()])
    );
}

#[tokio::test]
async fn owner_permissions_and_links_stay() {
    let bench = bench();
    std::fs::set_permissions(&bench.file, std::fs::Permissions::from_mode(0o640)).expect("sets");
    let real = bench.dir.path().join("real.toml");
    std::fs::rename(&bench.file, &real).expect("renames");
    std::os::unix::fs::symlink("real.toml", &bench.file).expect("links");
    bench.configure(&size(20), 0).await.expect("it is changed");
    assert!(bench.file.symlink_metadata().expect("there").is_symlink());
    let metadata = real.metadata().expect("there");
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert!(std::fs::read_to_string(&real).expect("reads").contains("size = 20"));
    let kept = bench.dir.path().join(".real.toml.versions");
    assert_eq!(kept.metadata().expect("kept").mode() & 0o7777, 0o700, "what is secret in it stays secret");
    assert_eq!(bench.names(), [".real.toml.versions", "app.toml", "real.toml"]);
}

#[tokio::test]
async fn what_is_as_it_should_be_is_not_written() {
    let bench = bench().with("reload = [\"touch\", \"reloaded\"]");
    let before = bench.file.metadata().expect("there").ino();
    let output = bench.configure(&size(10), 0).await.expect("nothing to do");
    assert_eq!((output.changed, output.undo == output.version), (false, true));
    assert_eq!(bench.file.metadata().expect("there").ino(), before);
    assert_eq!(bench.names(), ["app.toml"]);
    let preview = bench.preview(&size(10)).await.expect("it is foreseen");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Nothing, "app is as it should be already"));
}

#[tokio::test]
async fn a_change_is_undone_to_the_byte() {
    let bench = bench();
    let first = bench.configure(&size(20), 0).await.expect("it is changed");
    let second = bench.configure(&set(&[("level", "debug".into())]), 1).await.expect("it is changed");
    assert_eq!(second.undo, first.version);
    bench.configure(&restore(&second.undo), 2).await.expect("it is undone");
    assert_eq!(bench.text(), TEXT.replace("10", "20"));
    let undone = bench.configure(&restore(&first.undo), 3).await.expect("it is undone");
    assert_eq!(bench.text(), TEXT);
    assert_eq!(undone.detail, "pool.size 20 → 10");
    let again = bench.configure(&restore(&first.undo), 4).await.expect("nothing to do");
    assert!(!again.changed);
    let forwards = bench.configure(&restore(&second.version), 5).await.expect("what was undone can be done again");
    assert_eq!(forwards.detail, "2 keys: level \"info\" → \"debug\", pool.size 10 → 20");
}

#[tokio::test]
async fn what_was_given_as_before_undoes_it_too() {
    let bench = bench();
    let output = bench.configure(&set(&[("pool.size", 20.into()), ("new", 1.into())]), 0).await.expect("it is changed");
    let undo = Args { set: output.before, unset: output.added.into_iter().collect(), ..set(&[]) };
    bench.configure(&undo, 1).await.expect("it is undone");
    assert_eq!(bench.text(), TEXT);
}

#[tokio::test]
async fn what_somebody_else_changed_since_is_not_overwritten() {
    let bench = bench();
    let output = bench.configure(&size(20), 0).await.expect("it is changed");
    std::fs::write(&bench.file, bench.text().replace("info", "warn")).expect("writes");
    let fault = bench.configure(&restore(&output.undo), 1).await.expect_err("it would undo that as well");
    assert_eq!(fault.code, "configure-conflict");
    assert!(bench.text().contains("warn") && bench.text().contains("20"));
    let args = Args { if_version: Some(Arg::Known(output.version)), ..size(30) };
    let fault = bench.configure(&args, 2).await.expect_err("it was changed");
    assert_eq!(fault.code, "configure-conflict");
    assert!(bench.preview(&args).await.expect("it is foreseen").fault.is_some());
}

#[tokio::test]
async fn a_change_in_the_middle_of_ours_is_found() {
    let bench = bench();
    // The program that checks the text is the one that is fast enough.
    let script = format!("validate = [\"sh\", \"-c\", 'echo \"x = 1\" >> {}', \"sh\"]", bench.file.display());
    let bench = bench.with(&script);
    let fault = bench.configure(&size(20), 0).await.expect_err("somebody else was faster");
    assert_eq!(fault.code, "configure-conflict");
    assert!(
        fault.message.contains("at the same time") && bench.text().contains("x = 1") && bench.text().contains("10")
    );
    assert_eq!(bench.names(), ["app.toml"]);
}

#[tokio::test]
async fn a_text_that_does_not_pass_its_check_replaces_nothing() {
    let bench = bench().with("validate = [\"sh\", \"-c\", 'cat $0 >&2; grep -q \"size = 2.$\" $0', \"{file}\"]");
    let fault = bench.configure(&size(20), 0).await.expect_err("it has a comment behind it");
    assert_eq!((fault.code.as_str(), fault.applied), ("configure-invalid", Applied::No));
    assert!(fault.message.contains("exit code 1") && !fault.message.contains("hunter2"), "{}", fault.message);
    assert!(fault.message.contains("[secret auth.api_key]"), "{}", fault.message);
    assert_eq!((bench.text().as_str(), bench.names()), (TEXT, vec!["app.toml".to_owned()]));
    let left = std::fs::read_dir(bench.dir.path().join("scratch")).expect("lists").count();
    assert_eq!(left, 0, "the scratch file is gone");
    let bench = Bench::new("app.toml", TEXT).with("validate = [\"grep\", \"-q\", \"size = 20\"]");
    assert!(bench.configure(&size(20), 0).await.expect("it passes").changed);
    let bench = Bench::new("app.toml", TEXT).with("validate = [\"no-such-program\"]");
    let fault = bench.configure(&size(20), 0).await.expect_err("nothing checks it");
    assert!(fault.message.contains("there is no such program") && fault.hint.expect("a hint").contains("`validate`"));
}

#[tokio::test]
async fn the_service_is_told_after_the_change_and_again_if_that_failed() {
    let settings = "reload = [\"sh\", \"-c\", 'grep -c \"size = 20\" app.toml >> told; echo $LIFEBOAT_IDEMPOTENCY_KEY >> told; test -e ready']";
    let bench = bench().with(settings);
    let fault = bench.configure(&size(20), 0).await.expect_err("it does not take it");
    assert_eq!((fault.code.as_str(), fault.applied), ("reload-failed", Applied::Yes));
    assert_eq!(bench.read("told"), "1\nrun/0\n");
    assert!(matches!(bench.reconcile(0).await, Reconciled::Unknown { why } if why.contains("whether `sh -c")));
    bench.write("ready", "");
    let output = bench.configure(&size(20), 0).await.expect("another attempt of the same call");
    assert!(output.changed && bench.read("told").lines().count() == 4);
    assert!(matches!(bench.reconcile(0).await, Reconciled::Applied { .. }));
    assert!(bench.configure(&restore(&output.undo), 1).await.expect("it is undone").changed);
    assert_eq!(bench.text(), TEXT);
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_ends_the_check_and_changes_nothing() {
    let bench = bench().with("validate = [\"sh\", \"-c\", 'sleep 600']");
    bench.cancel.request();
    let fault = bench.configure(&size(20), 0).await.expect_err("it is ended");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
    assert_eq!(bench.text(), TEXT);
}

#[tokio::test]
async fn secrets_are_never_shown_nor_taken_in_the_open() {
    let bench = bench();
    let fault = bench.configure(&set(&[("auth.api_key", "swordfish".into())]), 0).await.expect_err("refused");
    assert_eq!(fault.code, "configure-misuse");
    assert!(!fault.message.contains("swordfish") && fault.hint.expect("a hint").contains("secret(\"NAME\")"));
    assert!(bench.configure(&set(&[("url", "db://u:pw@h".into())]), 0).await.is_err());
    let args = Args { unset: ArgList::from_iter(["auth.api_key".to_owned()]), ..set(&[("auth.token_ttl", 60.into())]) };
    let preview = bench.preview(&args).await.expect("it is foreseen");
    assert_eq!(preview.notes[0], "auth.api_key removed (secret)");
    let output = bench.configure(&args, 0).await.expect("it is changed");
    assert!(output.before.is_empty() && output.changes[0].secret);
    let everywhere = format!("{preview:?} {}", serde_json::to_string(&output).expect("JSON"));
    assert!(!everywhere.contains("hunter2"));
    bench.configure(&restore(&output.undo), 1).await.expect("it is undone");
    assert_eq!(bench.text(), TEXT, "the secret, too");
    let bench = bench.with("plain_keys = [\"api_key\"]");
    assert!(bench.configure(&set(&[("auth.api_key", "swordfish".into())]), 2).await.expect("it is none").changed);
}

#[tokio::test]
async fn a_secret_is_given_by_name() {
    let bench = bench().secret("TOKEN", "swordfish");
    let named = Value::from_json(serde_json::json!({ "$secret": "TOKEN" }));
    let dsn = Value::from_json(serde_json::json!({ "$secret": ["db://", { "$secret": "TOKEN" }, "@host"] }));
    let list = Value::List(vec![Value::from("a"), named.clone()]);
    let args = set(&[("auth.api_key", named), ("level", dsn), ("tokens", list)]);
    let preview = bench.preview(&args).await.expect("it is foreseen");
    assert_eq!(preview.fault, None);
    assert!(preview.notes.contains(&"level = db://secret(TOKEN)@host".to_owned()), "{:?}", preview.notes);
    let output = bench.configure(&args, 0).await.expect("it is changed");
    assert!(
        bench.text().contains("level = \"db://swordfish@host\"") && bench.text().contains("[\"a\", \"swordfish\"]")
    );
    assert!(output.changes.iter().all(|changed| changed.secret) && output.before.is_empty());
    assert!(!format!("{preview:?}{output:?}").contains("swordfish"));
    let missing = set(&[("level", Value::from_json(serde_json::json!({ "$secret": "TOKNE" })))]);
    assert_eq!(bench.configure(&missing, 1).await.expect_err("no such secret").code, "secret-unavailable");
    let foreseen = bench.preview(&missing).await.expect("it is foreseen").fault.expect("it would fail");
    assert_eq!(foreseen.code, "secret-unavailable");
}

#[tokio::test]
async fn a_plan_shows_every_key_before_and_after() {
    let bench = bench().with("reload = [\"systemctl\", \"reload\", \"app\"]");
    let preview = bench.preview(&size(20)).await.expect("it is foreseen");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Change, "app: pool.size 10 → 20"));
    assert_eq!(preview.notes, ["`systemctl reload app` is run after it"]);
    assert_eq!(preview.output.get("changed"), Some(&Value::Bool(true)));
    let label = crate::model::Unknown::labelled("query:db.value");
    let args = set(&[("level", 3.into()), ("pool.idle", Value::Unknown(label))]);
    let preview = bench.preview(&args).await.expect("it is foreseen");
    assert_eq!(preview.summary, "app: 2 keys");
    let notes = &preview.notes[..3];
    assert_eq!(
        notes,
        ["level \"info\" → 3", "pool.idle = ‹query:db.value›", "level was of type string and becomes int"]
    );
    assert_eq!(preview.output.get("changes"), None, "not all is known");
    assert_eq!(bench.text(), TEXT);
    assert_eq!(bench.names(), ["app.toml"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let bench = bench();
    let with = |restore: &str| Args { restore: Some(Arg::Known(restore.to_owned())), ..size(1) };
    for (args, why) in [
        (set(&[]), "nothing is asked for"),
        (with("x"), "leave `set` and `unset` out"),
        (Args { unset: ArgList::from_iter(["pool".to_owned()]), ..size(1) }, "`pool.size` is in `set` and in `unset`"),
        (set(&[("pool", 1.into())]), "`pool` of app cannot be set: a table stands there"),
        (set(&[("a..b", 1.into())]), "is no key"),
        (set(&[("level", Value::Null)]), "TOML has no ()"),
        (restore("0123456789abcdef"), "no version 0123456789abcdef of app is kept"),
        (restore("../../etc/passwd"), "is kept"),
    ] {
        let fault = bench.configure(&args, 0).await.expect_err(why);
        assert_eq!(fault.code, "configure-misuse");
        assert!(fault.message.contains(why), "{}", fault.message);
    }
    assert_eq!(bench.text(), TEXT);
}

#[tokio::test]
async fn env_files_and_json_keep_their_looks() {
    let bench = Bench::new("app.env", "# pool\nexport SIZE='10' # connections\nDEBUG=false\n");
    let output = bench.configure_as::<EnvFileSyntax>(&set(&[("SIZE", 20.into()), ("DEBUG", false.into())]), 0).await;
    assert_eq!(output.expect("it is changed").detail, "SIZE \"10\" → \"20\"");
    assert_eq!(bench.text(), "# pool\nexport SIZE='20' # connections\nDEBUG=false\n");
    let bench = Bench::new("app.json", "{\n\t\"b\": 1.50,\n\t\"a\": { \"x\": [1, 2] }\n}");
    let args = set(&[("b", Value::Float(1.5)), ("a.x", Value::List(vec![3.into()])), ("a.y", Value::Null)]);
    let output = bench.configure_as::<JsonSyntax>(&args, 0).await.expect("it is changed");
    assert_eq!(output.detail, "2 keys: a.x [1, 2] → [3], a.y added: ()");
    assert_eq!(bench.text(), "{\n\t\"b\": 1.50,\n\t\"a\": { \"x\": [3], \"y\": null }\n}");
}

#[tokio::test]
async fn evidence_says_whether_a_change_took_place() {
    let bench = bench();
    let evidence = |found: Reconciled<Output>| match found {
        Reconciled::Applied { evidence, .. } => format!("applied: {evidence}"),
        Reconciled::NotApplied { evidence } => format!("not applied: {evidence}"),
        Reconciled::Unknown { why } => format!("unknown: {why}"),
    };
    assert!(evidence(bench.reconcile(0).await).starts_with("not applied: this call had not begun"));
    bench.configure(&size(20), 0).await.expect("it is changed");
    assert!(evidence(bench.reconcile(0).await).starts_with("applied: "));
    bench.configure(&size(30), 1).await.expect("it is changed");
    assert!(evidence(bench.reconcile(0).await).starts_with("applied: "), "the next change went on from it");
    // As if the power had failed before the second change's rename.
    std::fs::write(&bench.file, TEXT.replace("10", "20")).expect("writes");
    let found = evidence(bench.reconcile(1).await);
    assert!(found.starts_with("not applied: ") && found.ends_with("is as it was before this call"), "{found}");
    std::fs::write(&bench.file, TEXT.replace("10", "77")).expect("writes");
    assert!(evidence(bench.reconcile(1).await).starts_with("unknown: "));
    bench.write(".app.toml.versions/changes.json", "{");
    assert!(evidence(bench.reconcile(1).await).contains("is damaged"));
    assert_eq!(bench.configure(&size(1), 9).await.expect_err("nothing can be undone").code, "document-unreadable");
}

#[tokio::test]
async fn only_the_latest_changes_are_kept() {
    let bench = bench();
    let first = bench.configure(&size(100), 0).await.expect("it is changed");
    for n in 1..25 {
        bench.configure(&size(100 + i64::from(n)), n).await.expect("it is changed");
    }
    let kept = std::fs::read_dir(bench.dir.path().join(".app.toml.versions")).expect("lists").count();
    assert_eq!(kept, 21, "20 texts and the record");
    let fault = bench.configure(&restore(&first.undo), 99).await.expect_err("it is gone");
    assert!(fault.hint.expect("a hint").contains("last 20"));
}
