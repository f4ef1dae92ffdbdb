//! What hitting a target takes; the driver of `inject` follows from it, the same for every target.

use std::future::Future;
use std::path::PathBuf;

use crate::model::{Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, Look};

use super::{Args, FaultName, Inject, Injected, Record};

/// What would be hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// What the [`Record`] remembers it by: a process with its start, a backup's id, a path.
    pub mark: String,
    /// What would happen, in one line, without the target's name.
    pub summary: String,
    /// Whether it is so already, and nothing would happen.
    pub already: bool,
    /// Things the reader should know.
    pub notes: Vec<String>,
}

/// Brings about faults on a target. Whoever implements it has a driver of `inject` that hits once, however often it is attempted.
pub trait Strike: Send + Sync + 'static {
    /// The target's name.
    fn name(&self) -> &str;

    /// The faults that make sense for it.
    fn faults(&self) -> &'static [FaultName];

    /// Where the [`Record`] of a fault is kept.
    fn record(&self, args: &Args) -> Result<PathBuf, Fault>;

    /// Finds what would be hit.
    fn aim(&self, args: &Args, look: &Look) -> Result<Aim, Fault>;

    /// Hits what was aimed at, and says in a few words what that was. Hitting the same thing again must change nothing.
    fn strike(
        &self,
        args: &Args,
        mark: &str,
        act: &Act,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<String, Fault>> + Send;

    /// Whether what the record names was hit.
    fn was_struck(&self, args: &Args, record: &Record, look: &Look) -> Reconciled<()>;
}

/// A failure to bring about a fault that left the target as it was.
pub(super) fn failed(target: &str, what: impl std::fmt::Display) -> Fault {
    Fault::new("inject-failed", format!("{target}: {what}")).on(target)
}

/// A setting that the fault needs is missing.
pub(super) fn not_configured(target: &str, setting: &str, what: &str) -> Fault {
    Fault::new("not-configured", format!("service {target} has no `{setting}`"))
        .on(target)
        .hint(format!("set `{setting}` of service {target} to {what}"))
}

/// Whether fault and options make sense for this target.
fn check(target: &impl Strike, args: &Args) -> Result<(), Fault> {
    let (name, fault) = (target.name(), args.fault);
    if !target.faults().contains(&fault) {
        let known: Vec<_> = target.faults().iter().map(|f| f.as_str()).collect();
        let message = format!("{name} cannot have the fault `{fault}`");
        return Err(Fault::new("not-supported", message)
            .on(name)
            .hint(format!("faults for {name}: {}", known.join(", "))));
    }
    let argument = |message: String, hint: &str| Err(Fault::new("argument", message).on(name).hint(hint));
    let newest = matches!(fault, FaultName::CorruptNewest | FaultName::DeleteNewest);
    let overwrites = matches!(fault, FaultName::CorruptNewest | FaultName::Corrupt);
    match (&args.database, args.bytes) {
        (None, _) if newest => {
            let hint = "say whose newest backup is to be hit: `#{ database: \"…\" }`";
            argument(format!("`{fault}` needs the option `database`"), hint)
        }
        (Some(_), _) if !newest => argument(format!("`{fault}` takes no option `database`"), "leave it out"),
        (_, Some(_)) if !overwrites => argument(format!("`{fault}` takes no option `bytes`"), "leave it out"),
        (_, Some(..16)) => argument("`bytes` is too small to be sure of any harm".to_owned(), "give 16 or more"),
        _ => Ok(()),
    }
}

impl<T: Strike> Driver<Inject> for T {
    const EVIDENCE: Evidence = Evidence::Found("the record that the call wrote, and what was struck");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        check(self, args)?;
        let aim = self.aim(args, look)?;
        let symbol = if aim.already { Symbol::Nothing } else { Symbol::Destroy };
        let output = Value::Map([("fault".to_owned(), Value::encode(&args.fault))].into());
        let mut preview = Preview::new(symbol, format!("{}: {}", self.name(), aim.summary)).output(output);
        preview.notes = aim.notes;
        Ok(preview)
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Injected, Fault> {
        check(self, args)?;
        let path = self.record(args)?;
        let cannot = |doing: &str, error| failed(self.name(), format!("cannot {doing} {}: {error}", path.display()));
        let earlier = Record::of(key, args.fault, &path, act).map_err(|error| cannot("read", error))?;
        if let Some(earlier) = earlier
            && let Reconciled::Applied { evidence, .. } = self.was_struck(args, &earlier, act)
        {
            return Ok(earlier.output(evidence));
        }
        let aim = self.aim(args, act)?;
        let record = Record { idempotency_key: key.clone(), fault: args.fault, mark: aim.mark, at: act.now() };
        record.write(&path, act).map_err(|error| cannot("write", error))?;
        let detail = self.strike(args, &record.mark, act, key).await?;
        Ok(record.output(detail))
    }

    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Injected> {
        let path = match check(self, args).and_then(|()| self.record(args)) {
            Ok(path) => path,
            Err(fault) => return Reconciled::Unknown { why: fault.message },
        };
        match Record::of(key, args.fault, &path, look) {
            Err(error) => Reconciled::Unknown { why: format!("cannot read {}: {error}", path.display()) },
            Ok(None) => Reconciled::NotApplied { evidence: format!("{} has no record of it", path.display()) },
            Ok(Some(record)) => match self.was_struck(args, &record, look) {
                Reconciled::Applied { evidence, .. } => {
                    Reconciled::Applied { output: record.output(evidence.clone()), evidence }
                }
                Reconciled::NotApplied { evidence } => Reconciled::NotApplied { evidence },
                Reconciled::Unknown { why } => Reconciled::Unknown { why },
            },
        }
    }
}

/// The path of something that is there or not, as evidence: the fault was to bring about `wanted`.
pub(super) fn presence(path: &std::path::Path, wanted: bool, look: &Look) -> Reconciled<()> {
    let there = look.exists(path);
    let evidence = format!("{} {}", path.display(), if there { "exists" } else { "is not there" });
    if there == wanted { Reconciled::Applied { output: (), evidence } } else { Reconciled::NotApplied { evidence } }
}

/// A number of bytes for people, such as `12.4 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        let shown = [0, 999, 1_000, 12_449_999, 2_000_000_000].map(size);
        assert_eq!(shown, ["0 bytes", "999 bytes", "1.0 kB", "12.4 MB", "2.0 GB"]);
    }
}
