//! Mail: what people read, in which thread, over which connection, and what is made of a server's refusals.

use lifeboat::runtime::Status;

use crate::mail_server::{House, MailServer};
use crate::mailbox::Read;
use crate::scene::Scene;

const DOWN: &str = r#"notify("people", "primary is down", #{ severity: "critical", key: "primary-down" });"#;
const REQUIRED: &str = r#"notify("people", "primary is down", #{ required: true });"#;

/// A channel at this server, as far as the connection is concerned `how`.
fn settings(server: &MailServer, how: &str) -> String {
    format!(
        "driver = \"smtp\"\nhost = \"localhost\"\nport = {}\nfrom = \"Lifeboat <lifeboat@example.com>\"\n\
         to = [\"oncall@example.com\"]\n{how}",
        server.address.port()
    )
}

/// A scene that trusts the server's certificate.
fn trusting(server: &MailServer, how: &str) -> Scene {
    let scene = Scene::with(&settings(server, &format!("ca = \"ca.pem\"\n{how}")));
    scene.project.write("ca.pem", &server.certificate);
    scene
}

fn failure(scene: &Scene) -> String {
    let ran = scene.run(REQUIRED);
    assert_eq!(ran.status, Status::RolledBack, "{:?}", ran.verdict);
    format!("{:?}", ran.verdict)
}

#[test]
fn a_mail_says_all_in_its_subject_and_the_rest_in_plain_text() {
    let server = MailServer::start(House::default());
    let scene = Scene::with(&settings(&server, "tls = \"none\""));
    let ran = scene.run(
        r#"notify("people", "Größe von primary: 7 MB", #{ severity: "critical", key: "size", details: #{ host: "db-1", dot: ".\n.." } });"#,
    );
    assert_eq!((ran.status, scene.told()), (Status::Completed, vec![(true, false)]));
    let taken = server.taken();
    assert_eq!(
        (taken[0].from.as_str(), &taken[0].to),
        ("lifeboat@example.com", &vec!["oncall@example.com".to_owned()])
    );
    let mail = Read::from(&taken[0]);
    assert_eq!(mail.header("subject"), Some("[critical] test: Größe von primary: 7 MB"));
    assert_eq!(mail.header("from"), Some("Lifeboat <lifeboat@example.com>"));
    assert_eq!(mail.header("auto-submitted"), Some("auto-generated"), "no answering machine answers");
    assert_eq!(mail.header("importance"), Some("high"));
    assert_eq!(mail.header("message-id"), Some(format!("<{}/0@example.com>", ran.id).as_str()));
    let (head, tail) = mail.text.split_once("\n\nabout size\nwritten ").expect("where it comes from is at the end");
    assert_eq!(head, "[critical] Größe von primary: 7 MB\n\ndot: .\\n..\nhost: db-1");
    assert!(tail.contains(&format!("\ntest · tell.rhai · run {} · ", ran.id)), "{tail}");
}

