//! Takes secrets out of whatever is printed, stored or sent.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use memchr::memmem;
use zeroize::Zeroizing;

use super::encodings::forms;
use crate::model::{Rewrite, Unknown, Value};

/// Knows the secrets that were revealed in this process, in all forms, and replaces each by `[secret NAME]`.
#[derive(Default)]
pub struct Redactor {
    /// Longest first: a form may be a part of a longer one.
    patterns: RwLock<Arc<Vec<Pattern>>>,
}

struct Pattern {
    bytes: Zeroizing<Vec<u8>>,
    shown: String,
}

impl Redactor {
    /// From now on `value` is taken out.
    pub(super) fn learn(&self, name: &str, value: &str) {
        let mut patterns = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
        let shown = format!("[secret {name}]");
        let known = |bytes: &[u8]| patterns.iter().any(|pattern| *pattern.bytes == bytes);
        let new: Vec<_> = forms(value).into_iter().filter(|bytes| !known(bytes)).collect();
        let kept = patterns.iter().map(|p| Pattern { bytes: p.bytes.clone(), shown: p.shown.clone() });
        let mut all: Vec<Pattern> =
            kept.chain(new.into_iter().map(|bytes| Pattern { bytes, shown: shown.clone() })).collect();
        all.sort_by_key(|pattern| std::cmp::Reverse(pattern.bytes.len()));
        *patterns = Arc::new(all);
    }

    fn patterns(&self) -> Arc<Vec<Pattern>> {
        self.patterns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is anything to take out.
    pub fn is_idle(&self) -> bool {
        self.patterns().is_empty()
    }

    /// `text` without secrets.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Only whole texts are replaced by whole texts.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The same of any bytes.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let patterns = self.patterns();
        let found = matches(&patterns, bytes);
        if found.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
        for (range, shown) in found {
            out.extend_from_slice(&bytes[at..range.start]);
            out.extend_from_slice(shown.as_bytes());
            at = range.end;
        }
        out.extend_from_slice(&bytes[at..]);
        Cow::Owned(out)
    }

    /// How many bytes at the end of `bytes` may be the beginning of a secret of which the rest is still to come.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let patterns = self.patterns();
        let Some(longest) = patterns.first() else { return 0 };
        let from = bytes.len().saturating_sub(longest.bytes.len() - 1);
        let begins = |at: &usize| {
            let rest = &bytes[*at..];
            patterns.iter().any(|p| p.bytes.len() > rest.len() && p.bytes.starts_with(rest))
        };
        let mut cut = (from..bytes.len()).find(begins).unwrap_or(bytes.len());
        // What is already recognised as a whole is not cut in two.
        while let Some((across, _)) = matches(&patterns, bytes).iter().find(|(r, _)| r.start < cut && cut < r.end) {
            cut = across.start;
        }
        bytes.len() - cut
    }
}

impl Rewrite for Redactor {
    fn text(&self, text: String) -> String {
        match self.clean(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }
    }

    fn value(&self, value: Value) -> Value {
        if self.is_idle() {
            return value;
        }
        match value {
            Value::String(text) => match self.clean(&text) {
                Cow::Borrowed(_) => Value::String(text),
                Cow::Owned(clean) => Value::from(clean),
            },
            Value::List(list) => Value::List(list.into_iter().map(|item| self.value(item)).collect()),
            Value::Map(map) => Value::Map(map.into_iter().map(|(k, v)| (self.text(k), self.value(v))).collect()),
            Value::Unknown(unknown) => Value::Unknown(Unknown::text(self.clean(unknown.as_str()).into_owned())),
            other => other,
        }
    }
}

/// Where secrets stand in `bytes`, in order; of those that overlap, the longer one and what the shorter one adds.
fn matches<'p>(patterns: &'p [Pattern], bytes: &[u8]) -> Vec<(Range<usize>, &'p str)> {
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    for pattern in patterns {
        for at in memmem::find_iter(bytes, &**pattern.bytes) {
            found.push((at..at + pattern.bytes.len(), &pattern.shown));
        }
    }
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut merged: Vec<(Range<usize>, &str)> = Vec::new();
    for (range, shown) in found {
        match merged.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push((range, shown)),
        }
    }
    merged
}

/// Takes secrets out of a stream, in whatever pieces it comes.
pub(in crate::system) struct Redacting {
    redactor: Arc<Redactor>,
    held: Zeroizing<Vec<u8>>,
}

impl Redacting {
    pub(in crate::system) fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, held: Zeroizing::default() }
    }

    /// What may be passed on after `bytes` have come. What may be the beginning of a secret is held back.
    pub(in crate::system) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let clear = self.held.len() - self.redactor.undecided(&self.held);
        let out = self.redactor.bytes(&self.held[..clear]).into_owned();
        self.held.drain(..clear);
        out
    }

    /// The rest, at the end of the stream.
    pub(in crate::system) fn finish(&mut self) -> Vec<u8> {
        let out = self.redactor.bytes(&self.held).into_owned();
        self.held.clear();
        out
    }
}
