//! What is wrong in a configuration or a call, and is said before anything happens.

use super::*;
use crate::model::Unknown;
use crate::primitives::Registry;

/// What is said of a table `deploy` with these lines.
fn said(service: &str, deploy: &str) -> String {
    let text =
        format!("[environments.test.services.web]\n{service}\n[environments.test.services.web.deploy]\n{deploy}\n");
    let config = Config::parse(Path::new("/project/lifeboat.toml"), text.into()).expect("it can be read");
    let errors = Registry::standard().bind(&config.environments["test"]).err().expect("it is wrong");
    let error = errors.first().expect("a mistake");
    format!("{} ({})", error.message, error.help.as_deref().unwrap_or("no help"))
}

const HTTP: &str = "driver = \"http\"\nurl = \"http://127.0.0.1/\"";

#[test]
fn mistakes_in_the_table_are_named() {
    for (deploy, says) in [
        ("path = \"a\"", "`deploy` of service `web` has no `driver`"),
        ("driver = \"relaese\"", "there is no driver `relaese` to deploy a service (did you mean `release`?)"),
        ("driver = \"release\"", "service `web` has no `path`, which driver release needs"),
        (
            "driver = \"release\"\npath = \"a\"\nartefacts = \"b\"",
            "unknown setting `artefacts` for driver release (did you mean `artifacts`?)",
        ),
        ("driver = \"release\"\npath = \"a\"\nrestart = []", "`restart` of service `web` names no program"),
        ("driver = \"release\"\npath = \"a\"\nrestart = [\"r\"]\nsignal = \"hup\"", "has both `restart` and `signal`"),
        ("driver = \"release\"\npath = \"a\"\nsignal = \"hup\"", "and no `pid_file`"),
        (
            "driver = \"release\"\npath = \"a\"\nversion_path = \"v\"",
            "`version_path` of service `web` must begin with `/`",
        ),
        ("driver = \"command\"\nstatus = [\"s\"]", "service `web` has no `deploy`, which driver command needs"),
        (
            "driver = \"command\"\nstatus = [\"s\"]\ndeploy = [\"d\", \"{verison}\"]",
            "has `{verison}`, and knows only {version} and {previous}",
        ),
        ("driver = \"command\"\nstatus = [\"s\", \"{version}\"]\ndeploy = [\"d\"]", "has `{version}`, and knows only "),
    ] {
        let found = said(HTTP, deploy);
        assert!(found.contains(says), "{deploy}: {found}");
    }
    let tcp = "driver = \"tcp\"\naddress = \"127.0.0.1:1\"";
    let found = said(tcp, "driver = \"release\"\npath = \"a\"\nversion_path = \"/v\"");
    assert!(found.contains("needs a service that speaks HTTP"), "{found}");
}

#[tokio::test]
async fn what_is_no_version_is_refused_in_a_plan_and_in_a_run() {
    let place = Place::new("driver = \"release\"\npath = \"DIR/app\"\n");
    for version in ["", "..", "../1", "a/b", "-x"] {
        let fault = place.deploy(version, 0).await.expect_err("refused");
        assert_eq!(fault.code, "deploy-refused", "{version}");
        assert_eq!(place.preview(&args(version)).await.expect("previewed").fault, Some(fault));
    }
    let nothing = Args { version: Arg::Known(None), ..args("") };
    let fault = place.call(&nothing, 1).await.expect_err("a rollback to nothing");
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("deploy-refused", "web: there is no version to deploy"));
    assert_eq!(place.preview(&nothing).await.expect("previewed").fault, Some(fault));
    assert!(!place.path("app").exists());
}

#[tokio::test]
async fn a_version_that_is_not_known_yet_is_shown_as_such() {
    let place = Place::new("driver = \"release\"\npath = \"DIR/app\"\n");
    let unknown = Args { version: Arg::Unknown(Unknown::labelled("ask")), ..args("") };
    let preview = place.preview(&unknown).await.expect("it can be previewed");
    assert_eq!(preview.summary, "web: nothing → ‹ask›");
    assert!(preview.assumed.is_some());
}

#[tokio::test]
async fn a_service_without_the_table_says_what_is_missing() {
    let mut place = Place::new("driver = \"release\"\npath = \"DIR/app\"\n");
    place.service.deployment = None;
    let fault = place.deploy("1", 0).await.expect_err("nobody said how");
    assert_eq!(fault.code, "not-configured");
    assert!(fault.hint.expect("it says what to do").contains("services.web.deploy]"));
    assert_eq!(place.version().await.expect_err("nor which").code, "not-configured");
}
