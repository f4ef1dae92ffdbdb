//! The events of a run as a tree: steps, calls with what came of them, decisions, rollbacks.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Applied, Event, EventBody, Fault, Impact, ImpactKind, Key, Left, Record, Scope, ScopeKind, Settlement, Span, Value,
};

use crate::primitives::Registry;
use crate::runtime::counted;

use super::printer::{Printer, Style};
use super::untangle::{Next, untangle};
use super::words;
use super::wrap::wrap;

/// The column in which the tree begins, after the time of day.
const MARGIN: usize = 10;

/// Prints the tree.
pub(super) struct Tree<'a> {
    printer: &'a Printer,
    /// Whether the calls inside waits and retries are shown.
    all: bool,
    depth: usize,
    /// Bodies that are repeated, and are open; how many calls were made in them.
    bodies: usize,
    repeated: usize,
    /// What was intended: the number of the attempt and the arguments, for when it is settled.
    intended: HashMap<Key, (u32, Value)>,
    /// What faults said that were shown: none is shown again for every step that it leaves.
    shown: HashSet<String>,
    registry: Registry,
    /// The scopes that are open.
    open: HashMap<Key, ScopeKind>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(printer: &'a Printer, all: bool) -> Self {
        Self {
            printer,
            all,
            depth: 0,
            bodies: 0,
            repeated: 0,
            intended: HashMap::new(),
            shown: HashSet::new(),
            registry: Registry::standard(),
            open: HashMap::new(),
        }
    }

    pub(super) fn print(mut self, events: &[Event]) {
        for next in untangle(events, self.all) {
            match next {
                Next::Event(event) => self.event(event),
                Next::LeftOut(n) => {
                    let text = format!("… {n} more branches that only looked, and found all well (--all shows them)");
                    self.line(None, &text, Some(Style::Dim));
                }
            }
        }
        let record = Record::of(events);
        for (key, called) in record.open() {
            let what = call(&called.primitive, &called.impact, Some(&called.args), &self.registry);
            let text = format!("? {what} (call {key}) was started, and its outcome is not recorded");
            self.line(None, &text, Some(Style::Bad));
        }
        let is_over = matches!(events.last().map(|event| &event.body), Some(EventBody::Ended { .. }));
        for (_, awaited) in record.all_awaited().filter(|_| !is_over) {
            let detail = ["duration", "question"].iter().find_map(|name| awaited.args.get(name));
            let detail = detail.map(|detail| format!(" {detail}")).unwrap_or_default();
            let text = format!("… {}{detail}, since {}", awaited.primitive, awaited.since.strftime("%H:%M:%S"));
            self.line(None, &text, Some(Style::Dim));
        }
    }

    fn event(&mut self, event: &Event) {
        match &event.body {
            EventBody::Entered { scope } => self.entered(scope, event.at),
            EventBody::Left { key, how } => self.left(key, how),
            EventBody::Intended { key, attempt, args, .. } => {
                self.intended.insert(key.clone(), (*attempt, args.clone()));
            }
            EventBody::Settled(settled) => self.settled(settled),
            EventBody::Foreseen(foreseen) => {
                let text = format!("{} {} (only planned)", foreseen.primitive, foreseen.summary);
                self.line(Some(event.at), &text, Some(Style::Dim));
            }
            EventBody::InDoubt { key, why } => {
                self.intended.remove(key);
                self.line(Some(event.at), &format!("? in doubt: {why}"), Some(Style::Bad));
            }
            EventBody::Updated { channel, message, delivered, detail, .. } => {
                let (text, style) = match delivered {
                    true => (format!("> told {channel}: {message}"), Style::Dim),
                    false => (format!("! not delivered to {channel}: {message} ({detail})"), Style::Caution),
                };
                self.line(Some(event.at), &text, Some(style));
            }
            EventBody::Decided { decision, reason, .. } => {
                let reason = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                self.line(Some(event.at), &format!("a person decided: {decision}{reason}"), Some(Style::Caution));
            }
            EventBody::Unwinding { cause, owed, .. } => {
                self.depth = 0;
                let text = format!("↩ rolling back {} because: {cause}", counted(owed));
                self.line(Some(event.at), &text, Some(Style::Caution));
            }
            EventBody::Resumed { by, process, edited, ends, break_glass } => {
                self.open.clear();
                self.depth = 0;
                let what = match (process, ends) {
                    (None, _) => "settled by",
                    (Some(_), None) => "resumed by",
                    (Some(_), Some(_)) => "taken up to be undone by",
                };
                let edited = if edited.is_empty() { String::new() } else { format!(", edited: {}", edited.join(", ")) };
                self.line(Some(event.at), &format!("↻ {what} {by}{edited}"), Some(Style::Bold));
                self.broke_glass(event.at, break_glass.as_deref());
            }
            EventBody::Ended { status, value, .. } => {
                let value = if *value == Value::Null { String::new() } else { format!(", returned {value}") };
                self.depth = 0;
                self.line(Some(event.at), &format!("{status}{value}"), Some(super::runs::style(status)));
            }
            EventBody::Answered { answer, by, .. } => {
                self.line(Some(event.at), &format!("answered by {by}: {answer}"), None);
            }
            EventBody::Cancelling { by, reason, abort } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let what = if *abort { "aborted" } else { "cancelled" };
                self.line(Some(event.at), &format!("{what} by {by}{reason}"), Some(Style::Caution));
            }
            EventBody::Started(_) | EventBody::Awaiting { .. } => {}
        }
    }

    fn entered(&mut self, scope: &Scope, at: Timestamp) {
        self.open.insert(scope.key.clone(), scope.kind.clone());
        let (head, style) = match &scope.kind {
            ScopeKind::Body => {
                (self.bodies, self.repeated) = (self.bodies + 1, 0);
                if !self.all {
                    return;
                }
                (format!("▸ {}", scope.title), Style::Bold)
            }
            ScopeKind::Parallel { branches, at_most } => {
                (format!("▸ parallel: {branches} branches, {} at a time", at_most.min(branches)), Style::Bold)
            }
            ScopeKind::During(updates) => {
                let text = format!("updates every {} on {}: {}", updates.every, updates.channel, scope.title);
                return self.line(Some(at), &text, Some(Style::Dim));
            }
            ScopeKind::Rollback => (format!("↩ rolling back {}", scope.title), Style::Caution),
            _ => (format!("▸ {}", scope.title), Style::Bold),
        };
        self.line(Some(at), &head, Some(style));
        self.depth += 1;
    }

    fn left(&mut self, key: &Key, how: &Left) {
        match self.open.remove(key) {
            Some(ScopeKind::Body) => {
                self.bodies = self.bodies.saturating_sub(1);
                self.depth -= usize::from(self.all && self.depth > 0);
                return;
            }
            Some(ScopeKind::During(_)) => return,
            Some(ScopeKind::Branch) if *how == Left::Stopped => {
                self.line(None, "stopped, because another branch failed", Some(Style::Caution));
            }
            _ => {}
        }
        match how {
            Left::Faulted(fault) if !self.shown.contains(&fault.message) => {
                self.fault(fault, "✗");
            }
            _ => {}
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn settled(&mut self, settled: &Settlement) {
        let intended = self.intended.remove(&settled.key);
        if self.bodies > 0 {
            self.repeated += 1;
            if !self.all {
                return;
            }
        }
        let args = settled.args.as_ref().or(intended.as_ref().map(|(_, args)| args));
        let attempt = intended.as_ref().map(|(n, _)| *n).filter(|n| *n > 1);
        let attempt = attempt.map(|n| format!(", attempt {n}")).unwrap_or_default();
        let calls = match std::mem::take(&mut self.repeated) {
            n if n > 0 && self.bodies == 0 => format!(", {n} call{} in it", if n == 1 { "" } else { "s" }),
            _ => String::new(),
        };
        let took = Span(Duration::from_millis(settled.elapsed_ms)).human();
        let what = call(&settled.primitive, &settled.impact, args, &self.registry);
        let site = format!("line {}", settled.site.line);
        match &settled.outcome {
            Ok(value) => {
                let tick = match settled.impact.kind {
                    _ if value.get("delivered") == Some(&Value::Bool(false)) => "!",
                    ImpactKind::Look => "?",
                    _ => "✓",
                };
                let text = format!("{tick} {what}{}  ({took}{attempt}{calls})", words::said(settled, value, &what));
                self.line(Some(settled.began), &text, None);
            }
            Err(fault) => {
                self.line(
                    Some(settled.began),
                    &format!("✗ {what}  ({took}{attempt}{calls}, {site})"),
                    Some(Style::Bad),
                );
                self.depth += 1;
                self.fault(fault, "");
                self.depth -= 1;
            }
        }
        if let Some(evidence) = &settled.evidence {
            self.line(None, &format!("  evidence: {evidence}"), None);
        }
    }

    fn fault(&mut self, fault: &Fault, mark: &str) {
        let applied = match fault.applied {
            Applied::No => "",
            Applied::Yes => "; the target WAS changed all the same",
            Applied::Unknown => "; nobody knows whether the target was changed",
        };
        let site = fault.site.as_deref().filter(|_| !mark.is_empty());
        let site = site.map(|site| format!(" ({site})")).unwrap_or_default();
        self.line(None, format!("{mark} {}{applied}{site}", fault.message).trim_start(), Some(Style::Bad));
        if let Some(hint) = &fault.hint {
            self.line(None, &format!("  help: {hint}"), None);
        }
        self.shown.insert(fault.message.clone());
    }

    /// Why other machines were not heeded from then on.
    fn broke_glass(&self, at: Timestamp, why: Option<&str>) {
        if let Some(why) = why {
            self.line(
                Some(at),
                &format!("! the leases of other machines were not heeded: {why}"),
                Some(Style::Caution),
            );
        }
    }

    fn line(&self, at: Option<Timestamp>, text: &str, style: Option<Style>) {
        let indent = MARGIN + 2 * self.depth.min(12);
        // What goes on in the next line begins below the text, not below its mark.
        for (n, line) in wrap(text, self.printer.width().saturating_sub(indent + 2).max(20)).iter().enumerate() {
            let time = at.filter(|_| n == 0).map(|at| at.strftime("%H:%M:%S").to_string()).unwrap_or_default();
            let time = self.printer.paint(Style::Dim, &format!("{time:<MARGIN$}"));
            let hanging = if n == 0 { 0 } else { 2 };
            let line = style.map_or_else(|| line.clone(), |style| self.printer.paint(style, line));
            let pad = indent - MARGIN + hanging;
            self.printer.out(format!("{time}{:pad$}{line}", "").trim_end());
        }
    }
}

/// `restore primary (from: 20261120T221912Z-41e918)`: the primitive, what it was given by position, and its options.
pub(super) fn call(primitive: &str, impact: &Impact, args: Option<&Value>, registry: &Registry) -> String {
    let mut text = primitive.to_owned();
    let Some(Value::Map(args)) = args else {
        impact.targets.iter().for_each(|target| text = format!("{text} {target}"));
        return text;
    };
    // A primitive that a host brings, or that is there no more, has only options here.
    let positional = registry.signature(primitive).map_or(&[][..], |signature| signature.positional);
    for value in positional.iter().filter_map(|name| args.get(*name)) {
        text = format!("{text} {value}");
    }
    let options = args.iter().filter(|(name, _)| !positional.contains(&name.as_str()));
    let options: Vec<String> = options.map(|(name, value)| format!("{name}: {value}")).collect();
    if options.is_empty() { text } else { format!("{text} ({})", options.join(", ")) }
}
