//! What a run may change: its leases, as the live world sees them.

use std::sync::{Arc, OnceLock};

use crate::model::{Fault, Fence, Halt};

/// The leases of one run.
pub trait Tenure: Send + Sync {
    /// Sees to it that the run has the leases for a target that it is about to change. A fault when another run has it; a halt when
    /// those that it had are lost.
    fn secure(&self, target: &str) -> Result<Result<(), Fault>, Halt>;

    /// What must still stand when an intent is recorded.
    fn fence(&self) -> Option<Fence>;
}

/// The leases of a run that has any.
pub(super) type Tenant = OnceLock<Arc<dyn Tenure>>;
