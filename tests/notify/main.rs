//! People and systems are told: what arrives at strict servers, in which order, how often, and when a channel is dead.
#![expect(clippy::disallowed_methods, reason = "tests set up and read the files that a run meets")]

#[path = "../harness/project.rs"]
mod project;

mod cli;
mod commits;
mod contract;
mod doubt;
mod http;
mod limits;
mod mail;
mod mail_server;
mod mailbox;
mod outbox;
mod scene;
mod slack;
mod slack_server;
mod webhook;
