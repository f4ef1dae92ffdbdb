//! The same at the command line: `lifeboat outbox`, and what `run` and `show` say of messages that were late.

use std::process::{Command, Output};

use crate::http::{Ill, Server};
use crate::scene::Scene;
use crate::webhook::{ok, settings};

fn lifeboat(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    let Output { status, stdout, stderr } =
        command.current_dir(scene.project.path("")).args(arguments).output().expect("it runs");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[test]
fn what_waits_is_listed_sent_and_told_of_afterwards() {
    let server = Server::start(ok()).ill(std::iter::repeat_n(Ill::HangsUp, 9));
    let scene = Scene::with(&settings(&server, ""));
    scene.project.write("tell.rhai", r#"notify("people", "primary is down", #{ severity: "critical", key: "k" });"#);
    assert_eq!(
        lifeboat(&scene, &["outbox"]),
        (Some(0), "the outbox is empty: every message was delivered\n".to_owned())
    );
    let (exit, said) = lifeboat(&scene, &["run", "tell.rhai"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("! NOT YET DELIVERED notify people"), "{said}");
    assert!(said.contains("NOT DELIVERED: people → [critical] primary is down"), "{said}");
    let (exit, said) = lifeboat(&scene, &["show", "latest"]);
    assert!(
        exit == Some(0)
            && said.contains("messages  people: [critical] primary is down: not confirmed after 2 attempts,"),
        "{said}"
    );

    let (exit, said) = lifeboat(&scene, &["outbox"]);
    assert!(exit == Some(0) && said.starts_with("people in test: [critical] primary is down\n"), "{said}");
    assert!(said.contains("/0\n") && said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let (exit, said) = lifeboat(&scene, &["outbox", "--send"]);
    assert_eq!(exit, Some(1), "somebody still has to be told: {said}");

    drop(server);
    let server = Server::start(ok());
    let (_, moved) = (server.address, scene.project.read("lifeboat.toml"));
    let old = moved.lines().find(|line| line.starts_with("url") && line.ends_with("/hook\"")).expect("the address");
    scene.project.write("lifeboat.toml", &moved.replace(old, &format!("url = \"http://{}/hook\"", server.address)));
    let (exit, said) = lifeboat(&scene, &["outbox", "--send", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"));
    assert_eq!((exit, line["state"].as_str(), server.requests().len()), (Some(0), Some("delivered"), 1));
    let (_, said) = lifeboat(&scene, &["show", "latest"]);
    assert!(said.contains("delivered late, at 2"), "{said}");
    assert!(said.contains("hash chain whole"), "the record is as it was: {said}");
}

#[test]
fn what_is_dropped_is_never_sent_and_shown_as_such() {
    let server = Server::start(ok()).ill(std::iter::repeat_n(Ill::HangsUp, 9));
    let scene = Scene::with(&settings(&server, ""));
    scene.project.write("tell.rhai", r#"notify("people", "primary is down");"#);
    lifeboat(&scene, &["run", "tell.rhai"]);
    let (exit, said) = lifeboat(&scene, &["outbox", "--drop", "nothing"]);
    assert!(exit == Some(64) && said.contains("nothing waits in the outbox as `nothing`"), "{said}");
    let (exit, said) = lifeboat(&scene, &["outbox", "--drop", "/0"]);
    assert!(exit == Some(0) && said.contains("dropped"), "{said}");
    let (_, said) = lifeboat(&scene, &["show", "latest"]);
    assert!(said.contains("never delivered, dropped by a person"), "{said}");
    assert_eq!(server.requests().len(), 0);
}
