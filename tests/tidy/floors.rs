//! The floors: a room uses only rooms on lower floors.

use crate::lexer::{closing, is_word, words};
use crate::source::{Finding, Source};

/// The rooms with their floors.
const FLOORS: [(&str, u8); 9] = [
    ("model", 0),
    ("system", 1),
    ("journal", 1),
    ("config", 1),
    ("primitives", 2),
    ("script", 3),
    ("worlds", 3),
    ("runtime", 4),
    ("cli", 5),
];

/// Rooms that use fewer rooms than their floor would let them.
const NARROW: [(&str, &[&str]); 1] = [("sandbox", &["system"])];

/// What is allowed beyond that, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [("cli", "sandbox", "`lifeboat sandbox` is a command that starts it")];

/// Where the floors meet: the map of the crate, and the program.
const ABOVE_ALL: [&str; 2] = ["lib", "main"];

/// Uses of rooms that are not on a lower floor.
pub(crate) fn climbs(source: &Source) -> Vec<Finding> {
    let Some(room) = source.room().filter(|room| !ABOVE_ALL.contains(room)) else { return Vec::new() };
    let mut found = Vec::new();
    if floor(room).is_none() && narrow(room).is_none() {
        found.push(source.finding(0, format!("`{room}` has no floor: give it one in tests/tidy/floors.rs")));
    }
    for (at, used) in uses(source) {
        if used == "*" {
            found.push(source.finding(at, "names everything in the crate: name what is used"));
        } else if !may_use(room, &used) {
            found.push(source.finding(at, format!("`{room}` uses `{used}`, which is not on a lower floor")));
        }
    }
    found
}

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

fn narrow(room: &str) -> Option<&'static [&'static str]> {
    NARROW.iter().find(|(name, _)| *name == room).map(|(_, rooms)| *rooms)
}

fn may_use(room: &str, used: &str) -> bool {
    if room == used || EXCEPTIONS.iter().any(|(from, to, _)| (*from, *to) == (room, used)) {
        return true;
    }
    if let Some(rooms) = narrow(room) {
        return rooms.contains(&used);
    }
    matches!((floor(room), floor(used)), (Some(own), Some(other)) if other < own)
}

/// The rooms that a file names, with the places: paths from `crate`, and from `super` as far as they lead out of a room.
fn uses(source: &Source) -> Vec<(usize, String)> {
    let code = source.code.as_str();
    let from_crate = words(code, "crate").filter(|at| !code[..*at].trim_end().ends_with("::")).map(|at| (at, at + 5));
    let depth = depth_of_file(&source.path);
    let from_super = words(code, "super").filter(|at| !code[..*at].trim_end().ends_with("::")).filter_map(|at| {
        let (count, end) = supers(code, at);
        (count >= depth + depth_inside(code, at)).then_some((at, end))
    });
    let places: Vec<_> = from_crate.chain(from_super).collect();
    places.into_iter().flat_map(|(at, end)| heads(&code[end..]).into_iter().map(move |head| (at, head))).collect()
}

/// How many modules lie around the content of a file: `src/a.rs` and `src/a/mod.rs` 1, `src/a/b.rs` 2.
fn depth_of_file(path: &str) -> usize {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').count()
}

/// How many modules with a body lie around the place `at` of a file.
fn depth_inside(code: &str, at: usize) -> usize {
    let around = |start: &usize| {
        let rest = &code[*start..];
        let open = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{'));
        open.is_some_and(|open| *start < at && closing(code, *start + open) > at)
    };
    words(code, "mod").filter(around).count()
}

/// How many `super` stand in a row at `at`, and where the last one ends.
fn supers(code: &str, at: usize) -> (usize, usize) {
    let (mut count, mut end) = (1, at + 5);
    loop {
        let rest = &code[end..];
        let Some(next) = rest.trim_start().strip_prefix("::").map(str::trim_start) else { return (count, end) };
        let start = code.len() - next.len();
        if !is_word(code, start, "super") {
            return (count, end);
        }
        (count, end) = (count + 1, start + 5);
    }
}

/// The first names after `::`: one, or those of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let Some(rest) = rest.trim_start().strip_prefix("::").map(str::trim_start) else { return Vec::new() };
    if rest.starts_with('{') {
        let (mut heads, mut at) = (Vec::new(), 1);
        let end = closing(rest, 0);
        while at < end {
            heads.extend(head(rest[at..end].trim_start()));
            at = past_comma(rest, at, end);
        }
        return heads;
    }
    head(rest).into_iter().collect()
}

fn head(text: &str) -> Option<String> {
    if text.starts_with('*') {
        return Some("*".to_owned());
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Behind the next comma that is not inside a group of its own.
fn past_comma(text: &str, from: usize, end: usize) -> usize {
    let mut depth = 0;
    for (at, c) in text[from..end].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => return from + at + 1,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
fn broken(path: &str, text: &str) -> usize {
    climbs(&Source::new(path, text)).len()
}

#[test]
fn climbing_is_found_however_it_is_written() {
    assert_eq!(broken("src/model/value.rs", "use crate::system::Look;"), 1);
    assert_eq!(broken("src/model/value.rs", "fn f() -> crate::config::Config { loop {} }"), 1);
    assert_eq!(broken("src/worlds/plan/mod.rs", "use crate::{model::{Key, Fault}, script::check};"), 1);
    assert_eq!(broken("src/worlds/plan/mod.rs", "use super::super::script::check;"), 1);
    assert_eq!(broken("src/worlds/plan/mod.rs", "mod tests { use super::super::super::script::check; }"), 1);
    assert_eq!(broken("src/worlds/cast.rs", "use super::super::{journal, script, runtime};"), 2);
    assert_eq!(broken("src/journal/mod.rs", "pub use crate::system::Clock;"), 1);
    assert_eq!(broken("src/sandbox/mod.rs", "use crate::model::Value;"), 1);
    assert_eq!(broken("src/runtime/mod.rs", "use crate::cli::Printer;"), 1);
    assert_eq!(broken("src/primitives/mod.rs", "use crate::*;"), 1);
    assert_eq!(broken("src/attic/mod.rs", ""), 1);
}

#[test]
fn what_is_allowed_is_not_found() {
    assert_eq!(broken("src/primitives/probe/mod.rs", "use crate::{config, model, system};\nuse super::Registry;"), 0);
    assert_eq!(broken("src/worlds/plan/mod.rs", "use super::Cast;\nmod tests { use super::super::cast; }"), 0);
    assert_eq!(
        broken("src/model/value.rs", "// crate::system\nconst A: &str = \"crate::system\";\npub(crate) fn f() {}"),
        0
    );
    assert_eq!(broken("src/sandbox/mod.rs", "use crate::system::hex;"), 0);
    assert_eq!(broken("src/cli/sandbox.rs", "use crate::sandbox::serve;"), 0);
    assert_eq!(broken("src/lib.rs", "pub use crate::runtime::Lifeboat;"), 0);
}
