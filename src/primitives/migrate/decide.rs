//! What is to be done: files and history compared, before anything happens. Pure.

use crate::model::Fault;

use super::directory::Migration;
use super::faults::{code, fault};
use super::history::History;
use super::script::Direction;
use super::version::{NONE, Version, shown};

/// What the call asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) to: Option<String>,
    pub(super) down: bool,
    pub(super) baseline: Option<String>,
    /// What an earlier attempt of the same call set out to take back; `down` without `to` would take another one back.
    pub(super) begun: Option<Vec<String>>,
}

/// How migrations are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Run, in this direction.
    Run(Direction),
    /// Only noted as applied.
    Note,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) how: How,
    /// The migrations, in the order in which they are carried out.
    pub(super) steps: Vec<Migration>,
    /// The version now.
    pub(super) from: String,
    /// The version afterwards.
    pub(super) to: String,
}

impl Decision {
    /// The versions of the steps.
    pub(super) fn versions(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.version.text().to_owned()).collect()
    }
}

/// Compares files and history. A fault says why nothing is done.
pub(super) fn decide(target: &str, files: &[Migration], history: &History, wish: &Wish) -> Result<Decision, Fault> {
    let decider = Decider { target, files, history };
    match (&wish.baseline, wish.down) {
        (Some(_), true) => {
            let message = "`baseline` and `down` cannot be had together";
            Err(fault("argument", target, message).hint("a baseline only notes what is applied"))
        }
        (Some(_), _) if wish.to.is_some() => {
            let message = "`baseline` and `to` cannot be had together";
            Err(fault("argument", target, message).hint("note the baseline with one call, migrate with the next"))
        }
        (Some(version), false) => decider.baseline(version),
        (None, true) => decider.down(wish),
        (None, false) => decider.up(wish.to.as_deref()),
    }
}

struct Decider<'a> {
    target: &'a str,
    files: &'a [Migration],
    history: &'a History,
}

