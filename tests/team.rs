//! Several machines and one target: a real libSQL server between them, a network that can be cut, machines that die.
//!
//! Each machine is a host name of its own (a UTS namespace), a directory of its own, and its own way to the server.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "it says what it leaves out")]

#[path = "support/sqld.rs"]
mod sqld;
#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqld::Sqld;
use support::Project;

const CONFIG: &str = r#"
default = "staging"
[state]
lease = "1s"
url = "http://127.0.0.1:PORT"

[environments.staging.services.web]
driver = "http"
url = "http://web.staging.example/"
maintenance_file = "maintenance"

[environments.staging.services.other]
driver = "http"
url = "http://other.staging.example/"
maintenance_file = "other"

[environments.production]
protected = true
[environments.production.services.web]
driver = "http"
url = "http://web.example/"
maintenance_file = "maintenance"

[environments.sandbox.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
"#;

/// What it changes cannot be seen before it runs.
const COMPUTED: &str = r#"//! It.
let which = "we" + "b";
for n in 0..3 {
    try { maintenance(which, "on"); } catch (fault) { log(fault.code); }
}
maintenance("oth" + "er", "on");
"#;

/// The way from one machine to the server.
struct Network {
    port: u16,
    up: Arc<AtomicBool>,
}

impl Network {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (port, up) = (listener.local_addr().expect("an address").port(), Arc::new(AtomicBool::new(true)));
        let open = up.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let open = open.clone();
                std::thread::spawn(move || carry(&near, server, &open));
            }
        });
        Self { port, up }
    }

    fn cut(&self) {
        self.up.store(false, Ordering::SeqCst);
    }

    fn mend(&self) {
        self.up.store(true, Ordering::SeqCst);
    }
}

/// Carries bytes both ways, until the network is cut.
fn carry(near: &TcpStream, server: u16, open: &Arc<AtomicBool>) {
    let Some(far) = open.load(Ordering::SeqCst).then(|| TcpStream::connect(("127.0.0.1", server))) else { return };
    let far = far.expect("the server listens");
    let pump = |mut from: TcpStream, mut to: TcpStream, open: Arc<AtomicBool>| {
        from.set_read_timeout(Some(Duration::from_millis(20))).expect("it is set");
        let mut buffer = [0; 16 << 10];
        while open.load(Ordering::SeqCst) {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) if to.write_all(&buffer[..count]).is_err() => break,
                Err(error)
                    if !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
                {
                    break;
                }
                _ => {}
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    };
    let copy = |stream: &TcpStream| stream.try_clone().expect("it is one");
    let (there, back) = ((copy(near), copy(&far), open.clone()), (far, copy(near), open.clone()));
    let other = std::thread::spawn(move || pump(there.0, there.1, there.2));
    pump(back.0, back.1, back.2);
    let _ = other.join();
}

/// A machine of the team.
struct Machine {
    name: &'static str,
    network: Network,
    project: Project,
}

