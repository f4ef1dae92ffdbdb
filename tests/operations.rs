//! The runbooks of everyday operations, by the real program on a small project of their own: each is checked, planned, run, and made
//! to fail.
#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests set up, read and start what a runbook meets")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const RUNBOOKS: [&str; 6] = [
    "runbooks/certificate-check.rhai",
    "runbooks/data-corruption.rhai",
    "runbooks/health-check.rhai",
    "runbooks/maintenance-window.rhai",
    "runbooks/read-only-mode.rhai",
    "runbooks/rotate-secret.rhai",
];

/// A project with a service, a database of orders and customers, a store, a document, a secret and a certificate.
struct Project {
    dir: tempfile::TempDir,
    tls: Option<Child>,
}

/// What the program said, and how it ended.
struct Said {
    code: Option<i32>,
    text: String,
}

impl Project {
    fn new() -> Self {
        let project = Self { dir: tempfile::tempdir().expect("a directory"), tls: None };
        let web = serve(&project.path("accepted"));
        let config = format!(
            r#"[environments.test.secrets]
api_token = {{ file = "api-token" }}
[environments.test.services.web]
driver = "http"
url = "{web}/health"
maintenance_file = "maintenance"
[environments.test.services.api]
driver = "http"
url = "{web}/api"
headers = {{ Authorization = "Bearer {{secret:api_token}}" }}
[environments.test.services.certificate]
driver = "tls"
address = "127.0.0.1:1"
server_name = "localhost"
ca = "ca.pem"
[environments.test.databases.primary]
driver = "sqlite"
path = "primary.db"
store = "backups"
[environments.test.stores.backups]
driver = "directory"
path = "backups"
[environments.test.channels.incidents]
driver = "file"
path = "incidents.jsonl"
[environments.test.documents.app-config]
driver = "toml"
path = "app.toml"
[environments.test.hosts.here]
driver = "local"
[environments.test.tools.reload]
driver = "command"
program = ["./reload"]
unchanged_codes = [1]
"#
        );
        project.write("lifeboat.toml", &config, 0o644);
        project.write("api-token", "the-first-token-of-all", 0o600);
        project.write("accepted", "the-first-token-of-all", 0o600);
        project.write("reload", "#!/bin/sh\ncp api-token accepted\n", 0o755);
        project.write("app.toml", "# Read at start.\n[database]\nread_only = false # writes go on\n", 0o644);
        project.write("maintenance", "off", 0o644);
        for name in RUNBOOKS {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            project.write(name, &fs::read_to_string(source).expect("it ships"), 0o644);
        }
        project.sql(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, amount INTEGER NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
             INSERT INTO customers SELECT i, 'customer ' || i FROM n;
             INSERT INTO orders SELECT id, id, id * 10 FROM customers;",
        );
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the project")).expect("directories");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default().trim().to_owned()
    }

    fn sql(&self, statements: &str) {
        on(&self.path("primary.db"), async |connection| {
            connection.execute_batch(statements).await.expect("the statements are right");
        });
    }

    fn count(&self, sql: &str) -> i64 {
        on(&self.path("primary.db"), async |connection| {
            let mut rows = connection.query(sql, ()).await.expect("a query");
            rows.next().await.expect("a row").expect("a row").get(0).expect("a number")
        })
    }