impl Decider<'_> {
    fn up(&self, to: Option<&str>) -> Result<Decision, Fault> {
        let last = to.map(|to| self.version(to)).transpose()?;
        self.refuse(&self.drift(true))?;
        let now = self.history.newest();
        if let (Some(last), Some(now)) = (&last, now)
            && last < now
        {
            let message = format!("{} is at {now} already, which is newer than {last}", self.target);
            return Err(fault(code::VERSION, self.target, message).hint("say `down: true` to take migrations back"));
        }
        let pending = |file: &&Migration| !self.history.has(&file.version);
        let wanted = |file: &&Migration| last.as_ref().is_none_or(|last| file.version <= *last);
        let steps: Vec<_> = self.files.iter().filter(pending).filter(wanted).cloned().collect();
        let to = shown(steps.last().map(|step| &step.version).or(now));
        Ok(Decision { how: How::Run(Direction::Up), steps, from: shown(now), to })
    }

    fn down(&self, wish: &Wish) -> Result<Decision, Fault> {
        let applied = |file: &&Migration| self.history.has(&file.version);
        let mut steps: Vec<_> = match (&wish.begun, wish.to.as_deref()) {
            (Some(begun), _) => {
                let meant =
                    |file: &&Migration| begun.iter().any(|text| Version::parse(text).as_ref() == Some(&file.version));
                self.files.iter().filter(meant).filter(applied).cloned().collect()
            }
            (None, Some(NONE)) => self.files.iter().filter(applied).cloned().collect(),
            (None, Some(to)) => {
                let last = self.version(to)?;
                if self.history.newest().is_none_or(|now| *now < last) {
                    let now = shown(self.history.newest());
                    let message = format!("{} is at {now}, which is older than {last}", self.target);
                    return Err(fault(code::VERSION, self.target, message).hint("leave `down` out to go forward"));
                }
                self.files.iter().filter(applied).filter(|file| file.version > last).cloned().collect()
            }
            (None, None) => self.files.iter().rfind(applied).cloned().into_iter().collect(),
        };
        steps.reverse();
        let oldest = steps.last().map(|step: &Migration| step.version.clone());
        // Only what is to be taken back must be as it was: a rollback shall not fail for the sake of another file.
        let matters = |drift: &Drift| match &oldest {
            Some(oldest) => drift.version >= *oldest,
            // Nothing can be taken back, perhaps for want of the file.
            None => wish.begun.is_none() && wish.to.is_none(),
        };
        let drifts: Vec<_> = self.drift(false).into_iter().filter(matters).collect();
        self.refuse(&drifts)?;
        let before = |version: &Version| {
            self.files.iter().rfind(|file| file.version < *version && self.history.has(&file.version))
        };
        let from = shown(self.history.newest());
        let to = oldest.map_or_else(|| from.clone(), |oldest| shown(before(&oldest).map(|file| &file.version)));
        Ok(Decision { how: How::Run(Direction::Down), steps, from, to })
    }

    fn baseline(&self, version: &str) -> Result<Decision, Fault> {
        let last = self.version(version)?;
        if let Some(now) = self.history.newest() {
            let message = format!("{} has a history already: it is at {now}", self.target);
            return Err(fault(code::VERSION, self.target, message).hint("a baseline starts a history: leave it out"));
        }
        let steps: Vec<_> = self.files.iter().filter(|file| file.version <= last).cloned().collect();
        let to = shown(steps.last().map(|step| &step.version));
        Ok(Decision { how: How::Note, steps, from: NONE.to_owned(), to })
    }

    /// The version that a call names; there must be a file for it.
    fn version(&self, text: &str) -> Result<Version, Fault> {
        let version = Version::parse(text);
        let file = self.files.iter().find(|file| Some(&file.version) == version.as_ref());
        file.map(|file| file.version.clone()).ok_or_else(|| {
            let known = match (self.files.first(), self.files.last()) {
                (Some(first), Some(last)) => format!("versions: {} to {}", first.version, last.version),
                _ => "the directory of migrations is empty".to_owned(),
            };
            let hint = if text == NONE { "with `down: true`, \"none\" takes all migrations back" } else { &known };
            fault(code::VERSION, self.target, format!("there is no migration `{text}`")).hint(hint)
        })
    }

    /// Every contradiction between files and history, by version. `forward`: new files must be newer than what is applied.
    fn drift(&self, forward: bool) -> Vec<Drift> {
        let mut drifts = Vec::new();
        for entry in &self.history.entries {
            let file = self.files.iter().find(|file| file.version == entry.version);
            let what = match (file, &entry.checksum) {
                (None, _) => format!("{}: applied, but its file is missing", entry.version),
                (Some(file), Some(checksum))
                    if self.history.ledger.checksum(&file.up.bytes).as_ref() != Some(checksum) =>
                {
                    format!("{}: changed since it was applied", file.up.name)
                }
                _ => continue,
            };
            drifts.push(Drift { version: entry.version.clone(), what, kind: Kind::of(file.is_none()) });
        }
        let newest = self.history.newest().filter(|_| forward);
        for file in self.files.iter().filter(|file| !self.history.has(&file.version)) {
            if let Some(newest) = newest.filter(|newest| file.version < **newest) {
                let what = format!("{}: not applied, but older than {newest}, which is", file.up.name);
                drifts.push(Drift { version: file.version.clone(), what, kind: Kind::OutOfOrder });
            }
        }
        drifts.sort_by(|a, b| a.version.cmp(&b.version));
        drifts
    }

    fn refuse(&self, drifts: &[Drift]) -> Result<(), Fault> {
        if drifts.is_empty() {
            return Ok(());
        }
        let lines: Vec<&str> = drifts.iter().map(|drift| drift.what.as_str()).collect();
        let table = self.history.ledger.table();
        let message =
            format!("the migrations of {} contradict its history in {table}:\n  {}", self.target, lines.join("\n  "));
        let advice = |kind: Kind, text: &'static str| drifts.iter().any(|drift| drift.kind == kind).then_some(text);
        let hints = [
            advice(Kind::Changed, "bring a changed file back as it was, and put the change into a new migration"),
            advice(Kind::Missing, "bring a missing file back"),
            advice(Kind::OutOfOrder, "give a file that came late a newer version"),
        ];
        let hint: Vec<&str> = hints.into_iter().flatten().collect();
        Err(fault(code::DRIFT, self.target, message).hint(hint.join("; ")))
    }
}

/// A contradiction between a file and the history.
struct Drift {
    version: Version,
    what: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Changed,
    Missing,
    OutOfOrder,
}

impl Kind {
    fn of(missing: bool) -> Self {
        if missing { Kind::Missing } else { Kind::Changed }
    }
}
