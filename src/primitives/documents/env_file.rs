//! Env files: `KEY=value` lines, as shells, systemd and dotenv read them. Everything that is not edited stays as it is.

use std::ops::Range;

use crate::model::Value;

use super::path::KeyPath;
use super::{Leaf, Syntax};

/// An env file.
#[derive(Debug)]
pub(super) struct EnvFile {
    text: String,
    entries: Vec<Entry>,
}

/// One `KEY=value`.
#[derive(Debug)]
struct Entry {
    key: String,
    value: String,
    quote: Option<char>,
    /// Where the value stands, its quotes included.
    span: Range<usize>,
    /// Where the whole entry stands, the end of its last line included.
    lines: Range<usize>,
}

impl EnvFile {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut entries, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let end = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
            let line = text[at..end].trim_start_matches('\u{feff}');
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                at = end;
                continue;
            }
            let number = text[..at].matches('\n').count() + 1;
            let entry = entry(text, at, end - line.len()).map_err(|why| format!("line {number}: {why}"))?;
            at = entry.lines.end;
            entries.push(entry);
        }
        Ok(Self { text: text.to_owned(), entries })
    }

    fn last(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.key == name)
    }

    fn splice(&mut self, span: Range<usize>, with: &str) -> Result<(), String> {
        self.text.replace_range(span, with);
        *self = Self::parse(&self.text)?;
        Ok(())
    }
}

impl Syntax for EnvFile {
    fn leaves(&self) -> Vec<Leaf> {
        // Of two entries with one name, the later one counts.
        let effective =
            |(n, entry): &(usize, &Entry)| !self.entries[n + 1..].iter().any(|later| later.key == entry.key);
        let entries = self.entries.iter().enumerate().filter(effective);
        entries.map(|(_, entry)| (KeyPath::name(&entry.key), Value::from(entry.value.as_str()))).collect()
    }

    fn set(&mut self, path: &KeyPath, value: &Value) -> Result<(), String> {
        let name = only_name(path)?;
        let text = match value {
            Value::String(text) => text.to_string(),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.to_string(),
            other => return Err(format!("an env file holds text, numbers and bools, and no {}", other.kind())),
        };
        if text.contains('\0') {
            return Err("the value holds a NUL character, which no environment takes".to_owned());
        }
        if let Some(entry) = self.last(name) {
            let (span, written) = (entry.span.clone(), quoted(&text, entry.quote));
            return self.splice(span, &written);
        }
        if !is_name(name) {
            return Err("a name holds letters, digits and `_`, and begins with no digit".to_owned());
        }
        let exported = !self.entries.is_empty()
            && self.entries.iter().all(|entry| self.text[entry.lines.clone()].trim_start().starts_with("export "));
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut added =
            if self.text.is_empty() || self.text.ends_with('\n') { String::new() } else { newline.to_owned() };
        added.push_str(if exported { "export " } else { "" });
        added.extend([name, "=", &quoted(&text, None), newline]);
        let end = self.text.len();
        self.splice(end..end, &added)
    }

    fn unset(&mut self, path: &KeyPath) -> Result<(), String> {
        let name = only_name(path)?.to_owned();
        while let Some(entry) = self.last(&name) {
            let lines = entry.lines.clone();
            self.splice(lines, "")?;
        }
        Ok(())
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}

fn only_name(path: &KeyPath) -> Result<&str, String> {
    let mut names = path.names();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        _ => Err("an env file has no tables".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| plain(c) && !c.is_ascii_digit()) && name.chars().all(plain)
}

/// The entry on the line that begins at `line`; `from` is where its text begins.
fn entry(text: &str, line: usize, from: usize) -> Result<Entry, String> {
    let end = text[from..].find('\n').map_or(text.len(), |n| from + n);
    let Some(equals) = text[from..end].find('=').map(|n| from + n) else {
        return Err("there is no `=`".to_owned());
    };
    let key = text[from..equals].trim();
    let key = key.strip_prefix("export ").map_or(key, str::trim_start);
    if key.is_empty() || key.contains(char::is_whitespace) || key.contains(['"', '\'', '#']) {
        return Err("before the `=` stands no name".to_owned());
    }
    let start = equals + 1 + text[equals + 1..end].len() - text[equals + 1..end].trim_start().len();
    let quote = text[start..].chars().next().filter(|c| *c == '"' || *c == '\'');
    let (value, span) = if let Some(quote) = quote {
        let (value, length) = unquote(&text[start + 1..], quote).ok_or("a quote is not closed")?;
        (value, start..start + length + 2)
    } else {
        let rest = &text[start..end];
        // A comment begins with `#` after a space; inside a word `#` is a character like any other.
        let comment = rest.char_indices().find(|(n, c)| *c == '#' && (*n == 0 || rest[..*n].ends_with([' ', '\t'])));
        let value = rest[..comment.map_or(rest.len(), |(n, _)| n)].trim_end();
        (value.to_owned(), start..start + value.len())
    };
    let lines_end = text[span.end..].find('\n').map_or(text.len(), |n| span.end + n + 1);
    let after = text[span.end..lines_end].trim();
    if !after.is_empty() && !after.starts_with('#') {
        return Err("something stands behind the closing quote".to_owned());
    }
    Ok(Entry { key: key.to_owned(), value, quote, span, lines: line..lines_end })
}

/// The text up to the closing quote, and how many bytes it takes.
fn unquote(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, at)),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$' | '`') => value.push(c),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

/// A value as it is written: with the quotes that stood there before, where they can hold it.
fn quoted(text: &str, before: Option<char>) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:@%+,=^".contains(c);
    if before.is_none() && text.chars().all(plain) {
        return text.to_owned();
    }
    let lines = text.contains(['\n', '\r']);
    // Between single quotes nothing has a meaning. Between double ones, `$` may be taken for a variable by who reads the file.
    let single = !text.contains('\'') && !lines;
    if single && (before == Some('\'') || before.is_none() || text.contains(['$', '`', '\\'])) {
        return format!("'{text}'");
    }
    let escaped = text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '"' | '\\' | '$' | '`' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
        escaped
    });
    format!("\"{escaped}\"")
}

#[cfg(test)]
#[path = "env_file_tests.rs"]
mod tests;
