//! Calls that belong to the language rather than to a driver: their contracts, for `check`, plans and the reference.

mod during;
mod hold;
mod parallel;
mod point_of_no_return;
mod require;
mod retry;
mod runbook;
mod secret;
mod wait_until;

pub use during::{During, DuringArgs};
pub use hold::{Hold, HoldArgs};
pub use parallel::{Finish, Parallel, ParallelArgs};
pub use point_of_no_return::{PointOfNoReturn, PointOfNoReturnArgs};
pub use require::{Require, RequireArgs};
pub use retry::{Retry, RetryArgs};
pub use runbook::{Runbook, RunbookArgs};
pub use secret::{Secret, SecretArgs};
pub use wait_until::{WaitUntil, WaitUntilArgs};
