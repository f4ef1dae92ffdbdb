//! Lifeboat: runbooks that are executable, dry-runnable and rehearsed.

#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod journal;
pub mod model;
pub mod primitives;
pub mod runtime;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod script;
pub mod system;
pub mod worlds;
