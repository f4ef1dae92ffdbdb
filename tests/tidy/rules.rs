//! First lines, sizes, and words that belong into one room or into none.

use crate::lexer::words;
use crate::source::{Finding, Source};

/// The most lines a file may have, tests included.
const LONGEST: usize = 400;

/// Files whose first line does not say what they are.
pub(crate) fn first_line(source: &Source) -> Vec<Finding> {
    let said = source.text.lines().next().is_some_and(|line| line.starts_with("//!") && line.len() > "//! ".len());
    if said {
        Vec::new()
    } else {
        vec![source.finding(0, "the first line does not say what this is: begin with `//! `")]
    }
}

/// Files that are too long.
pub(crate) fn size(source: &Source) -> Vec<Finding> {
    match source.text.lines().count() {
        lines if lines > LONGEST => vec![source.finding(source.code.len(), format!("{lines} lines: split it"))],
        _ => Vec::new(),
    }
}

/// Places outside the live world at which a look becomes an act.
pub(crate) fn grants(source: &Source) -> Vec<Finding> {
    if source.path.starts_with("src/worlds/live/") {
        return Vec::new();
    }
    let named = words(&source.shipped, "grant");
    // Its definition is the one place where it stands behind `fn`.
    let called = named.filter(|at| !source.shipped[..*at].trim_end().ends_with(" fn"));
    called.map(|at| source.finding(at, "only src/worlds/live may grant an act")).collect()
}

/// Where a setting makes a command a look: `impact` and `check` of a tool, `status` and `list` of a service's `deploy`, and the
/// drivers that are declared as programs.
const VOUCHING: [&str; 3] = ["src/primitives/exec/", "src/primitives/deploy/command.rs", "src/primitives/external/"];

/// Places at which a command is vouched for to change nothing, and no setting says so.
pub(crate) fn vouched(source: &Source) -> Vec<Finding> {
    if VOUCHING.iter().any(|path| source.path.starts_with(path)) {
        return Vec::new();
    }
    let named = words(&source.shipped, "declared_read_only");
    let called = named.filter(|at| !source.shipped[..*at].trim_end().ends_with(" fn"));
    called
        .map(|at| source.finding(at, "only the configuration makes a command a look: see `exec` and `external`"))
        .collect()
}

/// The files that have a reason for unsafe code: SQLite's C interface.
const UNSAFE: [&str; 2] = ["src/system/sqlite_copy/raw.rs", "src/system/sqlite_session/raw.rs"];

/// Unsafe code outside the files that have a reason for it.
pub(crate) fn unsafe_code(source: &Source) -> Vec<Finding> {
    if UNSAFE.contains(&source.path.as_str()) || source.path.starts_with("src/system/sqlite_copy/raw/") {
        return Vec::new();
    }
    words(&source.code, "unsafe").map(|at| source.finding(at, "unsafe code has no reason here")).collect()
}

/// Lints that are allowed without a reason, and work that is not done.
pub(crate) fn forbidden_words(source: &Source) -> Vec<Finding> {
    let code = &source.code;
    let allow = words(code, "allow").filter(|at| {
        let before = code[..*at].trim_end();
        (before.ends_with("#[") || before.ends_with("#![")) && code[*at + 5..].trim_start().starts_with('(')
    });
    let allow = allow.map(|at| source.finding(at, "use `#[expect(…, reason = \"…\")]`"));
    let macros = ["todo", "unimplemented", "dbg"].into_iter().flat_map(|name| {
        let called = words(code, name).filter(move |at| code[*at + name.len()..].trim_start().starts_with('!'));
        called.map(move |at| source.finding(at, format!("`{name}!` is not finished work")))
    });
    allow.chain(macros).collect()
}

/// Rhai outside the room that hides it.
pub(crate) fn rhai(source: &Source) -> Vec<Finding> {
    let rooms = ["script"];
    named(source, &source.code, "rhai", &rooms, "only src/script may name Rhai")
}

/// libSQL outside the rooms that store, except in tests: those make real files to work on.
pub(crate) fn libsql(source: &Source) -> Vec<Finding> {
    let rooms = ["journal", "system", "sandbox"];
    named(source, &source.shipped, "libsql", &rooms, "only src/journal, src/system and src/sandbox may name libSQL")
}

/// Places outside `rooms` at which the crate `name` is named.
fn named(source: &Source, code: &str, name: &str, rooms: &[&str], why: &str) -> Vec<Finding> {
    if source.room().is_some_and(|room| rooms.contains(&room)) {
        return Vec::new();
    }
    let as_crate = words(code, name).filter(|at| {
        let (before, after) = (code[..*at].trim_end(), code[*at + name.len()..].trim_start());
        match before.strip_suffix("::") {
            // `self::libsql` is a module of ours; `use ::libsql` is the crate.
            Some(path) => !path.ends_with(|c: char| c.is_alphanumeric() || c == '_'),
            None => after.starts_with("::") || before.ends_with("use") || before.ends_with("crate"),
        }
    });
    as_crate.map(|at| source.finding(at, why)).collect()
}

