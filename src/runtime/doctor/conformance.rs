//! A driver under test, with or without a project around it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::DriverSpec;
use crate::primitives::Registry;
use crate::primitives::external::protocol::Trial;
use crate::system::{Cancel, Look, System};
use crate::worlds::Tried;

use super::super::Error;

/// A driver to be tried.
pub struct Candidate {
    /// How it is started.
    pub spec: DriverSpec,
    /// Calls to try it with, instead of those that it describes.
    pub trials: Option<Vec<Trial>>,
    /// How the trial is stopped.
    pub cancel: Cancel,
}

/// Tries a driver out, case by case. It is started, told things that it must refuse, and made to perform in scratch directories.
pub fn conformance(
    candidate: Candidate,
    registry: &Registry,
    heard: &(dyn Fn(&Tried) + Sync),
) -> Result<Vec<Tried>, Error> {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let tokio = tokio.map_err(|error| Error::Internal { why: format!("no runtime could be started: {error}") })?;
    let mut system = System::new(PathBuf::new());
    system.cancel = candidate.cancel;
    let look = Look::new(Arc::new(system));
    Ok(tokio.block_on(crate::worlds::conformance(&candidate.spec, registry, candidate.trials, &look, heard)))
}
