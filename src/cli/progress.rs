//! How a run goes, on standard error: steps, calls with their times, copies with their rates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::{
    Event, EventBody, Impact, ImpactKind, Invocation, Key, Left, Scope, ScopeKind, Settlement, Span, Value,
};
use crate::runtime::counted;
use crate::system::{Copy, Progress};
use crate::worlds::{Listener, NOT_APPLIED};

use super::lanes::Lanes;
use super::printer::{Printer, Style};
use super::words;
use super::wrap::{columns, wrap};

/// Shows a run as it goes.
pub(super) struct RunView {
    printer: Printer,
    /// Whether what was typed stands on the screen already, and how it ended is shown by whoever typed it.
    typed: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    spinner: Option<ProgressBar>,
    /// The arguments of the effects under way: their outcomes do not repeat them.
    intended: HashMap<Key, Value>,
}

impl RunView {
    pub(super) fn new(printer: &Printer) -> Arc<Self> {
        Arc::new(Self { printer: printer.clone(), typed: false, state: Mutex::default() })
    }

    /// The same for what is typed.
    pub(super) fn of_session(printer: &Printer) -> Arc<Self> {
        Arc::new(Self { printer: printer.clone(), typed: true, state: Mutex::default() })
    }

    fn spin(&self, state: &mut State, what: String) {
        // Nobody watches a spinner in a file, and each would cost a thread.
        if !self.printer.watched() {
            return;
        }
        let spinner = state.spinner.get_or_insert_with(|| {
            let bar = self.printer.bars.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        spinner.set_message(match state.lanes.group() {
            Some(group) => format!("{}: {what}", group.sentence()),
            None => what,
        });
    }

    /// Something that may take long begins: it turns where somebody watches, and is said once where nobody does.
    fn wait(&self, state: &mut State, key: &Key, what: String) {
        if !self.printer.watched() && !state.lanes.is_brief(key) {
            self.line(state, key, &self.dim(&format!("… {what}")));
        }
        self.spin(state, what);
    }

    /// Nothing is under way any more: where branches are, it goes on turning for the others.
    fn stop(state: &mut State) {
        if state.lanes.group().is_none()
            && let Some(spinner) = state.spinner.take()
        {
            spinner.finish_and_clear();
        }
    }

    fn line(&self, state: &State, key: &Key, text: &str) {
        self.timed(state, key, text, "");
    }

    /// A line with the time that it took at its end.
    fn timed(&self, state: &State, key: &Key, text: &str, took: &str) {
        let indent = format!("{}{}", "  ".repeat(state.lanes.depth(key)), self.dim(&state.lanes.prefix(key)));
        let used = 2 * state.lanes.depth(key) + state.lanes.prefix(key).chars().count();
        let width = self.printer.width().saturating_sub(used + 2).max(20);
        let text = self.printer.short(text);
        let fits = |parts: &Vec<String>| parts.last().is_none_or(|last| columns(last) + took.len() <= width);
        // Narrower, where it would stand beyond the edge.
        let parts = Some(wrap(&text, width)).filter(fits);
        let parts = parts.unwrap_or_else(|| wrap(&text, width.saturating_sub(took.len())));
        let took = if took.is_empty() { String::new() } else { self.dim(took) };
        for (n, part) in parts.iter().enumerate() {
            let hang = if n == 0 { "" } else { "  " };
            let took = if n + 1 == parts.len() { took.as_str() } else { "" };
            self.printer.err(&format!("{indent}{hang}{part}{took}"));
        }
    }

    fn entered(&self, state: &mut State, scope: &Scope) {
        let (key, title) = (&scope.key, &scope.title);
        let head = match &scope.kind {
            ScopeKind::Rollback => Some(self.printer.paint_err(Style::Caution, &format!("↩ rolling back {title}"))),
            ScopeKind::Body => {
                if !state.lanes.is_quiet(key) {
                    self.wait(state, key, format!("waiting for {title}"));
                }
                None
            }
            ScopeKind::Parallel { branches, at_most } => {
                let text = format!("▸ parallel: {branches} branches, {} at a time", at_most.min(branches));
                Some(self.printer.paint_err(Style::Bold, &text))
            }
            ScopeKind::Branch => None,
            ScopeKind::Input { armed } => {
                let mark = if *armed { "ARMED" } else { "dry" };
                let head = title.lines().next().unwrap_or_default();
                Some(self.printer.paint_err(Style::Bold, &format!("[{key}] {mark}> {head}")))
            }
            ScopeKind::During(updates) => {
                Some(self.dim(&format!("updates every {} on {}: {title}", updates.every, updates.channel)))
            }
            _ => Some(self.printer.paint_err(Style::Bold, &format!("▸ {title}"))),
        };
        let undoes = scope.kind == ScopeKind::Rollback;
        if let Some(head) = head.filter(|_| !state.lanes.is_quiet(key) && (undoes || !state.lanes.is_brief(key))) {
            self.line(state, key, &head);
        }
        state.lanes.enter(scope);
    }

    fn left(&self, state: &mut State, key: &Key, how: &Left) {
        let quiet = state.lanes.is_quiet(key) || (self.typed && key.depth() == 1);
        if let Left::Faulted(fault) = how
            && !quiet
        {
            self.line(state, key, &self.printer.paint_err(Style::Bad, &format!("✗ {}", fault.message)));
        }
        let group = state.lanes.leave(key, how);
        if let Some(group) = group.filter(|_| !quiet) {
            let (mark, style) = if group.failed > 0 { ("✗", Style::Bad) } else { ("✓", Style::Good) };
            let text = format!("{} {}", self.printer.paint_err(style, mark), group.sentence());
            self.line(state, key, &text);
        }
        if quiet || state.lanes.group().is_none() {
            Self::stop(state);
        }
    }

    fn settled(&self, state: &mut State, settled: &Settlement) {
        let intended = state.intended.remove(&settled.key);
        if !state.lanes.is_quiet(&settled.key) {
            Self::stop(state);
        }
        // What `log` says was shown when it was said.
        if settled.primitive == "log" || (settled.impact.kind == ImpactKind::Mark && settled.primitive != "measure") {
            return;
        }
        if !state.lanes.shows(settled) {
            return;
        }
        let args = settled.args.as_ref().or(intended.as_ref());
        let what = what(&settled.primitive, &settled.impact, args);
        // What was there at once says enough without a time.
        let took = match settled.elapsed_ms {
            0..10 => String::new(),
            millis => format!("  {}", Span(Duration::from_millis(millis)).human()),
        };
        match &settled.outcome {
            Ok(value) => {
                let is = |field: &str, truth: bool| value.get(field) == Some(&Value::Bool(truth));
                let tick = match settled.impact.kind {
                    _ if is("delivered", false) && is("queued", true) => {
                        self.printer.paint_err(Style::Caution, "! NOT YET DELIVERED")
                    }
                    _ if is("delivered", false) => self.printer.paint_err(Style::Caution, "! NOT DELIVERED"),
                    ImpactKind::Look => self.good("?"),
                    _ => self.good("✓"),
                };
                // Where nobody has received an answer, it is by evidence that it is known.
                let said = match &settled.evidence {
                    Some(evidence) => format!(": it took place: {evidence}"),
                    None => words::said(settled, value, &what),
                };
                self.timed(state, &settled.key, &format!("{tick} {what}{said}"), &took);
            }
            Err(fault) if fault.code == NOT_APPLIED => {
                let evidence = settled.evidence.as_ref().map(|evidence| format!(" ({evidence})")).unwrap_or_default();
                let text = format!("↻ {what}: it was cut off and did not take place{evidence}; once more");
                self.line(state, &settled.key, &self.printer.paint_err(Style::Caution, &text));
            }
            Err(fault) => {
                let cross = self.printer.paint_err(Style::Bad, "✗");
                self.timed(state, &settled.key, &format!("{cross} {what}: {}", fault.message), &took);
            }
        }
    }

    fn good(&self, text: &str) -> String {
        self.printer.paint_err(Style::Good, text)
    }

    fn dim(&self, text: &str) -> String {
        self.printer.paint_err(Style::Dim, text)
    }
}

impl Listener for RunView {
    fn on_begin(&self, call: &Invocation, impact: &Impact) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.printer.json || state.lanes.is_quiet(&call.key) {
            return;
        }
        let what = what(call.primitive, impact, Some(&call.args));
        match impact.kind {
            ImpactKind::Wait => {
                let time = call.args.get("duration").map(|time| format!(" {time}")).unwrap_or_default();
                self.wait(&mut state, &call.key, format!("{what}{time}"));
            }
            // A prompt and a spinner would fight for the line.
            ImpactKind::Ask => {}
            _ => self.spin(&mut state, what),
        }
    }

    fn on_event(&self, event: &Event) {
        if self.printer.json {
            return self.printer.out_json(event);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        match &event.body {
            EventBody::Started(started) => {
                let text = format!("{} in {}", started.runbook, started.environment);
                self.line(state, &Key::ROOT, &self.dim(&text));
            }
            EventBody::Resumed { by, ends, .. } => {
                let what = if ends.is_some() { "taken up to be undone" } else { "resumed" };
                self.line(state, &Key::ROOT, &self.dim(&format!("{what} by {by}")));
            }
            EventBody::Entered { scope } if self.typed && matches!(scope.kind, ScopeKind::Input { .. }) => {}
            EventBody::Entered { scope } => self.entered(state, scope),
            EventBody::Left { key, how } => self.left(state, key, how),
            EventBody::Intended { key, primitive, args, impact, .. } => {
                state.intended.insert(key.clone(), args.clone());
                self.spin(state, what(primitive, impact, Some(args)));
            }
            EventBody::Settled(settled) => self.settled(state, settled),
            EventBody::InDoubt { key, why } => {
                Self::stop(state);
                self.line(state, key, &self.printer.paint_err(Style::Bad, &format!("? in doubt: {why}")));
            }
            EventBody::Updated { key, channel, message, delivered, detail, .. } => {
                let text = match delivered {
                    true => self.dim(&format!("> told {channel}: {message}")),
                    false => self
                        .printer
                        .paint_err(Style::Caution, &format!("! NOT DELIVERED to {channel}: {message} ({detail})")),
                };
                self.line(state, key, &text);
            }
            EventBody::Unwinding { cause, owed, .. } => {
                state.lanes.unwind();
                Self::stop(state);
                let text = format!("rolling back {} because: {cause}", counted(owed));
                self.line(state, &Key::ROOT, &self.printer.paint_err(Style::Caution, &text));
            }
            EventBody::Answered { key, answer, by } => {
                self.line(state, key, &self.dim(&format!("answered by {by}: {answer}")));
            }
            EventBody::Cancelling { by, reason, abort } => {
                Self::stop(state);
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let what = if *abort { "aborted" } else { "cancelled" };
                self.line(
                    state,
                    &Key::ROOT,
                    &self.printer.paint_err(Style::Caution, &format!("{what} by {by}{reason}")),
                );
            }
            // What was only planned is shown by whoever planned it.
            EventBody::Foreseen(_) | EventBody::Awaiting { .. } => {}
            EventBody::Decided { .. } | EventBody::Ended { .. } => Self::stop(state),
        }
    }
}

/// `backup primary`, `log`, `wait_until web answers`.
fn what(primitive: &str, impact: &Impact, args: Option<&Value>) -> String {
    let subject = match impact.targets.as_slice() {
        [] => ["label", "name", "question", "message"].iter().find_map(|name| args?.get(name)).map(ToString::to_string),
        targets => Some(targets.join(", ")),
    };
    let mut text = subject.map_or_else(|| primitive.to_owned(), |subject| format!("{primitive} {subject}"));
    if let Some(state) = args.and_then(|args| args.get("state")).and_then(Value::as_str) {
        text.push(' ');
        text.push_str(state);
    }
    text
}

impl Progress for RunView {
    fn copy(&self, label: &str, total: u64) -> Box<dyn Copy> {
        let bar = self.printer.bars.add(ProgressBar::new(total));
        let style = ProgressStyle::with_template(
            "  {msg:20!} {bar:20} {percent:>3}%  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(label.to_owned());
        Box::new(CopyBar(bar))
    }
}

struct CopyBar(ProgressBar);

impl Copy for CopyBar {
    fn at(&mut self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for CopyBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
