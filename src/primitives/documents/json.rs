//! JSON documents: the order of keys, indentation, and how numbers are written stay as they were.

use std::ops::Range;

use crate::model::Value;

use super::json_scan::{Kind, Member, Node, scan};
use super::path::{KeyPath, Segment};
use super::{Leaf, Syntax};

/// A JSON document, an object at its top.
#[derive(Debug)]
pub(super) struct Json {
    text: String,
    root: Node,
}

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let root = scan(text)?;
        if !matches!(root.kind, Kind::Object(_)) {
            return Err("its top is no object: it has no keys".to_owned());
        }
        Ok(Self { text: text.to_owned(), root })
    }

    fn splice(&mut self, span: Range<usize>, with: &str) -> Result<(), String> {
        self.text.replace_range(span, with);
        *self = Self::parse(&self.text)?;
        Ok(())
    }

    /// What one level adds to the indentation; `None` where everything stands in one line.
    fn unit(&self) -> Option<&str> {
        let Kind::Object(members) = &self.root.kind else { return None };
        let Some(first) = members.first() else { return Some("  ") };
        let before = &self.text[..first.key_span.start];
        let line = before.rfind('\n').map(|n| &before[n + 1..])?;
        Some(if line.is_empty() { "  " } else { line })
    }

    /// The indentation of the line in which `at` stands.
    fn indent(&self, at: usize) -> &str {
        let line = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let rest = &self.text[line..at];
        &rest[..rest.len() - rest.trim_start().len()]
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// A value as this document writes it, in a line that is indented by `indent`.
    fn write(&self, value: &Value, indent: &str, lines: bool) -> String {
        let unit = self.unit().filter(|_| lines);
        let inner = format!("{indent}{}", unit.unwrap_or_default());
        let newline = self.newline();
        let wrap = |open: &str, close: &str, items: Vec<String>| match unit {
            _ if items.is_empty() => format!("{open}{close}"),
            Some(_) => {
                let items = items.join(&format!(",{newline}{inner}"));
                format!("{open}{newline}{inner}{items}{newline}{indent}{close}")
            }
            None => format!("{open}{}{close}", items.join(", ")),
        };
        match value {
            Value::List(list) => wrap("[", "]", list.iter().map(|item| self.write(item, &inner, lines)).collect()),
            Value::Map(map) => {
                let pair =
                    |(key, item): (&String, &Value)| format!("{}: {}", text(key), self.write(item, &inner, lines));
                wrap("{", "}", map.iter().map(pair).collect())
            }
            scalar => scalar.to_json().to_string(),
        }
    }

    /// Puts a new key into the object at `object`.
    fn insert(
        &mut self,
        object: &Range<usize>,
        last: Option<(usize, String, String)>,
        key: &str,
        value: &Value,
    ) -> Result<(), String> {
        let (at, added) = if let Some((end, space, colon)) = last {
            // As its neighbour stands: in a line of its own or behind it.
            let indent = space.rsplit_once('\n').map_or(String::new(), |(_, indent)| indent.to_owned());
            let written = self.write(value, &indent, space.contains('\n'));
            (end..end, format!(",{space}{}{colon}{written}", text(key)))
        } else {
            let indent = self.indent(object.start).to_owned();
            let object_of_one = Value::Map([(key.to_owned(), value.clone())].into());
            (object.clone(), self.write(&object_of_one, &indent, self.unit().is_some()))
        };
        self.splice(at, &added)
    }
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn member<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.key == name)
}

/// How far a path leads: the last value on it, and the segments that are left.
fn follow<'a, 'p>(root: &'a Node, path: &'p KeyPath) -> (&'a Node, &'p [Segment]) {
    let (mut node, mut rest) = (root, &path.0[..]);
    while let Some((segment, after)) = rest.split_first() {
        let next = match (&node.kind, segment) {
            (Kind::Object(members), Segment::Name(name)) => member(members, name).map(|member| &member.value),
            (Kind::Array(items), Segment::Index(index)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        (node, rest) = (next, after);
    }
    (node, rest)
}

/// Objects to be made on the way to a value.
fn nest(names: &[Segment], value: &Value) -> Result<Value, String> {
    names.iter().rev().try_fold(value.clone(), |inner, segment| match segment {
        Segment::Name(name) => Ok(Value::Map([(name.clone(), inner)].into())),
        Segment::Index(_) => Err("there is no list there".to_owned()),
    })
}

fn is_table(node: &Node) -> bool {
    matches!(&node.kind, Kind::Object(_))
}

fn value_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(value) => value.clone(),
        Kind::Array(items) => Value::List(items.iter().map(value_of).collect()),
        // It has no value of its own, only those in it.
        Kind::Object(_) => Value::Map([].into()),
    }
}

