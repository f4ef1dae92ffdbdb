//! Floor 3: the worlds, one for each mode. A mode is a world, never a flag inside a primitive.

mod cast;
mod live;
mod plan;

pub use cast::Cast;
pub use live::{Courier, Decision, Faulted, Listener, Live, OnFault, Recorder, Rounds, Zeal};
pub use plan::{Assumption, AssumptionError, PlanWorld};
