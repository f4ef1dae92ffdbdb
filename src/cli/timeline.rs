//! `lifeboat timeline`: what happened in a run, when, and by whom: for the report about an incident.

use std::collections::HashMap;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use crate::journal::{JournalError, Recorded};
use crate::model::{Event, EventBody, Fault, ImpactKind, Key, Left, Mode, ScopeKind, Settlement, Span, Value};
use crate::primitives::Registry;
use crate::runtime::{Aftermath, Error};

use super::printer::{Printer, Style};
use super::show_text::call;
use super::wrap::wrap;
use super::{Exit, Global, runs, words};

/// Tell what happened in a run, when and by whom, for a report
#[derive(Args)]
pub(super) struct Timeline {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// How it is written: for a terminal, or as a table in Markdown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also what only looked
    #[arg(long)]
    looks: bool,
    /// A run of anybody in the team, from the journal that it shares
    #[arg(long)]
    shared: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    #[value(name = "markdown", alias = "md")]
    Markdown,
}

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    /// When, UTC.
    at: Timestamp,
    /// So many milliseconds after the run began.
    after_ms: i64,
    /// Who: whoever carried the run out then, or the person who answered or decided.
    by: String,
    /// What kind of thing it is.
    kind: &'static str,
    /// What happened.
    what: String,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    /// Whether it went as it should.
    ok: bool,
}

impl Timeline {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let journal = runs::journal_to_read(global, self.shared)?.ok_or(JournalError::NoRuns)?;
        let run = journal.find(&self.run)?;
        let recorded = journal.recorded(&run)?;
        let events: Vec<Event> = recorded.entries.iter().map_while(|entry| entry.event(&run).ok()).collect();
        let lines = Teller::new(&recorded, self.looks).tell(&events);
        if printer.json {
            printer.out_json(&serde_json::json!({
                "version": 1, "run": recorded.summary, "digests": digests(&events), "lines": lines,
                "outcome": Aftermath::of(&events).sentence(),
            }));
        } else if self.format == Format::Markdown {
            markdown(&recorded, &events, &lines, printer);
        } else {
            text(&recorded, &events, &lines, printer);
        }
        Ok(Exit::Done)
    }
}

/// The files that decided what the run did, with the beginnings of their digests.
fn digests(events: &[Event]) -> Vec<(String, String)> {
    let Some(EventBody::Started(started)) = events.first().map(|event| &event.body) else { return Vec::new() };
    started.digests.iter().map(|(file, digest)| (file.clone(), digest.get(..12).unwrap_or(digest).to_owned())).collect()
}

/// `runbooks/a.rhai in production, run …, started by ada@ops1`.
fn title(recorded: &Recorded) -> String {
    let run = &recorded.summary;
    format!("{} in {}: run {}, started by {}", run.runbook, run.environment, run.id, run.by)
}

/// What it came to: the status, and what is left changed.
fn outcome(recorded: &Recorded, events: &[Event]) -> String {
    let run = &recorded.summary;
    let why = run.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}{why}; {}", run.status, Aftermath::of(events).sentence())
}

fn text(recorded: &Recorded, events: &[Event], lines: &[Line], printer: &Printer) {
    let say = |text: &str, indent: usize, style: Option<Style>| {
        for line in wrap(text, printer.width().saturating_sub(indent)) {
            let line = style.map_or_else(|| line.clone(), |style| printer.paint(style, &line));
            printer.out(&format!("{:indent$}{line}", ""));
        }
    };
    say(&title(recorded), 0, Some(Style::Bold));
    let day = recorded.summary.started.strftime("%Y-%m-%d, times in UTC").to_string();
    say(&day, 0, Some(Style::Dim));
    printer.out("");
    let mut by = recorded.summary.by.as_str();
    for line in lines {
        if line.by != by {
            by = &line.by;
            printer.out(&format!("{:>20}{}", "", printer.paint(Style::Dim, &format!("{by}:"))));
        }
        let style = if line.ok { None } else { Some(Style::Bad) };
        let took = line.took_ms.filter(|took| *took > 0).map(|took| format!("  ({})", human(took))).unwrap_or_default();
        let head = format!("{}  {:>8}  ", line.at.strftime("%H:%M:%S"), format!("+{}", after(line.after_ms)));
        for (n, row) in wrap(&format!("{}{took}", line.what), printer.width().saturating_sub(20)).iter().enumerate() {
            let row = style.map_or_else(|| row.clone(), |style| printer.paint(style, row));
            let head = if n == 0 { printer.paint(Style::Dim, &head) } else { format!("{:20}", "") };
            printer.out(&format!("{head}{row}"));
        }
    }
    printer.out("");
    say(&outcome(recorded, events), 0, Some(runs::style(&recorded.summary.status)));
}

