//! What a migration runs: the statements of one direction, with their lines.

use std::ops::Range;

use crate::model::Fault;
use crate::system::split_sql;

use super::directory::{Migration, SourceFile};
use super::faults::{code, fault};

/// Which way a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the newer version.
    Up,
    /// Back.
    Down,
}

/// The statements of one direction of a migration. All of them can run in a transaction.
#[derive(Clone, Debug)]
pub(super) struct Script {
    file: String,
    text: String,
    statements: Vec<Range<usize>>,
    /// Whether it wants foreign keys to be enforced, if it says.
    pub(super) foreign_keys: Option<bool>,
}

impl Script {
    /// The part of the migration that goes this way. A fault names the file and the line.
    pub(super) fn of(migration: &Migration, direction: Direction, target: &str) -> Result<Self, Fault> {
        let file = match (direction, &migration.down) {
            (Direction::Down, Some(down)) => down,
            (Direction::Down, None) if migration.paired => return Err(no_down(migration, target)),
            _ => &migration.up,
        };
        let text = text(file, target)?;
        let part = if migration.paired { 0..text.len() } else { part(file, &text, direction, migration, target)? };
        let begin = part.start;
        let statements = split_sql(&text[part]).into_iter().map(|statement| {
            let start = begin + statement.offset;
            start..start + statement.text.len()
        });
        let statements = statements.collect();
        let mut script = Self { file: file.path.display().to_string(), text, statements, foreign_keys: None };
        if script.statements.is_empty() {
            let message = format!("{} has no statement", script.place(begin));
            return Err(fault(code::FILE, target, message).hint("write one (`SELECT 1;` does nothing), or remove it"));
        }
        script.check(target)?;
        Ok(script)
    }

    /// The statements, each with the byte of the file at which it begins.
    pub(super) fn statements(&self) -> impl Iterator<Item = (&str, usize)> {
        self.statements.iter().map(|range| (&self.text[range.clone()], range.start))
    }

    /// A byte of the file as `FILE:LINE`.
    pub(super) fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.file, line(&self.text, offset))
    }

    /// Refuses what cannot run in a transaction, before anything runs.
    fn check(&mut self, target: &str) -> Result<(), Fault> {
        for range in self.statements.clone() {
            let text = &self.text[range.clone()];
            let statement = crate::system::SqlStatement { text, offset: 0 };
            let words = statement.words(5);
            if let Some((what, hint)) = refused(&words) {
                let message = format!("{}: {what} cannot run in a migration", self.place(range.start));
                return Err(fault(code::FILE, target, message).hint(hint));
            }
            if pragma(&words) == Some("FOREIGN_KEYS") && self.foreign_keys.is_none() {
                // Without effect inside a transaction, so it is heeded before the transaction begins.
                let says =
                    |off: &str| text.to_ascii_lowercase().trim_end_matches([';', ' ', ')', '\'', '"']).ends_with(off);
                self.foreign_keys = Some(!["off", "0", "false", "no"].into_iter().any(says));
            }
        }
        Ok(())
    }
}

fn no_down(migration: &Migration, target: &str) -> Fault {
    let up = &migration.up;
    let message = format!("migration {} cannot be taken back: it has no way down", migration.version);
    let hint = if migration.paired {
        format!("write {}, or restore a backup", up.name.replace(".up.sql", ".down.sql"))
    } else {
        format!("write the way back below a line `-- migrate:down` in {}, or restore a backup", up.name)
    };
    fault(code::NO_DOWN, target, message).hint(hint)
}

