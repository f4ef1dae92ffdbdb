//! `lifeboat repl`: the console for an incident. It is dry until it is armed, and remembers everything.

mod again;
mod ask;
mod colour;
mod commands;
mod editor;
mod expected;
mod help;
mod inspect;
mod kept;
mod leave;
mod load;
mod offers;
mod ours;
mod outages;
mod perform;
mod place;
mod postmortem;
mod prompt;
mod save;
mod say;
mod shown;
mod story;
mod watch;
mod words;

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rustyline::error::ReadlineError;

use crate::model::Span;
use crate::runtime::{Error, Interrupter, Lifeboat, LiveSession, SessionRequest, Under, looks_secret};
use crate::system::{Cancel, LineHistory};

use super::people::{Signal, on_signals};
use super::printer::{Printer, Style};
use super::progress::RunView;
use super::run::OnFaultArg;
use super::wrap::wrap;
use super::{Exit, Global, open};

use commands::{Command, Wrong};
use editor::Lines;
use leave::Leaving;
use load::Loaded;
use words::Words;

/// Type one thing after the other during an incident: dry until armed, recorded, and written up afterwards
#[derive(Args)]
#[command(
    after_help = "Changes are planned and shown until `:arm`. `:help` lists the commands, ?NAME explains a primitive.\n\n\
    Exit codes: 0 nothing is owed, 4 something is in doubt, 6 something that was changed is left to be undone; \
    with input from a file or a pipe also 1, at the first line that fails."
)]
pub(super) struct Repl {
    /// A runbook to take statement by statement: `:next`, `:go`
    #[arg(value_name = "RUNBOOK", conflicts_with_all = ["resume", "from"])]
    runbook: Option<PathBuf>,
    /// Give a parameter of the runbook
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = super::plan::pair, requires = "runbook")]
    params: Vec<(String, String)>,
    /// What is going on: the title of the report, and a clock in the prompt
    #[arg(long, value_name = "TITLE", conflicts_with_all = ["resume", "from"])]
    incident: Option<String>,
    /// Take up a session again, with its variables, functions and what it owes [default: the newest that was left open]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with = "from")]
    resume: Option<String>,
    /// Look back at a run, dry: what it had at hand before this call or step is there
    #[arg(long, value_name = "RUN[@KEY]")]
    from: Option<String>,
    /// Wait so long for runs that change the same targets, such as 10m, instead of being refused
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
    /// Go on although the shared journal does not answer, another machine has the leases or approvals are missing; the record says
    /// why
    #[arg(long, value_name = "WHY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    break_glass: Option<String>,
}

/// A session at a terminal, or at the end of a pipe.
struct Console<'a> {
    session: LiveSession<'a>,
    lifeboat: &'a Lifeboat,
    printer: &'a Printer,
    loaded: Option<Loaded>,
    /// A text that the next line begins with.
    prefilled: Option<String>,
    /// Whether a person types.
    at_terminal: bool,
}

/// What is to come after something typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    /// It did not go well: input from a pipe ends there.
    Failed,
    Leave,
}

impl Repl {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let at_terminal = printer.interactive() && std::io::stdout().is_terminal();
        let cancel = Cancel::new();
        let view = RunView::of_session(printer);
        let program = std::env::current_exe().unwrap_or_else(|_| "lifeboat".into());
        let lifeboat = Arc::new(open::recording(global, |builder| {
            let builder =
                builder.answers(Arc::new(ask::AtTerminal(printer.clone()))).console(Arc::new(printer.clone()));
            builder.progress(view.clone()).listener(view).cancel(cancel).program(program)
        })?);
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let request = SessionRequest {
            environment: global.env.clone(),
            incident: self.incident.clone(),
            on_fault: OnFaultArg::chosen(None, printer, &lifeboat),
            wait: self.wait.map(|wait| wait.0),
            break_glass: self.break_glass.clone(),
        };
        // What is wrong with it is said before anything is on record.
        if let Some(what) = self.incident.as_deref().and_then(looks_secret) {
            let help = "it would stand in the record and in the report; call it something else".to_owned();
            return Err(Error::Params { why: format!("the title of the incident holds {what}"), help: Some(help) });
        }
        let file = self.runbook.as_ref().map(|runbook| runbook.display().to_string());
        if let Some(file) = &file {
            let environment = &lifeboat.environment(global.env.as_deref())?.name;
            lifeboat.loadable(file, environment, &self.params)?;
        }
        let mut retraced = None;
        let mut left_open = Vec::new();
        let session = if let Some(run) = &self.resume {
            let (session, found) =
                lifeboat.resume_session(Some(run.as_str()).filter(|run| !run.is_empty()), &request)?;
            retraced = Some(found);
            session
        } else if let Some(from) = &self.from {
            let (run, key) = from.split_once('@').map_or((from.as_str(), None), |(run, key)| (run, Some(key)));
            lifeboat.look_back(run, key, &request)?
        } else {
            let environment = &lifeboat.environment(global.env.as_deref())?.name;
            left_open = lifeboat.sessions_that_died(environment)?;
            lifeboat.open_session(&request)?
        };
        stop_on_signals(printer, session.interrupter());
        // Whoever reads lines of JSON gets nothing else.
        let text = printer.keeping_text();
        let printer = if printer.json { &text } else { printer };
        let (loaded, prefilled) = (None, None);
        let mut console = Console { session, lifeboat: &lifeboat, printer, loaded, prefilled, at_terminal };
        console.told_left_open(&left_open);
        console.greet(retraced.as_ref());
        if let Some(retraced) = &retraced {
            console.take_up_loaded(retraced.cut.as_ref());
        }
        if let Some(file) = &file
            && let Err(error) = console.load(file, &self.params)
        {
            console.session.end();
            return Err(error);
        }
        console.text_as_json(None, true);
        if at_terminal { console.typed() } else { console.piped() }
    }
}

