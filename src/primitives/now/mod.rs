//! `now`: what time it is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Case, Fault, Impact, ImpactKind, Value};
use crate::system::Look;

use super::{NoTarget, Observer, Primitive, TargetArg};

/// The contract of `now`.
#[derive(Clone, Copy, Debug)]
pub struct Now;

/// Looks at the clock of the machine that runs the runbook. A plan does not know the time of the run; a resumed run sees
/// the time that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {}

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// As RFC 3339 has it, UTC, to the millisecond: `2026-11-20T20:56:09.120Z`.
    pub iso: String,
    /// Milliseconds since 1970-01-01T00:00:00Z, to compute with.
    pub epoch_ms: i64,
}

impl Primitive for Now {
    const NAME: &'static str = "now";
    const SUMMARY: &'static str = "looks at the clock";
    const POSITIONAL: &'static [&'static str] = &[];
    const TARGET: Option<TargetArg> = None;
    const FLEETING: bool = true;
    const EXAMPLE: &'static str = "let began = now(); log(`began at ${began.iso}`)";
    type Args = Args;
    type Output = Moment;

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Look)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("now", Value::Map(BTreeMap::new()))]
    }
}

impl Observer<Now> for NoTarget {
    async fn observe(&self, _: &Args, look: &Look) -> Result<Moment, Fault> {
        let now = look.now();
        Ok(Moment { iso: format!("{now:.3}"), epoch_ms: now.as_millisecond() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::primitives::Registry;
    use crate::system::{Clock, System};

    #[derive(Debug)]
    struct Stopped(Timestamp);

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[tokio::test]
    async fn both_forms_are_the_same_moment_to_the_millisecond() {
        let at: Timestamp = "2026-11-20T22:56:09.1239+02:00".parse().expect("a moment");
        let mut system = System::new("/nowhere".into());
        system.clock = Arc::new(Stopped(at));
        let moment =
            Observer::<Now>::observe(&NoTarget, &Args {}, &Look::new(Arc::new(system))).await.expect("a clock");
        assert_eq!(moment, Moment { iso: "2026-11-20T20:56:09.123Z".into(), epoch_ms: 1_795_208_169_123 });
    }

    #[test]
    fn a_plan_does_not_know_the_time_of_the_run() {
        let registry = Registry::empty().observer_without_target::<Now>();
        let now = registry.signature("now").expect("declared");
        let nothing = Value::Map(BTreeMap::new());
        assert_eq!(now.impact(&nothing), Ok(Impact::of(ImpactKind::Look)));
        assert_eq!(now.assumed_output(&nothing, &nothing).to_string(), "{ epoch_ms: ‹now.epoch_ms›, iso: ‹now.iso› }");
    }
}
