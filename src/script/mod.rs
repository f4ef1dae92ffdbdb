//! Floor 3: the only module that names Rhai. Compiles runbooks, checks them, and evaluates them against a [`World`].
//!
//! Rhai lets scripts catch even terminations (through `map`, `filter`, `sort`), so a halt *latches* in the host: from then on
//! every call fails, and the verdict is read from the host, never from Rhai's error.
//!
//! [`World`]: crate::model::World

mod branch;
mod call;
mod check;
mod child;
mod convert;
mod during;
mod engine;
mod errors;
mod evaluate;
mod forks;
mod front_matter;
mod host;
mod incomplete;
mod lists;
mod marks;
mod modules;
mod parallel;
mod params;
mod policy;
mod repeat;
mod secret;
mod session;
mod source;
mod steps;
mod texts;
mod unit_test;
mod unknown;
mod unwind;

pub use check::{
    Diagnostic, NamedTarget, Outline, OutlinedCall, OutlinedFunction, Severity, check, named_targets, outline, outlines,
};
pub use evaluate::{Evaluation, Evaluator, evaluate, on_deep_stack};
pub use front_matter::{FrontMatter, Scenario};
pub use incomplete::is_incomplete;
pub use modules::ModuleFunction;
pub use params::{Param, ParamType, Params};
pub use policy::{Policy, PolicyBroken};
pub use session::{Input, Session, Unread};
pub use source::{Library, STDLIB, Script, ScriptError, SourceFile, SourceMap};

pub use unit_test::{Failure, PlayError, Stage, TestEnd, TestFile, TestName};

#[cfg(test)]
mod tests;