fn collect(node: &Node, path: &KeyPath, leaves: &mut Vec<Leaf>) {
    let holds_table = |items: &[Node]| items.iter().any(holds_object);
    match &node.kind {
        Kind::Object(members) => {
            for member in members {
                collect(&member.value, &path.child(&member.key), leaves);
            }
        }
        Kind::Array(items) if holds_table(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &path.item(index), leaves);
            }
        }
        _ => leaves.push((path.clone(), value_of(node))),
    }
}

fn holds_object(node: &Node) -> bool {
    match &node.kind {
        Kind::Object(_) => true,
        Kind::Array(items) => items.iter().any(holds_object),
        Kind::Scalar(_) => false,
    }
}

impl Syntax for Json {
    fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        if let Kind::Object(members) = &self.root.kind {
            for member in members {
                collect(&member.value, &KeyPath::default().child(&member.key), &mut leaves);
            }
        }
        leaves
    }

    fn set(&mut self, path: &KeyPath, value: &Value) -> Result<(), String> {
        let (node, rest) = follow(&self.root, path);
        let span = node.span.clone();
        let Some((first, rest)) = rest.split_first() else {
            if is_table(node) {
                return Err("a table stands there: name the key in it".to_owned());
            }
            let lines = self.text[span.clone()].contains('\n');
            let written = self.write(value, self.indent(span.start), lines);
            return self.splice(span, &written);
        };
        match (&node.kind, first) {
            (Kind::Object(members), Segment::Name(name)) => {
                let last = members.last().map(|last| {
                    let before = self.text[..last.key_span.start].trim_end().len();
                    let space = self.text[before..last.key_span.start].to_owned();
                    (last.value.span.end, space, self.text[last.key_span.end..last.value.span.start].to_owned())
                });
                let (name, value) = (name.clone(), nest(rest, value)?);
                self.insert(&span, last, &name, &value)
            }
            (Kind::Array(items), Segment::Index(index)) => {
                Err(format!("the list has {} entries, and none at [{index}]", items.len()))
            }
            (Kind::Array(_), Segment::Name(_)) => Err("a list stands there, and no table".to_owned()),
            (Kind::Object(_), Segment::Index(_)) => Err("a table stands there, and no list".to_owned()),
            (Kind::Scalar(found), _) => Err(format!("a value of type {} stands there, and no table", found.kind())),
        }
    }

    fn unset(&mut self, path: &KeyPath) -> Result<(), String> {
        let Some((last, above)) = path.0.split_last() else { return Ok(()) };
        let above = KeyPath(above.to_vec());
        let (parent, rest) = follow(&self.root, &above);
        if !rest.is_empty() {
            return Ok(());
        }
        // The places of all entries, and which of them goes.
        let (entries, gone): (Vec<Range<usize>>, _) = match (&parent.kind, last) {
            (Kind::Object(members), Segment::Name(name)) => (
                members.iter().map(|member| member.key_span.start..member.value.span.end).collect(),
                members.iter().position(|member| member.key == *name),
            ),
            (Kind::Array(items), Segment::Index(index)) => {
                (items.iter().map(|item| item.span.clone()).collect(), Some(*index).filter(|n| *n < items.len()))
            }
            _ => (Vec::new(), None),
        };
        let Some(gone) = gone else { return Ok(()) };
        let span = match (gone.checked_sub(1).map(|n| &entries[n]), entries.get(gone + 1)) {
            (_, Some(next)) => entries[gone].start..next.start,
            (Some(before), None) => before.end..entries[gone].end,
            (None, None) => parent.span.start + 1..parent.span.end - 1,
        };
        self.splice(span, "")
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
