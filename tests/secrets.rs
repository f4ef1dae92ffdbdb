//! No secret ever shows: canaries from every kind of source, sent back by programs, servers and databases, are looked for in
//! everything that a run, a plan and a look at the record leave behind.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test starts the program that it is about")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// One for each source. Quotes, slashes and spaces: the encodings differ.
const CANARIES: [(&str, &str); 4] = [
    ("ENV", "kanari/env \"one\" + 7f3a9c"),
    ("FILE", "kanari/file 'two' & 8e2b1d"),
    ("COMMAND", "kanari/command <three> = 9d1c2e"),
    ("AGE", "kanari/age %four% ü 0c4d5f"),
];

const RUNBOOK: &str = r#"//! Leak everything
let bearer = `Bearer ${secret("COMMAND")}`;
step "A program sends back what it got" {
    let out = exec("echo", [secret("ENV")], #{ env: #{ A: secret("FILE"), B: bearer }, stdin: secret("AGE") });
    log(`it said ${out.stdout} and ${out.stderr}`);
    notify("incidents", out.stdout, #{ details: #{ err: out.stderr, reference: secret("ENV") } });
    notify("hook", out.stdout);
} rollback {
    exec("echo", [secret("AGE")]);
}
let answer = probe("web", #{ pointer: "/echo" });
log(`the server said ${answer.value}: ${answer.detail}`);
require(probe("web", #{ pointer: "/echo", equals: "other" }).down, "it answered all the same");
"#;

const FAILING: &str = r#"//! A database sends back what it got
param wrong: bool = true;
sql("primary", "INSERT INTO t VALUES (json_extract('{}', ?))", #{ params: [secret("ENV")] });
"#;

const TEMPLATE: &str = r#"//! A secret in a message
notify("incidents", `the token is ${secret("ENV")}`);
"#;

/// Prints what it gets: as it is and encoded, on both streams, without ends of lines too.
const ECHO: &str = r#"#!/bin/sh
read line
for text in "$1" "$A" "$B" "$line"; do
    printf '%s\n' "$text"
    printf '%s' "user:$text" | base64
    printf '%s' "$text" | base64 -w0
    printf '%s' "$text" | od -An -tx1 | tr -d ' \n'
    printf '%s' "$text" >&2
done
exit ${EXIT:-0}
"#;

struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let project = Self { dir: tempfile::tempdir().expect("a directory") };
        let web = echoing_server();
        project.write("lifeboat.toml", &configuration(&web), 0o644);
        project.write("runbooks/leak.rhai", RUNBOOK, 0o644);
        project.write("runbooks/failing.rhai", FAILING, 0o644);
        project.write("runbooks/template.rhai", TEMPLATE, 0o644);
        project.write("tools/echo", ECHO, 0o755);
        project.write("sources/file", &format!("{}\n", CANARIES[1].1), 0o600);
        project.write("sources/say", &format!("#!/bin/sh\nprintf '%s\\n' '{}'\n", CANARIES[2].1), 0o700);
        project.encrypt(CANARIES[3].1);
        project.database();
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("directories");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
    }

    fn encrypt(&self, secret: &str) {
        use age::secrecy::ExposeSecret as _;
        let key = age::x25519::Identity::generate();
        self.write("sources/key", key.to_string().expose_secret(), 0o600);
        let text = format!("OTHER=x\nENTRY={secret}\n");
        let encrypted = age::encrypt(&key.to_public(), text.as_bytes()).expect("it can be encrypted");
        std::fs::write(self.path("sources/all.age"), encrypted).expect("a file");
    }

    fn database(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let database = libsql::Builder::new_local(self.path("primary.db")).build().await.expect("a database");
            database.connect().expect("opens").execute_batch("CREATE TABLE t (x)").await.expect("a table");
        });
    }

    /// Everything that the program wrote, on both streams.
    fn run(&self, program: &str, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).env("CANARY_ENV", CANARIES[0].1).stdin(Stdio::null());
        let output = command.output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }

    fn lifeboat(&self, args: &[&str]) -> (Option<i32>, String) {
        self.run(env!("CARGO_BIN_EXE_lifeboat"), args)
    }

    /// The files of the project that hold a canary in any form, those left out that hold one by their nature.
    fn leaks(&self) -> Vec<String> {
        let (mut found, mut folders) = (Vec::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("lists").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.starts_with(self.path("sources")) {
                    let bytes = std::fs::read(&path).expect("reads");
                    found.extend(leak(&bytes).map(|what| format!("{}: {what}", path.display())));
                }
            }
        }
        found
    }
}

