//! Floor 4: picks world and journal for a mode, and puts the parts together. This is the API for embedding.
//!
//! ```no_run
//! use lifeboat::runtime::{Lifeboat, PlanRequest};
//!
//! # fn main() -> Result<(), lifeboat::runtime::Error> {
//! let lifeboat = Lifeboat::builder("lifeboat.toml").build()?;
//! let plan = lifeboat.plan(&PlanRequest::new("runbooks/restore-database.rhai"))?;
//! println!("{} changes", plan.changes());
//! # Ok(())
//! # }
//! ```

mod active;
mod aftermath;
mod applying;
mod approve;
mod attach;
mod bars;
mod builder;
mod config_changes;
mod coverage;
mod deadline;
mod doctor;
mod drill;
mod error;
mod estimate;
mod explore;
mod findings;
mod ledger;
mod library;
mod load;
mod outbox;
mod plan;
mod plan_failures;
mod policy;
mod reenact;
mod reference;
mod requests;
mod resume;
mod review;
mod run;
mod saved;
mod serving;
mod session;
mod settle;
mod shared;
mod standing;
mod tenancy;
mod tree;
mod undo;
mod unfinished;
mod unit_test;
mod ways_on;

pub use active::Life;
#[cfg(feature = "cli")]
pub(crate) use aftermath::counted;
pub use aftermath::{Aftermath, LeftChange};
pub use approve::{Approved, approvals_of, read_approvals};
pub use attach::Followed;
pub use builder::{Builder, Lifeboat};
pub use doctor::{Candidate, Finding, Level, conformance};
pub use drill::{Drilled, Judged, Objective, Outage, Report};
pub use error::Error;
pub use estimate::estimate;
pub use explore::ExploreRequest;
pub use load::Loaded;
pub use outbox::SentOutbox;
pub use plan::PlanRequest;
pub use reenact::{Difference, Reenacted};
pub use reference::reference;
pub use requests::{Answered, CancelRequest, Cancelled, OpenQuestion};
pub use resume::ResumeRequest;
pub use review::{ReviewRequest, review};
pub use run::{Ran, RunRequest, Status};
pub use saved::is_plan;
pub use session::{
    ARMED_AT_MOST, Cut, Fate, Interrupter, LeftOpen, LiveSession, Lookup, Owed, Past, Retraced, SessionEnd,
    SessionRequest, Typed, Under, Untyped, looks_secret,
};
pub use settle::Settled;
pub use undo::RollbackRequest;
#[cfg(feature = "cli")]
pub(crate) use unfinished::takes_up;
pub use unit_test::{Missed, RunbookCoverage, TestReport, TestRequest, TestStatus, Tested, TestedFile};
