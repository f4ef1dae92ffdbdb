//! The targets that Lifeboat's own drivers serve: their settings in `lifeboat.toml`, shared by all primitives.
//!
//! What a driver does for one primitive stands in that primitive's folder.

mod argv;
mod channel_limits;
mod command_tool;
mod deployment;
mod directory_store;
mod document;
mod http_service;
mod local_channels;
mod log_file;
mod machine;
mod prometheus;
mod routers;
mod slack_channel;
mod smtp_channel;
#[cfg(feature = "driver-sqlite")]
mod sqlite_database;
mod tcp_service;
mod tls_service;
mod webhook_channel;

pub use argv::{Argv, ArgvFailure, Values};
pub(in crate::primitives) use command_tool::KEY;
pub(in crate::primitives) use command_tool::matches;
pub use command_tool::{Allowed, CommandTool, STARTED, Ssh};
pub use deployment::{CommandDeployment, Deployment, Health, Release, Restart};
pub use directory_store::DirectoryStore;
pub use document::{ConfigDocument, Document, DocumentSyntax, EnvFileSyntax, JsonSyntax, Peer, TomlSyntax};
pub use http_service::HttpService;
pub use local_channels::{FileChannel, TerminalChannel};
pub use log_file::LogFile;
pub use machine::Machine;
pub use prometheus::Prometheus;
pub use routers::{Backends, HaproxyRouter, NginxRouter};
pub use slack_channel::{SlackChannel, SlackWay};
pub use smtp_channel::{SmtpChannel, SmtpTls};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_database::SqliteDatabase;
pub use tcp_service::TcpService;
pub use tls_service::TlsService;
pub use webhook_channel::WebhookChannel;
