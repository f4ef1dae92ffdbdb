//! Drivers that are programs of their own, in any language: declared in `[drivers.NAME]`, one process for each request.

mod answer;
mod driver;
mod exchange;
mod handler;
pub mod protocol;
mod schema;
mod secrets;
mod settings;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the programs that they talk to, and read what those leave")]
mod tests;
mod unasked;

pub use driver::ExternalDriver;
pub(crate) use exchange::{GRACE, command, read};
pub use schema::protocol_schema;
