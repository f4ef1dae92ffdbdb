//! Floor 0: the nouns of Lifeboat, pure data without I/O.
//!
//! A runbook's script speaks to the outside through one seam, [`World`]: it hands over an [`Invocation`] and receives an
//! [`Outcome`]. Every mode of Lifeboat (plan, run, drill, …) is an implementation of that trait.

mod approval;
mod arg;
mod assumption;
mod duration;
mod estimate;
mod event;
mod exploration;
mod fault;
mod given;
mod halt;
mod impact;
mod invocation;
mod key;
mod lease;
mod letter;
mod path_tree;
mod plan;
mod plan_align;
mod plan_diff;
mod plan_failure;
mod plan_moved;
mod played;
mod record;
mod request;
mod review;
mod rewrite;
mod run_id;
mod run_log;
mod saved_plan;
mod secret;
mod size;
mod suggest;
mod value;
mod verdict;
mod walked_source;
mod ways_on;
mod world;

pub use approval::Approval;
pub use arg::{Arg, ArgList};
pub use assumption::{Assumption, AssumptionError};
pub use duration::Span;
pub use estimate::{Estimate, Fits, Slow, Took};
pub use event::{Event, EventBody, Foreseen, Mode, ProcessId, Settlement, Started};
pub use exploration::{
    Bound, Coverage, Exploration, INVARIANTS, Invariant, MissedCall, MissedCase, MissedRollback, PathCounts, StoryLine,
    Stuck, Violated,
};
pub use fault::{Applied, DEADLINE, Fault, LEASED};
pub use given::{CANCELLED, CallPattern, Given, GivenOutcome, IN_DOUBT, Usage, WrongGiven, fits, matches};
pub use halt::Halt;
pub use impact::{Case, CaseResult, Impact, ImpactKind};
pub use invocation::{Comparison, Invocation, Outcome, Performed, Question, Repeat, Site};
pub use key::{IdempotencyKey, Key, Segment};
pub use lease::{Claim, Fence, Holder, Lease, Ticket};
pub use letter::{Letter, LetterQuery, LetterState, Origin, Outbox};
pub use path_tree::{
    Ends, Gravity, Happening, HappeningKind, Manner, Mood, PathEnd, PathTree, Room, RoomKind, TreeNode, TreeWay,
};
pub use plan::{Basis, Plan, PlanLine, PlanNode, PlanResult, PlanScope, PlanVerdict, Symbol};
pub use plan_diff::{CallChange, CallDiff, FailureDiff, PlanDiff};
pub use plan_failure::{FailureEnd, PlanFailure};
pub use played::{BrokenInvariant, Played, PlayedCall, PlayedEnd};
pub use record::{Awaited, Record, RecordedCall, RecordedScope};
pub use request::{Request, Wanted};
pub use review::{ConfigChange, Review, ReviewFinding, Reviewed, ReviewedPlan, RunbookChange, RunbookReview, Urgency};
pub use rewrite::Rewrite;
pub use run_id::RunId;
pub use run_log::{IllegalEvent, RunLog};
pub use saved_plan::SavedPlan;
pub use secret::{Part, SecretSource, SecretStore, SecretText};
pub use size::human_size;
pub(crate) use suggest::{did_you_mean, instead};
pub use value::{Unknown, Value};
pub use verdict::{UnwoundStep, Verdict};
pub use walked_source::{ForkKind, WalkedFile, WalkedFork, WalkedFunction};
pub use ways_on::{Here, NextWay, Stand, WayEnd, WaysOn, count_ways};
pub use world::{After, Left, Scope, ScopeKind, Updates, World};