/// Ctrl-C stops what goes on, and never the session. Who loses a connection has not asked for anything to stop. With nothing going on, a
/// signal from elsewhere ends the process: the session can be taken up again.
fn stop_on_signals(printer: &Printer, interrupter: Interrupter) {
    let terminal = rustix::termios::tcgetattr(std::io::stdin()).ok();
    let printer = printer.clone();
    let stop = move |interrupter: &Interrupter| {
        let stopped = interrupter.interrupt();
        if let Some(text) = stopped.and_then(|(what, again)| stopping(what, again)) {
            printer.warn(Style::Caution, text);
        }
        stopped.is_some()
    };
    on_signals(move |signal| {
        let goes_on = match signal {
            // At a terminal, with nothing going on, it ends a question or a line, and never the session.
            Signal::Interrupt => stop(&interrupter) || terminal.is_some(),
            Signal::Stop => stop(&interrupter),
            Signal::HungUp => interrupter.goes_on(),
        };
        if goes_on {
            return;
        }
        if let Some(terminal) = &terminal {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, terminal);
        }
        #[expect(
            clippy::disallowed_methods,
            clippy::exit,
            reason = "the main thread waits for a key, and nothing else makes it stop; the journal is whole"
        )]
        std::process::exit(i32::from(Exit::Cancelled.code()));
    });
}

/// What is said at once to whoever asks what goes on to stop.
fn stopping(what: Under, again: bool) -> Option<&'static str> {
    match (what, again) {
        (Under::Watch, _) => None,
        (Under::Undo, false) => Some(
            "stopping: the rollback under way comes to its end; press Ctrl-C again to stop it at once, and leave it owed",
        ),
        (Under::Evaluation, false) => Some("stopping; press Ctrl-C again to stop at once, rollbacks too"),
        (_, true) => Some("stopping at once: nothing more is rolled back"),
    }
}

