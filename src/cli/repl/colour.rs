//! Colours for what is being typed. It is read word by word: what is typed is unfinished most of the time.

use crate::cli::printer::{Printer, Style};

/// Words of the language.
pub(super) const KEYWORDS: &[&str] = &[
    "as", "break", "catch", "const", "continue", "do", "during", "else", "false", "fn", "for", "if", "import", "in",
    "let", "loop", "param", "private", "return", "rollback", "step", "switch", "throw", "true", "try", "until",
    "while", "within",
];

/// What a part of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Keyword,
    Name,
    /// A name with `(` behind it.
    Called,
    Text,
    Number,
    Comment,
    Other,
}

/// The parts of a text, in their order; together they are the whole text.
pub(super) fn parts(text: &str) -> Vec<(Part, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (part, len) = next(first, rest);
        found.push((part, &rest[..len]));
        rest = &rest[len..];
    }
    found
}

fn next(first: char, rest: &str) -> (Part, usize) {
    let span = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    match first {
        '/' if rest.starts_with("//") => (Part::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Part::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)),
        '"' | '`' => (Part::Text, quoted(first, rest)),
        c if c.is_ascii_digit() => (Part::Number, span(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))),
        c if c.is_alphabetic() || c == '_' => {
            let len = span(|c| c.is_alphanumeric() || c == '_');
            let part = match &rest[..len] {
                word if KEYWORDS.contains(&word) => Part::Keyword,
                _ if rest[len..].trim_start().starts_with('(') => Part::Called,
                _ => Part::Name,
            };
            (part, len)
        }
        c if c.is_whitespace() => (Part::Other, span(char::is_whitespace)),
        c => (Part::Other, c.len_utf8()),
    }
}

/// How long a text is with its quotes; to the end where it is open.
fn quoted(quote: char, rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The text in colours. `primitives` are set apart from other functions.
pub(super) fn coloured(text: &str, printer: &Printer, is_primitive: impl Fn(&str) -> bool) -> String {
    let paint = |(part, text): (Part, &str)| match part {
        Part::Keyword => printer.paint(Style::Caution, text),
        Part::Called if is_primitive(text) => printer.paint(Style::Bold, text),
        Part::Text => printer.paint(Style::Good, text),
        Part::Comment => printer.paint(Style::Dim, text),
        Part::Name | Part::Called | Part::Number | Part::Other => text.to_owned(),
    };
    parts(text).into_iter().map(paint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_what_it_is_and_nothing_is_lost() {
        for text in
            ["", "let a = probe(\"web\") // x", "`open ${", "\"a\\\"b\" + 1_000", "step \"é\" {", "/* open", "a::b(1)"]
        {
            let found = parts(text);
            assert_eq!(found.iter().map(|(_, part)| *part).collect::<String>(), text);
        }
        let found = parts("let ok = probe(\"w\"); // n");
        let words: Vec<_> = found.into_iter().filter(|(part, _)| *part != Part::Other).collect();
        assert_eq!(
            words,
            [
                (Part::Keyword, "let"),
                (Part::Name, "ok"),
                (Part::Called, "probe"),
                (Part::Text, "\"w\""),
                (Part::Comment, "// n")
            ]
        );
    }
}
