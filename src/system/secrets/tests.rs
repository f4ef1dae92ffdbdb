//! Secrets are found in all their forms, come from where they are declared, and from nowhere else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use proptest::prelude::*;

use super::*;
use crate::system::System;

/// Nasty on purpose: quotes, a backslash, a slash, a space, an ampersand, a letter that is not ASCII.
const CANARY: &str = "cá\"na'ry/7&<x> \\9+=Zq";

fn knows(value: &str) -> Redactor {
    let redactor = Redactor::default();
    redactor.learn("CANARY", value);
    redactor
}

fn look(secrets: &[(&str, SecretSource)], root: &Path) -> Look {
    let sources = secrets.iter().map(|(name, source)| ((*name).to_owned(), source.clone())).collect();
    let secrets = Secrets::new(sources, root.to_owned(), Arc::default());
    Look::new(Arc::new(System::new(root.join("scratch")))).with_secrets(Arc::new(secrets))
}

async fn why(look: &Look, name: &str) -> String {
    look.reveal(&SecretText::named(name)).await.expect_err("there is none").message
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).expect("the file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn every_listed_encoding_is_taken_out() {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    let redactor = knows(CANARY);
    let json = serde_json::to_string(CANARY).expect("JSON");
    let twice = serde_json::to_string(&json).expect("JSON");
    let hex = CANARY.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let url = "c%C3%A1%22na%27ry%2F7%26%3Cx%3E%20%5C9%2B%3DZq";
    for form in [
        CANARY.to_owned(),
        STANDARD.encode(CANARY),
        STANDARD_NO_PAD.encode(CANARY),
        URL_SAFE.encode(CANARY),
        hex.to_uppercase(),
        hex,
        url.to_owned(),
        url.to_lowercase().replace("zq", "Zq"),
        url.replace("%20", "+"),
        json[1..json.len() - 1].to_owned(),
        json[1..json.len() - 1].replace('/', "\\/"),
        json[1..json.len() - 1].replace('á', "\\u00e1"),
        twice[3..twice.len() - 3].to_owned(),
        "cá&quot;na&#39;ry/7&amp;&lt;x&gt; \\9+=Zq".to_owned(),
        CANARY.replace('\'', "''"),
        CANARY.replace('\'', r"'\''"),
        format!("{CANARY:?}").trim_matches('"').to_owned(),
    ] {
        let clean = redactor.clean(&format!("before {form} after")).into_owned();
        assert_eq!(clean, "before [secret CANARY] after", "{form}");
    }
}

proptest! {
    #[test]
    fn base64_is_found_wherever_it_stands(before in "[ -~]{0,9}", after in "[ -~]{0,9}", value in "[!-~]{8,40}") {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let whole = format!("{before}{value}{after}");
        for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
            let redactor = knows(&value);
            prop_assert!(redactor.clean(&encoded).contains("[secret CANARY]"), "{encoded}");
        }
    }

    #[test]
    fn a_stream_is_clean_in_whatever_pieces_it_comes(
        pieces in prop::collection::vec("[ab\n]{0,5}|se|cret-v|alue|secret-value", 0..12),
        cuts in prop::collection::vec(0..60_usize, 0..12),
    ) {
        let redactor = Arc::new(knows("secret-value"));
        let whole = pieces.concat();
        let (mut redacting, mut out, mut at) = (Redacting::new(redactor.clone()), Vec::new(), 0);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.sort_unstable();
        cuts.push(whole.len());
        for cut in cuts {
            out.extend(redacting.push(&whole.as_bytes()[at..cut]));
            at = cut;
        }
        out.extend(redacting.finish());
        prop_assert_eq!(String::from_utf8_lossy(&out), redactor.clean(&whole));
    }
}

#[test]
fn a_stream_holds_back_only_what_may_be_a_secret() {
    let mut redacting = Redacting::new(Arc::new(knows("hunter2hunter2")));
    assert_eq!(redacting.push(b"password? "), b"password? ");
    assert_eq!(redacting.push(b"hunt"), b"");
    assert_eq!(redacting.push(b"ing"), b"hunting");
    assert_eq!((redacting.push(b"hunter2"), redacting.finish()), (vec![], b"hunter2".to_vec()));
}

