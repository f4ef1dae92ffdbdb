//! How an evaluation ended.

use serde::{Deserialize, Serialize};

use super::{Fault, Halt, Value};

/// The end of an evaluation, read from the host and never from the script's own error.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The script came to its end.
    Completed(Value),
    /// A fault left the script; what was owed was unwound.
    Failed {
        /// The fault.
        fault: Fault,
        /// The rollbacks that ran, in their order.
        unwound: Vec<UnwoundStep>,
        /// A halt that ended the unwinding early.
        unwinding_halted: Option<Halt>,
    },
    /// The evaluation was ended; what was owed was unwound where the halt allows it.
    Halted {
        /// Why.
        halt: Halt,
        /// The rollbacks that ran, in their order.
        unwound: Vec<UnwoundStep>,
        /// The titles of the steps that are still owed.
        owed: Vec<String>,
    },
}

/// One rollback that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnwoundStep {
    /// The step's title.
    pub title: String,
    /// Why its rollback failed, if it did.
    pub fault: Option<Fault>,
}
