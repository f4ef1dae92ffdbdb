//! Webhooks: what systems get, and how they know from whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lifeboat::runtime::Status;
use sha2::Sha256;

use crate::http::{Answer, Ill, Request, Server};
use crate::scene::Scene;

const DOWN: &str = r#"notify("people", "primary is down", #{ severity: "critical", key: "primary-down" });"#;

pub(crate) fn ok() -> Answer {
    Box::new(|_| ("200 OK", "text/plain", "ok".to_owned()))
}

pub(crate) fn settings(server: &Server, more: &str) -> String {
    format!("driver = \"webhook\"\nurl = \"http://{}/hook\"\n{more}", server.address)
}

/// What a receiver does, by the documents of Standard Webhooks.
fn verified(request: &Request, key: &[u8]) -> bool {
    let header = |name: &str| request.headers[name].clone();
    let body = String::from_utf8(request.body.clone()).expect("text");
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(signed.as_bytes());
    header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn a_system_gets_everything_that_is_known() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, ""));
    let ran = scene.run(DOWN);
    let (requests, run) = (server.requests(), ran.id.to_string());
    let body = requests[0].json();
    for (field, value) in [
        ("type", "notify"),
        ("severity", "critical"),
        ("message", "primary is down"),
        ("key", "primary-down"),
        ("environment", "test"),
        ("runbook", "runbooks/tell.rhai"),
        ("run", run.as_str()),
        ("idempotency_key", &format!("{run}/0")),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    assert!(body["by"].as_str().is_some_and(|by| by.contains('@')) && body["drill"] == false, "{body}");
    assert_eq!(requests[0].headers["idempotency-key"], format!("{run}/0"));
    assert!(!requests[0].headers.contains_key("webhook-signature"), "nothing to sign with");
}

#[test]
fn a_receiver_can_check_the_signature_of_every_attempt() {
    let key = b"0123456789abcdef0123456789abcdef";
    let server = Server::start(ok()).ill([Ill::Answers("503 Service Unavailable", "", String::new())]);
    let more = "signature_key = \"{secret:SIGN}\"\n[environments.test.secrets]\nSIGN = { file = \"sign\" }";
    let scene = Scene::with(&settings(&server, more));
    let path = scene.project.write("sign", &format!("whsec_{}\n", STANDARD.encode(key)));
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    let ran = scene.run(DOWN);
    assert_eq!((ran.status, ran.undelivered), (Status::Completed, vec![]));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| verified(request, key) && !verified(request, b"another key")));
    let both = |name: &str| requests[0].headers[name] == requests[1].headers[name];
    assert!(both("webhook-id") && both("idempotency-key"), "it is one message");
    assert_eq!(requests[0].body, requests[1].body);
    assert!(!requests[0].headers["webhook-id"].contains('.'), "full stops separate what is signed");
}

#[test]
fn a_key_that_is_no_key_sends_nothing() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, "signature_key = \"whsec_§§§§\""));
    let ran = scene.run(r#"notify("people", "primary is down", #{ required: true });"#);
    let failed = format!("{:?}", ran.verdict);
    assert!(failed.contains("what follows `whsec_` is not Base64"), "{failed}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_secret_that_comes_back_is_in_no_record_and_in_no_message() {
    let token = "tok3n-tok3n-tok3n";
    let server = Server::start(Box::new(move |_| ("500 Oops", "text/plain", format!("unknown {token}"))));
    let more = "headers = { Authorization = \"Bearer {secret:TOKEN}\" }\n\
                [environments.test.secrets]\nTOKEN = { file = \"token\" }";
    let scene = Scene::with(&settings(&server, more));
    let path = scene.project.write("token", token);
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    scene.run(&format!(
        r#"let it = notify("people", "primary is down"); notify("people", `then: ${{it.detail}} {token}`);"#
    ));
    let requests = server.requests();
    assert_eq!(requests[0].headers["authorization"], format!("Bearer {token}"));
    let kept = format!("{:?}{:?}", scene.letters(), scene.events());
    assert!(kept.contains("answered 500: unknown") && !kept.contains(token), "{kept}");
    assert!(requests.iter().all(|request| !String::from_utf8_lossy(&request.body).contains(token)));
}
