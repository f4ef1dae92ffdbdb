//! What ends an evaluation for good: a script can never catch it.

use serde::{Deserialize, Serialize};

use super::{Fault, Key, Site, Span};

/// The end of an evaluation. The first one latches; whatever the script does afterwards, this is the verdict.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "halt", rename_all = "kebab-case")]
pub enum Halt {
    /// Somebody asked the run to stop; what is owed is unwound.
    #[error("cancelled")]
    Cancelled,
    /// The run was over, and somebody has it undone.
    #[error("rolled back by {by}")]
    RolledBack {
        /// Who, as `user@host`.
        by: String,
    },
    /// The time for the whole run is over; what is owed is unwound.
    #[error("the run was to be over after {within}")]
    Deadline {
        /// How long it might take.
        within: Span,
    },
    /// A person is to answer, and nobody is there. The run goes on when the answer has come.
    #[error("for an answer to: {question}")]
    Waiting {
        /// The call that asks.
        key: Key,
        /// The question.
        question: String,
        /// The answers to choose from; empty for any text.
        choices: Vec<String>,
    },
    /// Somebody asked the run to stop at once, without unwinding.
    #[error("aborted")]
    Aborted,
    /// A person chose, after a fault, to leave things as they are.
    #[error("stopped after a fault, and left as it is: {fault}")]
    LeftAsIs {
        /// The fault after which the person chose.
        fault: Fault,
    },
    /// An effect was started and nobody knows whether it took place.
    #[error("{primitive} is in doubt: {why}")]
    InDoubt {
        /// The call.
        key: Key,
        /// Its primitive.
        primitive: String,
        /// Its targets.
        targets: Vec<String>,
        /// What is known.
        why: String,
    },
    /// A re-execution asked for something else than what was recorded.
    #[error("the script diverged at {key}: recorded {recorded}, requested {requested}")]
    Diverged {
        /// The call.
        key: Key,
        /// As the journal has it.
        recorded: String,
        /// As the script asks for it now.
        requested: String,
    },
    /// The run was stopped for longer than its leases hold; another run may have its targets.
    #[error("{why}")]
    LeaseLost {
        /// What is known.
        why: String,
    },
    /// The journal could not be written; no effect starts without it.
    #[error("the journal cannot be written: {why}")]
    Journal {
        /// What failed.
        why: String,
    },
    /// The host refused to do it: policy, configuration, protection.
    #[error("refused: {why}")]
    Refused {
        /// The reason.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It is held to a plan, and asks for a change that the plan does not have; what is owed is unwound.
    #[error("not as planned: {why}")]
    Unplanned {
        /// What is asked for, and what the plan has.
        why: String,
        /// Where.
        site: Site,
    },
    /// A plan cannot go on because the way depends on something it cannot know.
    #[error("the plan cannot go on: {why}")]
    Unplannable {
        /// What was asked of the unknown value.
        why: String,
        /// Where.
        site: Site,
        /// What to do.
        hint: Option<String>,
    },
    /// The runbook itself is wrong: a call with arguments that no driver could take, a limit exceeded.
    #[error("{why}")]
    Mistake {
        /// What is wrong.
        why: String,
        /// Where.
        site: Site,
        /// What to do.
        hint: Option<String>,
    },
    /// Another branch of the same `parallel` failed: this branch ends, and nothing but this branch.
    #[error("stopped, because another branch failed")]
    Stopped,
    /// A mistake of ours.
    #[error("internal error: {why}")]
    Internal {
        /// What went wrong.
        why: String,
    },
}

impl Halt {
    /// Whether what is owed is unwound after it.
    pub fn unwinds(&self) -> bool {
        matches!(
            self,
            Halt::Cancelled
                | Halt::RolledBack { .. }
                | Halt::Deadline { .. }
                | Halt::Mistake { .. }
                | Halt::Unplanned { .. }
        )
    }
}
