//! `maintenance`: whether a service is closed to its users, and closing or opening it.

mod http;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::{After, Primitive, Side, TargetArg};

/// The contract of `maintenance`.
#[derive(Clone, Copy, Debug)]
pub struct Maintenance;

/// Closes a service to its users, opens it again, or says which it is. Always gives the state before the call, so that a
/// rollback can bring back what was there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service.
    pub target: String,
    /// The state that it should have. Without it, the call only looks.
    #[serde(default)]
    pub state: Option<State>,
}

/// Whether a service is in maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Closed to its users.
    On,
    /// Open.
    Off,
}

impl State {
    /// As scripts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::On => "on",
            State::Off => "off",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Maintenance {
    /// The side of a service that calls read and set.
    pub(crate) const SIDE: &'static str = "maintenance";
}

impl Primitive for Maintenance {
    const NAME: &'static str = "maintenance";
    const SUMMARY: &'static str = "closes a service to its users or opens it; gives the state before";
    const POSITIONAL: &'static [&'static str] = &["target", "state"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"let before = maintenance("web", "on");"#;
    const DECLARES_STATE: bool = true;
    type Args = Args;
    type Output = State;

    fn impact(args: &Args) -> Impact {
        let kind = if args.state.is_some() { ImpactKind::Change } else { ImpactKind::Look };
        Impact::on(kind, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let off = Case::returns("off", Value::from("off"));
        let on = Case::returns("on", Value::from("on"));
        let failed = Case::fails("failed", "maintenance-failed", Applied::No);
        // The rename that makes the change can succeed and the flush after it fail.
        let applied = Case::fails("failed-applied", "maintenance-failed", Applied::Yes);
        match args.state {
            None => vec![off, on, failed],
            Some(State::On) => vec![off, on, failed, applied],
            Some(State::Off) => vec![on, off, failed, applied],
        }
    }

    fn sides(args: &Args, output: Option<&Value>) -> Vec<Side> {
        let (name, before) = (Self::SIDE, output.cloned());
        vec![match args.state {
            None => Side::looked(name, before),
            Some(state) => Side::set(name, before, After::Is(state.as_str().into())),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaseResult;
    use crate::primitives::targets::HttpService;
    use crate::primitives::{ArgType, Registry};

    fn args(state: Option<State>) -> Args {
        Args { target: "web".to_owned(), state }
    }

    #[test]
    fn it_looks_without_a_state_and_changes_with_one() {
        assert_eq!(Maintenance::impact(&args(None)).kind, ImpactKind::Look);
        assert_eq!(Maintenance::impact(&args(Some(State::Off))).kind, ImpactKind::Change);
    }

    #[test]
    fn the_likely_case_of_a_change_is_that_it_changes_something() {
        let likely = |state| Maintenance::cases(&args(state)).remove(0).result;
        assert_eq!(likely(None), CaseResult::Returns(Value::from("off")));
        assert_eq!(likely(Some(State::On)), CaseResult::Returns(Value::from("off")));
        assert_eq!(likely(Some(State::Off)), CaseResult::Returns(Value::from("on")));
    }

    #[test]
    fn scripts_see_two_texts() {
        let registry = Registry::empty().driver::<Maintenance, HttpService>();
        let signature = registry.signature("maintenance").expect("it is declared");
        let ArgType::Choice(choices) = &signature.output else { panic!("{:?} is not a choice", signature.output) };
        assert_eq!(choices, &["on", "off"]);
        assert_eq!(signature.arg("state").expect("it has a state").kind, signature.output);
        assert!(!signature.arg("state").expect("it has a state").required);
    }
}
