//! `kill -9` in the midst of a deployment, and what a person sees who takes the run up again: with evidence that it took place, with
//! evidence that it did not, and with neither.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use support::{Project, Run};

const CONFIG: &str = r#"
default = "staging"
[environments.staging.services.web]
driver = "http"
url = "http://127.0.0.1:PORT/"
maintenance_file = "maintenance"
[environments.staging.services.web.deploy]
driver = "command"
deploy = ["./deploy", "{version}"]
status = ["cat", "live"]
health_timeout = "1s"
"#;

/// Makes the version live when the file `go` is there, and is not done then.
const DEPLOY: &str = r#"#!/bin/sh
echo $$ > deploying
while ! test -e go; do sleep 0.01; done
echo "$1" > live
echo "$1 $LIFEBOAT_IDEMPOTENCY_KEY" >> deployed
echo > switched
while ! test -e finish; do sleep 0.01; done
"#;

const RUNBOOK: &str = r#"//! Deploy version 2.
step "Close the service" {
    maintenance("web", "on");
} rollback {
    maintenance("web", "off");
}
step "Deploy it" {
    deploy("web", #{ version: "v2" });
} rollback {
    deploy("web", #{ version: "v1" });
}
maintenance("web", "off");
"#;

/// A service that is well until it is told otherwise.
struct Service {
    port: u16,
    well: Arc<AtomicBool>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let well = Arc::new(AtomicBool::new(true));
        let asks = well.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let status = if asks.load(Ordering::SeqCst) { "200 OK" } else { "503 Service Unavailable" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, well }
    }
}

struct Scene {
    project: Project,
    service: Service,
    child: Child,
}

impl Scene {
    /// A run in the midst of its deployment.
    fn begin() -> Self {
        let service = Service::start();
        let config = CONFIG.replace("PORT", &service.port.to_string());
        let project = Project::empty().file("lifeboat.toml", config).file("runbooks/deploy.rhai", RUNBOOK);
        let project = project.file("deploy", DEPLOY).file("live", "v1\n");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path("deploy"), executable).expect("is executable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(["run", "runbooks/deploy.rhai"]).current_dir(project.path("."));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let scene = Self { project, service, child };
        scene.until("deploying");
        scene
    }

    fn until(&self, file: &str) {
        let patience = Instant::now() + Duration::from_secs(30);
        while std::fs::read_to_string(self.project.path(file)).map_or(true, |text| text.is_empty()) {
            assert!(Instant::now() < patience, "{file} does not come");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn put(&self, file: &str) {
        std::fs::write(self.project.path(file), "now\n").expect("writes");
    }

    /// `kill -9`: the program that deploys lives on.
    fn kill(&mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("has ended");
    }

    fn kill_deploy(&self) {
        let text = std::fs::read_to_string(self.project.path("deploying")).expect("reads");
        let pid = text.trim().parse().ok().and_then(Pid::from_raw).expect("a number");
        kill_process_group(pid, Signal::KILL).expect("it was there");
    }

    fn deployed(&self) -> usize {
        std::fs::read_to_string(self.project.path("deployed")).map_or(0, |text| text.lines().count())
    }
}

macro_rules! screen {
    ($run:expr) => {
        insta::with_settings!({ omit_expression => true, filters => [
            (r"\d{8}-\d{6}-[a-z0-9]{4}", "[RUN]"),
            (r"process \d+", "process [PID]"),
            // How long it took stands there where it took long.
            (r"(?m)  \d+(\.\d+)?m?s$", ""),
            // A slow machine says "in 2ms" where others say "in under 1ms", and breaks the line elsewhere.
            (r"503\s+in\s+(?:under\s+)?\d+m?s:\s+expected\s+2xx;\s+still\s+owed:\s+Deploy\s+it", "503 in [TIME]: expected 2xx; still owed: Deploy it"),
            (r"503\s+in\s+(?:under\s+)?\d+m?s:", "503 in [TIME]:"),
            (r"\d+(\.\d+)?m?s\b", "[TIME]"),
            (r"\d\d:\d\d:\d\d", "[TIME]"),
            (r"127\.0\.0\.1:\d+", "[ADDRESS]"),
            (r"\S+@\S+", "[WHO]"),
        ] }, { insta::assert_snapshot!(screen(&$run)) });
    };
}

/// What is on the terminal.
fn screen(run: &Run) -> String {
    let all = format!("{}{}", run.stderr, run.stdout);
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    format!("{all}exit {}", run.exit.expect("it ended"))
}

#[test]
fn it_took_place() {
    let mut scene = Scene::begin();
    scene.put("go");
    scene.until("switched");
    scene.kill();
    // The program goes on by itself; it is waited for.
    scene.put("finish");
    let resumed = scene.project.run(["resume"]);
    assert_eq!((resumed.exit, scene.deployed()), (Some(0), 1), "{}{}", resumed.stdout, resumed.stderr);
    screen!(resumed);
}

#[test]
fn it_did_not_take_place() {
    let mut scene = Scene::begin();
    scene.kill();
    scene.kill_deploy();
    scene.put("go");
    scene.put("finish");
    let resumed = scene.project.run(["resume"]);
    assert_eq!((resumed.exit, scene.deployed()), (Some(0), 1), "{}{}", resumed.stdout, resumed.stderr);
    screen!(resumed);
}

#[test]
fn nobody_knows() {
    let mut scene = Scene::begin();
    scene.put("go");
    scene.until("switched");
    scene.kill();
    scene.kill_deploy();
    // It is live, and not well: that may be the deployment which was cut off, or something else.
    scene.service.well.store(false, Ordering::SeqCst);
    let resumed = scene.project.run(["resume"]);
    assert_eq!(resumed.exit, Some(4), "{}{}", resumed.stdout, resumed.stderr);
    screen!(resumed);
    scene.service.well.store(true, Ordering::SeqCst);
    let settled = scene.project.run(["settle", "latest", "--applied"]);
    screen!(settled);
    let resumed = scene.project.run(["resume"]);
    assert_eq!((resumed.exit, scene.deployed()), (Some(0), 1), "{}{}", resumed.stdout, resumed.stderr);
    screen!(resumed);
}

#[test]
fn nobody_settles_what_still_goes_on() {
    let mut scene = Scene::begin();
    scene.kill();
    // The program that outlived its run has not switched yet: whoever looks now takes it for not done.
    let settled = scene.project.run(["settle", "latest", "--not-applied"]);
    assert_eq!(settled.exit, Some(3), "{}{}", settled.stdout, settled.stderr);
    // Where its lines end depends on the number of the process.
    let said = settled.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(said.contains("still carries call 3 out"), "{}", settled.stderr);
    scene.put("go");
    scene.put("finish");
    let resumed = scene.project.run(["resume"]);
    assert_eq!((resumed.exit, scene.deployed()), (Some(0), 1), "{}{}", resumed.stdout, resumed.stderr);
}
