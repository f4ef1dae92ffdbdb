//! What a probe makes of a real Prometheus, and of answers that a real one seldom gives.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::*;
use crate::model::Span;
use crate::primitives::probe::Status;
use crate::system::{System, free_ports};

/// A Prometheus of this machine that watches itself, every second.
struct Server {
    _dir: tempfile::TempDir,
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` where there is none: a failure where nobody would notice.
    #[expect(clippy::print_stderr, reason = "a test that cannot be made says so")]
    #[expect(clippy::disallowed_methods, reason = "a test starts its own server")]
    async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let [port] = free_ports().expect("a port");
        let config = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: self\n  static_configs:\n  - targets: ['127.0.0.1:{port}']\n"
        );
        std::fs::write(dir.path().join("prometheus.yml"), config).expect("writes");
        let mut command = Command::new("prometheus");
        command.current_dir(dir.path()).args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let child = match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => {
                assert_ne!(
                    std::env::var("CI").as_deref(),
                    Ok("true"),
                    "prometheus is needed to test its driver: {error}"
                );
                eprintln!("NOT TESTED: there is no prometheus on this machine ({error})");
                return None;
            }
        };
        let mut server = Self { _dir: dir, child, url: format!("http://127.0.0.1:{port}") };
        // It is up when it has scraped itself for the first time.
        let up = Args {
            query: query("up"),
            equals: Some(Value::Int(1)),
            attempts: 1000,
            every: Span::from_millis(100),
            ..Args::of("metrics")
        };
        let found = server.probe(up).await.expect("it answers");
        if !found.ok {
            let _ = server.child.kill();
            let mut said = String::new();
            server.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
            panic!("prometheus did not come up: {} {said}", found.detail);
        }
        Some(server)
    }

    async fn probe(&self, args: Args) -> Result<Output, Fault> {
        probe(&self.url, args).await
    }
}

async fn probe(url: &str, args: Args) -> Result<Output, Fault> {
    let (name, url) = ("metrics".into(), url.into());
    let server = Prometheus { name, url, headers: BTreeMap::new(), timeout: Span::from_secs(20), ca: None };
    Observer::<Probe>::observe(&server, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
}

#[expect(clippy::unnecessary_wraps, reason = "the argument is one")]
fn query(text: &str) -> Option<Arg<String>> {
    Some(Arg::Known(text.to_owned()))
}

fn asking(text: &str) -> Args {
    Args { query: query(text), ..Args::of("metrics") }
}

#[tokio::test]
async fn a_real_server_answers_queries() {
    let Some(server) = Server::start().await else { return };
    let output = server.probe(Args::of("metrics")).await.expect("it answers");
    assert!(output.ok && output.detail.starts_with("ready in "), "{}", output.detail);
    let output = server.probe(asking("up{job=\"self\"} + 1.5")).await.expect("it answers");
    assert_eq!((output.status, output.value), (Status::Pass, Value::Float(2.5)));
    assert!(output.detail.contains("job=\"self\"") && output.detail.contains(" 2.5 in "), "{}", output.detail);
    let output = server.probe(asking("scalar(vector(7))")).await.expect("it answers");
    assert_eq!(output.value, Value::Int(7));
    let above = |query: &str, above: f64| Args { above: Some(Arg::Known(above)), ..asking(query) };
    let output = server.probe(above("vector(7)", 7.0)).await.expect("it answers");
    assert!(!output.ok && output.detail.ends_with(": expected more than 7"), "{}", output.detail);
    assert!(server.probe(above("vector(7)", 6.9)).await.expect("it answers").ok);
    let output = server.probe(above("no_such_metric", 0.0)).await.expect("it answers");
    assert_eq!((output.ok, output.down, output.value), (false, false, Value::Null));
    assert!(
        output.detail.starts_with("no series in ") && output.detail.ends_with(": expected one"),
        "{}",
        output.detail
    );
    let output = server.probe(above("0 * vector(1) / 0", 0.0)).await.expect("it answers");
    assert_eq!((output.ok, output.value), (false, Value::from("NaN")), "what is no number is above nothing");
    let several =
        "label_replace(vector(1), \"n\", \"a\", \"\", \"\") or label_replace(vector(3), \"n\", \"b\", \"\", \"\")";
    let output = server.probe(Args { below: Some(Arg::Known(2.0)), ..asking(several) }).await.expect("it answers");
    assert_eq!((output.ok, output.value), (false, Value::Int(3)), "of several, the one that is wrong");
    assert!(
        output.detail.starts_with("2 series in ") && output.detail.ends_with(": {n=\"b\"} 3: expected less than 2"),
        "{}",
        output.detail
    );
    for (wrong, why) in [("up{", "the query is refused: "), ("up[1m]", "gives a range of values")] {
        let fault = server.probe(asking(wrong)).await.expect_err("refused");
        assert!(fault.code == "probe-misuse" && fault.message.contains(why), "{}", fault.message);
    }
}

#[tokio::test]
async fn what_is_no_prometheus_is_not_down_and_nobody_is() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        for answer in ["<html>login</html>", r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#] {
            let (mut stream, _) = listener.accept().expect("accepts");
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 503 No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
            let _ = std::io::Write::write_all(&mut stream, format!("{head}{answer}").as_bytes());
        }
    });
    let output = probe(&url, asking("up")).await.expect("it answers");
    assert_eq!((output.ok, output.down, output.detail.as_str()), (false, false, "503: no answer of Prometheus"));
    let output = probe(&url, asking("up")).await.expect("it answers");
    assert_eq!(output.detail, "503: query timed out");
    serving.join().expect("it ends");
    let output = probe(&url, asking("up")).await.expect("it answers");
    assert_eq!((output.down, output.detail.as_str()), (true, "connection refused"));
}

#[test]
fn queries_are_written_as_urls_are() {
    assert_eq!(
        percent("sum(rate(a{b=\"c d\"}[5m])) > 1"),
        "sum%28rate%28a%7Bb%3D%22c%20d%22%7D%5B5m%5D%29%29%20%3E%201"
    );
}
