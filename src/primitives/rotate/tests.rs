//! What `rotate` does to real files and to a store that programs keep.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::model::{IdempotencyKey, Key, SecretSource, SecretStore, Segment, Symbol};
use crate::primitives::{Driver, NoTarget, Preview, Reconciled};
use crate::system::{Act, Cancel, Look, Secrets, System};

struct Bench {
    dir: tempfile::TempDir,
    act: Act,
    cancel: Cancel,
}

fn words(program: &str) -> Vec<String> {
    ["sh", "-c", program].map(str::to_owned).to_vec()
}

impl Bench {
    fn with(source: impl FnOnce(PathBuf) -> SecretSource, store: SecretStore) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("key");
        std::fs::write(&file, "first-value\n").expect("writes");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("sets");
        let system = System::new(dir.path().join("scratch"));
        let cancel = system.cancel.clone();
        let secrets = Secrets::new([("KEY".to_owned(), source(file))].into(), dir.path().to_owned(), Arc::default());
        let secrets = secrets.storing([("KEY".to_owned(), store)].into());
        let look = Look::new(Arc::new(system)).with_secrets(Arc::new(secrets));
        Self { dir, act: Act::grant(&look), cancel }
    }

    /// A secret in the file `key`.
    fn file() -> Self {
        Self::with(SecretSource::File, SecretStore::default())
    }

    fn checked(check: &str) -> Self {
        Self::with(SecretSource::File, SecretStore { store: None, check: Some(words(check)) })
    }

    /// A secret that programs keep in `key`: one writes it, one reads it.
    fn stored(store: &str, check: Option<&str>) -> Self {
        let store = SecretStore { store: Some(words(store)), check: check.map(words) };
        Self::with(|_| SecretSource::Command(words("cat key")), store)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("key")).expect("reads")
    }

    async fn value(&self) -> String {
        self.act.reveal(&SecretText::named("KEY")).await.expect("it is known").to_string()
    }

    async fn rotate(&self, args: Args, call: &str) -> Result<Output, Fault> {
        Driver::<Rotate>::perform(&NoTarget, &args, &self.act, &key(call)).await
    }

    async fn preview(&self, args: Args) -> Result<Preview, Fault> {
        Driver::<Rotate>::preview(&NoTarget, &args, &self.act).await
    }

    async fn reconcile(&self, call: &str) -> Reconciled<Output> {
        Driver::<Rotate>::reconcile(&NoTarget, &new(), &self.act, &key(call)).await
    }
}

/// The key of a call: `RUN/NUMBER`.
fn key(call: &str) -> IdempotencyKey {
    let (run, number) = call.split_once('/').expect("two parts");
    IdempotencyKey::new(run, &Key::ROOT.child(Segment::Call(number.parse().expect("a number"))))
}

fn new() -> Args {
    Args { secret: "KEY".to_owned(), ..Args::default() }
}

fn undo() -> Args {
    Args { undo: true, ..new() }
}

fn restore(generation: u64) -> Args {
    Args { restore: Some(Arg::Known(generation)), ..new() }
}

#[tokio::test]
async fn a_new_value_is_in_the_file_known_at_once_and_never_told() {
    let bench = Bench::file();
    std::fs::set_permissions(bench.dir.path().join("key"), std::fs::Permissions::from_mode(0o400)).expect("sets");
    let output = bench.rotate(Args { length: Some(40), ..new() }, "a/0").await.expect("it is rotated");
    assert_eq!((output.changed, output.generation, output.previous), (true, 2, 1));
    let text = bench.text();
    let value = text.strip_suffix('\n').expect("it ends as it ended");
    assert!(value.len() == 40 && value.chars().all(|c| c.is_ascii_alphanumeric()), "{value}");
    assert_eq!(bench.value().await, value);
    assert_eq!(bench.dir.path().join("key").metadata().expect("there").mode() & 0o777, 0o400);
    assert!(!format!("{output:?}").contains(value));
    let told = bench.act.redacted(&format!("was first-value, is {value}"));
    assert_eq!(told, "was [secret KEY], is [secret KEY]");
    let kept = bench.dir.path().join(".key.generations");
    assert_eq!(kept.metadata().expect("kept").mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_to_string(kept.join("1")).expect("reads"), "first-value");
    assert_eq!(kept.join("1").metadata().expect("kept").mode() & 0o777, 0o600);
    let record = std::fs::read_to_string(kept.join("generations.json")).expect("reads");
    assert!(!record.contains(value) && !record.contains("first-value"));
}