fn markdown(recorded: &Recorded, events: &[Event], lines: &[Line], printer: &Printer) {
    printer.out(&format!("# {}\n", plain(&title(recorded))));
    printer.out(&format!("**Outcome:** {}\n", plain(&outcome(recorded, events))));
    printer.out("| time (UTC) | after | who | what | took |\n|---|---|---|---|---|");
    for line in lines {
        let took = line.took_ms.filter(|took| *took > 0).map(human).unwrap_or_default();
        let at = line.at.strftime("%Y-%m-%d %H:%M:%S");
        let what = if line.ok { plain(&line.what) } else { format!("**{}**", plain(&line.what)) };
        printer.out(&format!("| {at} | {} | {} | {what} | {took} |", after(line.after_ms), plain(&line.by)));
    }
    let files: Vec<String> = digests(events).iter().map(|(file, digest)| format!("`{file}` ({digest})")).collect();
    printer.out(&format!("\nMade from {}.", files.join(", ")));
}

/// Text that means nothing in a table of Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => plain.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' => plain.extend(['\\', c]),
            c => plain.push(c),
        }
    }
    plain
}

fn human(millis: u64) -> String {
    Span(Duration::from_millis(millis)).human()
}

fn after(millis: i64) -> String {
    let millis = u64::try_from(millis).unwrap_or_default();
    if millis < 1000 { "0s".to_owned() } else { Span(Duration::from_secs(millis / 1000)).to_string() }
}

struct Teller {
    started: Timestamp,
    by: String,
    looks: bool,
    registry: Registry,
    intended: HashMap<Key, Value>,
    titles: HashMap<Key, String>,
    lines: Vec<Line>,
}

impl Teller {
    fn new(recorded: &Recorded, looks: bool) -> Self {
        let (started, by) = (recorded.summary.started, recorded.summary.by.clone());
        let (registry, intended, titles, lines) = (Registry::standard(), HashMap::new(), HashMap::new(), Vec::new());
        Self { started, by, looks, registry, intended, titles, lines }
    }

    fn tell(mut self, events: &[Event]) -> Vec<Line> {
        for event in events {
            self.event(event);
        }
        self.lines
    }

    /// Why other machines were not heeded from then on.
    fn broke_glass(&mut self, at: Timestamp, why: Option<&str>) {
        if let Some(why) = why {
            self.line(at, "break-glass", format!("the leases of other machines were not heeded: {why}"), false);
        }
    }

    fn line(&mut self, at: Timestamp, kind: &'static str, what: String, ok: bool) {
        let after_ms = i64::try_from(at.duration_since(self.started).as_millis()).unwrap_or(i64::MAX);
        self.lines.push(Line { at, after_ms, by: self.by.clone(), kind, what, took_ms: None, ok });
    }