impl Console<'_> {
    /// At a terminal.
    fn typed(mut self) -> Result<Exit, Error> {
        let history = LineHistory::at(self.lifeboat.state_directory().join("history"));
        let _ = history.trim();
        let mut lines = match editor::lines(self.printer, Words::of(&self.session), &history) {
            Ok(lines) => lines,
            Err(error) => return Err(Error::Internal { why: format!("the terminal cannot be used: {error}") }),
        };
        loop {
            self.tell_expiry();
            if let Some(typing) = lines.helper_mut() {
                typing.knows(Words::of(&self.session));
            }
            match self.line(&mut lines) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    if let Some(what) = self.session.secret_in(&text) {
                        self.not_kept(&what);
                        continue;
                    }
                    let _ = lines.add_history_entry(text.trim_end());
                    let _ = history.add(text.trim_end());
                    // It may have been armed when the line was begun.
                    self.tell_expiry();
                    let number = self.session.next_number();
                    let next = self.perform(&text);
                    let again = self.may_be_offered(number, next);
                    if !again {
                        let _ = history.withhold(text.trim_end());
                    }
                    if let Some(typing) = lines.helper_mut() {
                        typing.typed(text.trim_end(), again);
                    }
                    if next == Next::Leave {
                        match self.leave() {
                            Leaving::Now => return Ok(self.end(Exit::Done)),
                            Leaving::Gone => return Err(self.gone()),
                            Leaving::Not => {}
                        }
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => match self.leave() {
                    Leaving::Now => return Ok(self.end(Exit::Done)),
                    Leaving::Gone => return Err(self.gone()),
                    Leaving::Not => {}
                },
                Err(_) => return Err(self.gone()),
            }
        }
    }

    /// Says so once when it is not armed any more.
    fn tell_expiry(&mut self) {
        if self.session.has_expired() {
            let text = "the session is dry again: the time was over. `:arm` if more is to be changed";
            self.printer.warn(Style::Caution, text);
        }
    }

    fn line(&mut self, lines: &mut Lines) -> rustyline::Result<String> {
        let (plain, coloured) = prompt::prompt(&self.session, self.printer);
        if let Some(typing) = lines.helper_mut() {
            typing.prompted(super::wrap::columns(&plain));
        }
        match self.prefilled.take() {
            Some(text) => lines.readline_with_initial(&(plain, coloured), (&text, "")),
            None => lines.readline(&(plain, coloured)),
        }
    }

    /// From a file or a pipe: it ends at the first line that does not go well, as a later one may depend on it.
    fn piped(mut self) -> Result<Exit, Error> {
        let mut text = String::new();
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| Error::Refused {
                why: format!("the input cannot be read: {error}"),
                help: Some("give it as text in UTF-8".to_owned()),
            })?;
            text.push_str(&line);
            text.push('\n');
            if !editor::is_command(&text) && LiveSession::is_incomplete(&text) {
                continue;
            }
            let typed = std::mem::take(&mut text);
            if typed.trim().is_empty() {
                continue;
            }
            if let Some(what) = self.session.secret_in(&typed) {
                self.not_kept(&what);
                return Ok(self.end(Exit::RolledBack));
            }
            let next = self.perform(&typed);
            self.text_as_json(Some(typed.trim()), next != Next::Failed);
            match next {
                Next::GoOn => {}
                Next::Failed => return Ok(self.end(Exit::RolledBack)),
                Next::Leave => return Ok(self.end(Exit::Done)),
            }
        }
        if !text.trim().is_empty() {
            self.printer.err("the input ends in the middle: a bracket, a text or a block is open");
            return Ok(self.end(Exit::RolledBack));
        }
        Ok(self.end(Exit::Done))
    }

    /// Does what was typed.
    fn perform(&mut self, text: &str) -> Next {
        let trimmed = text.trim();
        if let Some(command) = trimmed.strip_prefix(':') {
            return match Command::parse(command) {
                Ok(command) => self.command(command, trimmed),
                Err(Wrong { why, help }) => self.failed(&Error::Params { why, help }),
            };
        }
        if let Some(name) = trimmed.strip_prefix('?') {
            let name = name.trim();
            let words: &[&str] = if name.is_empty() { &["doc"] } else { &["doc", name] };
            return self.subcommand(words);
        }
        if trimmed.starts_with('#') && !trimmed.starts_with("#{") {
            self.session.note(trimmed);
            return Next::GoOn;
        }
        self.evaluate(text.trim_end())
    }

    fn evaluate(&mut self, text: &str) -> Next {
        match self.session.evaluate(text) {
            Ok(typed) => {
                let went_well = shown::show(&typed, &self.session, self.printer);
                self.follow(text, went_well);
                if went_well { Next::GoOn } else { Next::Failed }
            }
            Err(untyped) => self.untyped(untyped),
        }
    }

    /// What was said in words since the last time, as a line of JSON: by this command, or by the session itself.
    fn text_as_json(&self, typed: Option<&str>, went_well: bool) {
        if !self.printer.json {
            return;
        }
        let text = self.printer.take_kept();
        let text = text.trim_end();
        match typed {
            Some(command) if editor::is_command(command) => self.printer.out_json(&serde_json::json!({
                "kind": "command", "command": command, "ok": went_well, "text": text,
            })),
            _ if text.is_empty() => {}
            _ => self.printer.out_json(&serde_json::json!({ "kind": "session", "text": text })),
        }
    }

    fn failed(&self, error: &Error) -> Next {
        shown::wrong(error, self.printer);
        Next::Failed
    }

    /// What was typed holds a secret: it goes nowhere.
    fn not_kept(&self, what: &str) {
        let text = format!(
            "that holds {what}. Nothing of it was evaluated or kept, but it was on the screen: consider it known, and \
             rotate it. In a call, name it instead: secret(\"NAME\")"
        );
        for line in wrap(&text, self.printer.width()) {
            self.printer.err(&self.printer.paint_err(Style::Bad, &line));
        }
    }
}
