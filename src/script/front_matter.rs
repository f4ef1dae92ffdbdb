//! Front matter: the `//!` lines at the head of a runbook.

use crate::model::{Assumption, AssumptionError};

/// What the first lines of a runbook say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// The first line.
    pub title: String,
    /// Lines of the form `key: value`, with their line numbers (from 1).
    pub entries: Vec<(String, String, u32)>,
    /// All other lines.
    pub description: Vec<String>,
}

/// Assumptions with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What people call it.
    pub name: String,
    /// What it pins.
    pub assumptions: Vec<Assumption>,
}

impl Scenario {
    fn parse(text: &str) -> Result<Self, AssumptionError> {
        let wrong = || AssumptionError {
            message: format!("`{text}` is not a scenario"),
            hint: Some("write it as `the primary is down: probe(primary)=fail, confirm=yes`".to_owned()),
        };
        let (name, pinned) = text.split_once(':').ok_or_else(wrong)?;
        if name.trim().is_empty() || pinned.trim().is_empty() {
            return Err(wrong());
        }
        let assumptions = pinned.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { name: name.trim().to_owned(), assumptions })
    }
}

impl FrontMatter {
    /// The keys that mean something to Lifeboat.
    pub const KEYS: [&str; 11] =
        ["owner", "rto", "rpo", "drill", "watch", "deadline", "tags", "since", "see", "waive", "scenario"];

    /// Reads the leading `//!` lines.
    pub(super) fn parse(text: &str) -> Self {
        let mut front = Self::default();
        let lines = text.lines().enumerate().skip_while(|(_, line)| line.trim().is_empty() || line.starts_with("#!"));
        for (n, line) in lines {
            let Some(content) = line.trim_start().strip_prefix("//!") else { break };
            let content = content.trim();
            let entry = content.split_once(':').filter(|(key, _)| is_key(key));
            match entry {
                Some((key, value)) => {
                    let line = u32::try_from(n + 1).unwrap_or(0);
                    front.entries.push((key.to_owned(), value.trim().to_owned(), line));
                }
                None if front.title.is_empty() => content.clone_into(&mut front.title),
                None if content.is_empty() && front.description.is_empty() => {}
                None => front.description.push(content.to_owned()),
            }
        }
        front
    }

    /// What is waived, with the reason: `//! waive: told: a rehearsal that nobody waits for`. An invariant without a reason is not
    /// waived.
    pub fn waivers(&self) -> impl Iterator<Item = (&str, &str)> {
        let waivers = self.entries.iter().filter(|(key, ..)| key == "waive");
        let named = waivers.filter_map(|(_, value, _)| value.split_once(':'));
        named.map(|(name, reason)| (name.trim(), reason.trim())).filter(|(_, reason)| !reason.is_empty())
    }

    /// What a reader may want to pin, by name: `//! scenario: the primary is down: probe(primary)=fail`. The error of each says what is
    /// wrong, with its line.
    pub fn scenarios(&self) -> impl Iterator<Item = (u32, Result<Scenario, AssumptionError>)> {
        let entries = self.entries.iter().filter(|(key, ..)| key == "scenario");
        entries.map(|(_, value, line)| (*line, Scenario::parse(value)))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(k, ..)| k == key).map(|(_, value, _)| value.as_str())
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_entries_and_description() {
        let front = FrontMatter::parse(
            "//! Restore the database.\n//! rto: 30m\n//!\n//! Note: takes long.\nlet x = 1;\n//! late",
        );
        assert_eq!(front.title, "Restore the database.");
        assert_eq!(front.get("rto"), Some("30m"));
        assert_eq!(front.entries[0].2, 2);
        assert_eq!(front.description, ["Note: takes long."]);
    }

    #[test]
    fn none_at_all() {
        assert_eq!(FrontMatter::parse("let x = 1;"), FrontMatter::default());
    }
}
