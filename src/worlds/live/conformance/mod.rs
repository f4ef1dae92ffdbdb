//! Whether a driver of another language keeps to the protocol: the cases of `lifeboat doctor --driver`. It lives with the live world,
//! because it has drivers perform; what they touch is a scratch directory.

mod bench;
mod messages;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the drivers that they try")]
mod tests;
mod trials;

use crate::config::DriverSpec;
use crate::primitives::Registry;
use crate::primitives::external::protocol::Trial;
use crate::system::{Act, Look};

use bench::Bench;

/// One case, tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What the driver should do: `answers describe`, `maintenance: previews without changing anything`.
    pub case: String,
    /// Whether it does.
    pub verdict: Conforms,
}

/// Whether a driver passes a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conforms {
    /// It does.
    Passed,
    /// It does not, and how that showed.
    Failed(String),
    /// It was not tried, and why.
    Skipped(String),
}

/// Tries the driver `spec` out, case by case; `heard` gets each as it comes. `trials` replace those that it describes itself.
pub async fn conformance(
    spec: &DriverSpec,
    registry: &Registry,
    trials: Option<Vec<Trial>>,
    look: &Look,
    heard: &(dyn Fn(&Tried) + Sync),
) -> Vec<Tried> {
    let bench = Bench::new(spec, registry, Act::grant(look), heard);
    let Some(description) = messages::all(&bench).await else { return bench.tried() };
    let trials = trials.unwrap_or_else(|| description.trials.clone());
    if trials.is_empty() {
        let why = "it describes no `trials`, and none were given";
        bench.note("looks, previews, performs, reconciles", Conforms::Skipped(why.to_owned()));
    }
    for trial in &trials {
        trials::all(&bench, &description, trial).await;
    }
    bench.keeps_secrets();
    bench.tried()
}
