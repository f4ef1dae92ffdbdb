//! How a path ends and how a call goes, in symbols and words: the same in every picture.

use crate::model::{Ends, Manner, Mood, PathEnd};

pub(super) use super::super::wrap::short;
use super::drawing::Endings;

/// A kind of end, as pictures and pages show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Well,
    Restored,
    Cancelled,
    Left,
    Doubt,
    Wrong,
}

impl Look {
    /// All of them, in the order in which a legend has them.
    pub(super) const ALL: [Look; 6] =
        [Look::Well, Look::Restored, Look::Cancelled, Look::Left, Look::Doubt, Look::Wrong];

    /// A name for style sheets.
    pub(super) fn class(self) -> &'static str {
        match self {
            Look::Well => "well",
            Look::Restored => "restored",
            Look::Cancelled => "cancelled",
            Look::Left => "left",
            Look::Doubt => "doubt",
            Look::Wrong => "wrong",
        }
    }

    /// The colours of its ground, its border and its text: at least 4.5 to 1 on the ground.
    pub(super) fn colours(self) -> [&'static str; 3] {
        match self {
            Look::Well => ["#dff3e3", "#1a7f37", "#0b3d1a"],
            Look::Restored => ["#e4ecf7", "#3a5f91", "#1b2f4b"],
            Look::Cancelled => ["#ececf0", "#63636e", "#2b2b33"],
            Look::Left => ["#fdecc8", "#9a6700", "#4a3200"],
            Look::Doubt => ["#f0e4fa", "#7a3fa8", "#3c1a57"],
            Look::Wrong => ["#fde0dd", "#c0261c", "#5c0f0a"],
        }
    }
}

/// The colours of the place at which a run stands, as of a [`Look`].
pub(super) const HERE: [&str; 3] = ["#fff8db", "#0b57c2", "#1c1e24"];

/// How a kind of end looks.
pub(super) fn look(ends: Ends, cancelled: bool) -> Look {
    match ends {
        Ends::Well => Look::Well,
        Ends::Restored if cancelled => Look::Cancelled,
        Ends::Restored => Look::Restored,
        Ends::LeftChanged => Look::Left,
        Ends::InDoubt => Look::Doubt,
        Ends::Open | Ends::Mistaken | Ends::Endless => Look::Wrong,
    }
}

/// A kind of end: a symbol, and words.
pub(in crate::cli) fn told(ends: Ends, cancelled: bool) -> (&'static str, &'static str) {
    match (ends, cancelled) {
        (Ends::Well, _) => ("✓", "ends well"),
        (Ends::Restored, false) => ("↩", "failed, nothing left changed"),
        (Ends::Restored, true) => ("⊘", "cancelled, nothing left changed"),
        (Ends::LeftChanged, false) => ("⚠", "failed, left changed"),
        (Ends::LeftChanged, true) => ("⊘⚠", "cancelled, left changed"),
        (Ends::InDoubt, _) => ("?", "in doubt"),
        (Ends::Open, _) => ("✗", "cannot be followed"),
        (Ends::Mistaken, _) => ("✗", "a mistake in the runbook"),
        (Ends::Endless, _) => ("✗", "does not end"),
    }
}

/// What an end breaks, line by line.
pub(super) fn broken(end: &PathEnd) -> impl Iterator<Item = String> {
    let breaks = end.breaks.iter().map(|invariant| format!("✗ breaks {invariant}"));
    breaks.chain(end.waived.iter().map(|invariant| format!("~ {invariant} (waived)")))
}

/// What is folded: how its paths end, the worst first.
pub(super) fn folded(endings: &Endings) -> String {
    let count = |(ends, count): (Ends, u64)| format!("{} {}", told(ends, false).0, grouped(count));
    endings.iter().rev().map(count).collect::<Vec<_>>().join(", ")
}

/// How something goes, in one word or two.
pub(super) fn way(manner: &Manner) -> String {
    match manner.mood {
        Mood::Applied if !manner.text.contains("applied") => format!("{} but applied", manner.text),
        Mood::Applied => manner.text.replace("failed-applied", "failed but applied").replace("-but-", " but "),
        _ => manner.text.to_owned(),
    }
}

/// `pass, warn`; nothing where there is nothing to say.
pub(super) fn ways(manners: &[Manner]) -> String {
    let said = manners.iter().map(way).filter(|text| !text.is_empty());
    said.collect::<Vec<_>>().join(", ")
}

/// `12,345`.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 path`, `12,345 paths`.
pub(in crate::cli) fn paths(count: u64) -> String {
    if count == 1 { "1 path".to_owned() } else { format!("{} paths", grouped(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_threes() {
        assert_eq!([1, 12, 123, 1_234, 1_234_567].map(grouped), ["1", "12", "123", "1,234", "1,234,567"]);
        assert_eq!((paths(1), paths(1000)), ("1 path".to_owned(), "1,000 paths".to_owned()));
    }

    #[test]
    fn failed_but_applied_is_said_in_words() {
        let said = |text| way(&Manner { order: 0, case: text, text, mood: Mood::Applied });
        assert_eq!(said("failed-applied"), "failed but applied");
        assert_eq!(said("failed-but-applied"), "failed but applied");
        assert_eq!(said("unhealthy-but-applied"), "unhealthy but applied");
        assert_eq!(said("reload-failed"), "reload-failed but applied");
    }
}
