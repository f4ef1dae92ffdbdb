//! The targets that Lifeboat's own drivers serve: their settings in `lifeboat.toml`, shared by all primitives.
//!
//! What a driver does for one primitive stands in that primitive's folder.

mod argv;
mod channels;
mod command_tool;
mod deployment;
mod directory_store;
mod document;
mod http_service;
mod log_file;
mod machine;
mod prometheus;
mod routers;
#[cfg(feature = "driver-sqlite")]
mod sqlite_database;
mod tcp_service;
mod tls_service;

pub use argv::{Argv, ArgvFailure, Values};
pub use channels::{FileChannel, TerminalChannel, WebhookChannel};
pub(in crate::primitives) use command_tool::KEY;
pub(in crate::primitives) use command_tool::matches;
pub use command_tool::{Allowed, CommandTool, STARTED, Ssh};
pub use deployment::{CommandDeployment, Deployment, Health, Release, Restart};
pub use directory_store::DirectoryStore;
pub use document::{ConfigDocument, Document, DocumentSyntax, EnvFileSyntax, JsonSyntax, Peer, TomlSyntax};
pub use http_service::HttpService;
pub use log_file::LogFile;
pub use machine::Machine;
pub use prometheus::Prometheus;
pub use routers::{Backends, HaproxyRouter, NginxRouter};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_database::SqliteDatabase;
pub use tcp_service::TcpService;
pub use tls_service::TlsService;
