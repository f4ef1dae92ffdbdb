//! The journal: can it be read, is it whole, and does anything in it wait for a person?

use crate::config::Environment;
use crate::journal::{Journal, RUNNING, RunQuery, RunSummary};
use crate::model::Mode;
use crate::system::Look;

use super::super::{Error, Life, Lifeboat, Status};
use super::Finding;

/// How many of the newest runs are looked at.
const NEWEST: usize = 200;
/// How many of those are verified.
const VERIFIED: usize = 5;

pub(super) fn all(lifeboat: &Lifeboat, look: &Look) -> Vec<Finding> {
    if !look.exists(&lifeboat.state_directory().join("journal.db")) {
        return vec![Finding::ok("journal", "is not there yet; it is made with the first run")];
    }
    read(lifeboat).unwrap_or_else(|error| {
        let unreadable = Finding::fail("journal", error.to_string());
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        vec![unreadable.hint(help.unwrap_or_else(|| "no run can be recorded before it can be read".to_owned()))]
    })
}

/// The journal that a team shares, where one is configured.
pub(super) fn shared(lifeboat: &Lifeboat, environment: &Environment) -> Option<Finding> {
    let state = lifeboat.config().state.shared.as_ref()?;
    let subject = "shared journal";
    Some(match lifeboat.existing_shared_journal() {
        Ok(None) => Finding::ok(subject, format!("{} answers; the first run makes the journal there", state.url)),
        Ok(Some(_)) => Finding::ok(subject, format!("{} answers, of this version", state.url)),
        Err(error) if environment.protected => Finding::fail(subject, error.to_string())
            .hint("nothing protected is changed without it, but with --break-glass"),
        Err(error) => Finding::warn(subject, error.to_string())
            .hint("runs go on with the journal of this machine alone, and other machines do not see that"),
    })
}

fn read(lifeboat: &Lifeboat) -> Result<Vec<Finding>, Error> {
    let journal = lifeboat.journal()?;
    let runs = journal.runs(&RunQuery::newest(NEWEST))?;
    let mut findings = Vec::new();
    for run in runs.iter().take(VERIFIED) {
        if let Some(broken) = journal.verify(&run.id)?.broken {
            let message = format!("run {} is not as it was written, from event {}: {}", run.id, broken.seq, broken.why);
            findings
                .push(Finding::fail("journal", message).hint("find out who changed the file, and keep a copy of it"));
        }
    }
    for (status, what, hint) in [
        (Status::InDoubt.name(), "in doubt", "look at the targets that `lifeboat show` names, then `lifeboat settle`"),
        (Status::Waiting.name(), "waiting for an answer", "`lifeboat answer` gives it, then `lifeboat resume` goes on"),
        (Status::LeaseLost.name(), "stopped: it lost its leases", "`lifeboat resume` takes it up again"),
        (Status::Unrecorded.name(), "stopped: it could not be recorded", "`lifeboat resume` takes it up again"),
        (Status::Diverged.name(), "stopped: its runbook was changed", "`lifeboat show` tells what to put back"),
        (Status::LeftChanged.name(), "failed and left something changed", "`lifeboat show RUN` lists what is left"),
        (RUNNING, "interrupted", "its process is gone: `lifeboat resume` takes it up again"),
    ] {
        // Runs before the last good one of the same runbook were seen to.
        let unsettled = |run: &&RunSummary| {
            let later = runs.iter().take_while(|other| other.id != run.id);
            let mut settled =
                later.filter(|other| other.runbook == run.runbook && other.environment == run.environment);
            let goes_on = || status == RUNNING && !interrupted(&*journal, run);
            // No session is like another.
            let mut settled =
                || run.mode != Mode::Session && settled.any(|other| other.status == Status::Completed.name());
            run.status == status && !goes_on() && !settled()
        };
        if let Some(run) = runs.iter().find(unsettled) {
            let message = format!("run {} of {} is {what}", run.id, run.runbook);
            let hint = match run.mode {
                Mode::Session => hint.replace("lifeboat resume", "lifeboat repl --resume"),
                _ => hint.to_owned(),
            };
            findings.push(Finding::warn("journal", message).hint(hint));
        }
    }
    if findings.is_empty() {
        let all = if runs.len() == NEWEST { format!("the newest {NEWEST}") } else { runs.len().to_string() };
        findings.push(Finding::ok("journal", format!("whole, of this version; {all} runs, none waits for anybody")));
    }
    Ok(findings)
}

/// Whether a run without an end goes on nowhere.
fn interrupted(journal: &dyn Journal, run: &RunSummary) -> bool {
    journal.events(&run.id).is_ok_and(|events| Life::of(&run.id, &events) == Life::Interrupted)
}
