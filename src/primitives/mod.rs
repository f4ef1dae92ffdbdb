//! Floor 2: the primitives, what a script can do. This file is the table of contents.
//!
//! A [`Primitive`] says what a call is: arguments, impact, the ways it can end. A [`Driver`] (or, for one that only looks, an
//! [`Observer`]) does it for one kind of target. Adding either touches one folder, `primitives/<name>/`.

pub mod ask;
mod begun;
pub mod configuration;
pub mod configure;
pub mod confirm;
mod contract;
pub mod deploy;
mod documents;
pub mod drift;
mod erased;
mod evidence;
pub mod exec;
pub mod external;
pub mod health;
mod hook;
pub mod inject;
pub mod language;
pub mod log;
pub mod maintenance;
pub mod measure;
pub mod migrate;
pub mod notify;
pub mod now;
pub mod probe;
pub mod query;
mod registry;
pub mod resolve;
pub mod rotate;
pub mod route;
pub mod routes;
mod schema;
mod side;
pub mod sleep;
pub mod sql;
mod standard;
pub mod targets;
pub mod version;

pub use contract::{Driver, FromTarget, NoTarget, Observer, Preview, Primitive, Reconciled, TargetArg};
pub use erased::{ErasedReconciled, Handler};
pub use evidence::Evidence;
pub use registry::{Bound, Registry, Signature};
pub use schema::{ArgSpec, ArgType, FieldSpec};
pub use side::{After, Reach, Side};

pub mod backup;
pub mod backups;
pub mod latest_backup;
pub mod restore;
#[cfg(feature = "driver-sqlite")]
mod store;
pub mod verify_backup;
