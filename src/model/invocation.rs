//! A call of a primitive, and what came of it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fault, Key, Unknown, Value};

/// A place in a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// The file, relative to the project where it can be.
    pub file: Arc<str>,
    /// The line, from 1; 0 where the place is not known.
    pub line: u32,
    /// The column, from 1, in characters; 0 where it is not known.
    pub column: u32,
}

impl Hash for Site {
    /// Line and column tell almost all places apart, and take a fraction of the time that the file's name would.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((u64::from(self.line) << 32) | u64::from(self.column));
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            // Better no place than a wrong one.
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// A call of a primitive at its place in the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// Its place in the run; hierarchical, and stable under re-execution.
    pub key: Key,
    /// Its place in the script.
    pub site: Site,
    /// The primitive's name.
    pub primitive: &'static str,
    /// The arguments by name, a map.
    pub args: Value,
    /// Whether the call stands inside a `try`: the script expects that it may fail.
    pub guarded: bool,
}

/// What the script sees of a call: a value, or a fault that it may catch.
pub type Outcome = Result<Value, Fault>;

/// A call that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Performed {
    /// What the script sees.
    pub outcome: Outcome,
    /// Whether a change was intended. From here on the enclosing steps owe their rollbacks.
    pub changed: bool,
}

impl Performed {
    /// A call that intended no change.
    pub fn unchanged(outcome: Outcome) -> Self {
        Self { outcome, changed: false }
    }
}

/// How a call with a body (`wait_until`, `hold`, `retry`) repeats it.
#[derive(Clone, Debug, PartialEq)]
pub enum Repeat {
    /// Until the body returns `true`, at most for `timeout`.
    Until {
        /// How long to go on.
        timeout: Duration,
        /// The pause between attempts.
        every: Duration,
    },
    /// For `time`, as long as the body returns `true`.
    Hold {
        /// How long it must hold.
        time: Duration,
        /// The pause between attempts.
        every: Duration,
        /// How many attempts in a row may fail.
        tolerate: u32,
    },
    /// Until the body does not fail, at most `times` times.
    Retry {
        /// The number of attempts in all.
        times: u32,
        /// The pause before the second attempt.
        every: Duration,
        /// What the pause is multiplied by after each attempt.
        backoff: f64,
    },
}

/// A condition on a value that is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Where it is asked.
    pub site: Site,
    /// The condition as text, such as `‹probe:web.latency_ms› > 200`.
    pub condition: String,
    /// In how many ways it can be answered; 2 for yes (0) and no (1).
    pub answers: usize,
    /// What is compared with what, where that is all the condition says.
    pub comparison: Option<Comparison>,
}

/// A comparison of a value that is not known with one that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The unknown value as it prints.
    pub unknown: Unknown,
    /// `==`, `!=`, `<`, `<=`, `>` or `>=`, with the unknown value on its left.
    pub operator: &'static str,
    /// The other value.
    pub value: Value,
}
