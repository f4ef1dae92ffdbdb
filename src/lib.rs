//! Lifeboat: runbooks that are executable, dry-runnable and rehearsed.

pub mod config;
pub mod model;
pub mod primitives;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod system;
