//! Text in columns.

/// How many columns a text takes: colour codes take none.
pub(super) fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(|c| *c == 'm');
        } else {
            count += 1;
        }
    }
    count
}

/// Breaks `text` into lines of at most `width` columns, at spaces where there are any.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let length = columns(&line);
            if length > 0 && length + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            // A word that fits on no line is cut, rather than left to push the margin.
            let mut rest: Vec<char> = word.chars().collect();
            while columns(word) > width && rest.len() > width {
                let tail = rest.split_off(width);
                lines.push(rest.into_iter().collect());
                rest = tail;
            }
            line.extend(rest);
        }
        lines.push(line);
    }
    lines
}

/// Text of at most so many characters.
pub(super) fn short(text: &str, at_most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= at_most {
        return text;
    }
    let kept: String = text.chars().take(at_most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_and_lines_are_joined() {
        assert_eq!(short("a\n  b", 9), "a b");
        assert_eq!(short("äöüäöü", 4), "äöü…");
    }

    #[test]
    fn breaks_at_spaces_and_cuts_long_words() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\nb", 10), ["a", "b"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("\x1b[32mab\x1b[0m cd", 5), ["\x1b[32mab\x1b[0m cd"]);
        assert!(wrap("ü ö ä é è ê", 5).iter().all(|l| l.chars().count() <= 5));
    }
}
