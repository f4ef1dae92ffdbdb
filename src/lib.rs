//! Lifeboat: runbooks that are executable, dry-runnable and rehearsed.

pub mod config;
pub mod journal;
pub mod model;
pub mod primitives;
pub mod script;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod system;
