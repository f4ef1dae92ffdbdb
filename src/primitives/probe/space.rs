//! How full something is: disks and memory.

use std::time::Duration;

use super::finding::Finding;
use super::misuse::{below, misuse};
use super::{Args, Output};
use crate::model::{Fault, Value};
use crate::system::Look;

use super::attempts::attempts;

const WARN: f64 = 80.0;
const FAIL: f64 = 90.0;

/// The options that limit how full something may be.
pub(super) const LIMITS: [&str; 3] = ["warn_percent", "fail_percent", "min_free"];

/// Bytes of a disk or of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) total: u64,
    pub(super) free: u64,
}

/// What is used at most, in per cent: [warn, fail]. A limit that is given moves the other one's default out of its way.
pub(super) fn limits(args: &Args) -> Result<[Option<f64>; 2], Fault> {
    for (name, percent) in [("warn_percent", args.warn_percent), ("fail_percent", args.fail_percent)] {
        if let Some(percent) = percent.filter(|p| !(0.0..=100.0).contains(p)) {
            return Err(misuse(args, format!("`{name}` is {percent}: it must be from 0 to 100")));
        }
    }
    below(args, "warn_percent", args.warn_percent, "fail_percent", args.fail_percent)?;
    let warn = args.warn_percent.or(Some(WARN).filter(|warn| args.fail_percent.is_none_or(|fail| *warn < fail)));
    let fail = args.fail_percent.or(Some(FAIL).filter(|fail| args.warn_percent.is_none_or(|warn| warn < *fail)));
    Ok([warn, fail])
}

/// Makes attempts of measuring with `measure`, which blocks and may hang (a file system of a server that is gone): it gets a
/// thread, and `args.timeout` or 5 s.
pub(super) async fn measure_space<M>(args: &Args, look: &Look, what: &'static str, measure: M) -> Result<Output, Fault>
where
    M: Fn(&Look) -> std::io::Result<Space> + Clone + Send + Sync + 'static,
{
    let limits = limits(args)?;
    let timeout = args.timeout.map_or(Duration::from_secs(5), |timeout| timeout.0);
    attempts(args, look, || {
        let (measure, eyes) = (measure.clone(), look.clone());
        async move {
            let started = look.monotonic();
            let measured = tokio::time::timeout(timeout, tokio::task::spawn_blocking(move || measure(&eyes))).await;
            let latency = look.monotonic().saturating_sub(started);
            Ok(match measured {
                Ok(Ok(Ok(space))) => judge(args, space, limits, what, latency),
                Ok(Ok(Err(error))) => Finding::silent(latency, io_message(&error)),
                Ok(Err(_)) => Finding::silent(latency, format!("{what} could not be measured")),
                Err(_) => Finding::silent(latency, "timed out"),
            })
        }
    })
    .await
}

fn judge(args: &Args, space: Space, limits: [Option<f64>; 2], what: &str, latency: Duration) -> Finding {
    let Space { total, free } = space;
    if total == 0 {
        return Finding::useless(latency, format!("{what} has no size: nothing can be measured"));
    }
    let used = percent(total.saturating_sub(free), total);
    let summary = format!("{what} {used}% used, {} of {} free", bytes(free), bytes(total));
    let mut finding = Finding::answered(latency, Value::Float(used), summary);
    finding.limit(limits, |limit| used > limit, |limit| format!("more than {limit}%"));
    if let Some(least) = args.min_free.filter(|least| free < *least) {
        finding.fail(format!("less than {} free", bytes(least)));
    }
    finding
}

#[expect(clippy::cast_precision_loss, reason = "it is rounded to a tenth of a per cent anyway")]
fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 1000.0).round() / 10.0
}

/// A number of bytes for people: `12.4 GB`.
#[expect(clippy::cast_precision_loss, reason = "it is rounded to a tenth of its unit anyway")]
fn bytes(count: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / size as f64),
        None => format!("{count} bytes"),
    }
}

fn io_message(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::probe::Status;

    fn of(args: &Args, used: u64) -> (Status, String) {
        let limits = limits(args).expect("limits");
        let finding = judge(args, Space { total: 10_000, free: 10_000 - used }, limits, "disk", Duration::ZERO);
        (finding.status, finding.detail())
    }

    #[test]
    fn it_warns_above_80_and_fails_above_90_per_cent() {
        assert_eq!(of(&Args::of("m"), 8_000), (Status::Pass, "disk 80% used, 2.0 kB of 10.0 kB free".to_owned()));
        assert_eq!(of(&Args::of("m"), 8_010).0, Status::Warn);
        assert_eq!(of(&Args::of("m"), 9_000).0, Status::Warn);
        let full = "disk 91.2% used, 880 bytes of 10.0 kB free: more than 90%";
        assert_eq!(of(&Args::of("m"), 9_120), (Status::Fail, full.to_owned()));
    }

    #[test]
    fn limits_that_are_given_count() {
        let fail = |percent| Args { fail_percent: Some(percent), ..Args::of("m") };
        assert_eq!(of(&fail(50.0), 4_000).0, Status::Pass);
        assert_eq!(of(&fail(50.0), 6_000).0, Status::Fail);
        let warn = Args { warn_percent: Some(95.0), ..Args::of("m") };
        assert_eq!(of(&warn, 9_400).0, Status::Pass);
        assert_eq!(of(&warn, 10_000).0, Status::Warn);
        let free = Args { min_free: Some(2_500), ..Args::of("m") };
        assert_eq!(of(&free, 7_500).0, Status::Pass);
        assert_eq!(of(&free, 7_600).0, Status::Fail);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let args = Args { warn_percent: Some(95.0), fail_percent: Some(90.0), ..Args::of("m") };
        assert_eq!(
            limits(&args).expect_err("refused").message,
            "`warn_percent` (95) must be below `fail_percent` (90)"
        );
        let args = Args { fail_percent: Some(190.0), ..Args::of("m") };
        assert!(limits(&args).expect_err("refused").message.contains("from 0 to 100"));
    }

    #[test]
    fn a_file_system_without_a_size_is_no_pass() {
        let finding = judge(&Args::of("m"), Space { total: 0, free: 0 }, [None, None], "disk", Duration::ZERO);
        assert_eq!((finding.status, finding.answered), (Status::Fail, true));
    }
}
