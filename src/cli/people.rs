//! The person at the terminal: questions, messages, faults, Ctrl-C.

use std::collections::VecDeque;
use std::future::Future;
use std::io::BufRead;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::oneshot;

use crate::model::{Applied, Fault, Impact, RunId};
use crate::runtime::Lifeboat;
use crate::system::{Answer, Answers, Asked, Cancel, Console, Interrupted, whoami};
use crate::worlds::Faulted;

use super::printer::{Printer, Style};

/// Answers from the command line first, then from the terminal.
pub(super) struct Person {
    printer: Printer,
    /// Confirm everything.
    yes: bool,
    prepared: Mutex<VecDeque<String>>,
    /// A line that is being read. A question that nobody needs an answer to any more leaves it to the next one.
    reading: tokio::sync::Mutex<Option<oneshot::Receiver<Option<String>>>>,
}

impl Person {
    /// `yes` answers every confirmation; `prepared` answers the other questions, in their order.
    pub(super) fn new(printer: &Printer, yes: bool, prepared: &[String]) -> Arc<Self> {
        let prepared = Mutex::new(prepared.iter().cloned().collect());
        Arc::new(Self { printer: printer.clone(), yes, prepared, reading: tokio::sync::Mutex::default() })
    }

    fn prepared_answer(&self, asked: &Asked) -> Option<String> {
        let confirmation = asked.choices == ["yes", "no"];
        let answer = if confirmation && self.yes {
            Some("yes".to_owned())
        } else {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |answer: &String| asked.choices.is_empty() || asked.choices.contains(answer);
            if let Some(odd) = prepared.front().filter(|answer| !fits(answer)) {
                let choices = asked.choices.join(", ");
                self.printer.err(&format!("--answer {odd} is none of the answers to: {} ({choices})", asked.question));
            }
            prepared.front().is_some_and(fits).then(|| prepared.pop_front()).flatten()
        };
        if let Some(answer) = &answer {
            self.printer.err(&format!("{} {answer}", self.printer.paint_err(Style::Caution, &asked.question)));
        }
        answer
    }

    async fn at_terminal(&self, asked: &Asked) -> Answer {
        loop {
            let Some(line) = self.read_line(asked).await else { return Answer::Nobody };
            match meant(asked, line.trim()) {
                Some(text) => return Answer::Said { text, by: whoami() },
                None => self.printer.err(&format!("answer with one of: {}", asked.choices.join(", "))),
            }
        }
    }

    /// Reads a line on a thread of its own, which is left behind when the answer is not waited for any more.
    async fn read_line(&self, asked: &Asked) -> Option<String> {
        let choices = match (&asked.choices[..], &asked.default) {
            ([], None) => String::new(),
            ([], Some(default)) => format!(" [{default}]"),
            (choices, _) => format!(" [{}]", choices.join("/")),
        };
        self.printer.warn(Style::Caution, &asked.question);
        if !choices.is_empty() {
            self.printer.err(choices.trim_start());
        }
        // What was typed before the question was asked is no answer to it.
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        let mut reading = self.reading.lock().await;
        let line = reading.get_or_insert_with(|| {
            let (sender, receiver) = oneshot::channel();
            std::thread::spawn(move || {
                let mut line = String::new();
                let read = std::io::stdin().lock().read_line(&mut line);
                let _ = sender.send(matches!(read, Ok(n) if n > 0).then_some(line));
            });
            receiver
        });
        let line = line.await.ok().flatten();
        *reading = None;
        line
    }
}

/// The choice that was meant: a whole word or the beginning of exactly one.
pub(super) fn meant(asked: &Asked, said: &str) -> Option<String> {
    if said.is_empty() {
        return asked.default.clone().or_else(|| asked.choices.is_empty().then(String::new));
    }
    if asked.choices.is_empty() {
        return Some(said.to_owned());
    }
    let said = said.to_lowercase();
    let mut fitting = asked.choices.iter().filter(|choice| choice.to_lowercase().starts_with(&said));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => asked.choices.iter().find(|choice| choice.to_lowercase() == said).cloned(),
    }
}

impl Answers for Person {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        Box::pin(async move {
            if let Some(text) = self.prepared_answer(asked) {
                return Ok(Answer::Said { text, by: whoami() });
            }
            Ok(if self.printer.interactive() { self.at_terminal(asked).await } else { Answer::Nobody })
        })
    }
}

