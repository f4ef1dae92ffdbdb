//! `sleep`: lets time pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Arg, Case, Fault, IdempotencyKey, Impact, ImpactKind, Span, Symbol, Value};
use crate::system::{Act, Look};

use super::{Driver, Evidence, NoTarget, Preview, Primitive, Reconciled, TargetArg};

/// The contract of `sleep`.
#[derive(Clone, Copy, Debug)]
pub struct Sleep;

/// Waits so long, unless the run is cancelled. To wait for something, `wait_until` is the better choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How long, such as `"30s"`.
    pub duration: Arg<Span>,
}

impl Primitive for Sleep {
    const NAME: &'static str = "sleep";
    const SUMMARY: &'static str = "lets time pass";
    const POSITIONAL: &'static [&'static str] = &["duration"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"sleep("30s")"#;
    type Args = Args;
    type Output = ();

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Wait)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("done", Value::Null)]
    }
}

impl Driver<Sleep> for NoTarget {
    const EVIDENCE: Evidence = Evidence::NotNeeded;

    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        Ok(Preview::new(Symbol::Wait, args.duration.to_string()).output(Value::Null))
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<(), Fault> {
        let Arg::Known(duration) = &args.duration else {
            return Err(Fault::new("argument", format!("sleep: {} is not known", args.duration)));
        };
        let interrupted = |_| Fault::new("interrupted", format!("interrupted while waiting for {duration}"));
        act.sleep(duration.0.saturating_sub(act.waited())).await.map_err(interrupted)
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<()> {
        Reconciled::NotApplied { evidence: "waiting changes nothing, and may be done again".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Key;
    use crate::primitives::Registry;
    use crate::system::System;

    fn key() -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT)
    }

    fn args(duration: Span) -> Args {
        Args { duration: Arg::Known(duration) }
    }

    fn act() -> Act {
        Act::grant(&Look::new(Arc::new(System::new("/nowhere".into()))))
    }

    #[tokio::test]
    async fn it_goes_on_when_the_time_is_over() {
        Driver::<Sleep>::perform(&NoTarget, &args(Span::from_millis(1)), &act(), &key())
            .await
            .expect("nobody interrupts");
    }

    #[tokio::test]
    async fn it_waits_until_the_run_is_cancelled() {
        let (act, key, args) = (act(), key(), args(Span::from_secs(86_400)));
        let mut waiting = std::pin::pin!(Driver::<Sleep>::perform(&NoTarget, &args, &act, &key));
        tokio::select! {
            biased;
            ended = &mut waiting => panic!("a day is not over yet: {ended:?}"),
            () = std::future::ready(()) => act.cancel().request(),
        }
        let fault = waiting.await.expect_err("interrupted");
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("interrupted", "interrupted while waiting for 1d"));
    }

    #[tokio::test]
    async fn a_plan_shows_how_long() {
        let look = Look::new(Arc::new(System::new("/nowhere".into())));
        let preview = Driver::<Sleep>::preview(&NoTarget, &args(Span::from_secs(90)), &look).await.expect("shown");
        assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Wait, "1m30s"));
    }

    #[test]
    fn it_returns_nothing_and_refuses_what_is_no_duration() {
        let registry = Registry::empty().driver_without_target::<Sleep>();
        let sleep = registry.signature("sleep").expect("declared");
        let args = Value::encode(&args(Span::from_secs(1)));
        assert_eq!(sleep.assumed_output(&args, &Value::Null), Value::Null);
        let wrong = Value::from_json(serde_json::json!({ "duration": 5 }));
        assert!(sleep.impact(&wrong).expect_err("5 is no duration").starts_with("`duration`"));
    }
}
