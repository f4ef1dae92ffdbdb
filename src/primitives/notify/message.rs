//! A message, as systems read it and as people do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{IdempotencyKey, Origin, Span, Value};
use crate::system::hex;

use super::{Dispatch, Severity};

/// From which delay on a message says that it is late: nobody wonders about less.
const LATE: u64 = 60;

/// Whether a message reports something or ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Something is to be known.
    Notify,
    /// What the key names is over.
    Resolve,
}

/// What a channel carries. Every message has every field, so that receivers need to know one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Whether it reports something or ends it.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// How bad it is; `info` for the end of something.
    pub severity: Severity,
    /// What people read.
    pub message: String,
    /// The problem that it belongs to.
    pub key: Option<String>,
    /// More about it, by name. A secret is here by its name only.
    pub details: BTreeMap<String, Value>,
    /// When it was written, UTC; RFC 3339.
    pub at: Timestamp,
    /// The same for every attempt to send the same message.
    pub idempotency_key: IdempotencyKey,
    /// Environment, runbook, run, who started it, and whether it is a drill; empty outside of runs.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Message {
    /// The first line that people see: `[critical] primary is down`.
    pub fn headline(&self) -> String {
        headline(self.kind, self.severity, &self.message, None)
    }

    /// The same with the environment: `[critical] production: primary is down`. A phone shows it alone, so it says what matters.
    pub fn subject(&self) -> String {
        let (mark, said) = (mark(self.kind, self.severity), visible(&self.message));
        match self.place() {
            place if place.is_empty() => format!("[{mark}] {said}"),
            place => format!("[{mark}] {}: {said}", visible(&place)),
        }
    }

    /// The environment, and whether it is a drill.
    fn place(&self) -> String {
        let Origin { environment, drill, .. } = &self.origin;
        if *drill && !environment.is_empty() { format!("drill in {environment}") } else { environment.clone() }
    }

    /// The details, one `name: value` each.
    pub fn detail_lines(&self) -> impl Iterator<Item = String> {
        self.details.iter().map(|(name, value)| format!("{}: {}", visible(name), visible(&value.to_string())))
    }

    /// Where it comes from, widest first: `production · restore-database.rhai · run 20261120-205609-k3f7 · ann@desk`.
    /// Empty outside of runs.
    pub fn from_where(&self) -> String {
        let Origin { runbook, run, by, .. } = &self.origin;
        let run = if run.is_empty() { String::new() } else { format!("run {run}") };
        let parts = [self.place(), runbook.rsplit('/').next().unwrap_or_default().to_owned(), run, by.clone()];
        let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| visible(part)).collect();
        parts.join(" · ")
    }

    /// For people at a terminal: `[critical] message (key)`, and each of the details on a line of its own.
    pub fn for_people(&self) -> String {
        let mut text = headline(self.kind, self.severity, &self.message, self.key.as_deref());
        self.detail_lines().for_each(|line| {
            let _ = write!(text, "\n  {line}");
        });
        text
    }

    /// For systems: one line of JSON, without the end of the line.
    pub fn for_systems(&self) -> Vec<u8> {
        // Nothing in a message can fail to become JSON: its maps have texts as keys.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// SHA-256 (hex) of what it says, whenever and wherever it is said: two messages with one digest tell the same.
    pub fn digest(&self) -> String {
        let said = (self.kind, self.severity, &self.message, &self.details);
        hex(&serde_json::to_vec(&said).unwrap_or_default())
    }
}

impl Dispatch<'_> {
    /// What people should know about the way that the message took: that it is late, that it may be there twice.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let late = std::time::Duration::try_from(self.now.duration_since(self.message.at)).unwrap_or_default();
        if late.as_secs() >= LATE {
            let written = self.message.at.strftime("%H:%M:%S UTC");
            remarks.push(format!("late: written at {written}, {} ago", Span(late).human()));
        }
        if self.again {
            remarks.push("sent again: the first attempt was not confirmed, and may have arrived".to_owned());
        }
        remarks
    }
}

/// The first line that people see: `[critical] message (key)`.
pub(super) fn headline(kind: MessageKind, severity: Severity, message: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!(" ({})", visible(key))).unwrap_or_default();
    format!("[{}] {}{key}", mark(kind, severity), visible(message))
}

fn mark(kind: MessageKind, severity: Severity) -> &'static str {
    match kind {
        MessageKind::Notify => severity.as_str(),
        MessageKind::Resolve => "resolved",
    }
}

