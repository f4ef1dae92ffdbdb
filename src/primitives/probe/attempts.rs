//! Attempts of a probe, until one does not fail.

use super::finding::Finding;
use super::{Args, Output, Status};
use crate::model::Fault;
use crate::system::{Interrupted, Look};

/// Makes attempts until one does not fail. The last one is what is reported; a target is down only if none was answered.
pub(super) async fn attempts<F: Future<Output = Result<Finding, Fault>> + Send>(
    args: &Args,
    look: &Look,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<Output, Fault> {
    let interrupted = |_: Interrupted| {
        Fault::new("interrupted", format!("interrupted while probing {}", args.target)).on(&args.target)
    };
    let (mut answered, mut number) = (false, 0);
    loop {
        number += 1;
        let mut finding = look.unless_cancelled(attempt()).await.map_err(interrupted)??;
        finding.limit_latency(args);
        answered |= finding.answered;
        if finding.status != Status::Fail || number >= args.attempts {
            return Ok(output(&finding, answered, number));
        }
        look.sleep(args.every.0).await.map_err(interrupted)?;
    }
}

fn output(finding: &Finding, answered: bool, attempts: u32) -> Output {
    let detail = finding.detail();
    let micros = finding.latency.as_micros();
    Output {
        status: finding.status,
        ok: finding.status != Status::Fail,
        down: !answered,
        latency_ms: f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0,
        value: finding.value.clone(),
        detail: if answered && !finding.answered {
            format!("{detail} (an earlier attempt was answered)")
        } else {
            detail
        },
        attempts,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{Span, Value};
    use crate::system::System;

    fn look() -> Look {
        Look::new(Arc::new(System::new(PathBuf::new())))
    }

    fn args(attempts: u32) -> Args {
        Args { attempts, every: Span::from_millis(1), ..Args::of("web") }
    }

    fn pass() -> Finding {
        Finding::answered(Duration::from_micros(1_500), Value::Int(200), "200")
    }

    /// Probes with these findings, one after the other.
    async fn probe(args: Args, findings: Vec<Finding>) -> Output {
        let mut findings = findings.into_iter();
        let next = || std::future::ready(Ok(findings.next().expect("no attempt too many")));
        attempts(&args, &look(), next).await.expect("answers")
    }

    #[tokio::test]
    async fn the_first_attempt_that_does_not_fail_is_the_last() {
        let bad = || Finding::useless(Duration::ZERO, "503");
        let output = probe(args(5), vec![bad(), bad(), pass()]).await;
        assert_eq!((output.attempts, output.status, output.ok, output.down), (3, Status::Pass, true, false));
        assert!((output.latency_ms - 1.5).abs() < 1e-9);
        let output = probe(args(2), vec![bad(), bad()]).await;
        assert_eq!((output.attempts, output.status, output.ok, output.down), (2, Status::Fail, false, false));
    }

    #[tokio::test]
    async fn down_is_a_target_that_never_answered() {
        let silent = || Finding::silent(Duration::ZERO, "timed out");
        assert!(probe(args(2), vec![silent(), silent()]).await.down);
        let output = probe(args(2), vec![Finding::useless(Duration::ZERO, "503"), silent()]).await;
        assert!(!output.down);
        assert_eq!(output.detail, "timed out (an earlier attempt was answered)");
    }

    #[tokio::test]
    async fn a_slow_answer_warns_or_fails() {
        let limits = |warn, fail| Args { warn_latency: Some(warn), fail_latency: Some(fail), ..args(1) };
        let output = probe(limits(Span::from_millis(1), Span::from_millis(2)), vec![pass()]).await;
        assert_eq!((output.status, output.ok, output.detail.as_str()), (Status::Warn, true, "200: slower than 1ms"));
        let output = probe(limits(Span::from_millis(0), Span::from_millis(1)), vec![pass()]).await;
        assert_eq!((output.status, output.down), (Status::Fail, false));
    }

    #[tokio::test]
    async fn a_run_that_is_asked_to_stop_does_not_wait_for_the_answer() {
        let look = look();
        look.cancel().request();
        let fault = attempts(&args(1), &look, std::future::pending::<Result<Finding, Fault>>).await;
        assert_eq!(fault.expect_err("interrupted").code, "interrupted");
    }
}
