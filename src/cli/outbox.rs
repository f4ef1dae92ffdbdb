//! `lifeboat outbox`: messages that could not be delivered yet.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::journal::Journal;
use crate::model::{Letter, LetterQuery, Span};
use crate::runtime::{Error, SentOutbox};

use super::printer::{Printer, Style};
use super::wrap::wrap;
use super::{Exit, Global, open, runs};

/// List messages that are not delivered yet; send or drop them
#[derive(Args)]
pub(super) struct Outbox {
    /// Send all of them now
    #[arg(long, conflicts_with = "drop")]
    send: bool,
    /// Drop those with these keys, or of these runs: they are not sent any more
    #[arg(long, value_name = "KEY|RUN", num_args = 1..)]
    drop: Vec<String>,
}

impl Outbox {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let environment = global.env.as_deref();
        if self.send {
            return send(global, printer);
        }
        if !self.drop.is_empty() {
            let lifeboat = open::recording(global, |builder| builder)?;
            let dropped = lifeboat.drop_outbox(environment, &self.drop)?;
            list(&dropped, "dropped", printer);
            return Ok(Exit::Done);
        }
        // The configuration is not read: what waits can be looked at even while it has mistakes.
        let query = LetterQuery { environment: global.env.clone(), ..LetterQuery::waiting() };
        let letters = match runs::journal(global)? {
            Some(journal) => journal.letters(&query)?,
            None => Vec::new(),
        };
        list(&letters, "waiting", printer);
        if letters.is_empty() && !printer.json {
            printer.err("the outbox is empty: every message was delivered");
        } else if !printer.json {
            printer.err("`lifeboat outbox --send` sends them now; the next run tries, too");
        }
        Ok(Exit::Done)
    }
}

fn send(global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let console = std::sync::Arc::new(printer.clone());
    let lifeboat = open::recording(global, |builder| builder.console(console))?;
    printer.shorten(&lifeboat.config().root);
    printer.conceal(lifeboat.redactor());
    let SentOutbox { delivered, waiting } = lifeboat.send_outbox(global.env.as_deref())?;
    list(&delivered, "delivered", printer);
    list(&waiting, "waiting", printer);
    if delivered.is_empty() && waiting.is_empty() && !printer.json {
        printer.err("the outbox is empty: every message was delivered");
    }
    Ok(if waiting.is_empty() { Exit::Done } else { Exit::RolledBack })
}

fn list(letters: &[Letter], state: &str, printer: &Printer) {
    for letter in letters {
        if printer.json {
            printer.out_json(&json!({ "state": state, "letter": letter }));
            continue;
        }
        let style = if state == "waiting" { Style::Caution } else { Style::Good };
        let head = format!("{} in {}: {}", letter.channel, letter.origin.environment, letter.headline);
        paragraph(printer, 0, &head, Some(Style::Bold));
        let said = if letter.detail.is_empty() { String::new() } else { format!(": {}", letter.detail) };
        paragraph(printer, 2, &format!("{}{said}", standing(letter, state)), Some(style));
        let written = letter.written.strftime("%Y-%m-%d %H:%M:%S UTC");
        paragraph(printer, 2, &format!("written {written}, key {}", letter.key), None);
    }
}

/// How a letter stands, in few words.
fn standing(letter: &Letter, state: &str) -> String {
    let attempts = match letter.attempts {
        0 => String::new(),
        1 => " after 1 attempt".to_owned(),
        n => format!(" after {n} attempts"),
    };
    match state {
        "waiting" if letter.held => "held back".to_owned(),
        "waiting" if letter.doubtful => format!("not confirmed{attempts}, may have arrived"),
        "waiting" => format!("not delivered{attempts}"),
        state => state.to_owned(),
    }
}

fn paragraph(printer: &Printer, indent: usize, text: &str, style: Option<Style>) {
    for line in wrap(&printer.short(text), printer.width().saturating_sub(indent)) {
        let line = style.map_or_else(|| line.clone(), |style| printer.paint(style, &line));
        printer.out(&format!("{:indent$}{line}", ""));
    }
}

/// What `show` says of the messages of a run that were not delivered at once: when they were, or that they never were.
pub(super) fn afterwards(letters: &[Letter]) -> Vec<(String, Style)> {
    use crate::model::LetterState::{Delivered, Dropped, Waiting};
    let line = |letter: &Letter| {
        let (to, headline) = (&letter.channel, &letter.headline);
        let when = |at: Option<Timestamp>| at.unwrap_or(letter.written);
        Some(match letter.state {
            Delivered if !letter.late => return None,
            Delivered => {
                let done = when(letter.done);
                let late = std::time::Duration::try_from(done.duration_since(letter.written)).unwrap_or_default();
                let (done, late) = (done.strftime("%Y-%m-%d %H:%M:%S UTC"), Span(late).human());
                (format!("{to}: {headline}: delivered late, at {done}, {late} after"), Style::Caution)
            }
            Waiting => (format!("{to}: {headline}: {}: {}", standing(letter, "waiting"), letter.detail), Style::Bad),
            Dropped => {
                let done = when(letter.done).strftime("%Y-%m-%d %H:%M:%S UTC");
                (format!("{to}: {headline}: never delivered, dropped by a person at {done}"), Style::Bad)
            }
        })
    };
    letters.iter().filter_map(line).collect()
}