#[test]
fn mails_with_one_key_are_one_thread_until_it_is_resolved() {
    let server = MailServer::start(House::default());
    let scene = Scene::with(&settings(&server, "tls = \"none\""));
    scene.run(&format!(
        r#"{DOWN} notify("people", "else"); notify("people", "restoring", #{{ key: "primary-down" }});"#
    ));
    scene.run(&format!(r#"resolve("people", "primary-down", "primary is back"); {DOWN}"#));
    let mails: Vec<Read> = server.taken().iter().map(Read::from).collect();
    let first = mails[0].header("message-id");
    let threads: Vec<_> = mails.iter().map(|mail| (mail.header("in-reply-to"), mail.header("references"))).collect();
    assert_eq!(threads, [(None, None), (None, None), (first, first), (first, first), (None, None)]);
    assert_eq!(mails[3].header("subject"), Some("[resolved] test: primary is back"));
    assert_eq!((mails[3].header("importance"), mails[4].header("importance")), (None, Some("high")));
}

#[test]
fn a_connection_is_encrypted_before_anything_is_said() {
    let login = Some(("lifeboat", "correct horse"));
    let how = "username = \"lifeboat\"\npassword = \"{secret:MAIL}\"";
    for (house, tls) in [
        (House { starttls: true, login, ..House::default() }, "starttls"),
        (House { implicit: true, login, ..House::default() }, "implicit"),
    ] {
        let server = MailServer::start(house);
        let mut channel = settings(&server, &format!("ca = \"ca.pem\"\ntls = \"{tls}\"\n{how}"));
        channel.push_str("\n[environments.test.secrets]\nMAIL = { file = \"mail-password\" }");
        let scene = Scene::with(&channel);
        scene.project.write("ca.pem", &server.certificate);
        let password = scene.project.write("mail-password", "correct horse\n");
        std::fs::set_permissions(password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
        let ran = scene.run(REQUIRED);
        assert_eq!(ran.status, Status::Completed, "{tls}: {:?}", ran.verdict);
        let taken = &server.taken()[0];
        assert_eq!((taken.encrypted, taken.login.as_deref()), (true, Some("lifeboat")), "{tls}");
    }
}

#[test]
fn a_server_that_cannot_be_trusted_gets_no_mail() {
    let server = MailServer::start(House { starttls: true, ..House::default() });
    let said = failure(&Scene::with(&settings(&server, "")));
    assert!(said.contains("the connection cannot be encrypted") && said.contains("applied: No"), "{said}");
    let other = MailServer::start(House { implicit: true, ..House::default() });
    let scene = Scene::with(&settings(&other, "tls = \"implicit\"\nca = \"ca.pem\""));
    scene.project.write("ca.pem", &server.certificate);
    let said = failure(&scene);
    assert!(said.contains("cannot be reached: "), "{said}");
    let clear = MailServer::start(House::default());
    let said = failure(&Scene::with(&settings(&clear, "")));
    assert!(said.contains("the server offers no STARTTLS"), "{said}");
    assert!(server.taken().is_empty() && other.taken().is_empty() && clear.taken().is_empty());
}

#[test]
fn a_wrong_password_is_refused_and_not_repeated() {
    let server = MailServer::start(House { starttls: true, login: Some(("lifeboat", "right")), ..House::default() });
    let scene = trusting(&server, "username = \"lifeboat\"\npassword = \"wrong horse\"");
    let said = failure(&scene);
    assert!(said.contains("does not let us in: 535 5.7.8 Authentication credentials invalid"), "{said}");
    assert!(!said.contains("wrong horse"), "{said}");
}

#[test]
fn an_address_that_is_gone_keeps_nobody_else_from_being_told() {
    let server = MailServer::start(House { unknown: &["gone@example.com"], ..House::default() });
    let channel = settings(&server, "tls = \"none\"");
    let scene = Scene::with(&channel.replace("[\"oncall", "[\"gone@example.com\", \"oncall"));
    assert_eq!(scene.run(REQUIRED).status, Status::Completed);
    assert_eq!(server.taken()[0].to, ["oncall@example.com"]);
    let detail = scene.letters().pop().expect("it is remembered").detail;
    assert_eq!(detail, "the mail server took it, but not for gone@example.com: 550 5.1.1 no such user");

    let scene = Scene::with(&channel.replace("oncall", "gone"));
    let said = failure(&scene);
    assert!(said.contains("takes none of the addresses: gone@example.com: 550"), "{said}");
}

#[test]
fn a_mail_that_was_not_confirmed_is_sent_again_under_the_same_name() {
    let server = MailServer::start(House { silent: 1, ..House::default() });
    let scene = Scene::with(&settings(&server, "tls = \"none\"\ntimeout = \"1s\""));
    let ran = scene.run(DOWN);
    assert_eq!((ran.status, scene.told(), ran.undelivered), (Status::Completed, vec![(false, true)], vec![]));
    let mails: Vec<Read> = server.taken().iter().map(Read::from).collect();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("message-id"), mails[1].header("message-id"), "mail systems show it once");
    assert!(!mails[0].text.contains("sent again") && mails[1].text.contains("sent again"), "{}", mails[1].text);
}

#[test]
fn a_server_that_is_busy_is_tried_again() {
    let server = MailServer::start(House { busy: 1, ..House::default() });
    let scene = Scene::with(&settings(&server, "tls = \"none\""));
    let ran = scene.run(DOWN);
    assert_eq!((scene.told(), ran.undelivered), (vec![(false, true)], vec![]));
    let letter = scene.letters().pop().expect("it is remembered");
    assert!(letter.late && letter.attempts == 2, "{letter:?}");
    assert!(!Read::from(&server.taken()[0]).text.contains("sent again"), "the server said that it did not take it");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let server = MailServer::start(House::default());
    let refused = |settings: &str| Scene::with(settings).refused(DOWN);
    let usual = settings(&server, "tls = \"none\"");
    for (settings, why) in [
        (usual.replace("localhost", "mail.example.com"), "would send mail in the clear to mail.example.com"),
        (usual.replace("oncall@example.com", "oncall"), "`oncall` in `to` of channel `people` is no mail address"),
        (usual.replace("\"oncall@example.com\"", ""), "channel `people` writes to nobody"),
        (format!("{usual}\nusername = \"me\""), "channel `people` has only one of `username` and `password`"),
        (usual.replace("\"none\"", "\"tls13\""), "`tls` of channel `people` cannot be `tls13`"),
    ] {
        let said = refused(&settings);
        assert!(said.contains(why), "{settings}: {said}");
    }
}
