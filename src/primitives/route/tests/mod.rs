//! Real routers in front of two real servers, `blue` and `green`, and a client that counts who answers.

mod haproxy;
mod mistakes;
mod nginx;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::model::{Arg, Fault, IdempotencyKey, Key, Segment, Span};
use crate::primitives::routes::{self, Routes};
use crate::primitives::{Driver, FromTarget, Observer, Preview, Reconciled};
use crate::system::{Act, Look, System};

use super::{Args, Output, Percent, Route, Shares};

/// A router `lb` with its process, in a directory of its own.
struct Rig<R> {
    dir: tempfile::TempDir,
    router: R,
    act: Act,
    process: Child,
    port: u16,
}

impl<R> Drop for Rig<R> {
    fn drop(&mut self) {
        // nginx's master ends its workers when it is asked to; killed, it would leave them behind.
        let _ = self.act.signal(self.process.id(), crate::system::ProcessSignal::Term);
        let _ = self.process.wait();
    }
}

impl<R: Driver<Route> + Observer<Routes>> Rig<R> {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn route(&self, args: &Args, call: u32) -> Result<Output, Fault> {
        Driver::<Route>::perform(&self.router, args, &self.act, &key(call)).await
    }

    async fn preview(&self, args: &Args) -> Preview {
        Driver::<Route>::preview(&self.router, args, &self.act).await.expect("it can be previewed")
    }

    async fn reconcile(&self, args: &Args, call: u32) -> Reconciled<Output> {
        Driver::<Route>::reconcile(&self.router, args, &self.act, &key(call)).await
    }

    async fn routes(&self) -> Result<routes::Output, Fault> {
        Observer::<Routes>::observe(&self.router, &routes::Args { target: "lb".to_owned() }, &self.act).await
    }

    async fn shares(&self) -> Shares {
        self.routes().await.expect("it can be told").shares
    }

    /// Sends so many requests through the router; who answered how many.
    fn answers(&self, requests: u32) -> BTreeMap<String, u32> {
        let mut counted = BTreeMap::new();
        let mut connection = None;
        for _ in 0..requests {
            let stream = connection.take().unwrap_or_else(|| {
                BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).expect("the router listens"))
            });
            let (name, kept) = ask(stream);
            connection = kept;
            *counted.entry(name).or_insert(0) += 1;
        }
        counted
    }

    /// 10, 50, 100 per cent for green, and back to what was before: 2,000 requests each, of which none fails.
    async fn shifts_traffic(&self) {
        assert_eq!(self.answers(100), BTreeMap::from([("blue".to_owned(), 100)]));
        let mut before = None;
        for (call, percent) in [10, 50, 100].into_iter().enumerate() {
            let routed = self.route(&to("green", percent), u32::try_from(call).expect("small")).await.expect("routes");
            assert_eq!((&routed.shares, routed.changed), (&shares(100 - percent, percent), true));
            assert_eq!(self.shares().await, routed.shares);
            before.get_or_insert(routed.before);
            let answers = self.answers(2_000);
            let green = answers.get("green").copied().unwrap_or(0);
            assert_eq!(answers.values().sum::<u32>(), 2_000);
            assert_eq!(green + answers.get("blue").copied().unwrap_or(0), 2_000, "{answers:?}");
            match percent {
                100 => assert_eq!(green, 2_000),
                _ => assert!(green.abs_diff(percent * 20) <= 60, "{percent} %: {answers:?}"),
            }
        }
        let back = Args { shares: before.map(Arg::Known), ..to_nobody() };
        assert_eq!(self.route(&back, 3).await.expect("puts back").shares, shares(100, 0));
        assert_eq!(self.answers(100), BTreeMap::from([("blue".to_owned(), 100)]));
    }
}

/// One request on a connection: the answer's body, and the connection if it can be used again.
fn ask(mut stream: BufReader<TcpStream>) -> (String, Option<BufReader<TcpStream>>) {
    stream.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: web\r\n\r\n").expect("asks");
    let (mut length, mut closes, mut first) = (0, false, String::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        let line = line.trim_end().to_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(("connection", value)) => closes = value == "close",
            _ if first.is_empty() => first = line,
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    let name = String::from_utf8_lossy(&body).into_owned();
    (if first.contains(" 200") { name } else { first }, (!closes).then_some(stream))
}

/// A server that answers with its name. `slow` is the path of a file: while it is there, answers wait.
fn serve(name: &'static str, slow: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let slow = slow.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    if line.trim_end().is_empty() {
                        while slow.exists() {
                            std::thread::sleep(Duration::from_millis(2));
                        }
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
                        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

/// The router that these lines describe.
fn router<R: FromTarget>(dir: &std::path::Path, lines: &str) -> R {
    let text = format!("[environments.test.routers.lb]\n{lines}");
    let config = Config::parse(&dir.join("lifeboat.toml"), text.into()).expect("it can be read");
    let environment = &config.environments["test"];
    let target = &environment.targets["lb"];
    let settings = target.settings().map_err(|error| error.to_string()).expect("settings");
    R::from_target(settings, target, environment).map_err(|error| error.to_string()).expect("it is right")
}

fn act(dir: &std::path::Path) -> Act {
    Act::grant(&Look::new(Arc::new(System::new(dir.join("scratch")))))
}

/// The program, or `None` where it is not installed. Where nobody would notice, that is a failure.
#[expect(clippy::print_stderr, reason = "a test that was left out says so")]
fn program(name: &str) -> Option<PathBuf> {
    let found = act(std::path::Path::new("/")).find_program(name, "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin");
    if found.is_none() {
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!ci, "{name} is needed to test routes");
        eprintln!("NOT TESTED: {name} is not installed");
    }
    found
}

fn key(call: u32) -> IdempotencyKey {
    IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
}

fn shares(blue: u32, green: u32) -> Shares {
    let share = |percent: u32| Percent::from_hundredths(percent * 100);
    [("blue".to_owned(), share(blue)), ("green".to_owned(), share(green))].into()
}

fn to_nobody() -> Args {
    Args { target: "lb".to_owned(), ..Args::default() }
}

fn to(backend: &str, percent: u32) -> Args {
    let percent = Some(Arg::Known(Percent::from_hundredths(percent * 100)));
    Args { to: Some(Arg::Known(backend.to_owned())), percent, ..to_nobody() }
}
