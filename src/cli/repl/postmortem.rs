//! `:postmortem`: the report of an incident, as far as the record knows it. What it does not know stands there as a question.

use jiff::Timestamp;

use crate::cli::markdown;
use crate::model::{Event, EventBody, ImpactKind, Settlement, Value};
use crate::runtime::{Aftermath, Error, Owed};

use super::Console;
use super::ours::{Ours, seal};
use super::outages::outages;
use super::save::short;
use super::story::{Line, TakenUp, acts, lines, taken_up};

/// How a file ends its head that was written by `:postmortem`.
const MARK: &str = "Written by `:postmortem` from session ";
const OURS: Ours<'static> = Ours { command: ":postmortem", what: "report", mark: MARK };

impl Console<'_> {
    pub(super) fn postmortem(&mut self, file: &str) -> Result<(), Error> {
        let path = std::path::PathBuf::from(file);
        let events = self.session.events();
        let report = Report {
            title: self.session.incident().unwrap_or("Incident"),
            environment: &self.session.environment().name,
            session: self.session.id().as_str(),
            now: self.session.now(),
            owed: self.session.owed(),
            aftermath: self.session.aftermath(),
            lines: lines(&events),
            taken_up: taken_up(&events),
            by: people(&events),
        };
        let text = report.markdown();
        OURS.write(&path, &text, self.printer)?;
        self.session.note(&format!(":postmortem {file}"));
        let shown = self.printer.short(&path.display().to_string());
        self.say(&format!("written to {shown}; what only people know stands there as questions"));
        Ok(())
    }
}

struct Report<'a> {
    title: &'a str,
    environment: &'a str,
    session: &'a str,
    now: Timestamp,
    owed: Owed,
    aftermath: Aftermath,
    lines: Vec<Line>,
    taken_up: Vec<TakenUp>,
    by: Vec<String>,
}

impl Report<'_> {
    fn markdown(&self) -> String {
        let mut out: Vec<String> = Vec::new();
        let began = self.lines.first().map_or(self.now, |line| line.at);
        let ended = self.lines.last().map_or(self.now, |line| line.at);
        out.push(format!("# {}", cell(self.title)));
        out.push(String::new());
        out.push(format!("{MARK}{}. Times are UTC. <!-- {} -->", self.session, seal()));
        out.push(String::new());
        out.push(format!("- Environment: {}", self.environment));
        out.push(format!("- From {} to {} ({})", day(began), day(ended), span(began, ended)));
        out.push(format!("- Who: {}", if self.by.is_empty() { "?".to_owned() } else { self.by.join(", ") }));
        out.push(format!("- State now: {}", self.aftermath.sentence()));
        self.impact(&mut out);
        self.timeline(&mut out);
        self.actions(&mut out);
        self.open(&mut out);
        out.push(String::new());
        out.join("\n")
    }

    fn impact(&self, out: &mut Vec<String>) {
        out.extend([String::new(), "## Impact".to_owned(), String::new()]);
        let outages = outages(&self.lines);
        if outages.is_empty() {
            out.push("No check failed while the session went on. What did users notice, and since when?".to_owned());
            return;
        }
        let head = "From the checks that were made here. Between two of them nobody looked, nor after the last one.";
        out.push(head.to_owned());
        out.extend([String::new(), "| what | failed from | until | for | what was seen |".to_owned()]);
        out.push("|---|---|---|---|---|".to_owned());
        for outage in &outages {
            let from = match outage.well_before {
                Some(before) => format!("{} (well at {})", time(outage.from), time(before)),
                None => format!("{} or before", time(outage.from)),
            };
            let (to, how_long) = match outage.to {
                Some(to) => (format!("{} (failing at {})", time(to), time(outage.last)), span(outage.from, to)),
                None if outage.looks == 1 => ("not known: nobody looked again".to_owned(), "?".to_owned()),
                None => {
                    let to = format!("not known: was failing when last looked at, {}", time(outage.last));
                    (to, format!("{} at least", span(outage.from, outage.last)))
                }
            };
            let (what, detail) = (cell(&outage.what), cell(&outage.detail));
            out.push(format!("| {what} | {from} | {to} | {how_long} | {detail} |"));
        }
    }

    fn timeline(&self, out: &mut Vec<String>) {
        out.extend([String::new(), "## Timeline".to_owned(), String::new()]);
        out.push("| time | what | came of it |".to_owned());
        out.push("|---|---|---|".to_owned());
        let mut last = String::new();
        let mut taken_up = self.taken_up.iter().peekable();
        for line in &self.lines {
            while let Some(taken) = taken_up.next_if(|taken| taken.at < line.at) {
                out.push(taken_up_again(taken));
            }
            let Some((what, came)) = told(line) else { continue };
            // What was looked at again and was the same is told once.
            let same = format!("{what}|{came}");
            if same == last && !line.acted() {
                continue;
            }
            last = same;
            out.push(format!("| {} | {what} | {} |", time(line.at), cell(&came)));
        }
        out.extend(taken_up.map(taken_up_again));
    }

    fn actions(&self, out: &mut Vec<String>) {
        out.extend([String::new(), "## What was changed and told".to_owned(), String::new()]);
        let mut any = false;
        for line in &self.lines {
            for call in line.done.iter().filter(|call| acts(call)) {
                any = true;
                let undone = if call.key.in_rollback() { "undone: " } else { "" };
                let what = cell(&format!("{undone}{}", named(call)));
                out.push(format!("- {}: {what}: {}", time(call.began), cell(&ended(call))));
            }
        }
        if !any {
            out.push("Nothing.".to_owned());
        }
    }

    fn open(&self, out: &mut Vec<String>) {
        out.extend([String::new(), "## Open questions".to_owned(), String::new()]);
        for (_, what) in &self.owed.in_doubt {
            out.push(format!("- [ ] Did {} take place? Nobody knows.", markdown::code(what)));
        }
        for title in &self.owed.steps {
            out.push(format!("- [ ] {} was not undone. Is it to stay?", markdown::code(title)));
        }
        for target in &self.owed.maintenance {
            out.push(format!("- [ ] {} is in maintenance. When is it opened, and by whom?", cell(target)));
        }
        for outage in outages(&self.lines).iter().filter(|outage| outage.to.is_none()) {
            let (what, last) = (markdown::code(&outage.what), time(outage.last));
            out.push(format!("- [ ] {what} was failing when last looked at, {last}. Is it well now?"));
        }
        for line in self.lines.iter().filter(|line| !line.is_command() && !line.went_well()) {
            let text = markdown::code(&head(&line.text));
            out.push(if line.was_cut() {
                format!("- [ ] {text} was cut short. Was the rest of it done?")
            } else {
                format!("- [ ] Why did {text} fail ({})?", cell(&line.why()))
            });
        }
        for question in [
            "What was the cause?",
            "Who was affected, and how many?",
            "How was it noticed, and how could it be noticed earlier?",
            "What is done so that it does not happen again, by whom, until when?",
        ] {
            out.push(format!("- [ ] {question}"));
        }
    }
}