#[tokio::test]
async fn alphabets_are_what_they_say() {
    for (alphabet, allowed) in
        [(Alphabet::Hex, "0123456789abcdef"), (Alphabet::Url, "-_"), (Alphabet::Symbols, "!#%&()*+,-./:;<=>?@[]^_{|}~")]
    {
        let bench = Bench::file();
        bench
            .rotate(Args { alphabet: Some(alphabet), length: Some(1024), ..new() }, "a/0")
            .await
            .expect("it is rotated");
        let letters = |c: char| alphabet != Alphabet::Hex && c.is_ascii_alphanumeric();
        let text = bench.text();
        assert!(text.trim_end().chars().all(|c| allowed.contains(c) || letters(c)), "{text}");
        assert!(allowed.chars().all(|c| text.contains(c)), "all of them are used");
    }
}

#[tokio::test]
async fn a_run_takes_back_what_it_did_and_nothing_else() {
    let bench = Bench::file();
    assert_eq!(bench.rotate(undo(), "a/0").await.expect("nothing to do").detail, "this run has not changed it");
    bench.rotate(new(), "a/1").await.expect("it is rotated");
    let theirs = bench.text();
    assert!(!bench.rotate(undo(), "b/0").await.expect("nothing to do").changed, "another run did it");
    bench.rotate(new(), "b/1").await.expect("it is rotated");
    bench.rotate(new(), "b/2").await.expect("it is rotated");
    let output = bench.rotate(undo(), "b/3").await.expect("it is undone");
    assert_eq!((output.generation, bench.text()), (5, theirs.clone()));
    assert_eq!(output.detail, "generation 5, the value of generation 2 again");
    let again = bench.rotate(undo(), "b/4").await.expect("nothing to do");
    assert_eq!((again.changed, again.detail.as_str()), (false, "it has the value that it had before this run"));
    assert_eq!((bench.text(), bench.value().await), (theirs.clone(), theirs.trim_end().to_owned()));
}

#[tokio::test]
async fn a_generation_is_brought_back() {
    let bench = Bench::file();
    bench.rotate(new(), "a/0").await.expect("it is rotated");
    let second = bench.text();
    bench.rotate(new(), "b/0").await.expect("it is rotated");
    bench.rotate(restore(1), "c/0").await.expect("it is brought back");
    assert_eq!(bench.text(), "first-value\n");
    assert!(!bench.rotate(restore(4), "c/1").await.expect("it is there").changed);
    bench.rotate(restore(2), "c/2").await.expect("it is brought back");
    assert_eq!(bench.text(), second);
    let fault = bench.rotate(restore(17), "c/3").await.expect_err("no such one");
    assert_eq!(fault.code, "rotate-misuse");
}

#[tokio::test]
async fn what_somebody_else_wrote_is_a_generation_of_its_own() {
    let bench = Bench::file();
    bench.rotate(new(), "a/0").await.expect("it is rotated");
    std::fs::write(bench.dir.path().join("key"), "by-hand").expect("writes");
    let fault = bench.rotate(undo(), "a/1").await.expect_err("it would undo that as well");
    assert_eq!((fault.code.as_str(), bench.text().as_str()), ("rotate-conflict", "by-hand"));
    let output = bench.rotate(new(), "b/0").await.expect("it is rotated");
    assert_eq!((output.generation, output.previous), (4, 3));
    bench.rotate(undo(), "b/1").await.expect("it is undone");
    assert_eq!(bench.text(), "by-hand", "a file without a line break stays one");
}