impl Machine {
    fn new(name: &'static str, server: &Sqld) -> Self {
        let network = Network::to(server.port());
        let runbook = |body: &str| {
            format!(
                "//! It.\nstep \"Close\" {{ maintenance(\"web\", \"on\"); }} rollback {{ maintenance(\"web\", \"off\"); }}\n{body}\n"
            )
        };
        let project = Project::empty()
            .file("lifeboat.toml", CONFIG.replace("PORT", &network.port.to_string()))
            .file("runbooks/quick.rhai", runbook(""))
            .file("runbooks/computed.rhai", COMPUTED)
            .file("runbooks/open.rhai", "//! It.\nmaintenance(\"web\", \"off\");\n")
            .file("runbooks/holds.rhai", runbook("sleep(\"1h\");"))
            .file("runbooks/twice.rhai", runbook("sleep(\"3s\");\nmaintenance(\"web\", \"off\");"));
        Self { name, network, project }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        let script = format!("hostname {}; exec \"$LIFEBOAT\" \"$@\"", self.name);
        command.args(["--map-root-user", "--uts", "sh", "-euc", &script, "sh"]).args(args);
        command.current_dir(self.project.path(".")).env("LIFEBOAT", env!("CARGO_BIN_EXE_lifeboat"));
        command.env("NO_COLOR", "1").env("COLUMNS", "400").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Told {
        let output = self.command(args).output().expect("unshare is installed: apt-get install util-linux");
        Told::of(&output)
    }

    /// Starts a run, and waits until it has changed something.
    fn begin(&self, args: &[&str]) -> Started {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let started = Started(Some(child));
        let patience = Instant::now() + Duration::from_secs(30);
        while !self.is_closed() {
            assert!(Instant::now() < patience, "{} does not begin", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
        started
    }

    fn is_closed(&self) -> bool {
        std::fs::read_to_string(self.project.path("maintenance")).is_ok_and(|text| text == "on\n")
    }
}

/// What came of a command.
struct Told {
    exit: Option<i32>,
    text: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Self { exit: output.status.code(), text: text.replace(['│', '\n'], " ") }
    }

    fn expect(&self, exit: i32, parts: &[&str]) {
        assert_eq!(self.exit, Some(exit), "{}", self.text);
        // Lines are broken somewhere, words as well.
        let close = |text: &str| text.split_whitespace().collect::<String>();
        for part in parts {
            assert!(close(&self.text).contains(&close(part)), "`{part}` is not in: {}", self.text);
        }
    }
}

/// A process that is killed when the test is over, however it ends.
struct Started(Option<Child>);

impl Started {
    fn kill(mut self) {
        let mut child = self.0.take().expect("it is there");
        child.kill().expect("it is killed");
        child.wait().expect("it has ended");
    }

    fn ends(mut self) -> Told {
        Told::of(&self.0.take().expect("it is there").wait_with_output().expect("it ends"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Tries until that is what comes of it, and says how long that took.
fn until(machine: &Machine, args: &[&str], exit: i32) -> (Told, Duration) {
    let began = Instant::now();
    loop {
        let told = machine.run(args);
        if told.exit == Some(exit) {
            return (told, began.elapsed());
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{}", told.text);
        std::thread::sleep(Duration::from_millis(20));
    }
}

const PRODUCTION: [&str; 4] = ["--env", "production", "--yes", "production"];

fn in_production<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().copied().chain(PRODUCTION).collect()
}

#[test]
fn one_machine_at_a_time_changes_a_target_and_everybody_sees_who_did() {
    let Some(server) = Sqld::start() else { return };
    let (ada, bob) = (Machine::new("ada", &server), Machine::new("bob", &server));
    let holding = ada.begin(&["run", "runbooks/holds.rhai"]);

    let refused = bob.run(&["run", "runbooks/quick.rhai"]);
    refused.expect(3, &["web is being changed by run", "(runbooks/holds.rhai), started by", "@ada at", "on ada"]);
    assert!(!bob.is_closed(), "nothing was done");
    let refused = bob.run(&["run", "runbooks/quick.rhai", "--wait", "500ms"]);
    refused.expect(3, &["waiting for web of run"]);
    // A target that only turns out as it runs is a fault, each time, and the run goes on.
    let told = bob.run(&["run", "runbooks/computed.rhai"]);
    told.expect(0, &["leased", "maintenance other on", "completed"]);
    // The same in another environment is another thing; and what lies on a machine alone is its own.
    bob.run(&in_production(&["run", "runbooks/quick.rhai"])).expect(0, &["completed"]);
    bob.run(&["run", "runbooks/quick.rhai", "--env", "sandbox"]).expect(0, &["completed"]);

    // Everybody sees it while it goes on, and afterwards.
    let (listed, _) = until(&bob, &["runs", "--shared", "--runbook", "holds"], 0);
    assert!(listed.text.contains("running"), "{}", listed.text);
    ada.run(&["cancel", "latest"]).expect(0, &[]);
    holding.ends().expect(130, &["cancelled"]);
    bob.run(&["run", "runbooks/quick.rhai"]).expect(0, &["completed"]);
    let told = bob.run(&["runs", "--shared"]);
    told.expect(0, &["cancelled", "completed", "runbooks/holds.rhai", "runbooks/quick.rhai", "sandbox"]);
    bob.run(&["show", "--shared", "latest"]).expect(0, &["runbooks/quick.rhai", "@bob", "hash chain whole"]);
    let told = ada.run(&["timeline", "--shared", "latest"]);
    told.expect(0, &["started by", "@bob", "maintenance web on"]);
}

#[test]
fn what_a_machine_that_died_was_doing_only_that_machine_can_tell() {
    let Some(server) = Sqld::start() else { return };
    let (ada, bob) = (Machine::new("ada", &server), Machine::new("bob", &server));
    let holding = ada.begin(&["run", "runbooks/holds.rhai"]);
    // One beat, so that the others know of it.
    std::thread::sleep(Duration::from_millis(500));
    holding.kill();

    let (doubtful, took) = until(&bob, &["run", "runbooks/quick.rhai"], 4);
    println!("after SIGKILL of the other machine's run, with leases of 1 s: in doubt after {} ms", took.as_millis());
    doubtful.expect(4, &["web is in doubt: nothing was heard any more of run", "only ada knows", "lifeboat cancel"]);
    assert!(!bob.is_closed(), "nothing was done");

    ada.run(&["cancel", "latest"]).expect(0, &["rolled back: Close"]);
    bob.run(&["run", "runbooks/quick.rhai"]).expect(0, &["completed"]);
}

#[test]
fn two_journals_on_machines_of_one_name_are_two() {
    let Some(server) = Sqld::start() else { return };
    let (one, other) = (Machine::new("ada", &server), Machine::new("ada", &server));
    let holding = one.begin(&["run", "runbooks/holds.rhai"]);
    other.run(&["run", "runbooks/quick.rhai"]).expect(3, &["web is being changed by run"]);
    holding.kill();
    // That its process is gone says nothing about what it was doing.
    until(&other, &["run", "runbooks/quick.rhai"], 4).0.expect(4, &["web is in doubt", "only ada knows"]);
    assert!(!other.is_closed(), "nothing was done");
    one.run(&["cancel", "latest"]).expect(0, &["rolled back: Close"]);
    other.run(&["run", "runbooks/quick.rhai"]).expect(0, &["completed"]);
}

#[test]
fn the_glass_is_broken_where_a_machine_is_gone_for_good() {
    let Some(server) = Sqld::start() else { return };
    let (ada, bob) = (Machine::new("ada", &server), Machine::new("bob", &server));
    let twice = ada.begin(&in_production(&["run", "runbooks/twice.rhai"]));
    let why = "ada's battery is empty";
    let broken = bob.run(&in_production(&["run", "runbooks/quick.rhai", "--break-glass", why]));
    broken.expect(0, &["taken from run", "on ada: web", "completed"]);
    bob.run(&["show", "latest"]).expect(0, &["broken: the leases of other machines were not heeded", why]);
    ada.run(&["timeline", "--shared", "latest"]).expect(0, &["the leases of other machines were not heeded", why]);
    // Who lost it begins nothing more.
    let told = twice.ends();
    told.expect(6, &["lost its leases", "left changed: maintenance web"]);
    assert!(ada.is_closed());
    ada.run(&in_production(&["resume"])).expect(0, &["completed"]);
    assert!(!ada.is_closed());
}

#[test]
fn cut_off_from_the_team_a_protected_target_is_let_go_in_time() {
    let Some(server) = Sqld::start() else { return };
    let (ada, bob) = (Machine::new("ada", &server), Machine::new("bob", &server));
    let twice = ada.begin(&in_production(&["run", "runbooks/twice.rhai"]));
    ada.network.cut();
    let told = twice.ends();
    told.expect(6, &["the shared journal at", "nobody on another machine can know", "left changed: maintenance web"]);
    assert!(ada.is_closed(), "it began nothing more");
    until(&bob, &in_production(&["run", "runbooks/quick.rhai"]), 4).0.expect(4, &["only ada knows"]);

    // Neither does it begin anew; but whoever must may.
    ada.run(&in_production(&["resume"])).expect(74, &["cannot be used", "--break-glass"]);
    let resumed = ada.run(&in_production(&["resume", "--break-glass", "the line is cut"]));
    resumed.expect(0, &["going on with the journal of this machine alone", "completed"]);
    // What was done is brought to the team when that can be done again.
    ada.network.mend();
    ada.run(&["run", "runbooks/open.rhai"]).expect(0, &["completed"]);
    bob.run(&["timeline", "--shared", &ada_s_run(&bob)]).expect(0, &["the line is cut", "maintenance web off"]);
}

/// The run of `twice.rhai`, as another machine sees it.
fn ada_s_run(machine: &Machine) -> String {
    let told = machine.run(&["--json", "runs", "--shared", "--runbook", "twice"]);
    let run: serde_json::Value = serde_json::from_str(&told.text).expect(&told.text);
    assert_eq!(run["status"], "completed");
    run["id"].as_str().expect("an id").to_owned()
}

#[test]
fn without_the_team_s_journal_what_is_not_protected_goes_on() {
    let Some(server) = Sqld::start() else { return };
    let (ada, bob) = (Machine::new("ada", &server), Machine::new("bob", &server));
    ada.network.cut();
    let alone = ada.run(&["run", "runbooks/quick.rhai"]);
    alone.expect(0, &["cannot be used", "going on with the journal of this machine alone", "completed"]);
    ada.run(&in_production(&["run", "runbooks/quick.rhai"])).expect(74, &["cannot be used", "--break-glass"]);
    assert_eq!(ada.run(&["doctor"]).text.matches("shared journal").count(), 2, "{}", ada.run(&["doctor"]).text);
    ada.run(&["runs", "--shared"]).expect(74, &["cannot be used"]);
    ada.run(&["runs"]).expect(0, &["completed"]);
    // Cut off in the midst of it.
    ada.network.mend();
    std::fs::remove_file(ada.project.path("maintenance")).expect("it is closed");
    let twice = ada.begin(&["run", "runbooks/twice.rhai"]);
    ada.network.cut();
    let told = twice.ends();
    told.expect(0, &["completed"]);
    assert!(!ada.is_closed(), "{}", told.text);
    ada.network.mend();
    bob.run(&["runs", "--shared"]).expect(0, &[]);
}
