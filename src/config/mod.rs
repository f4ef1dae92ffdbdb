//! Floor 1: `lifeboat.toml`. Environments, their targets, and which driver serves each.
//!
//! Scripts name targets; this says what they are. Every error points into the file.

mod environment;
mod error;
mod target;

pub use environment::{Config, Environment, ProcessSpec};
pub use error::ConfigError;
pub use target::{Origin, Target, TargetKind};
