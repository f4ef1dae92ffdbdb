//! `probe` for a log: how many of its latest lines match.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::attempts::attempts;
use super::expect::expect;
use super::finding::Finding;
use super::misuse::{check, misuse};
use super::stamp::stamp;
use super::{Args, Output, Probe};
use crate::model::{Arg, Fault, Span, Value};
use crate::primitives::Observer;
use crate::primitives::targets::{LogFile, matches};
use crate::system::Look;

const TAKES: [&str; 7] = ["matching", "within", "equals", "at_least", "at_most", "above", "below"];
/// How far back it looks, unless another time is given.
const WITHIN: Span = Span::from_secs(300);
/// How much is read at a time, from the end to the beginning.
const CHUNK: u64 = 256 << 10;
/// Lines from so far in the future show that a clock or a time zone is wrong.
const AHEAD: Duration = Duration::from_secs(300);

impl Observer<Probe> for LogFile {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a log", &TAKES)?;
        if args.within == Some(Span::default()) {
            return Err(misuse(args, "`within` is 0: nothing is written within no time"));
        }
        let timeout = args.timeout.map_or(Duration::from_secs(10), |timeout| timeout.0);
        attempts(args, look, || {
            let (log, asked, eyes) = (self.clone(), args.clone(), look.clone());
            async move {
                let started = look.monotonic();
                let now = look.now();
                let work = tokio::task::spawn_blocking(move || log.count(&asked, now, &eyes));
                let counted = tokio::time::timeout(timeout, work).await;
                let latency = look.monotonic().saturating_sub(started);
                Ok(match counted {
                    Ok(Ok(Ok(counted))) => judge(args, &counted, self.read_limit, latency),
                    Ok(Ok(Err(error))) => Finding::silent(latency, plain(&error)),
                    Ok(Err(_)) => Finding::silent(latency, "the log could not be read"),
                    Err(_) => Finding::silent(latency, "timed out"),
                })
            }
        })
        .await
    }
}

/// What was found in the latest lines.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    /// Lines of the time in question that match.
    matching: i64,
    /// All lines of that time.
    lines: i64,
    /// Whether all of that time was read.
    whole: bool,
    /// The first line that was read.
    from: Option<Timestamp>,
    /// How far the newest line is ahead of our clock.
    ahead: Duration,
    /// Whether there is anything in the log at all.
    empty: bool,
}

impl LogFile {
    /// Counts from the end to the beginning, as far as the time in question or the limit goes.
    fn count(&self, args: &Args, now: Timestamp, look: &Look) -> io::Result<Counted> {
        let since = now.checked_sub(args.within.unwrap_or(WITHIN).0).unwrap_or(Timestamp::MIN);
        let clock = Clock { zone: self.time_zone.clone(), now, since };
        let mut tail = clock.tail(look, &self.path, self.read_limit)?;
        // The file was begun within that time: logrotate has put the lines before into another one.
        if tail.whole && tail.first.is_none_or(|first| first > since) {
            let mut before = self.path.clone().into_os_string();
            before.push(".1");
            let room = self.read_limit.saturating_sub(tail.text.len() as u64);
            if let Ok(older) = clock.tail(look, &PathBuf::from(before), room) {
                tail.text.splice(0..0, older.text);
                tail.first = older.first.or(tail.first);
                tail.whole = older.whole;
            }
        }
        Ok(clock.lines(args, &tail))
    }
}

/// What tells which lines are of the time in question.
struct Clock {
    zone: TimeZone,
    now: Timestamp,
    since: Timestamp,
}

/// The end of a file, in whole lines.
struct Tail {
    text: Vec<u8>,
    /// The time of the first of them.
    first: Option<Timestamp>,
    /// Whether nothing before it is of the time in question.
    whole: bool,
}

impl Clock {
    fn stamp(&self, line: &[u8]) -> Option<Timestamp> {
        stamp(&String::from_utf8_lossy(&line[..line.len().min(1024)]), &self.zone, self.now)
    }

    fn first(&self, text: &[u8]) -> Option<Timestamp> {
        text.split(|b| *b == b'\n').find_map(|line| self.stamp(line))
    }

    /// Reads from the end until a line is older than the time in question, or the limit is reached.
    fn tail(&self, look: &Look, path: &Path, limit: u64) -> io::Result<Tail> {
        let mut file = look.open(path)?;
        let length = file.len()?;
        let (mut at, mut chunks) = (length, Vec::<Vec<u8>>::new());
        loop {
            let from = at.saturating_sub(CHUNK).max(length.saturating_sub(limit));
            let mut chunk = vec![0; usize::try_from(at - from).unwrap_or_default()];
            file.seek(SeekFrom::Start(from))?;
            file.read_exact(&mut chunk)?;
            at = from;
            let old = self.first(after_first_line(&chunk, at)).is_some_and(|first| first < self.since);
            chunks.push(chunk);
            if at == 0 || old || length - at >= limit {
                let mut text: Vec<u8> = chunks.into_iter().rev().flatten().collect();
                text.drain(..text.len() - after_first_line(&text, at).len());
                let first = self.first(&text);
                return Ok(Tail { text, first, whole: at == 0 || old });
            }
        }
    }

    /// A line without a time belongs to the one before it, as the lines of a stack trace do.
    fn lines(&self, args: &Args, tail: &Tail) -> Counted {
        let pattern = args.matching.as_ref().and_then(Arg::known).map(|pattern| format!("*{pattern}*"));
        let mut counted =
            Counted { whole: tail.whole, from: tail.first, empty: tail.text.is_empty(), ..Counted::default() };
        let mut within = false;
        for line in tail.text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            if let Some(at) = self.stamp(line) {
                within = at >= self.since;
                counted.ahead = counted.ahead.max(Duration::try_from(at.duration_since(self.now)).unwrap_or_default());
            }
            if within {
                counted.lines += 1;
                let hit = pattern.as_ref().is_none_or(|pattern| matches(pattern, &String::from_utf8_lossy(line)));
                counted.matching += i64::from(hit);
            }
        }
        counted
    }
}

/// Without the rest of a line that was cut in two.
fn after_first_line(text: &[u8], at: u64) -> &[u8] {
    if at == 0 {
        return text;
    }
    let end = text.iter().position(|b| *b == b'\n');
    end.map_or(&[], |end| &text[end + 1..])
}

fn judge(args: &Args, counted: &Counted, limit: u64, latency: Duration) -> Finding {
    if counted.from.is_none() && !counted.empty {
        return Finding::useless(latency, "no line bears a time that can be read");
    }
    let within = args.within.unwrap_or(WITHIN);
    let value = Value::Int(counted.matching);
    let plural = if counted.matching == 1 { "line" } else { "lines" };
    let summary = match &args.matching {
        Some(_) => format!("{} of {} {plural} within {within} match", counted.matching, counted.lines),
        None => format!("{} {plural} within {within}", counted.matching),
    };
    let mut finding = Finding::answered(latency, value.clone(), summary);
    expect(args, Some(&value), &mut finding);
    if !counted.whole {
        let back = counted.from.map_or(String::new(), |from| format!(", back to {}", from.strftime("%H:%M:%SZ")));
        finding.warn(format!("only its last {limit} bytes were read{back}"));
    }
    if counted.ahead > AHEAD {
        let ahead = Span(Duration::from_secs(counted.ahead.as_secs())).human();
        finding.warn(format!("its clock is {ahead} ahead of ours: is its `time_zone` right?"));
    }
    finding
}

fn plain(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