/// Texts may come from a server that is not well: no character of theirs may steer a terminal or fake a line.
pub(super) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// The beginning of a text that is longer than `most` characters, with a mark.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
pub(super) fn example(call: u32) -> Message {
    use crate::model::{Key, Segment};
    Message {
        kind: MessageKind::Notify,
        severity: Severity::Critical,
        message: "primary is down".to_owned(),
        key: Some("primary-down".to_owned()),
        details: BTreeMap::from([("orders".to_owned(), Value::Int(7))]),
        at: "2026-11-20T20:56:09Z".parse().expect("a time"),
        idempotency_key: IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call))),
        origin: Origin {
            environment: "production".to_owned(),
            runbook: "runbooks/restore-database.rhai".to_owned(),
            run: "20261120-205609-k3f7".to_owned(),
            by: "ann@desk".to_owned(),
            drill: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    const FROM: &str = "production · restore-database.rhai · run 20261120-205609-k3f7 · ann@desk";

    #[test]
    fn people_read_how_bad_it_is_and_what_and_where_it_comes_from() {
        assert_eq!(example(0).for_people(), "[critical] primary is down (primary-down)\n  orders: 7");
        assert_eq!(example(0).subject(), "[critical] production: primary is down");
        assert_eq!(example(0).from_where(), FROM);
        let plain = Message { key: None, details: BTreeMap::new(), severity: Severity::Info, ..example(0) };
        let plain = Message { origin: Origin::default(), ..plain };
        assert_eq!((plain.subject(), plain.from_where()), ("[info] primary is down".to_owned(), String::new()));
        assert_eq!(plain.for_people(), "[info] primary is down");
        let over = Message { kind: MessageKind::Resolve, ..plain };
        assert_eq!(over.for_people(), "[resolved] primary is down");
    }

    #[test]
    fn a_drill_says_that_it_is_one() {
        let origin = Origin { drill: true, ..example(0).origin };
        assert!(Message { origin, ..example(0) }.from_where().starts_with("drill in production · "));
    }

    #[test]
    fn systems_read_one_line_with_every_field() {
        let line = String::from_utf8(example(3).for_systems()).expect("text");
        insta::assert_snapshot!(line, @r#"{"type":"notify","severity":"critical","message":"primary is down","key":"primary-down","details":{"orders":7},"at":"2026-11-20T20:56:09Z","idempotency_key":"run/3","environment":"production","runbook":"runbooks/restore-database.rhai","run":"20261120-205609-k3f7","by":"ann@desk","drill":false}"#);
        let back: Message = serde_json::from_str(&line).expect("reads");
        assert_eq!(back, example(3));
    }

    #[test]
    fn a_text_cannot_steer_the_terminal_or_fake_a_line() {
        let message = Message { message: "a\u{1b}[2J\n[info] all is well".to_owned(), ..example(0) };
        assert!(message.for_people().starts_with(r"[critical] a\u{1b}[2J\n[info] all is well (primary-down)"));
        let line = Message { message: "a\nb".to_owned(), ..example(0) }.for_systems();
        assert!(!line.contains(&b'\n'));
    }

    #[test]
    fn a_secret_travels_by_its_name() {
        let details = BTreeMap::from([("token".to_owned(), Value::Secret(crate::model::SecretText::named("API")))]);
        let message = Message { details, ..example(0) };
        assert!(message.for_people().contains("token: secret(API)"));
    }

    #[test]
    fn the_digest_is_that_of_what_is_said() {
        let later = Message { at: example(0).at + 1.hour(), ..example(7) };
        assert_eq!(later.digest(), example(0).digest());
        for other in [
            Message { message: "primary is up".to_owned(), ..example(0) },
            Message { severity: Severity::Warning, ..example(0) },
            Message { details: BTreeMap::new(), ..example(0) },
            Message { kind: MessageKind::Resolve, ..example(0) },
        ] {
            assert_ne!(other.digest(), example(0).digest());
        }
    }

    #[test]
    fn a_late_message_says_so() {
        let message = example(0);
        let at = |seconds: i64| Dispatch { now: message.at + seconds.seconds(), ..Dispatch::first(&message) };
        assert_eq!(at(59).remarks(), [""; 0]);
        assert_eq!(at(840).remarks(), ["late: written at 20:56:09 UTC, 14m 00s ago"]);
        let again = Dispatch { again: true, ..at(0) };
        assert_eq!(again.remarks(), ["sent again: the first attempt was not confirmed, and may have arrived"]);
    }
}
