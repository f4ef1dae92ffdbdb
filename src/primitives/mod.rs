//! Floor 2: the primitives, what a script can do. This file is the table of contents.
//!
//! A [`Primitive`] says what a call is: arguments, impact, the ways it can end. A [`Driver`] (or, for one that only looks, an
//! [`Observer`]) does it for one kind of target. Adding either touches one folder, `primitives/<name>/`.

pub mod backup;
pub mod backups;
mod contract;
mod erased;
pub mod latest_backup;
mod registry;
pub mod restore;
mod schema;
#[cfg(feature = "driver-sqlite")]
mod store;
pub mod targets;
pub mod verify_backup;

pub use contract::{Driver, FromTarget, NoTarget, Observer, Preview, Primitive, Reconciled, TargetArg};
pub use erased::{ErasedReconciled, Handler};
pub use registry::{Bound, Registry, Signature};
pub use schema::{ArgSpec, ArgType, FieldSpec};
