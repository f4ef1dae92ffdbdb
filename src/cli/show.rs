//! `lifeboat show`: one run, from its record.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::journal::{Broken, JournalError, RUNNING, Recorded, UNFINISHED, Verified};
use crate::model::{Event, EventBody, Letter, LetterQuery, Mode, Record, Started, Value, Wanted};
use crate::runtime::{Aftermath, Error, Life, Owed, Status, takes_up};

use super::printer::{Printer, Style};
use super::show_text::Tree;
use super::wrap::wrap;
use super::{Exit, Global, open, outbox, runs, ways};

/// Show a run: how it ended, what it did, is its record whole
#[derive(Args)]
pub(super) struct Show {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Show every call, also those that waits and retries repeat
    #[arg(long)]
    all: bool,
    /// In which ways a run that is not over can go on from where it is, and how each of them ends, the worst first
    #[arg(long, conflicts_with_all = ["all", "shared"])]
    ways: bool,
    /// A run of anybody in the team, from the journal that it shares
    #[arg(long)]
    shared: bool,
}

impl Show {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let journal = runs::journal_to_read(global, self.shared)?.ok_or(JournalError::NoRuns)?;
        let run = journal.find(&self.run)?;
        if self.ways {
            let ways = open::recording(global, |builder| builder)?.ways_on(run.as_str())?;
            if printer.json {
                printer.out_json(&json!(ways));
            } else {
                ways::show(&ways, printer);
            }
            return Ok(Exit::Done);
        }
        let recorded = journal.recorded(&run)?;
        let verified = journal.verify(&run)?;
        // Up to the first event that cannot be read: why it cannot, the verification says.
        let events: Vec<Event> = recorded.entries.iter().map_while(|entry| entry.event(&run).ok()).collect();
        let letters = journal.letters(&LetterQuery { run: Some(run.to_string()), ..LetterQuery::default() })?;
        if printer.json {
            let record =
                json!({ "run": recorded.summary, "verified": verified, "events": events, "messages": letters });
            printer.out_json(&record);
        } else {
            let mut answers = journal.requests(&run, 0)?.into_iter().filter_map(|(_, request)| match request.wanted {
                Wanted::Answer { text, .. } => Some(format!("{text}, by {}", request.by)),
                Wanted::Cancel { .. } => None,
            });
            let header = Header { printer, recorded: &recorded, events: &events, answered: answers.next_back() };
            header.print(&verified);
            if !self.shared {
                header.here(global);
            }
            header.messages(&letters);
            printer.out("");
            Tree::new(printer, self.all).print(&events);
        }
        Ok(if verified.broken.is_none() { Exit::Done } else { Exit::Output })
    }
}

/// What stands above the tree.
struct Header<'a> {
    printer: &'a Printer,
    recorded: &'a Recorded,
    events: &'a [Event],
    /// The last answer that was given from elsewhere.
    answered: Option<String>,
}

