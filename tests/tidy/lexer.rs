//! Rust source without what is not code: comments, texts and characters become blanks, line breaks stay.

/// `text` with everything blanked that is not code. Every character keeps its line and column.
pub(crate) fn code_of(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = match first {
            '/' => comment(rest),
            '"' => Some(quoted(rest, 1)),
            'r' | 'b' | 'c' if !after_word => prefixed(rest),
            '\'' => character(rest),
            _ => None,
        };
        let length = skipped.unwrap_or(first.len_utf8());
        let (piece, tail) = rest.split_at(length);
        match skipped {
            Some(_) => code.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
            None => code.push_str(piece),
        }
        rest = tail;
    }
    code
}

/// The length of a comment that begins here.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// The length of a text in quotes whose content begins at `start`.
fn quoted(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[start..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return start + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw text, a byte text or a byte that begins here.
fn prefixed(text: &str) -> Option<usize> {
    let letters = text.find(|c: char| !matches!(c, 'r' | 'b' | 'c'))?;
    let (prefix, rest) = text.split_at(letters);
    if prefix == "b" && rest.starts_with('\'') {
        return character(rest).map(|length| length + 1);
    }
    if !prefix.contains('r') {
        return rest.starts_with('"').then(|| quoted(text, letters + 1));
    }
    let hashes = rest.find(|c| c != '#')?;
    if !rest[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let content = letters + hashes + 1;
    Some(text[content..].find(&end).map_or(text.len(), |at| content + at + end.len()))
}

/// The length of a character in quotes that begins here; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next();
        return text.char_indices().skip(3).find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

/// Whether `code` has the word `word` at `at`, and not as a part of a longer one.
pub(crate) fn is_word(code: &str, at: usize, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code[at..].starts_with(word) && !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part)
}

/// Where `word` stands in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| is_word(code, *at, word))
}

/// Where the bracket that is opened at `open` is closed, or the end.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}

#[test]
fn only_code_is_left() {
    let blank = |text: &str| code_of(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(blank("a // unsafe\nb"), "a b");
    assert_eq!(blank("a /* x /* unsafe */ y */ b"), "a b");
    assert_eq!(blank(r#"a("unsafe \" {") b"#), "a( ) b");
    assert_eq!(blank("a(r#\"un\"safe\"#) b"), "a( ) b");
    assert_eq!(blank(r"a(b'{', '\'', '\u{7d}', '{') b"), "a( , , , ) b");
    assert_eq!(blank("fn f<'a>(x: &'a str) -> &'a str"), "fn f<'a>(x: &'a str) -> &'a str");
    assert_eq!(blank("let bar = for_rust\"\";"), "let bar = for_rust ;");
    assert_eq!(code_of("a\n\"b\nc\"\nd").lines().count(), 4);
    assert_eq!(code_of("é\"é\"é"), "é   é");
}

#[test]
fn words_are_whole() {
    assert_eq!(words("unsafe_code unsafe (unsafe)", "unsafe").count(), 2);
    assert_eq!(closing("a { b { c } } d", 2), 12);
}