#[test]
fn a_key_of_several_lines_is_found_line_by_line() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
    let clean = knows(key).clean("  kqhkiG9w0BAQEF\n-----END KEY-----").into_owned();
    assert_eq!(clean, "  [secret CANARY]\n-----END KEY-----");
}

#[tokio::test]
async fn each_source_gives_its_secret() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    write(&path("token"), "from-a-file\n", 0o600);
    let key = age_key(&path("key"));
    encrypt(&key, &path("s.age"), "A=from-a\nB=from-age\n");
    let look = look(
        &[
            ("file", SecretSource::File(path("token"))),
            ("env", SecretSource::Env("PATH".into())),
            ("command", SecretSource::Command(["echo", "from-a-command"].map(str::to_owned).into())),
            ("age", SecretSource::Age { file: path("s.age"), identity: path("key"), entry: Some("B".into()) }),
        ],
        dir.path(),
    );
    let text = SecretText::template("<{secret:file} {secret:command} {secret:age}>").expect("secrets");
    let revealed = look.reveal(&text).await.expect("all of them");
    assert_eq!(&*revealed, "<from-a-file from-a-command from-age>");
    assert_eq!(format!("{revealed:?}"), "[secret]");
    assert_eq!(look.redacted("x from-age from-a-file"), "x [secret age] [secret file]");
    assert!(look.reveal(&SecretText::named("env")).await.is_ok());
}

fn age_key(path: &Path) -> age::x25519::Recipient {
    use age::secrecy::ExposeSecret as _;
    let key = age::x25519::Identity::generate();
    write(path, &format!("# a comment\n{}\n", key.to_string().expose_secret()), 0o600);
    key.to_public()
}

fn encrypt(key: &age::x25519::Recipient, path: &Path, text: &str) {
    let armored = age::encrypt_and_armor(key, text.as_bytes()).expect("it can be encrypted");
    std::fs::write(path, armored).expect("the file");
}

#[tokio::test]
async fn what_cannot_be_had_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    write(&path("open"), "readable-by-all", 0o644);
    write(&path("short"), "abc", 0o600);
    encrypt(&age_key(&path("other")), &path("s.age"), "x");
    age_key(&path("key"));
    let command = |words: &[&str]| SecretSource::Command(words.iter().map(|w| (*w).to_owned()).collect());
    let age = |file: &str| SecretSource::Age { file: path(file), identity: path("key"), entry: None };
    let look = look(
        &[
            ("open", SecretSource::File(path("open"))),
            ("missing", SecretSource::File(path("none"))),
            ("short", SecretSource::File(path("short"))),
            ("unset", SecretSource::Env("LIFEBOAT_TEST_UNSET".into())),
            ("fails", command(&["sh", "-c", "echo half-of-a-secret; exit 3"])),
            ("nothing", command(&["no-such-program-here"])),
            ("foreign", age("s.age")),
            ("plain", age("open")),
        ],
        dir.path(),
    );
    for (name, expected) in [
        ("open", "can be read by others than its owner (mode 0644)"),
        ("missing", "no such file or directory"),
        ("short", "secret short has fewer than 4 characters"),
        ("unset", "the variable LIFEBOAT_TEST_UNSET is not set"),
        ("fails", "sh ended with exit code 3"),
        ("nothing", "there is no program no-such-program-here"),
        ("foreign", "does not open"),
        ("plain", "is not encrypted with age"),
        ("opne", "there is no secret opne in this environment"),
    ] {
        let said = why(&look, name).await;
        assert!(said.contains(expected) && said.contains(name), "{name}: {said}");
        assert!(!said.contains("half-of"), "what a program wrote is never shown: {said}");
    }
}

#[tokio::test]
async fn a_program_is_asked_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let count = dir.path().join("count");
    let script = format!("echo x >> {}; echo the-secret", count.display());
    let source = SecretSource::Command(["sh", "-c", &script].map(str::to_owned).into());
    let look = look(&[("s", source)], dir.path());
    let text = SecretText::named("s");
    let (one, other) = tokio::join!(look.reveal(&text), look.reveal(&text));
    assert_eq!((&*one.expect("it"), &*other.expect("it")), ("the-secret", "the-secret"));
    assert_eq!(std::fs::read_to_string(count).expect("it ran"), "x\n");
}