#[tokio::test]
async fn a_value_that_does_not_work_is_put_back() {
    let bench = Bench::checked("test \"$(cat)\" = first-value");
    let fault = bench.rotate(new(), "a/0").await.expect_err("it does not work");
    assert_eq!((fault.code.as_str(), fault.applied), ("rotate-rejected", Applied::No));
    assert!(fault.message.contains("the old value was put back"), "{}", fault.message);
    assert_eq!((bench.text(), bench.value().await), ("first-value\n".to_owned(), "first-value".to_owned()));
    assert!(matches!(bench.reconcile("a/0").await, Reconciled::NotApplied { .. }));
    let bench = Bench::checked("cat > checked; wc -c < key >> checked");
    let output = bench.rotate(new(), "a/0").await.expect("it works");
    assert_eq!((output.generation, bench.text().len()), (2, 33), "what is put back is no change");
    let checked = std::fs::read_to_string(bench.dir.path().join("checked")).expect("reads");
    assert_eq!(checked, format!("{}33\n", bench.text().trim_end()));
}

#[tokio::test]
async fn another_attempt_of_the_same_call_goes_on_where_it_was() {
    let bench = Bench::checked("test -e ready");
    bench.cancel.request();
    let fault = bench.rotate(new(), "a/0").await.expect_err("it is interrupted");
    assert_eq!(
        (fault.code.as_str(), fault.applied, bench.text().as_str()),
        ("interrupted", Applied::No, "first-value\n")
    );
    let bench = Bench::file();
    bench.rotate(new(), "a/0").await.expect("it is rotated");
    let text = bench.text();
    let again = bench.rotate(new(), "a/0").await.expect("the same call");
    assert_eq!((again.generation, bench.text()), (2, text));
    assert!(matches!(bench.reconcile("a/0").await, Reconciled::Applied { output, .. } if output == again));
    assert!(matches!(bench.reconcile("a/1").await, Reconciled::NotApplied { .. }));
}

#[tokio::test]
async fn a_value_is_taken_by_name_and_never_as_text() {
    let bench = Bench::file();
    bench.act.secrets().adopt("NEW", "second-value").expect("it is kept");
    let to = |text: SecretText| Args { to: Some(Arg::Known(text)), ..new() };
    bench.rotate(to(SecretText::named("NEW")), "a/0").await.expect("it is rotated");
    assert_eq!(bench.text(), "second-value\n");
    let same = bench.rotate(to(SecretText::named("NEW")), "a/1").await.expect("nothing to do");
    assert_eq!((same.changed, same.detail.as_str()), (false, "it has this value already"));
    let fault = bench.rotate(to("third-value".into()), "a/2").await.expect_err("refused");
    assert!(fault.code == "rotate-misuse" && !fault.message.contains("third-value"));
    assert_eq!(bench.rotate(to(SecretText::named("NONE")), "a/3").await.expect_err("none").code, "secret-unavailable");
}

#[tokio::test]
async fn a_program_stores_it_and_its_source_must_give_it_then() {
    let bench = Bench::stored("cat > key", Some("grep -q '^[A-Za-z0-9]*$' && test -e key"));
    let output = bench.rotate(new(), "a/0").await.expect("it is rotated");
    assert_eq!((output.generation, bench.text()), (2, bench.value().await));
    assert!(!bench.dir.path().join(".key.generations").exists(), "no value lies on the disk");
    bench.rotate(undo(), "a/1").await.expect_err("the old value has a `-`: it does not pass the check");
    assert_eq!(bench.text(), bench.value().await);
    let bench = Bench::stored("cat > key", None);
    bench.rotate(new(), "a/0").await.expect("it is rotated");
    bench.rotate(undo(), "a/1").await.expect("it is undone");
    assert_eq!((bench.text().as_str(), bench.value().await.as_str()), ("first-value", "first-value"));
}