fn configuration(web: &str) -> String {
    format!(
        r#"[environments.test.secrets]
ENV = {{ env = "CANARY_ENV" }}
FILE = {{ file = "sources/file" }}
COMMAND = {{ command = ["sources/say"] }}
AGE = {{ age = "sources/all.age", identity = "sources/key", entry = "ENTRY" }}
[environments.test.services.web]
driver = "http"
url = "{web}/health"
headers = {{ Authorization = "Bearer {{secret:AGE}}", X-Other = "{{secret:FILE}}" }}
[environments.test.databases.primary]
driver = "sqlite"
path = "primary.db"
[environments.test.channels.incidents]
driver = "file"
path = "incidents.jsonl"
[environments.test.channels.hook]
driver = "webhook"
url = "{web}/hook"
[environments.test.tools.echo]
driver = "command"
program = ["tools/echo"]
"#
    )
}

/// Answers every request with what it got: in the body as JSON, and in a header.
fn echoing_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let got = String::from_utf8_lossy(&request).into_owned();
            let header = got.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
            let header = header.unwrap_or("x: y").split_once(": ").map_or("", |(_, value)| value).to_owned();
            let body = serde_json::json!({ "echo": got }).to_string();
            let head = format!("HTTP/1.1 200 OK\r\nX-Echo: {header}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://{address}")
}

/// The first canary that stands in `bytes`, in any form.
fn leak(bytes: &[u8]) -> Option<String> {
    let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    for (name, value) in CANARIES {
        let json = serde_json::Value::from(value).to_string();
        let hex = value.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let url = value.bytes().fold(String::new(), |url, byte| match byte {
            byte if byte.is_ascii_alphanumeric() => url + &char::from(byte).to_string(),
            byte => format!("{url}%{byte:02X}"),
        });
        // The middle of what stands behind `user:`, which programs encode together.
        let basic = STANDARD.encode(format!("user:{value}"))[8..24].to_owned();
        let forms = [
            value.to_owned(),
            value.replace('\'', "''"),
            json[1..json.len() - 1].to_owned(),
            STANDARD.encode(value)[..20].to_owned(),
            URL_SAFE_NO_PAD.encode(value)[..20].to_owned(),
            basic,
            hex,
            url,
            // Half of one is a leak, too.
            value[..12].to_owned(),
        ];
        if let Some(form) = forms.iter().find(|form| holds(form)) {
            return Some(format!("{name} as {form}"));
        }
    }
    None
}

#[test]
fn no_secret_is_found_in_anything_that_a_run_leaves() {
    let project = Project::new();
    // Run in a terminal of its own, which keeps all that is shown.
    let program = env!("CARGO_BIN_EXE_lifeboat");
    let line = format!("'{program}' run runbooks/leak.rhai --on-fault rollback --color always");
    let (code, said) = project.run("script", &["-qec", &line, "terminal"]);
    assert_eq!(code, Some(1), "{said}");
    let (code, failing) = project.lifeboat(&["run", "runbooks/failing.rhai"]);
    assert_eq!(code, Some(1), "{failing}");
    assert!(failing.contains("[secret ENV]"), "the database sent it back: {failing}");

    let mut told = vec![said, failing];
    for args in [
        &["plan", "runbooks/leak.rhai"][..],
        &["plan", "runbooks/leak.rhai", "--json"],
        &["plan", "runbooks/failing.rhai", "--json"],
        &["check", "--json"],
        &["runs", "--json"],
        &["show", "latest"],
        &["show", "latest", "--json"],
    ] {
        told.push(project.lifeboat(args).1);
    }
    for text in &told {
        assert_eq!(leak(text.as_bytes()), None, "{text}");
    }
    assert_eq!(project.leaks(), Vec::<String>::new());

    // What was sent back is there, with the names of what was taken out; so the search looked where it would have been.
    let messages = std::fs::read_to_string(project.path("incidents.jsonl")).expect("a message");
    for name in ["[secret ENV]", "[secret FILE]", "Bearer [secret COMMAND]", "[secret AGE]"] {
        assert!(messages.contains(name), "{name} in {messages}");
    }
    let journal = std::fs::read(project.path(".lifeboat/journal.db")).expect("a journal");
    let journal = String::from_utf8_lossy(&journal).into_owned()
        + &String::from_utf8_lossy(&std::fs::read(project.path(".lifeboat/journal.db-wal")).unwrap_or_default());
    assert!(journal.contains("[secret AGE]"), "the journal holds what the server and the program said");
    project.write("control", CANARIES[3].1, 0o644);
    assert_eq!(project.leaks().len(), 1, "the search finds what is there");
}

#[test]
fn a_message_to_people_takes_no_secret() {
    let project = Project::new();
    let (code, said) = project.lifeboat(&["run", "runbooks/template.rhai"]);
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("`message` of `notify` takes string, not secret"), "{said}");
    assert!(!Path::new(&project.path("incidents.jsonl")).exists(), "nobody was told");
}