fn text(file: &SourceFile, target: &str) -> Result<String, Fault> {
    let path = file.path.display();
    let at = |offset: usize| line(&String::from_utf8_lossy(&file.bytes[..offset]), offset);
    let wrong = |line: usize, what: &str| fault(code::FILE, target, format!("{path}:{line}: {what}"));
    match std::str::from_utf8(&file.bytes) {
        Err(error) => Err(wrong(at(error.valid_up_to()), "not text in UTF-8").hint("save the file as UTF-8")),
        Ok(text) => match text.find('\0') {
            Some(offset) => Err(wrong(at(offset), "a NUL character").hint("remove it")),
            // A byte order mark is no statement.
            None => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        },
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

/// A line such as `-- migrate:up transaction:true`: where its part begins, and what follows on the line.
fn markers<'a>(text: &'a str) -> impl Iterator<Item = (Direction, Range<usize>, &'a str)> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |line: &'a str| {
        let start = at;
        at += line.len();
        let rest = line.trim().strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
        let (word, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let direction = match word {
            "up" => Direction::Up,
            "down" => Direction::Down,
            _ => return None,
        };
        Some((direction, start..at, options))
    })
}

/// The part of a file with both directions. A file without marks is all up.
fn part(
    file: &SourceFile,
    text: &str,
    direction: Direction,
    migration: &Migration,
    target: &str,
) -> Result<Range<usize>, Fault> {
    let wrong = |offset: usize, what: &str, hint: &str| {
        let message = format!("{}:{}: {what}", file.path.display(), line(text, offset));
        Err(fault(code::FILE, target, message).hint(hint))
    };
    let marks: Vec<_> = markers(text).collect();
    let Some((first, begins, _)) = marks.first() else {
        return if direction == Direction::Up { Ok(0..text.len()) } else { Err(no_down(migration, target)) };
    };
    if *first == Direction::Down {
        return wrong(begins.start, "`-- migrate:down` without a way up before it", "begin with `-- migrate:up`");
    }
    if let Some(before) = split_sql(&text[..begins.start]).first() {
        return wrong(before.offset, "a statement before `-- migrate:up`", "move it below that line");
    }
    for (at, (this, range, options)) in marks.iter().enumerate() {
        if marks[..at].iter().any(|(earlier, ..)| earlier == this) {
            return wrong(range.start, "this direction began already", "one `-- migrate:up`, one `-- migrate:down`");
        }
        if *this == direction && options.split_whitespace().any(|option| option == "transaction:false") {
            let hint = "a migration always runs in a transaction: run what cannot outside of migrations";
            return wrong(range.start, "`transaction:false` is not supported", hint);
        }
    }
    let Some(at) = marks.iter().position(|(this, ..)| *this == direction) else {
        return Err(no_down(migration, target));
    };
    let end = marks.get(at + 1).map_or(text.len(), |(_, range, _)| range.start);
    Ok(marks[at].1.end..end)
}

/// The pragma that a statement is.
fn pragma(words: &[String]) -> Option<&str> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["PRAGMA", _, ".", name, ..] | ["PRAGMA", name, ..] => Some(name),
        _ => None,
    }
}

/// What a statement does that cannot run in a transaction, and what to do about it.
fn refused(words: &[String]) -> Option<(String, &'static str)> {
    const OUTSIDE: [&str; 9] = [
        "AUTO_VACUUM",
        "ENCODING",
        "JOURNAL_MODE",
        "LOCKING_MODE",
        "PAGE_SIZE",
        "SYNCHRONOUS",
        "TEMP_STORE",
        "WAL_AUTOCHECKPOINT",
        "WAL_CHECKPOINT",
    ];
    const APART: &str = "it does not work inside a transaction: run it apart from the migrations";
    if let Some(name) = pragma(words) {
        return OUTSIDE.contains(&name).then(|| (format!("PRAGMA {}", name.to_ascii_lowercase()), APART));
    }
    let first = words.first().map_or("", String::as_str);
    match first {
        "VACUUM" => Some((first.to_owned(), APART)),
        "ATTACH" | "DETACH" => Some((first.to_owned(), "a migration changes its own database only")),
        // `ROLLBACK TO` a savepoint of its own is another matter.
        "ROLLBACK" if words.iter().any(|word| word == "TO") => None,
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" => {
            Some((first.to_owned(), "remove it: each migration runs in a transaction of its own already"))
        }
        _ => None,
    }
}