/// What was typed, in Markdown, and what came of it; nothing for what is only about the session.
fn told(line: &Line) -> Option<(String, String)> {
    let text = line.text.trim();
    if let Some(remark) = text.strip_prefix('#').filter(|_| line.is_command()) {
        return Some((cell(remark.trim()), String::new()));
    }
    if line.is_command() {
        return match text.split_whitespace().next()? {
            ":arm" => Some(("armed: changes take place from here".to_owned(), String::new())),
            ":disarm" => Some(("disarmed".to_owned(), String::new())),
            ":undo" => Some((cell(&format!("undone: {}", line.undone.join(", "))), came_of(line))),
            ":load" | ":skip" | ":step" => Some((markdown::code(text), String::new())),
            _ => None,
        };
    }
    Some((markdown::code(&head(text)), came_of(line)))
}

fn came_of(line: &Line) -> String {
    if !line.went_well() {
        return line.came_to_nothing("FAILED");
    }
    if line.only_planned() {
        return "only planned".to_owned();
    }
    let seen = line.done.iter().rev().find(|call| call.impact.kind == ImpactKind::Look);
    match (line.acted(), seen) {
        (true, _) => "done".to_owned(),
        (false, Some(call)) => match &call.outcome {
            Ok(value) => found(value),
            Err(fault) => fault.message.clone(),
        },
        _ => String::new(),
    }
}

/// A row for a session that was taken up again.
fn taken_up_again(taken: &TakenUp) -> String {
    let came = taken.died_after.map(|last| format!("its console had died: last heard of at {}", time(last)));
    format!("| {} | taken up again by {} | {} |", time(taken.at), cell(&taken.by), cell(&came.unwrap_or_default()))
}

/// What came of a change or a message, and how long it took. Whoever settles it knows the one, and not the other.
fn ended(call: &Settlement) -> String {
    let came = match (&call.outcome, call.person()) {
        (Ok(_), Some(by)) => return format!("took place, as {by} says"),
        (Err(_), Some(by)) => return format!("did not take place, as {by} says"),
        (Ok(_), None) if call.evidence.is_some() => "took place (found by looking)".to_owned(),
        (Ok(_), None) => "done".to_owned(),
        (Err(fault), None) => format!("FAILED: {}", fault.message),
    };
    format!("{came} ({})", seconds(call.elapsed_ms))
}

/// What a look found, in a few words.
pub(super) fn found(value: &Value) -> String {
    let text = |name: &str| value.get(name).map(ToString::to_string).filter(|text| !text.is_empty());
    match (text("status"), text("detail")) {
        (Some(status), Some(detail)) => format!("{status}: {detail}"),
        (Some(status), None) => status,
        (None, _) => text("id").unwrap_or_else(|| short(value)),
    }
}

pub(super) fn named(call: &Settlement) -> String {
    let state = call.args.as_ref().and_then(|args| args.get("state")).and_then(Value::as_str).unwrap_or_default();
    format!("{} {} {state}", call.primitive, call.impact.targets.join(", ")).trim_end().to_owned()
}

