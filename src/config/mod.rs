//! Floor 1: `lifeboat.toml`. Environments, their targets, and which driver serves each.
//!
//! Scripts name targets; this says what they are. Every error points into the file.

mod choice;
mod coincide;
mod driver;
mod environment;
mod error;
mod name;
mod parse;
mod parse_approvals;
mod parse_driver;
mod parse_environment;
mod parse_secrets;
mod parse_state;
mod parse_target;
mod reader;
mod settings;
mod target;
#[cfg(test)]
mod tests;

pub use choice::NoEnvironment;
pub use driver::DriverSpec;
pub use environment::{Approvals, Config, Environment, ProcessSpec, SharedState, State};
pub use error::ConfigError;
#[cfg(feature = "cli")]
pub(crate) use name::is_name;
pub use target::{Origin, Target, TargetKind};