impl Console for Printer {
    fn show(&self, message: &str) {
        self.err(message);
    }
}

/// Shows a fault to the person who is to decide about it.
pub(super) struct FaultCard {
    pub(super) printer: Printer,
    pub(super) lifeboat: Weak<Lifeboat>,
}

impl Faulted for FaultCard {
    fn show(&self, fault: &Fault, impact: Option<&Impact>) {
        let printer = &self.printer;
        printer.err(&format!("{} {}", printer.paint_err(Style::Bad, "failed:"), fault.message));
        if let Some(hint) = &fault.hint {
            printer.err(&format!("  help: {hint}"));
        }
        let state = match (fault.applied, impact) {
            (_, None) => "nothing was tried",
            (Applied::No, _) => "the target is as it was",
            (Applied::Yes, _) => "the target WAS changed all the same",
            (Applied::Unknown, _) => "nobody knows whether the target was changed",
        };
        let site = fault.site.as_deref().map(|site| format!(" ({site})")).unwrap_or_default();
        printer.err(&format!("  {state}{site}"));
    }

    fn pauses(&self, run: &RunId) {
        // Whoever is to decide is not kept from it by what cannot be told.
        let Some(Ok(ways)) = self.lifeboat.upgrade().map(|lifeboat| lifeboat.ways_on(run.as_str())) else { return };
        self.printer.err(&format!("  {}", ways.sentence()));
        if ways.bad > 0 {
            self.printer.err(&format!("  lifeboat show {run} --ways tells which"));
        }
    }
}

/// Ctrl-C and SIGTERM ask the run to stop: once to cancel, twice to abort. SIGHUP does not: who loses a connection or closes a
/// terminal has not asked for anything to be undone.
pub(super) fn stop_on_signals(printer: &Printer, cancel: &Cancel) {
    let (printer, cancel) = (printer.clone(), cancel.clone());
    let mut messages = [
        "cancelling: what is owed is rolled back; press Ctrl-C again to abort and leave things as they are",
        "aborting: nothing more is rolled back",
    ]
    .into_iter();
    on_signals(move |signal| match signal {
        Signal::HungUp => printer.err("the terminal is gone, and the run goes on: lifeboat attach follows it"),
        Signal::Interrupt | Signal::Stop => {
            if let Some(message) = messages.next() {
                printer.warn(Style::Caution, message);
                cancel.request();
            }
        }
    });
}

/// Any signal ends what only looks on.
pub(super) fn leave_on_signals(cancel: &Cancel) {
    let cancel = cancel.clone();
    on_signals(move |_| cancel.request());
}

/// What a signal means.
#[derive(Clone, Copy)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Stop,
    /// SIGHUP.
    HungUp,
}

/// Hands signals to `take` from now on, on a thread of its own.
pub(super) fn on_signals(mut take: impl FnMut(Signal) + Send + 'static) {
    use tokio::signal::unix::{SignalKind, signal};
    let (listening, ready) = std::sync::mpsc::channel::<()>();
    let listen = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [Ok(mut int), Ok(mut term), Ok(mut hup)] = kinds.map(signal) else { return };
            drop(listening);
            loop {
                let received = tokio::select! {
                    _ = int.recv() => Signal::Interrupt,
                    _ = term.recv() => Signal::Stop,
                    _ = hup.recv() => Signal::HungUp,
                };
                take(received);
            }
        });
    };
    // Without the thread, Ctrl-C ends the process as it does for any program; the journal is whole all the same.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(listen);
    // Nothing begins before a signal would be heard; the channel closes in any case.
    let _ = ready.recv();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_be_short_but_not_ambiguous() {
        let asked = |choices: &[&str], default: Option<&str>| Asked {
            question: "?".into(),
            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
            default: default.map(str::to_owned),
        };
        let faults = asked(&["retry", "skip", "roll back", "leave"], Some("roll back"));
        assert_eq!(meant(&faults, "ret").as_deref(), Some("retry"));
        assert_eq!(meant(&faults, "r"), None);
        assert_eq!(meant(&faults, "").as_deref(), Some("roll back"));
        assert_eq!(meant(&asked(&["yes", "no"], None), ""), None);
        assert_eq!(meant(&asked(&["yes", "no"], None), "Y").as_deref(), Some("yes"));
        assert_eq!(meant(&asked(&[], None), "any text").as_deref(), Some("any text"));
    }
}
