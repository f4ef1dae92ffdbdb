//! The targets that Lifeboat's own drivers serve: their settings in `lifeboat.toml`, shared by all primitives.
//!
//! What a driver does for one primitive stands in that primitive's folder.

mod argv;
mod channels;
mod command_tool;
mod deployment;
mod directory_store;
mod http_service;
mod machine;
mod routers;
#[cfg(feature = "driver-sqlite")]
mod sqlite_database;
mod tcp_service;

pub use argv::{Argv, ArgvFailure, Values};
pub use channels::{FileChannel, TerminalChannel, WebhookChannel};
pub(in crate::primitives) use command_tool::KEY;
pub use command_tool::{Allowed, CommandTool, STARTED, Ssh};
pub use deployment::{CommandDeployment, Deployment, Health, Release, Restart};
pub use directory_store::DirectoryStore;
pub use http_service::HttpService;
pub use machine::Machine;
pub use routers::{Backends, HaproxyRouter, NginxRouter};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_database::SqliteDatabase;
pub use tcp_service::TcpService;
