//! People and systems are told: what arrives at strict servers, in which order, how often, and when a channel is dead.
#![expect(clippy::disallowed_methods, reason = "tests set up and read the files that a run meets")]

#[path = "../harness/http.rs"]
mod http;
#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "only the project itself is of interest here, not its database and its service")]
mod project;

mod cli;
mod commits;
#[path = "../harness/contract.rs"]
mod contract;
mod doubt;
mod limits;
mod mail;
mod mail_server;
mod mailbox;
mod outbox;
mod scene;
mod slack;
mod slack_server;
mod webhook;
