//! `lifeboat verify`: whether the journal is as it was written.

use clap::Args;
use serde_json::json;

use crate::journal::{Journal, JournalError, LibsqlJournal, Whole};
use crate::runtime::Error;

use super::printer::{Printer, Style};
use super::wrap::wrap;
use super::{Exit, Global, runs};

/// Prove that the journal is as it was written: every event, every run
#[derive(Args)]
pub(super) struct Verify {
    /// Only this run: the beginning or the end of its id, or `latest`
    #[arg(value_name = "RUN", conflicts_with = "head")]
    run: Option<String>,
    /// A hash that was noted elsewhere: it must be in the journal
    #[arg(long, value_name = "HASH", value_parser = hash)]
    head: Option<String>,
}

/// What the JSON of an answer has in any case.
const VERSION: u32 = 1;

fn hash(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let whole = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    if whole { Ok(text) } else { Err("give all 64 hexadecimal digits, as `lifeboat verify` prints them".to_owned()) }
}

impl Verify {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let journal = runs::journal(global)?.ok_or(JournalError::NoRuns)?;
        match &self.run {
            Some(run) => one(&journal, run, printer),
            None => all(&journal, self.head.as_deref(), printer),
        }
    }
}

fn one(journal: &LibsqlJournal, run: &str, printer: &Printer) -> Result<Exit, Error> {
    let run = journal.find(run)?;
    let verified = journal.verify(&run)?;
    if printer.json {
        printer.out_json(&json!({ "version": VERSION, "run": run, "verified": verified }));
    } else if let Some(broken) = &verified.broken {
        let text = format!("run {run} is BROKEN at event {}: {}", broken.seq, broken.why);
        say(printer, &text, Some(Style::Bad));
        say(printer, &format!("the {} events before it are as they were written", verified.events), None);
    } else {
        say(printer, &format!("run {run}: {} events, whole", verified.events), Some(Style::Good));
        printer.out(&format!("head {}", verified.head));
    }
    Ok(if verified.broken.is_none() { Exit::Done } else { Exit::Output })
}

fn all(journal: &LibsqlJournal, wanted: Option<&str>, printer: &Printer) -> Result<Exit, Error> {
    let whole = journal.verify_all(wanted)?;
    let lost = wanted.is_some() && whole.found.is_none();
    let sound = whole.broken.is_empty() && whole.prunes.broken.is_none() && !lost;
    if printer.json {
        let broken: Vec<_> = whole
            .broken
            .iter()
            .map(|(run, broken)| json!({ "run": run, "event": broken.seq, "why": broken.why }))
            .collect();
        printer.out_json(&json!({
            "version": VERSION, "whole": sound, "runs": whole.runs, "events": whole.events, "head": whole.head,
            "broken": broken, "found": whole.found,
            "removed": { "runs": removed(&whole), "head": whole.prunes.head, "broken": whole.prunes.broken },
        }));
    } else {
        text(&whole, wanted, sound, printer);
    }
    Ok(if sound { Exit::Done } else { Exit::Output })
}

fn removed(whole: &Whole) -> usize {
    whole.prunes.prunes.iter().map(|prune| prune.runs.len()).sum()
}

fn text(whole: &Whole, wanted: Option<&str>, sound: bool, printer: &Printer) {
    for (run, broken) in &whole.broken {
        let text = format!("run {run} is BROKEN at event {}: {}", broken.seq, broken.why);
        say(printer, &text, Some(Style::Bad));
    }
    if let Some(why) = &whole.prunes.broken {
        say(printer, &format!("what was removed cannot be proved: {why}"), Some(Style::Bad));
    }
    let style = if sound { Style::Good } else { Style::Caution };
    let runs = if whole.runs == 1 { "run" } else { "runs" };
    let more = if sound { "" } else { ", and no more" };
    let text = format!("{} {runs} with {} events are as they were written{more}", whole.runs, whole.events);
    say(printer, &text, Some(style));
    for prune in &whole.prunes.prunes {
        let text = format!(
            "{} runs were removed at {} by {}",
            prune.runs.len(),
            prune.at.strftime("%Y-%m-%d %H:%M UTC"),
            prune.by
        );
        say(printer, &text, None);
    }
    match (wanted, &whole.found) {
        (Some(_), Some(found)) => {
            let at = found.seq.map_or_else(|| "which was removed since".to_owned(), |seq| format!("event {seq}"));
            say(printer, &format!("the hash stands in run {}, {at}: all before it is as it was then", found.run), None);
        }
        (Some(_), None) => {
            let text = "the hash is not in this journal: it was written anew, or it is another one";
            say(printer, text, Some(Style::Bad));
        }
        _ => {}
    }
    printer.out(&format!("head {}", whole.head));
    if removed(whole) > 0 {
        printer.out(&format!("removed {}", whole.prunes.head));
    }
}

fn say(printer: &Printer, text: &str, style: Option<Style>) {
    for line in wrap(text, printer.width()) {
        printer.out(&style.map_or_else(|| line.clone(), |style| printer.paint(style, &line)));
    }
}