impl Header<'_> {
    fn print(&self, verified: &Verified) {
        let run = &self.recorded.summary;
        let title = format!("{} in {}", run.runbook, run.environment);
        for line in wrap(&title, self.printer.width()) {
            self.printer.out(&self.printer.paint(Style::Bold, &line));
        }
        let drill = match run.mode {
            Mode::Run => "",
            Mode::Drill => ", a drill",
            Mode::Session => ", a session",
        };
        self.row("run", &format!("{}{drill}", run.id), None);
        self.row("by", &run.by, None);
        self.row("started", &moment(run.started), None);
        if let (Some(ended), Some(took)) = (run.ended, runs::took(run)) {
            self.row("ended", &format!("{}, after {}", moment(ended), took.human()), None);
        }
        self.status();
        if let Some(EventBody::Started(started)) = self.events.first().map(|event| &event.body) {
            self.started(started);
        }
        self.record(verified);
    }

    /// Where it is, if it is not over.
    fn here(&self, global: &Global) {
        if self.recorded.summary.ended.is_some() && !UNFINISHED.contains(&&*self.recorded.summary.status) {
            return;
        }
        // What comes next in a session is what somebody types.
        if self.recorded.summary.mode == Mode::Session {
            return;
        }
        let run = self.recorded.summary.id.as_str();
        let text = match open::recording(global, |builder| builder).and_then(|lifeboat| lifeboat.ways_on(run)) {
            Ok(ways) if ways.bad > 0 => format!("{} (--ways)", ways.place()),
            Ok(ways) => ways.place(),
            Err(error) => format!("in which ways it goes on cannot be told: {error}"),
        };
        self.row("here", &text, None);
    }

    fn status(&self) {
        let run = &self.recorded.summary;
        let style = Some(runs::style(&run.status));
        if run.status == RUNNING {
            let text = match Life::of(&run.id, self.events) {
                Life::GoesOn(process) if run.mode == Mode::Session => {
                    let (pid, host) = (process.pid, process.host);
                    format!("{} types, in process {pid} of {host} (lifeboat attach {})", self.typist(), run.id)
                }
                Life::GoesOn(process) => format!("goes on, in process {} of {}", process.pid, process.host),
                Life::Interrupted => format!("interrupted: its process is gone ({})", takes_up(run.mode, &run.id)),
                Life::Elsewhere(process) => format!("has no end: whether it goes on, only {} knows", process.host),
            };
            self.row("status", &text, style);
        } else {
            let why = run.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            self.row("status", &format!("{}{why}", run.status), style);
        }
        if run.status != Status::Completed.name() {
            let name = if run.status == RUNNING { "so far" } else { "state" };
            let is_gone = run.status == RUNNING && Life::of(&run.id, self.events) == Life::Interrupted;
            let aftermath = if is_gone { Aftermath::of_interrupted(self.events) } else { Aftermath::of(self.events) };
            self.row(name, &aftermath.sentence(), None);
        }
        if run.mode == Mode::Session {
            self.session();
            return;
        }
        let Some(EventBody::Ended { unwound, owed, .. }) = self.events.last().map(|event| &event.body) else { return };
        for step in unwound.iter().filter(|step| step.fault.is_some()) {
            let why = step.fault.as_ref().map(ToString::to_string).unwrap_or_default();
            self.row("failed", &format!("the rollback of {}: {why}", step.title), Some(Style::Bad));
        }
        if run.status == Status::InDoubt.name() {
            let text = format!("lifeboat settle {0} (--applied or --not-applied), then lifeboat resume {0}", run.id);
            self.row("settle", &text, style);
        }
        if run.status == Status::Waiting.name() {
            let record = Record::of(self.events);
            let text = match &self.answered {
                Some(answered) if record.all_awaited().any(|(_, awaited)| awaited.answer.is_none()) => {
                    format!("{answered}; it goes on with lifeboat resume {}", run.id)
                }
                _ => format!("lifeboat answer {0} TEXT, then lifeboat resume {0}", run.id),
            };
            self.row("answer", &text, style);
        }
        if !owed.is_empty() {
            self.row("owed", &format!("still to be rolled back: {}", owed.join(", ")), Some(Style::Bad));
        }
    }

    /// Who typed last.
    fn typist(&self) -> &str {
        let taken_up = self.events.iter().rev().find_map(|event| match &event.body {
            EventBody::Resumed { by, process: Some(_), .. } => Some(by.as_str()),
            _ => None,
        });
        taken_up.unwrap_or(&self.recorded.summary.by)
    }

    /// What a session owes, and how that is seen to.
    fn session(&self) {
        let (run, owed) = (&self.recorded.summary, Owed::of(self.events));
        if owed.is_nothing() {
            return;
        }
        let style = if owed.in_doubt.is_empty() { Style::Caution } else { Style::Bad };
        self.row("owes", &owed.sentence(), Some(style));
        if run.status != RUNNING {
            self.row("", &format!("to see to it: {}", takes_up(run.mode, &run.id)), None);
        }
    }

    fn started(&self, started: &Started) {
        if let Value::Map(params) = &started.params {
            for (n, (name, value)) in params.iter().enumerate() {
                self.row(if n == 0 { "params" } else { "" }, &format!("{name} = {value}"), None);
            }
        }
        for (n, (file, digest)) in started.digests.iter().enumerate() {
            self.row(if n == 0 { "digests" } else { "" }, &format!("{} {file}", short(digest)), None);
        }
        self.row("version", &started.version, None);
        if let Some(why) = &started.break_glass {
            self.row(
                "glass",
                &format!("broken: the leases of other machines were not heeded: {why}"),
                Some(Style::Caution),
            );
        }
    }

    fn record(&self, verified: &Verified) {
        let events = verified.events;
        match &verified.broken {
            None => {
                let text = format!("{events} events, hash chain whole to {}", short(&verified.head));
                self.row("record", &text, None);
            }
            Some(Broken { seq, why }) => {
                let text = format!("BROKEN at event {seq}: {why}; the {events} before it are as they were written");
                self.row("record", &text, Some(Style::Bad));
            }
        }
    }

    /// Messages that were not delivered when their call was made. The tree below shows what the runbook saw.
    fn messages(&self, letters: &[Letter]) {
        for (n, (line, style)) in outbox::afterwards(letters).into_iter().enumerate() {
            self.row(if n == 0 { "messages" } else { "" }, &line, Some(style));
        }
    }

    fn row(&self, name: &str, text: &str, style: Option<Style>) {
        for (n, line) in wrap(text, self.printer.width() - 12).iter().enumerate() {
            let name = if n == 0 { name } else { "" };
            let line = style.map_or_else(|| line.clone(), |style| self.printer.paint(style, line));
            self.printer.out(&format!("  {name:<10}{line}"));
        }
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The beginning of a digest, enough to tell it from another.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
