//! Live runs, through the API that a host embeds: what happens in which order, and what is left when they do not go well.
#![expect(clippy::disallowed_methods, reason = "tests set up and read the files that a run meets")]

#[path = "../harness/project.rs"]
mod project;

mod aftermath;
mod cancelled;
mod deadlines;
mod described;
mod doubt;
mod during;
mod exec;
mod external;
mod hold;
mod journal_fails;
mod language;
mod on_fault;
mod order;
mod parallel;
mod refused;
mod resumed;
mod sql;
mod trial;
mod undone;
mod valve;
mod waiting;