    fn lifeboat(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        let output = command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null()).output();
        let output = output.expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), text: text(&output.stdout) + &text(&output.stderr) }
    }

    /// Runs a runbook, everything confirmed, and expects this exit code.
    fn run(&self, name: &str, more: &[&str], code: i32) -> String {
        let runbook = format!("runbooks/{name}.rhai");
        let said = self.lifeboat(&[&["run", &runbook, "--on-fault", "rollback"], more].concat());
        assert_eq!(said.code, Some(code), "{}", said.text);
        said.text
    }

    /// Takes a backup and reads it whole.
    fn back_up(&self) {
        self.write("runbooks/back-up.rhai", "verify_backup(\"primary\", #{ id: backup(\"primary\").id });\n", 0o644);
        self.run("back-up", &[], 0);
    }

    /// Serves a certificate that lasts so many days.
    fn certificate(&mut self, days: i64) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(days * 24 + 1);
        let date = until.to_zoned(jiff::tz::TimeZone::UTC).date();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let month = u8::try_from(date.month()).expect("a month");
        params.not_after = rcgen::date_time_ymd(date.year().into(), month, u8::try_from(date.day()).expect("a day"));
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        self.write("ca.pem", &certificate, 0o644);
        self.write("key.pem", &key.serialize_pem(), 0o600);
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let accept = format!("127.0.0.1:{port}");
        let arguments = ["s_server", "-quiet", "-accept", &accept, "-cert", "ca.pem", "-key", "key.pem"];
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.stop_tls();
        self.tls = Some(command.spawn().expect("openssl is needed to test certificates: install it"));
        while TcpStream::connect(&accept).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let config = self.read("lifeboat.toml");
        let line = config.lines().find(|line| line.starts_with("address = ")).expect("an address").to_owned();
        self.write("lifeboat.toml", &config.replace(&line, &format!("address = \"{accept}\"")), 0o644);
    }

    fn stop_tls(&mut self) {
        if let Some(mut process) = self.tls.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.stop_tls();
    }
}

fn on<T>(path: &Path, work: impl AsyncFnOnce(libsql::Connection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let database = libsql::Builder::new_local(path).build().await.expect("a database");
        work(database.connect().expect("it opens")).await
    })
}

