//! A service that is told of a new release by a signal.

use std::process::{Command, Stdio};

use super::*;
use crate::model::Applied;

const DEPLOY: &str = r#"driver = "release"
path = "DIR/app"
signal = "hup"
version_path = "/version"
health_timeout = "10s"
"#;

#[tokio::test]
async fn the_process_in_the_pid_file_is_told() {
    let place = Place::new(DEPLOY);
    for version in ["1", "2"] {
        place.write(&format!("app/releases/{version}/version"), version);
    }
    let fault = place.deploy("1", 0).await.expect_err("nobody runs");
    assert_eq!((fault.code.as_str(), fault.applied), ("deploy-failed", Applied::No));
    assert!(fault.message.contains("pid") && !place.path("app/current").exists(), "{fault}");

    place.write("pid", &std::process::id().to_string());
    let fault = place.deploy("1", 0).await.expect_err("not ourselves");
    assert!(fault.message.contains("Lifeboat's own process"), "{fault}");

    let reload = "trap 'cp app/current/version loaded' HUP; echo ready; while :; do sleep 0.02; done";
    let mut process = Command::new("sh")
        .args(["-c", reload])
        .current_dir(place.dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut ready = [0; 5];
    process.stdout.as_mut().expect("is read").read_exact(&mut ready).expect("says that it listens to signals");
    place.write("pid", &format!("{}\n", process.id()));
    let deployed = [place.deploy("1", 1).await, place.deploy("2", 2).await];
    process.kill().expect("ends");
    process.wait().expect("ended");
    let [first, second] = deployed.map(|deployed| deployed.expect("deploys"));
    assert_eq!((first.version.as_str(), second.previous.as_deref()), ("1", Some("1")));
    assert_eq!(place.read("loaded"), "2");
}
