//! What one attempt of a probe found.

use std::time::Duration;

use super::{Args, Status};
use crate::model::{Span, Value};

/// How long a line for people may be, in characters.
const DETAIL: usize = 300;

/// What one attempt found: a short summary, then everything that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) status: Status,
    pub(super) answered: bool,
    pub(super) latency: Duration,
    pub(super) value: Value,
    summary: String,
    problems: Vec<String>,
}

impl Finding {
    /// Something answered, and nothing is wrong yet.
    pub(super) fn answered(latency: Duration, value: Value, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { status: Status::Pass, answered: true, latency, value, summary, problems: Vec::new() }
    }

    /// Nothing answered, because `why`.
    pub(super) fn silent(latency: Duration, why: impl Into<String>) -> Self {
        Self { status: Status::Fail, answered: false, ..Self::answered(latency, Value::Null, why) }
    }

    /// Something answered, but not in a way that counts.
    pub(super) fn useless(latency: Duration, why: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::answered(latency, Value::Null, why) }
    }

    /// Adds to the summary.
    pub(super) fn note(&mut self, note: &str) {
        self.summary.push_str(", ");
        self.summary.push_str(note);
    }

    pub(super) fn fail(&mut self, problem: impl Into<String>) {
        self.status = Status::Fail;
        self.problems.push(problem.into());
    }

    pub(super) fn warn(&mut self, problem: impl Into<String>) {
        self.status = self.status.max(Status::Warn);
        self.problems.push(problem.into());
    }

    /// What is wrong, so far.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Fails or warns if `over` says so of a limit that is given; a failure makes the warning needless.
    pub(super) fn limit<L: Copy>(
        &mut self,
        [warn, fail]: [Option<L>; 2],
        over: impl Fn(L) -> bool,
        problem: impl Fn(L) -> String,
    ) {
        if let Some(limit) = fail.filter(|limit| over(*limit)) {
            self.fail(problem(limit));
        } else if let Some(limit) = warn.filter(|limit| over(*limit)) {
            self.warn(problem(limit));
        }
    }

    /// Judges how long an answer took.
    pub(super) fn limit_latency(&mut self, args: &Args) {
        let latency = self.latency;
        if self.answered {
            let limits = [args.warn_latency, args.fail_latency];
            self.limit(limits, |limit| latency > limit.0, |limit| format!("slower than {limit}"));
        }
    }

    /// One line for people: what others wrote cannot break it or grow it.
    pub(super) fn detail(&self) -> String {
        let problems = self.problems.join("; ");
        let line = if problems.is_empty() { self.summary.clone() } else { format!("{}: {problems}", self.summary) };
        shorten(&line, DETAIL)
    }
}

/// A length of time for people; short ones are not rounded to nothing.
pub(super) fn took(time: Duration) -> String {
    if time < Duration::from_millis(1) { "under 1ms".to_owned() } else { Span(time).human() }
}

/// `text` in one line of at most `limit` characters.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    let mut line: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts_and_all_of_it_is_said() {
        let mut finding = Finding::answered(Duration::from_millis(12), Value::Int(500), "500 in 12ms");
        finding.warn("large");
        finding.fail("expected 2xx");
        finding.warn("old");
        assert_eq!(finding.status, Status::Fail);
        assert_eq!(finding.detail(), "500 in 12ms: large; expected 2xx; old");
    }

    #[test]
    fn a_limit_fails_before_it_warns() {
        let judge = |found: u32| {
            let mut finding = Finding::answered(Duration::ZERO, Value::Null, "found");
            finding.limit([Some(5), Some(9)], |limit| found > limit, |limit| format!("over {limit}"));
            (finding.status, finding.detail())
        };
        assert_eq!(judge(5), (Status::Pass, "found".to_owned()));
        assert_eq!(judge(9), (Status::Warn, "found: over 5".to_owned()));
        assert_eq!(judge(10), (Status::Fail, "found: over 9".to_owned()));
    }

    #[test]
    fn what_others_wrote_stays_one_short_line() {
        assert_eq!(shorten("a\nb\x1b[2J", 80), "a b [2J");
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöüß", 3), "äö…");
    }
}