#[cfg(test)]
fn found(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn a_file_without_a_first_line_or_with_too_many_lines_is_found() {
    assert_eq!(found(first_line, "src/a.rs", "//! What it is.\n"), 0);
    assert_eq!(found(first_line, "src/a.rs", "//!\n"), 1);
    assert_eq!(found(first_line, "src/a.rs", "use x;\n//! Late.\n"), 1);
    assert_eq!(found(first_line, "src/a.rs", ""), 1);
    assert_eq!(found(size, "src/a.rs", &"x\n".repeat(400)), 0);
    assert_eq!(found(size, "src/a.rs", &"x\n".repeat(401)), 1);
}

#[test]
fn a_grant_outside_the_live_world_is_found() {
    let call = "fn f(look: &Look) { let act = Act::grant(look); }";
    assert_eq!(found(grants, "src/worlds/plan/mod.rs", call), 1);
    assert_eq!(found(grants, "src/primitives/probe/mod.rs", "fn f() { g(Act::grant) }"), 1);
    assert_eq!(found(grants, "src/worlds/live/mod.rs", call), 0);
    assert_eq!(found(grants, "src/system/act.rs", "impl Act { pub(crate) fn grant(look: &Look) -> Self {} }"), 0);
    assert_eq!(found(grants, "src/system/act.rs", &format!("#[cfg(test)]\nmod tests {{ {call} }}")), 0);
}

#[test]
fn a_command_that_is_vouched_for_outside_exec_is_found() {
    let call = "fn f(command: CommandLine) { g(command.declared_read_only(\"I say so\")) }";
    assert_eq!(found(vouched, "src/primitives/probe/mod.rs", call), 1);
    assert_eq!(found(vouched, "src/worlds/plan/mod.rs", "fn f() { g(CommandLine::declared_read_only) }"), 1);
    assert_eq!(found(vouched, "src/primitives/exec/command.rs", call), 0);
    assert_eq!(found(vouched, "src/primitives/external/exchange.rs", call), 0);
    assert_eq!(found(vouched, "src/primitives/deploy/command.rs", call), 0);
    assert_eq!(found(vouched, "src/primitives/deploy/service.rs", call), 1);
    assert_eq!(found(vouched, "src/system/command/mod.rs", "impl A { pub fn declared_read_only(self) {} }"), 0);
}

#[test]
fn unsafe_code_is_found() {
    assert_eq!(found(unsafe_code, "src/system/act.rs", "fn f() { unsafe { g() } }"), 1);
    assert_eq!(found(unsafe_code, "src/system/sqlite_copy/mod.rs", "unsafe fn f() {}"), 1);
    assert_eq!(found(unsafe_code, "src/system/sqlite_copy/rawer.rs", "unsafe fn f() {}"), 1);
    assert_eq!(found(unsafe_code, "src/system/sqlite_copy/raw.rs", "unsafe fn f() {}"), 0);
    assert_eq!(found(unsafe_code, "src/system/sqlite_copy/raw/statement.rs", "unsafe fn f() {}"), 0);
    assert_eq!(found(unsafe_code, "src/a.rs", "#![expect(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"), 0);
}

#[test]
fn unfinished_work_is_found() {
    assert_eq!(found(forbidden_words, "src/a.rs", "#[allow(dead_code)]\n#![allow (x)]"), 2);
    assert_eq!(found(forbidden_words, "tests/a.rs", "fn f() { todo!() }\nfn g() { unimplemented!(); dbg!(1) }"), 3);
    assert_eq!(found(forbidden_words, "src/a.rs", "// todo!()\nfn allow(todo: bool) { if !todo {} }"), 0);
}

#[test]
fn a_library_outside_its_room_is_found() {
    assert_eq!(found(rhai, "src/worlds/cast.rs", "use rhai::Engine;"), 1);
    assert_eq!(found(rhai, "src/runtime/mod.rs", "fn f() -> rhai::Dynamic {}\nuse ::rhai::AST;\nuse rhai as r;"), 3);
    assert_eq!(found(rhai, "src/script/engine.rs", "use rhai::Engine;"), 0);
    assert_eq!(found(libsql, "src/primitives/backup/mod.rs", "use libsql::Builder;"), 1);
    assert_eq!(found(libsql, "src/primitives/backup/mod.rs", "#[cfg(test)]\nmod tests { use libsql::Builder; }"), 0);
    assert_eq!(found(libsql, "src/journal/mod.rs", "pub use self::libsql::LibsqlJournal;"), 0);
    assert_eq!(found(libsql, "src/runtime/mod.rs", "let libsql = journal::libsql::open();"), 0);
}