    fn event(&mut self, event: &Event) {
        let at = event.at;
        match &event.body {
            EventBody::Started(started) => {
                let drill = match started.mode {
                    Mode::Run => "the run",
                    Mode::Drill => "a drill",
                    Mode::Session => "the session",
                };
                self.line(at, "started", format!("{drill} began, with lifeboat {}", started.version), true);
                self.broke_glass(at, started.break_glass.as_deref());
            }
            EventBody::Entered { scope } => {
                self.titles.insert(scope.key.clone(), scope.title.clone());
                match scope.kind {
                    ScopeKind::Step { .. } => self.line(at, "step", format!("step: {}", scope.title), true),
                    ScopeKind::Input { .. } => self.line(at, "typed", format!("typed: {}", scope.title), true),
                    ScopeKind::Rollback => self.line(at, "rollback", format!("rolling back: {}", scope.title), true),
                    _ => {}
                }
            }
            EventBody::Left { key, how: Left::Faulted(fault) } => {
                let title = self.titles.get(key).cloned().unwrap_or_default();
                self.line(at, "failed", format!("failed: {title}: {}", fault.message), false);
            }
            EventBody::Intended { key, args, .. } => drop(self.intended.insert(key.clone(), args.clone())),
            EventBody::Settled(settled) => self.settled(settled),
            EventBody::Foreseen(foreseen) => {
                self.line(at, "planned", format!("only planned: {} {}", foreseen.primitive, foreseen.summary), true);
            }
            EventBody::InDoubt { why, .. } => self.line(at, "in-doubt", format!("in doubt: {why}"), false),
            EventBody::Updated { channel, message, delivered, .. } => {
                self.line(at, "told", format!("told {channel}: {message}"), *delivered);
            }
            EventBody::Resumed { by, process, edited, ends, break_glass } => {
                self.by.clone_from(by);
                let what = match (process, ends) {
                    (None, _) => "what was in doubt was settled",
                    (Some(_), None) => "the run was taken up again",
                    (Some(_), Some(_)) => "the run was taken up again, to be undone",
                };
                let edited = if edited.is_empty() { String::new() } else { format!(", edited: {}", edited.join(", ")) };
                self.line(at, "resumed", format!("{what}{edited}"), true);
                self.broke_glass(at, break_glass.as_deref());
            }
            EventBody::Awaiting { args, .. } => {
                if let Some(question) = args.get("question") {
                    self.line(at, "asked", format!("asked: {question}"), true);
                }
            }
            EventBody::Answered { answer, by, .. } => self.by_person(by, at, "answered", format!("answered: {answer}")),
            EventBody::Cancelling { by, reason, abort } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let what = if *abort { "aborted the run" } else { "cancelled the run" };
                self.by_person(by, at, "cancelled", format!("{what}{reason}"));
            }
            EventBody::Decided { decision, reason, .. } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                self.line(at, "decided", format!("a person decided: {decision}{reason}"), true);
            }
            EventBody::Unwinding { cause, .. } => {
                self.line(at, "unwinding", format!("what is owed is rolled back: {cause}"), false);
            }
            EventBody::Ended { status, .. } => self.line(at, "ended", format!("the run ended: {status}"), true),
            EventBody::Left { .. } => {}
        }
    }

    fn by_person(&mut self, by: &str, at: Timestamp, kind: &'static str, what: String) {
        let before = std::mem::replace(&mut self.by, by.to_owned());
        self.line(at, kind, what, true);
        self.by = before;
    }

    fn settled(&mut self, settled: &Settlement) {
        let intended = self.intended.remove(&settled.key);
        let looks = matches!(settled.impact.kind, ImpactKind::Look);
        if looks && settled.outcome.is_ok() && !self.looks || settled.primitive == "retry" {
            return;
        }
        let args = settled.args.as_ref().or(intended.as_ref());
        let what = call(&settled.primitive, &settled.impact, args, &self.registry);
        let evidence = settled.evidence.as_ref().map(|evidence| format!(" ({evidence})")).unwrap_or_default();
        let told = match &settled.outcome {
            Ok(value) => format!("{what}{}{evidence}", words::said(settled, value, &what)),
            Err(Fault { message, .. }) => format!("{what} failed: {message}{evidence}"),
        };
        let kind = match settled.impact.kind {
            ImpactKind::Look => "look",
            ImpactKind::Tell => "told",
            _ => "did",
        };
        self.line(settled.began, kind, told, settled.outcome.is_ok());
        if let Some(line) = self.lines.last_mut() {
            line.took_ms = Some(settled.elapsed_ms);
        }
    }
}
