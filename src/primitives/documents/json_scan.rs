//! Reads JSON with the place of every value, so that one of them can be replaced and all else stays as it was written.

use std::ops::Range;

use crate::model::Value;

/// Deeper nesting is refused: it would be a mistake or an attack.
const DEEPEST: usize = 128;

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar(Value),
}

/// A key of an object with its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

/// The whole of a text. The error says what is wrong, and in which line.
pub(super) fn scan(text: &str) -> Result<Node, String> {
    let mut scanner = Scanner { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 } };
    let root = scanner.value(0).and_then(|node| {
        scanner.space();
        if scanner.at < text.len() { Err("something stands behind the end".to_owned()) } else { Ok(node) }
    });
    let line = text[..scanner.at.min(text.len())].matches('\n').count() + 1;
    root.map_err(|why| format!("line {line}: {why}"))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        self.space();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Scalar(Value::from(self.string()?)),
            Some(b'/') => return Err("JSON has no comments".to_owned()),
            _ => Kind::Scalar(self.word()?),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, String> {
        self.at += 1;
        let mut members = Vec::<Member>::new();
        self.space();
        if self.take(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(if self.peek() == Some(b'/') {
                    "JSON has no comments".to_owned()
                } else {
                    "a key in quotes must stand here".to_owned()
                });
            }
            let key = self.string()?;
            let key_span = start..self.at;
            if members.iter().any(|member| member.key == key) {
                return Err(format!("the key `{key}` stands here twice: nobody knows which one counts"));
            }
            self.space();
            if !self.take(b':') {
                return Err("a `:` must stand behind the key".to_owned());
            }
            let value = self.value(depth + 1)?;
            members.push(Member { key, key_span, value });
            self.space();
            if self.take(b'}') {
                return Ok(Kind::Object(members));
            }
            if !self.take(b',') {
                return Err("a `,` or `}` must stand here".to_owned());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Kind::Array(items));
            }
            if !self.take(b',') {
                return Err("a `,` or `]` must stand here".to_owned());
            }
        }
    }

    /// A text in quotes; what it means is left to a parser that knows all escapes.
    fn string(&mut self) -> Result<String, String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err("a `\"` is not closed".to_owned()),
                Some(b'\\') => self.at += 2,
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or("a `\"` is not closed")?;
        serde_json::from_str(quoted)
            .map_err(|_| "a text has an escape or a character that JSON does not know".to_owned())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, String> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        match serde_json::from_str::<serde_json::Value>(word) {
            Ok(serde_json::Value::Number(number)) => Ok(match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::Int(whole),
                // A whole number beyond 64 bits would lose its last digits as a float.
                (None, Some(float)) if word.contains(['.', 'e', 'E']) => Value::Float(float),
                _ => Value::from(word),
            }),
            Ok(scalar) => Ok(Value::from_json(scalar)),
            Err(_) => Err("a value must stand here".to_owned()),
        }
    }
}
