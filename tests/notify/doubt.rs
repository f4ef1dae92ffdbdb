//! Answers that were lost: a recovery goes on, unless the runbook says that somebody must have been told.

use std::sync::{Arc, Mutex};

use lifeboat::config::{ConfigError, Environment, Target, TargetKind};
use lifeboat::model::{Applied, EventBody, Fault, Halt, IdempotencyKey, Verdict};
use lifeboat::primitives::notify::{Channel, Dispatch, Receipt, Undelivered};
use lifeboat::primitives::{FromTarget, Reconciled, Registry};
use lifeboat::runtime::{Ran, RunRequest, Status};
use lifeboat::system::{Act, Look};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::{Ill, Server};
use crate::scene::Scene;
use crate::webhook::{ok, settings};

const DOWN: &str = r#"notify("people", "primary is down"); confirm_nothing();
fn confirm_nothing() { now(); }"#;
const REQUIRED: &str = r#"notify("people", "primary is down", #{ required: true });"#;

#[test]
fn a_lost_answer_stops_nothing_and_the_message_is_sent_again_with_its_key() {
    let server = Server::start(ok()).ill([Ill::FallsSilent]);
    let scene = Scene::with(&settings(&server, "timeout = \"300ms\""));
    let ran = scene.run(DOWN);
    assert_eq!((ran.status, scene.told(), ran.undelivered), (Status::Completed, vec![(false, true)], vec![]));
    let keys: Vec<_> = server.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, [format!("{}/0", ran.id), format!("{}/0", ran.id)], "the receiver knows it for the same");
    assert!(!scene.events().iter().any(|event| matches!(event.body, EventBody::InDoubt { .. })));
}

#[test]
fn where_telling_is_required_a_lost_answer_is_a_doubt() {
    let server = Server::start(ok()).ill([Ill::FallsSilent]);
    let scene = Scene::with(&settings(&server, "timeout = \"300ms\""));
    let ran = scene.run(&format!("try {{ {REQUIRED} }} catch {{ }}"));
    assert_eq!(ran.status, Status::InDoubt, "{:?}", ran.verdict);
    let Verdict::Halted { halt: Halt::InDoubt { primitive, targets, why, .. }, .. } = &ran.verdict else {
        panic!("{:?}", ran.verdict)
    };
    assert_eq!((primitive.as_str(), targets.as_slice()), ("notify", &["people".to_owned()][..]));
    assert!(why.contains(&format!("look for {}/", ran.id)), "{why}");
    assert_eq!(server.requests().len(), 1, "a person settles it");
}

/// A channel that loses its answers, and can tell afterwards what it got.
struct Forgetful {
    name: String,
    arrives: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    arrives: bool,
}

static GOT: Mutex<Vec<IdempotencyKey>> = Mutex::new(Vec::new());

impl FromTarget for Forgetful {
    const DRIVER: &'static str = "forgetful";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        Ok(Self { name: target.name.clone(), arrives: settings.arrives })
    }
}

impl Channel for Forgetful {
    const EVIDENCE: lifeboat::primitives::Evidence = lifeboat::primitives::Evidence::None("nothing");

    fn name(&self) -> &str {
        &self.name
    }

    fn obstacle(&self, _: &Look) -> Option<Fault> {
        None
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, _: &Act) -> Result<Receipt, Undelivered> {
        if self.arrives {
            GOT.lock().expect("nobody panicked").push(dispatch.message.idempotency_key.clone());
        }
        Err(Fault::new("notify-failed", "the line went dead").applied(Applied::Unknown).into())
    }

    async fn delivered(&self, _: &Look, key: &IdempotencyKey) -> Reconciled<Receipt> {
        let got = GOT.lock().expect("nobody panicked").contains(key);
        let evidence = format!("it has{} the key", if got { "" } else { " not" });
        if got {
            Reconciled::Applied { output: Receipt::new("it arrived"), evidence }
        } else {
            Reconciled::NotApplied { evidence }
        }
    }
}

fn forgetful(arrives: bool, runbook: &str) -> (Scene, Ran) {
    let scene = Scene::with(&format!("driver = \"forgetful\"\narrives = {arrives}"));
    let runbook = scene.project.write("runbooks/tell.rhai", runbook);
    let registry = Registry::standard().channel::<Forgetful>();
    let lifeboat = scene.project.builder().registry(registry).journal(Arc::clone(&scene.journal));
    let ran = lifeboat.build().expect("it is configured").run(&RunRequest::new(runbook)).expect("it is started");
    (scene, ran)
}

#[test]
fn evidence_settles_what_was_lost() {
    for runbook in [DOWN, REQUIRED] {
        let (scene, ran) = forgetful(true, runbook);
        assert_eq!((ran.status, scene.told(), ran.undelivered), (Status::Completed, vec![(true, false)], vec![]));
    }
    let (scene, ran) = forgetful(false, DOWN);
    assert_eq!((ran.status, scene.told(), ran.undelivered.len()), (Status::Completed, vec![(false, true)], 1));
    assert!(!ran.undelivered[0].doubtful, "it is known not to have arrived");
    let (_, ran) = forgetful(false, REQUIRED);
    let Verdict::Failed { fault, .. } = &ran.verdict else { panic!("{:?}", ran.verdict) };
    assert_eq!((fault.message.as_str(), fault.applied), ("the line went dead", Applied::No));
}
