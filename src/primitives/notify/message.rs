//! A message, as systems read it and as people do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{IdempotencyKey, Value};

use super::Severity;

/// Whether a message reports something or ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Something is to be known.
    Notify,
    /// What the key names is over.
    Resolve,
}

/// What a channel carries. Every message has every field, so that receivers need to know one shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// When it was sent, UTC; RFC 3339.
    pub at: Timestamp,
    /// The same for every attempt to send the same message.
    pub idempotency_key: IdempotencyKey,
}

impl Message {
    /// For people: `[critical] message (key)`, each of the details on a line of its own.
    pub fn for_people(&self) -> String {
        let mut text = headline(self.kind, self.severity, &self.message, self.key.as_deref());
        for (name, value) in &self.details {
            let _ = write!(text, "\n  {}: {}", visible(name), visible(&value.to_string()));
        }
        text
    }

    /// For systems: one line of JSON, without the end of the line.
    pub fn for_systems(&self) -> Vec<u8> {
        // Nothing in a message can fail to become JSON: its maps have texts as keys.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The first line that people see: `[critical] message (key)`.
pub(super) fn headline(kind: MessageKind, severity: Severity, message: &str, key: Option<&str>) -> String {
    let mark = match kind {
        MessageKind::Notify => severity.as_str(),
        MessageKind::Resolve => "resolved",
    };
    let key = key.map(|key| format!(" ({})", visible(key))).unwrap_or_default();
    format!("[{mark}] {}{key}", visible(message))
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_how_bad_it_is_and_what() {
        assert_eq!(example(0).for_people(), "[critical] primary is down (primary-down)\n  orders: 7");
        let plain = Message { key: None, details: BTreeMap::new(), severity: Severity::Info, ..example(0) };
        assert_eq!(plain.for_people(), "[info] primary is down");
        let over = Message { kind: MessageKind::Resolve, ..plain };
        assert_eq!(over.for_people(), "[resolved] primary is down");
    }

    #[test]
    fn systems_read_one_line_with_every_field() {
        let line = String::from_utf8(example(3).for_systems()).expect("text");
        insta::assert_snapshot!(line, @r#"{"type":"notify","severity":"critical","message":"primary is down","key":"primary-down","details":{"orders":7},"at":"2026-11-20T20:56:09Z","idempotency_key":"run/3"}"#);
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
        assert!(message.for_people().ends_with("token: secret(API)"));
    }
}