#[tokio::test]
async fn a_store_that_fails_is_asked_what_it_holds() {
    let applied = async |store: &str, code: &str| {
        let bench = Bench::stored(store, None);
        let fault = bench.rotate(new(), "a/0").await.expect_err("it fails");
        assert_eq!(fault.code, code, "{}", fault.message);
        (fault.applied, bench)
    };
    let (not, bench) = applied("exit 3", "rotate-failed").await;
    assert_eq!(not, Applied::No);
    assert!(matches!(bench.reconcile("a/0").await, Reconciled::NotApplied { .. }));
    assert_eq!(applied("true", "rotate-failed").await.0, Applied::No, "it says that it did, and did not");
    assert_eq!(applied("echo third > key", "rotate-failed").await.0, Applied::Yes);
    let (unknown, bench) = applied("rm key; exit 1", "rotate-failed").await;
    assert_eq!(unknown, Applied::Unknown);
    std::fs::write(bench.dir.path().join("key"), "later-value").expect("writes");
    assert!(matches!(bench.reconcile("a/0").await, Reconciled::Unknown { .. }));
    let late = Bench::stored("cat > key; exit 1", None);
    assert!(late.rotate(new(), "a/0").await.expect("it did it all the same").changed);
    let missing = Bench::with(
        |_| SecretSource::Command(words("cat key")),
        SecretStore { store: Some(vec!["no-such".into()]), check: None },
    );
    let fault = missing.rotate(new(), "a/0").await.expect_err("no program");
    assert!(fault.applied == Applied::No && fault.hint.expect("a hint").contains("`store`"));
}

#[tokio::test]
async fn what_cannot_be_changed_says_so() {
    let of = |source: SecretSource| Bench::with(|_| source, SecretStore::default());
    let program = of(SecretSource::Command(words("cat key")));
    assert_eq!(program.rotate(new(), "a/0").await.expect_err("no store").code, "not-configured");
    let variable = of(SecretSource::Env("PATH".to_owned()));
    assert_eq!(variable.rotate(new(), "a/0").await.expect_err("a variable").code, "not-supported");
    let missing = of(SecretSource::File("/no/such/file".into()));
    assert_eq!(missing.rotate(new(), "a/0").await.expect_err("no file").code, "secret-unavailable");
    assert_eq!(
        missing.preview(new()).await.expect("it is foreseen").fault.expect("it would fail").code,
        "secret-unavailable"
    );
    let bench = Bench::file();
    for (args, why) in [
        (Args { length: Some(8), ..new() }, "from 16 to 1024"),
        (Args { undo: true, ..restore(1) }, "give one of them"),
        (Args { length: Some(20), ..undo() }, "a value that is generated"),
    ] {
        let fault = bench.rotate(args, "a/0").await.expect_err(why);
        assert!(fault.code == "rotate-misuse" && fault.message.contains(why), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_plan_says_what_would_happen_and_changes_nothing() {
    let bench = Bench::checked("exit 1");
    let preview = bench.preview(Args { alphabet: Some(Alphabet::Hex), ..new() }).await.expect("it is foreseen");
    assert_eq!(
        (preview.symbol, preview.summary.as_str()),
        (Symbol::Change, "KEY: 32 new characters, hexadecimal digits")
    );
    assert_eq!((preview.before.as_deref(), preview.after.as_deref()), (Some("generation 1"), Some("generation 2")));
    assert!(preview.notes[0].ends_with("/key; the value before is kept beside it"));
    assert!(preview.notes[1].ends_with("if not, the old one is put back"));
    assert_eq!(
        bench.preview(undo()).await.expect("it is foreseen").summary,
        "KEY: takes back what this run has done to it"
    );
    assert_eq!(bench.text(), "first-value\n");
    assert!(!bench.dir.path().join(".key.generations").exists());
}
