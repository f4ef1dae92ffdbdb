//! What differs between two plans, between a runbook at two commits, and what a branch does to all runbooks.
#![expect(clippy::disallowed_methods, reason = "tests prepare files and commits")]

#[path = "../harness/contract.rs"]
#[expect(dead_code, reason = "what is asked here is not what the provider answers")]
mod contract;
#[path = "../harness/http.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod http;
#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "nothing is looked at here")]
mod project;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

mod branch;
mod comment;
mod plans;
mod review;
mod screens;
mod trust;
