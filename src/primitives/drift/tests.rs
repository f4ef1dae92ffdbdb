//! What is found between real files.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::model::{Fault, SecretSource};
use crate::primitives::targets::{ConfigDocument, TomlSyntax};
use crate::primitives::{FromTarget, Observer};
use crate::system::{Look, Secrets, System};

const APP: &str = "level = \"info\"\n[pool]\nsize = 10\nidle = 2\n[auth]\napi_key = \"hunter2\"\n";

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().expect("a directory") };
        bench.write("app.toml", APP);
        bench
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).expect("writes");
    }

    async fn drift(&self, args: Args) -> Result<Output, Fault> {
        let text = r#"
            [environments.test.documents]
            app = { driver = "toml", path = "app.toml" }
            old = { driver = "json", path = "old.json", secret_keys = ["level"] }
            shell = { driver = "env-file", path = "app.env" }
            [environments.staging.documents]
            app = { driver = "toml", path = "staging.toml" }
        "#;
        let config = Config::parse(&self.dir.path().join("lifeboat.toml"), text.into()).expect("it is TOML");
        let environment = &config.environments["test"];
        let target = &environment.targets["app"];
        let driver =
            ConfigDocument::<TomlSyntax>::from_target(target.settings().expect("settings"), target, environment);
        self.write("token", "hunter2");
        std::fs::set_permissions(self.dir.path().join("token"), std::fs::Permissions::from_mode(0o600)).expect("sets");
        let sources = [("TOKEN".to_owned(), SecretSource::File(self.dir.path().join("token")))].into();
        let secrets = Secrets::new(sources, self.dir.path().to_path_buf(), Arc::default());
        let look = Look::new(Arc::new(System::new(self.dir.path().join("scratch")))).with_secrets(Arc::new(secrets));
        Observer::<Drift>::observe(
            &driver.expect("it is configured"),
            &Args { target: "app".to_owned(), ..args },
            &look,
        )
        .await
    }
}

fn staging() -> Args {
    Args { environment: Some("staging".to_owned()), ..Args::default() }
}

fn expect(json: serde_json::Value) -> Args {
    let Value::Map(expect) = Value::from_json(json) else { panic!("no map") };
    Args { expect: Some(expect), ..Args::default() }
}

#[tokio::test]
async fn the_same_document_of_another_environment() {
    let bench = Bench::new();
    bench.write("staging.toml", "pool = { idle = 2, size = 5, wait = 1 }\nauth.api_key = \"swordfish\"\n");
    let output = bench.drift(staging()).await.expect("it looks");
    assert_eq!((output.ok, output.status), (false, Status::Fail));
    let found: Vec<_> =
        output.differences.iter().map(|d| format!("{} {:?} {} {}", d.key, d.change, d.expected, d.found)).collect();
    assert_eq!(
        found,
        ["auth.api_key Changed () ()", "level Added () info", "pool.size Changed 5 10", "pool.wait Removed 1 ()"]
    );
    assert!(output.differences[0].secret);
    assert!(
        output.detail.starts_with("4 keys differ from app of staging: auth.api_key differs (secret), "),
        "{}",
        output.detail
    );
    let told = serde_json::to_string(&output).expect("JSON");
    assert!(!told.contains("hunter2") && !told.contains("swordfish"));
}

#[tokio::test]
async fn what_may_differ_is_left_out() {
    let bench = Bench::new();
    bench.write("staging.toml", &APP.replace("10", "5").replace("hunter2", "swordfish").replace("info", "warn"));
    let ignore = |patterns: &[&str]| Args { ignore: patterns.iter().map(|p| (*p).to_owned()).collect(), ..staging() };
    assert_eq!(bench.drift(ignore(&["auth"])).await.expect("it looks").differences.len(), 2);
    let output = bench.drift(ignore(&["*.api_key", "level", "pool.s*"])).await.expect("it looks");
    assert_eq!((output.ok, output.detail.as_str()), (true, "app is like app of staging"));
}

#[tokio::test]
async fn another_document_of_this_environment_in_any_syntax() {
    let bench = Bench::new();
    let against = |name: &str| Args { against: Some(name.to_owned()), ..Args::default() };
    bench.write(
        "old.json",
        r#"{"level": "debug", "pool": {"size": 10.0, "idle": "2"}, "auth": {"api_key": "hunter2"}}"#,
    );
    let output = bench.drift(against("old")).await.expect("it looks");
    let lines: Vec<_> = output.differences.iter().map(|d| (d.key.as_str(), d.secret)).collect();
    assert_eq!(lines, [("level", true), ("pool.idle", false)], "what is secret there is secret here");
    bench.write("app.env", "level=info\n");
    bench.write("app.toml", "level = \"info\"\n");
    assert!(bench.drift(against("shell")).await.expect("it looks").ok);
}

#[tokio::test]
async fn given_values_are_all_that_is_compared() {
    let bench = Bench::new();
    let given = serde_json::json!({ "pool": { "size": 10 }, "level": "info", "auth.api_key": { "$secret": "TOKEN" }, "debug": null });
    assert!(bench.drift(expect(given)).await.expect("it looks").ok);
    let given = serde_json::json!({ "pool.size": 20, "auth.api_key": { "$secret": ["x", { "$secret": "TOKEN" }] }, "level": null, "pool.none": 1 });
    let output = bench.drift(expect(given)).await.expect("it looks");
    let lines: Vec<_> = output.differences.iter().map(|d| format!("{} {:?}", d.key, d.change)).collect();
    assert_eq!(lines, ["auth.api_key Changed", "level Added", "pool.none Removed", "pool.size Changed"]);
    assert!(!serde_json::to_string(&output).expect("JSON").contains("hunter2"));
}

#[tokio::test]
async fn what_cannot_be_compared_is_named() {
    let bench = Bench::new();
    let misuse = async |args| {
        let fault = bench.drift(args).await.expect_err("refused");
        assert_eq!(fault.code, "drift-misuse");
        format!("{} ({})", fault.message, fault.hint.unwrap_or_default())
    };
    assert!(misuse(Args::default()).await.contains("nothing is given to compare with"));
    let typo = Args { against: Some("odl".to_owned()), ..Args::default() };
    assert_eq!(misuse(typo).await, "there is no document `odl` beside it (did you mean `old`?)");
    let typo = Args { environment: Some("stagin".to_owned()), ..Args::default() };
    assert!(misuse(typo).await.ends_with("(did you mean `staging`?)"));
    let open = expect(serde_json::json!({ "auth.api_key": "swordfish" }));
    let refused = misuse(open).await;
    assert!(refused.contains("give it as secret(") && !refused.contains("swordfish"), "{refused}");
    let both = Args { against: Some("old".to_owned()), ..expect(serde_json::json!({})) };
    assert!(misuse(both).await.contains("leave `against` and `environment` out"));
    assert_eq!(bench.drift(staging()).await.expect_err("there is no file").code, "document-unreadable");
}
