//! Floor 3: the worlds, one for each mode. A mode is a world, never a flag inside a primitive.

mod around;
mod cast;
mod expect;
mod explore;
mod live;
mod plan;
mod reenact;
mod replay;
mod session;

pub use cast::Cast;
pub use expect::Expect;
pub use explore::{
    Beginning, Call, Ending, Explore, LeftCall, Met, Path, Step, Strayed, Stuck, Trace, UnitTest, Violation, Visit,
    Walked, WalkedCall, WalkedCalls, account, broken, described, merge_walked, story,
};
pub use live::{
    Conforms, Courier, Decision, Faulted, Listener, Live, OnFault, Recorder, Rounds, Tenure, Tried, Unanswered, Zeal,
    conformance,
};
pub use plan::PlanWorld;
pub use reenact::{Reenact, THE_END};
pub use replay::Replay;
pub use session::{Armed, Dry, Retrace, Switch, Warden};

/// The code of the fault that is recorded for an effect of a process that is gone which did not take place: it is carried out again.
pub const NOT_APPLIED: &str = "not-applied";