/// Everybody who typed, answered or decided.
fn people(events: &[Event]) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    for event in events {
        let by = match &event.body {
            EventBody::Started(started) => Some(&started.by),
            EventBody::Resumed { by, .. } | EventBody::Answered { by, .. } | EventBody::Cancelling { by, .. } => {
                Some(by)
            }
            _ => None,
        };
        if let Some(by) = by.filter(|by| !people.contains(by)) {
            people.push(by.clone());
        }
    }
    people
}

fn head(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim().to_owned();
    if lines.next().is_some() { format!("{first} …") } else { first }
}

/// Text that stays in its cell, and is no markup.
fn cell(text: &str) -> String {
    markdown::prose(text)
}

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn span(from: Timestamp, to: Timestamp) -> String {
    super::prompt::short(std::time::Duration::try_from(to.duration_since(from)).unwrap_or_default())
}

fn seconds(millis: u64) -> String {
    crate::model::Span(std::time::Duration::from_millis(millis)).human()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fault, Impact, Key, Left, Scope, ScopeKind, Site};

    const TYPED: &str = "exec(\"nuke\"); let after = 1;";

    fn key(text: &str) -> Key {
        text.parse().expect("a key")
    }

    fn site() -> Site {
        Site { file: "[1]".into(), line: 1, column: 1 }
    }

    fn entered() -> EventBody {
        let kind = ScopeKind::Input { armed: true };
        EventBody::Entered { scope: Scope { key: key("1"), site: site(), title: TYPED.to_owned(), kind } }
    }

    fn left(how: Left) -> EventBody {
        EventBody::Left { key: key("1"), how }
    }

    fn resumed(process: bool) -> EventBody {
        let process = process.then(|| {
            crate::system::Look::new(std::sync::Arc::new(crate::system::System::new(".".into()))).own_process()
        });
        EventBody::Resumed { by: "ann@a".to_owned(), process, edited: vec![], ends: None, break_glass: None }
    }

    fn intended() -> EventBody {
        EventBody::Intended {
            key: key("1.0"),
            attempt: 1,
            primitive: "exec".to_owned(),
            args: Value::Null,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "nuke"),
        }
    }

    fn settled(outcome: Result<Value, Fault>, evidence: Option<String>) -> EventBody {
        EventBody::Settled(Box::new(Settlement {
            key: key("1.0"),
            primitive: "exec".to_owned(),
            args: None,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "nuke"),
            outcome,
            began: Timestamp::from_second(7).expect("a time"),
            elapsed_ms: 0,
            repeats: None,
            evidence,
        }))
    }

    /// The report of a session with these events, one in each second.
    fn report(bodies: Vec<EventBody>) -> String {
        let at = |second: u64| Timestamp::from_second(i64::try_from(second).expect("small")).expect("a time");
        let events: Vec<Event> = (0..).zip(bodies).map(|(seq, body)| Event { seq, at: at(seq), body }).collect();
        let report = Report {
            title: "It",
            environment: "test",
            session: "1",
            now: at(60),
            owed: Owed::default(),
            aftermath: Aftermath::default(),
            lines: lines(&events),
            taken_up: taken_up(&events),
            by: people(&events),
        };
        report.markdown().replace("&#8203;", "")
    }

    #[test]
    fn who_settled_a_change_stands_in_the_report() {
        let said = |outcome| {
            let person = Some(Settlement::told_by("ann@a"));
            report(vec![entered(), intended(), left(Left::Halted), resumed(false), settled(outcome, person)])
        };
        let applied = said(Ok(Value::Null));
        assert!(applied.contains("- 00:00:01: exec nuke: took place, as ann@a says\n"), "{applied}");
        let not = said(Err(Fault::new("not-applied", "it did not")));
        assert!(not.contains("- 00:00:01: exec nuke: did not take place, as ann@a says\n"), "{not}");
        let found = report(vec![entered(), intended(), settled(Ok(Value::Null), Some("its tag is there".to_owned()))]);
        assert!(found.contains("exec nuke: took place (found by looking) ("), "{found}");
        let stopped = report(vec![entered(), left(Left::Halted)]);
        assert!(stopped.contains("| FAILED: it was stopped |"), "{stopped}");
        assert!(!stopped.contains("taken up again"), "{stopped}");
    }

    #[test]
    fn a_line_that_ended_with_its_console_has_not_failed() {
        let again = report(vec![entered(), intended(), resumed(true), entered(), left(Left::Halted)]);
        let (typed, row) = (markdown::code(TYPED), "| 00:00:02 | taken up again by ann@a |");
        assert!(again.contains(&format!("| 00:00:00 | {typed} | cut short: the console ended |\n{row}")), "{again}");
        assert!(again.contains(&format!("{row} its console had died: last heard of at 00:00:01 |")), "{again}");
        assert!(again.contains(&format!("- [ ] {typed} was cut short. Was the rest of it done?")), "{again}");
        assert!(!again.contains("FAILED") && !again.contains("Why did"), "{again}");
    }
}
