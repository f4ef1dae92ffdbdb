//! What is counted in real files.
#![expect(clippy::disallowed_methods, reason = "tests write the logs that are read")]

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::primitives::probe::Status;
use crate::system::{Clock as SystemClock, System};

const NOW: &str = "2026-03-01T12:00:00Z";

/// It is always the same moment.
#[derive(Debug)]
struct Noon;

impl SystemClock for Noon {
    fn now(&self) -> Timestamp {
        NOW.parse().expect("a time")
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(1)
    }
}

struct Bench {
    dir: tempfile::TempDir,
    limit: u64,
}

impl Bench {
    fn new(text: &str) -> Self {
        let bench = Self { dir: tempfile::tempdir().expect("a directory"), limit: 64 << 20 };
        bench.write("app.log", text);
        bench
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).expect("writes");
    }

    async fn probe(&self, args: Args) -> Output {
        let path = self.dir.path().join("app.log");
        let log = LogFile { name: "app".into(), path, time_zone: TimeZone::UTC, read_limit: self.limit };
        let mut system = System::new(PathBuf::new());
        system.clock = Arc::new(Noon);
        Observer::<Probe>::observe(&log, &args, &Look::new(Arc::new(system))).await.expect("it answers")
    }
}

fn errors() -> Args {
    Args { matching: Some(Arg::Known("ERROR".to_owned())), ..Args::of("app") }
}

fn at_most(most: f64) -> Args {
    Args { at_most: Some(Arg::Known(most)), ..errors() }
}

/// One line every second until noon, the last one a second before; every tenth is an error.
fn busy(seconds: i64) -> String {
    let noon: Timestamp = NOW.parse().expect("a time");
    (1..=seconds).rev().fold(String::new(), |mut text, ago| {
        let at = noon.checked_sub(Duration::from_secs(u64::try_from(ago).expect("positive"))).expect("a time");
        let level = if ago % 10 == 0 { "ERROR" } else { "INFO" };
        let _ = writeln!(text, "{at} {level} request {ago} took a while");
        text
    })
}

#[tokio::test]
async fn the_lines_of_the_last_minutes_are_counted() {
    let bench = Bench::new(&busy(1000));
    let output = bench.probe(errors()).await;
    assert_eq!((output.status, output.value), (Status::Pass, Value::Int(30)), "five minutes if none are given");
    assert_eq!(output.detail, "30 of 300 lines within 5m match");
    let output = bench.probe(Args { within: Some(Span::from_secs(60)), ..at_most(5.0) }).await;
    assert_eq!(
        (output.status, output.detail.as_str()),
        (Status::Fail, "6 of 60 lines within 1m match: expected at most 5")
    );
    assert_eq!(bench.probe(Args { within: Some(Span::from_secs(5)), ..at_most(0.0) }).await.status, Status::Pass);
    assert_eq!(bench.probe(Args::of("app")).await.detail, "300 lines within 5m");
    let shaped = Args { matching: Some(Arg::Known("INFO*request 7 took".to_owned())), ..Args::of("app") };
    assert_eq!(bench.probe(shaped).await.value, Value::Int(1), "a star stands for anything");
}

#[tokio::test]
async fn a_stack_trace_is_part_of_its_line() {
    let bench = Bench::new(
        "2026-03-01T11:00:00Z ok\n    at old ERROR\n2026-03-01T11:59:00Z boom\n    at new ERROR\n    at x\n",
    );
    let output = bench.probe(errors()).await;
    assert_eq!((output.value, output.detail.as_str()), (Value::Int(1), "1 of 3 line within 5m match"));
}

#[tokio::test]
async fn of_a_large_file_only_the_end_is_read() {
    let old = format!("{}\n", "2026-03-01T01:00:00Z ERROR long ago".repeat(3)).repeat(20_000);
    let bench = Bench::new(&format!("{old}{}", busy(600)));
    assert_eq!(bench.probe(errors()).await.value, Value::Int(30));
    let bench = Bench { limit: 4096, ..bench };
    let output = bench.probe(at_most(3.0)).await;
    assert_eq!(output.status, Status::Fail, "what was read is too much already: {}", output.detail);
    let output = bench.probe(at_most(30.0)).await;
    assert_eq!(output.status, Status::Warn, "nobody knows: {}", output.detail);
    assert!(output.detail.contains("only its last 4096 bytes were read, back to 11:58:"), "{}", output.detail);
}

#[tokio::test]
async fn what_was_rotated_away_a_moment_ago_counts() {
    let lines = busy(200);
    let (before, after) = lines.split_at(lines.find("2026-03-01T11:58:30").expect("that line"));
    let bench = Bench::new(after);
    bench.write("app.log.1", before);
    assert_eq!(bench.probe(Args::of("app")).await.value, Value::Int(200));
    bench.write("app.log", "");
    assert_eq!(bench.probe(Args::of("app")).await.value, Value::Int(110));
}

#[tokio::test]
async fn a_log_that_cannot_be_judged_says_why() {
    let bench = Bench::new("no time\nat all\n");
    let output = bench.probe(errors()).await;
    assert_eq!((output.status, output.down), (Status::Fail, false));
    assert_eq!(output.detail, "no line bears a time that can be read");
    let bench = Bench::new("2026-03-01T13:00:00+00:00 ok\n");
    let output = bench.probe(errors()).await;
    assert!(
        output.detail.ends_with("its clock is 1h 00m ahead of ours: is its `time_zone` right?"),
        "{}",
        output.detail
    );
    let bench = Bench::new("");
    assert_eq!(bench.probe(at_most(0.0)).await.status, Status::Pass);
    std::fs::remove_file(bench.dir.path().join("app.log")).expect("removes");
    let output = bench.probe(errors()).await;
    assert_eq!((output.down, output.detail.as_str()), (true, "no such file or directory"));
}
