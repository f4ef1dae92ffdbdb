//! Floor 0: the nouns of Lifeboat, pure data without I/O.
//!
//! A runbook's script speaks to the outside through one seam, [`World`]: it hands over an [`Invocation`] and receives an
//! [`Outcome`]. Every mode of Lifeboat (plan, run, drill, …) is an implementation of that trait.

mod approval;
mod assumption;
mod duration;
mod estimate;
mod event;
mod exploration;
mod fault;
mod halt;
mod impact;
mod invocation;
mod key;
mod lease;
mod letter;
mod plan;
mod plan_failure;
mod plan_moved;
mod record;
mod request;
mod rewrite;
mod run_id;
mod run_log;
mod saved_plan;
mod secret;
mod size;
mod suggest;
mod value;
mod verdict;
mod world;

pub use approval::Approval;
pub use assumption::{Assumption, AssumptionError};
pub use duration::Span;
pub use estimate::{Estimate, Fits, Slow, Took};
pub use event::{Event, EventBody, Mode, ProcessId, Settlement, Started};
pub use exploration::{Bound, Coverage, Exploration, INVARIANTS, MissedCall, PathCounts, StoryLine, Stuck, Violated};
pub use fault::{Applied, DEADLINE, Fault, LEASED};
pub use halt::Halt;
pub use impact::{Case, CaseResult, Impact, ImpactKind};
pub use invocation::{Comparison, Invocation, Outcome, Performed, Question, Repeat, Site};
pub use key::{IdempotencyKey, Key, Segment};
pub use lease::{Claim, Fence, Holder, Lease, Ticket};
pub use letter::{Letter, LetterQuery, LetterState, Origin, Outbox};
pub use plan::{Basis, Plan, PlanLine, PlanNode, PlanResult, PlanScope, PlanVerdict, Symbol};
pub use plan_failure::{FailureEnd, PlanFailure};
pub use record::{Awaited, Record, RecordedCall, RecordedScope};
pub use request::{Request, Wanted};
pub use rewrite::Rewrite;
pub use run_id::RunId;
pub use run_log::{IllegalEvent, RunLog};
pub use saved_plan::SavedPlan;
pub use secret::{Part, SecretSource, SecretStore, SecretText};
pub use size::human_size;
pub(crate) use suggest::{did_you_mean, instead};
pub use value::{Arg, Unknown, Value};
pub use verdict::{UnwoundStep, Verdict};
pub use world::{After, Left, Scope, ScopeKind, Updates, World};
