//! The rules of the house that no compiler knows: floors, first lines, sizes, words. Each rule is shown to be able to fail.
#![expect(clippy::disallowed_methods, reason = "this test reads the source files themselves")]

mod floors;
mod lexer;
mod rules;
mod source;

use std::path::Path;

use source::{Finding, Source};

fn report(rule: impl Fn(&Source) -> Vec<Finding>) {
    let sources = source::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(sources.len() > 100, "only {} files were found: is this the right directory?", sources.len());
    let found: Vec<String> = sources.iter().flat_map(rule).map(|finding| finding.to_string()).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_in_its_first_line() {
    report(rules::first_line);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    report(rules::size);
}

#[test]
fn a_room_uses_only_lower_floors() {
    report(floors::climbs);
}

#[test]
fn only_the_live_world_makes_a_handle_that_changes_things() {
    report(rules::grants);
}

#[test]
fn only_the_driver_of_exec_vouches_for_commands_that_a_plan_runs() {
    report(rules::vouched);
}

#[test]
fn only_the_copying_of_sqlite_files_is_unsafe() {
    report(rules::unsafe_code);
}

#[test]
fn nothing_is_allowed_left_open_or_printed_for_debugging() {
    report(rules::forbidden_words);
}

#[test]
fn rhai_is_named_by_script_alone() {
    report(rules::rhai);
}

#[test]
fn libsql_is_named_by_those_who_store_alone() {
    report(rules::libsql);
}
