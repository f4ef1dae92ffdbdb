//! Files that a session has written: it writes them again, but not over what somebody has made of them since.

use std::path::Path;

use crate::cli::output::unwritten;
use crate::cli::printer::Printer;
use crate::runtime::Error;
use crate::system::{ResultFile, hex};

/// What stands before the digest of the rest of the file.
const AS_WRITTEN: &str = "as written: ";
/// So many digits of it: it is to notice people, who have no reason to deceive it.
const DIGITS: usize = 12;
/// A file that is larger was written by nobody here.
const LARGEST: u64 = 16 << 20;

/// A file that a command of the session writes.
pub(super) struct Ours<'a> {
    /// `:save`.
    pub(super) command: &'a str,
    /// What the command writes: `runbook`.
    pub(super) what: &'a str,
    /// What stands in every file that the command has written.
    pub(super) mark: &'a str,
}

impl Ours<'_> {
    /// Writes `text` to `path`, whole or not at all; to the standard output where that is `-`. In `text`, the first [`seal`] gets the
    /// digest.
    pub(super) fn write(&self, path: &Path, text: &str, printer: &Printer) -> Result<(), Error> {
        let keeping = printer.keeping();
        text.lines().for_each(|line| keeping.out(line));
        let text = sealed(&keeping.kept());
        if path.as_os_str() == "-" {
            text.lines().for_each(|line| printer.out(line));
            return Ok(());
        }
        let file = ResultFile::at(path).map_err(unwritten)?;
        let there = file.beginning(LARGEST).map_err(unwritten)?;
        if !there.is_empty() {
            self.may_go(&String::from_utf8_lossy(&there), file.shown())?;
        }
        file.write(text.as_bytes()).map_err(unwritten)
    }

    /// Whether what lies there may be written over.
    fn may_go(&self, there: &str, shown: &str) -> Result<(), Error> {
        let refused = |why: String| {
            let help = format!("nothing was written; name another file: `{} {}`", self.command, another(shown));
            Err(Error::Refused { why, help: Some(help) })
        };
        if !there.contains(self.mark) {
            return refused(format!("{shown} exists, and is no {} that `{}` has written", self.what, self.command));
        }
        if sealed(there) != there {
            return refused(format!("{shown} was changed since `{}` wrote it", self.command));
        }
        Ok(())
    }
}

/// The place of the digest.
pub(super) fn seal() -> String {
    format!("{AS_WRITTEN}{}", "0".repeat(DIGITS))
}

/// The text with the digest of everything else in its place.
fn sealed(text: &str) -> String {
    let digits = |at: &usize| {
        let found = text.get(*at..at + DIGITS);
        found.is_some_and(|found| found.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let mut places = text.match_indices(AS_WRITTEN).map(|(at, found)| at + found.len());
    // Nothing is equal to a text without a seal.
    let Some(at) = places.find(digits) else { return String::new() };
    let digest = hex([&text[..at], &text[at + DIGITS..]].concat().as_bytes());
    format!("{}{}{}", &text[..at], &digest[..DIGITS], &text[at + DIGITS..])
}

/// Another name for a file: `orders-2.rhai`, `orders-3.rhai`.
fn another(file: &str) -> String {
    let path = Path::new(file);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (name, n) = match stem.rsplit_once('-').and_then(|(name, n)| Some((name.to_owned(), n.parse::<u32>().ok()?))) {
        Some((name, n)) if n < 1000 => (name, n + 1),
        _ => (stem, 2),
    };
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{name}-{n}{end}")).display().to_string()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read and edit the files that were written")]
mod tests {
    use super::*;
    use crate::cli::printer::Color;

    const OURS: Ours<'static> = Ours { command: ":save", what: "runbook", mark: "//! Written by `:save`" };

    fn write(path: &Path, text: &str) -> Result<(), String> {
        let text = format!("//! Written by `:save`, {}.\n{text}\n", seal());
        OURS.write(path, &text, &Printer::new(Color::Never, false)).map_err(|error| match error {
            Error::Refused { why, help } => format!("{why} [{}]", help.unwrap_or_default()),
            other => other.to_string(),
        })
    }

    #[test]
    fn what_somebody_has_edited_is_not_written_over() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("orders.rhai");
        let read = || std::fs::read_to_string(&path).expect("reads");
        write(&path, "one();").expect("it is new");
        write(&path, "two();").expect("nobody has changed it");
        assert!(read().ends_with("two();\n"), "{}", read());
        let edited = read().replace("two", "three");
        std::fs::write(&path, &edited).expect("writes");
        let why = write(&path, "four();").expect_err("refused").replace(&*directory.path().to_string_lossy(), "D");
        assert_eq!(
            why,
            "D/orders.rhai was changed since `:save` wrote it \
             [nothing was written; name another file: `:save D/orders-2.rhai`]"
        );
        assert_eq!(read(), edited);
        std::fs::write(&path, "probe(\"web\");\n").expect("writes");
        let why = write(&path, "four();").expect_err("refused");
        assert!(why.contains("exists, and is no runbook that `:save` has written"), "{why}");
        assert_eq!(std::fs::read_dir(directory.path()).expect("lists").count(), 1, "nothing else is left");
    }

    #[test]
    fn another_name_is_proposed() {
        let names = ["a.rhai", "runbooks/a-2.rhai", "a-b.md", "a", "a-2026.md"].map(another);
        assert_eq!(names, ["a-2.rhai", "runbooks/a-3.rhai", "a-b-2.md", "a-2", "a-2026-2.md"]);
    }

    #[test]
    fn a_text_that_only_talks_of_a_digest_has_none() {
        assert_eq!(sealed("as written: nowhere"), "");
        let text = sealed(&format!("as written: no\n{}\n", seal()));
        assert!(text.starts_with("as written: no\n") && sealed(&text) == text, "{text}");
    }
}