/// A service that is well, and whose `/api` takes the token that the file `accepted` holds.
fn serve(accepted: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let accepted = accepted.to_owned();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let token = fs::read_to_string(&accepted).unwrap_or_default().trim().to_lowercase();
            let known = request.contains(&format!("authorization: bearer {token}\r\n"));
            let status = if request.starts_with("get /api") && !known { "401 No" } else { "200 OK" };
            let body = r#"{"count": 5}"#;
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn they_are_sound_and_their_plans_change_nothing() {
    let project = Project::new();
    let checked = project.lifeboat(&[&["check"], &RUNBOOKS[..]].concat());
    assert!(checked.text.contains("6 runbooks: 0 errors, 0 warnings"), "{}", checked.text);
    let plan = |arguments: &[&str]| project.lifeboat(&[&["plan"], arguments].concat());
    let rotate = plan(&["runbooks/rotate-secret.rhai"]);
    assert!(rotate.code == Some(0) && rotate.text.contains("~ rotate api_token"), "{}", rotate.text);
    let read_only = plan(&["runbooks/read-only-mode.rhai"]);
    assert!(read_only.text.contains("database.read_only"), "{}", read_only.text);
    let window = plan(&["runbooks/maintenance-window.rhai", "--set", "reason=new disks"]);
    assert!(window.code == Some(0) && window.text.contains("if it is rolled back:"), "{}", window.text);
    let needless = plan(&["runbooks/data-corruption.rhai"]);
    assert!(needless.code == Some(1) && needless.text.contains("this runbook is not needed"), "{}", needless.text);
    for (name, content) in [("maintenance", "off"), ("api-token", "the-first-token-of-all"), ("incidents.jsonl", "")] {
        assert_eq!(project.read(name), content, "a plan changes nothing");
    }
    assert!(project.read("app.toml").contains("read_only = false"));
}

#[test]
fn health_check_tells_what_is_not_well() {
    let project = Project::new();
    project.back_up();
    let well = project.run("health-check", &["--set", "always_tell=true", "--set", "full=99.9"], 0);
    assert!(project.read("incidents.jsonl").contains("All is well"), "{well}");
    project.sql("DELETE FROM orders");
    let ill = project.run("health-check", &["--set", "full=99.9"], 1);
    assert!(ill.contains("primary is unhealthy"), "{ill}");
    assert!(project.read("incidents.jsonl").contains("Not well: primary is unhealthy"));
}

#[test]
fn certificate_check_tells_in_time() {
    let mut project = Project::new();
    project.certificate(90);
    project.run("certificate-check", &[], 0);
    assert!(!project.read("incidents.jsonl").contains("\"notify\""), "nobody is told of what is well");
    project.certificate(14);
    project.run("certificate-check", &[], 0);
    assert!(project.read("incidents.jsonl").contains("\"warning\""), "{}", project.read("incidents.jsonl"));
    project.certificate(3);
    let urgent = project.run("certificate-check", &[], 1);
    assert!(urgent.contains("the certificate must be renewed"), "{urgent}");
    assert!(project.read("incidents.jsonl").contains("\"critical\""));
}

#[test]
fn maintenance_window_opens_again_whatever_happens() {
    let project = Project::new();
    let set = ["--set", "reason=new disks"];
    project.run("maintenance-window", &[&set[..], &["--yes"]].concat(), 0);
    assert_eq!(project.read("maintenance"), "off");
    assert!(project.read("incidents.jsonl").contains("Maintenance is over: new disks"));
    let refused = project.run("maintenance-window", &[&set[..], &["--answer", "no"]].concat(), 6);
    assert!(refused.contains("rolled back: Close the service"), "{refused}");
    assert_eq!(project.read("maintenance"), "off", "the work was not done, and the users are served");
}

#[test]
fn read_only_mode_is_switched_and_switched_back() {
    let project = Project::new();
    let config = project.read("app.toml");
    project.run("read-only-mode", &[], 0);
    assert_eq!(project.read("app.toml"), config.replace("read_only = false", "read_only = true"), "comments stay");
    project.run("read-only-mode", &["--set", "mode=off"], 0);
    assert_eq!(project.read("app.toml"), config);
    // The service is gone: readers are not served, and nothing stays switched.
    let gone = project.read("lifeboat.toml").replace("/health\"", "/api\"");
    project.write("lifeboat.toml", &gone, 0o644);
    let set = project.read("lifeboat.toml").replacen("http://127.0.0.1:", "http://127.0.0.2:", 1);
    project.write("lifeboat.toml", &set, 0o644);
    let failed = project.run("read-only-mode", &[], 1);
    assert!(failed.contains("readers are not served"), "{failed}");
    assert_eq!(project.read("app.toml"), config);
}

#[test]
fn rotate_secret_goes_back_when_the_new_one_is_not_taken() {
    let project = Project::new();
    let done = project.run("rotate-secret", &[], 0);
    let token = project.read("api-token");
    assert_eq!((token.len(), project.read("accepted")), (40, token.clone()));
    // The service spoils every token but the one that it has.
    let spoils = format!("#!/bin/sh\ngrep -q {token} api-token && cp api-token accepted || echo spoilt > accepted\n");
    project.write("reload", &spoils, 0o755);
    let failed = project.run("rotate-secret", &[], 1);
    assert!(failed.contains("does not accept the new token"), "{failed}");
    assert_eq!(project.read("api-token"), token, "the old one is back");
    assert_eq!(project.read("accepted"), token, "and the service has read it again");
    for said in [done, failed, project.read("incidents.jsonl")] {
        assert!(!said.contains(&token) && !said.contains("the-first-token"), "{said}");
    }
}

#[test]
fn data_corruption_puts_one_table_back_and_leaves_the_others() {
    const ORPHANS: &str = "SELECT count(*) FROM orders WHERE customer NOT IN (SELECT id FROM customers)";
    let project = Project::new();
    project.back_up();
    // Written after the backup: it must not be lost.
    project.sql("INSERT INTO orders VALUES (1000, 1, 7); DELETE FROM customers WHERE id > 50;");
    assert_eq!(project.count(ORPHANS), 50);
    project.run("data-corruption", &["--yes"], 0);
    assert_eq!((project.count(ORPHANS), project.count("SELECT count(*) FROM customers")), (0, 100));
    assert_eq!(project.count("SELECT count(*) FROM orders"), 101, "the other table is as it was");
    assert_eq!(project.read("maintenance"), "off");
    // Orders of customers that no backup has: the table is left as it was found.
    project.sql("INSERT INTO orders VALUES (2000, 999, 1); DELETE FROM customers WHERE id > 90;");
    let failed = project.run("data-corruption", &["--yes"], 1);
    assert!(failed.contains("still belong to nobody"), "{failed}");
    assert_eq!(project.count("SELECT count(*) FROM customers"), 90, "what was put back is taken back");
    assert_eq!(project.read("maintenance"), "off");
}
