//! The project in `examples/rollout`, on ports of its own: two sides of the sandbox's service behind a real HAProxy.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_lifeboat");
/// The ports in the files that ship: those of HAProxy, blue and green.
const PORTS: [&str; 3] = ["27620", "27621", "27622"];

/// The project, and its processes. Both go when it is dropped.
pub(crate) struct Rollout {
    dir: tempfile::TempDir,
    ports: [u16; 3],
    processes: Vec<Child>,
}

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

/// How requests of users ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) well: u32,
    pub(crate) failed: u32,
    /// The versions that answered, each as it began to.
    pub(crate) versions: Vec<String>,
}

impl Drop for Rollout {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Rollout {
    /// Version 1.4.1 on both sides, all traffic on blue. `None` where HAProxy is not installed; where nobody would notice, that is
    /// a failure.
    #[expect(clippy::print_stderr, reason = "a test that was left out says so")]
    pub(crate) fn start() -> Option<Self> {
        if Command::new("haproxy").arg("-v").stdout(Stdio::null()).status().is_err() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "haproxy is needed to test deployments");
            eprintln!("NOT TESTED: haproxy is not installed");
            return None;
        }
        let ports = lifeboat::system::free_ports().expect("free ports");
        let mut rollout = Self { dir: tempfile::tempdir().expect("a directory"), ports, processes: Vec::new() };
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        rollout.copy(&source.join("examples/rollout"), "");
        rollout.copy(&source.join("runbooks"), "runbooks");
        fs::create_dir_all(rollout.path(".lifeboat/sandbox")).expect("a directory");
        for (side, port) in [("blue", ports[1]), ("green", ports[2])] {
            let state = |name: &str| format!(".lifeboat/sandbox/{name}");
            let arguments = [
                "sandbox".to_owned(),
                "serve".to_owned(),
                format!("--listen=127.0.0.1:{port}"),
                format!("--database={}", state("orders.db")),
                "--rows=1000".to_owned(),
                format!("--pid-file={}", state(&format!("{side}.pid"))),
                format!("--release={}", state(&format!("{side}/current"))),
            ];
            rollout.spawn(PROGRAM, &arguments, port);
        }
        rollout.spawn("haproxy", &["-db", "-f", "haproxy.cfg"].map(str::to_owned), ports[0]);
        let first = "//! The first version.\ndeploy(\"blue\", #{ version: \"1.4.1\" });\ndeploy(\"green\", #{ version: \"1.4.1\" });\n";
        rollout.write("runbooks/first.rhai", first);
        let said = rollout.lifeboat(&["run", "runbooks/first.rhai"]);
        assert_eq!(said.code, Some(0), "{}", said.text);
        Some(rollout)
    }

    fn copy(&self, from: &Path, to: &str) {
        for entry in fs::read_dir(from).expect("a directory that ships").flatten() {
            let name = Path::new(to).join(entry.file_name());
            let name = name.to_string_lossy();
            if entry.path().is_dir() {
                self.copy(&entry.path(), &name);
                continue;
            }
            let mut text = fs::read_to_string(entry.path()).expect("a file that ships");
            for (port, own) in PORTS.iter().zip(self.ports) {
                text = text.replace(port, &own.to_string());
            }
            self.write(&name, &text);
        }
    }

    /// Starts a process and waits until it listens.
    fn spawn(&mut self, program: &str, arguments: &[String], port: u16) {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.processes.push(command.spawn().expect("it starts"));
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A file or directory of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the project")).expect("a directory");
        fs::write(path, text).expect("a file of the project");
    }

    /// Runs the program to its end.
    pub(crate) fn lifeboat(&self, arguments: &[&str]) -> Said {
        let output = Command::new(PROGRAM).args(arguments).current_dir(self.dir.path()).stdin(Stdio::null()).output();
        let output = output.expect("it starts");
        let text =
            [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).expect("it writes text")).concat();
        Said { code: output.status.code(), text }
    }

    /// Runs one of the runbooks that ship, with short pauses.
    pub(crate) fn run(&self, runbook: &str, sets: &[&str]) -> Said {
        let path = format!("runbooks/{runbook}.rhai");
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> = ["run", &path, "--set", "every=20ms"].into_iter().chain(sets).collect();
        self.lifeboat(&arguments)
    }

    /// What a runbook of these lines gives, which only looks.
    pub(crate) fn look(&self, expression: &str) -> String {
        self.write("runbooks/look.rhai", &format!("//! Look.\nlog(`told: ${{{expression}}}`);\n"));
        let said = self.lifeboat(&["run", "runbooks/look.rhai"]);
        assert_eq!(said.code, Some(0), "{}", said.text);
        let told = said.text.split("told: ").nth(1).unwrap_or_else(|| panic!("{}", said.text));
        told.lines().next().unwrap_or_default().trim().to_owned()
    }

    /// The version that users get, and those that stand behind blue and green.
    pub(crate) fn versions(&self) -> [String; 3] {
        self.ports.map(|port| {
            let mut user = User::new(port);
            user.get("/version").expect("it answers").1
        })
    }

    /// Lets a user ask for orders, one request after the other, while `work` is done.
    pub(crate) fn used_during<T>(&self, work: impl FnOnce() -> T) -> (T, Served) {
        let stop = Arc::new(AtomicBool::new(false));
        let users: Vec<JoinHandle<Served>> = (0..2)
            .map(|_| {
                let (port, stop) = (self.ports[0], stop.clone());
                std::thread::spawn(move || User::new(port).ask_until(&stop))
            })
            .collect();
        let done = work();
        stop.store(true, Ordering::SeqCst);
        let mut all = Served::default();
        for user in users {
            let Served { well, failed, versions } = user.join().expect("it counts");
            (all.well, all.failed) = (all.well + well, all.failed + failed);
            all.versions.extend(versions);
        }
        all.versions.sort();
        all.versions.dedup();
        (done, all)
    }
}

/// Somebody who asks on one connection, and again on another one when that is closed between two requests.
struct User {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

impl User {
    fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// The status and the version of whoever answers.
    fn get(&mut self, path: &str) -> std::io::Result<(u16, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port))?),
        };
        stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nhost: web\r\n\r\n").as_bytes())?;
        let (mut first, mut version, mut length, mut closes) = (String::new(), String::new(), 0, false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            match line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value)) {
                Some((name, value)) if name == "x-version" => value.clone_into(&mut version),
                Some((name, value)) if name == "content-length" => length = value.parse().unwrap_or(0),
                Some((name, value)) if name == "connection" => closes = value == "close",
                _ if first.is_empty() => line.clone_into(&mut first),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        self.stream = (!closes).then_some(stream);
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok((status, version))
    }

    fn ask_until(mut self, stop: &AtomicBool) -> Served {
        let mut served = Served::default();
        while !stop.load(Ordering::SeqCst) {
            match self.get("/orders/count") {
                Ok((200, version)) => {
                    served.well += 1;
                    if !served.versions.contains(&version) {
                        served.versions.push(version);
                    }
                }
                _ => served.failed += 1,
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        served
    }
}
