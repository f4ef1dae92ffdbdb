//! Text in Markdown as GitHub and GitLab read it: whatever comes from a runbook or from a driver stays the text that it is.

use std::fmt::Write as _;

use super::html::turns_direction;

/// Between the characters of what would be a mention or a link; nobody sees it.
const APART: &str = "&#8203;";

/// Text on one line, for anywhere but within a code span. Nothing in it is formatted, links, mentions anybody or names an issue.
pub(super) fn prose(text: &str) -> String {
    let mut prose = String::new();
    let text = on_one_line(text);
    let chars: Vec<char> = text.chars().collect();
    // `1.` at its beginning would be a list.
    let list = chars.iter().position(|c| !c.is_ascii_digit()).filter(|n| *n > 0);
    for (n, c) in chars.iter().copied().enumerate() {
        let alone = |at: Option<&char>| at.is_none_or(|c| !c.is_alphanumeric());
        let after = chars.get(n + 1);
        match c {
            '_' if !alone(after) && !alone(n.checked_sub(1).map(|before| &chars[before])) => prose.push(c),
            '&' => prose.push_str("&amp;"),
            '<' => prose.push_str("&lt;"),
            '>' => prose.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '|' | '$' => prose.extend(['\\', c]),
            '-' | '+' | '=' if n == 0 => prose.extend(['\\', c]),
            '.' | ')' if list == Some(n) && after.is_none_or(|c| *c == ' ') => prose.extend(['\\', c]),
            // Mentions, issues and addresses are found after Markdown was read: no backslash keeps them from it.
            '@' => prose.extend(["@", APART]),
            '#' => prose.extend(["\\#", APART]),
            '-' if chars[..n].ends_with(&['G', 'H']) => prose.extend(["-", APART]),
            ':' if chars[n + 1..].starts_with(&['/', '/']) => prose.extend([":", APART]),
            '.' if ends_with_www(&chars[..n]) => prose.extend([APART, "."]),
            c => prose.push(c),
        }
    }
    prose
}

fn ends_with_www(chars: &[char]) -> bool {
    chars.iter().rev().take(3).filter(|c| matches!(c, 'w' | 'W')).count() == 3
}

/// Text as a code span, within a table as well.
pub(super) fn code(text: &str) -> String {
    let text = on_one_line(text);
    if text.contains(['|', '\\']) {
        // Readers of tables differ in what a backslash before a bar means within a code span.
        return format!("<code>{}</code>", as_numbers(&text));
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space beside the fence is taken away again, where there is one on both sides.
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text in which nothing means anything, because all that could is written as its number.
fn as_numbers(text: &str) -> String {
    text.chars().fold(String::new(), |mut text, c| {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '/' | '(' | ')') {
            let _ = write!(text, "&#{};", u32::from(c));
        } else {
            text.push(c);
        }
        text
    })
}

/// Lines as a block of text.
pub(super) fn block(lines: &[String]) -> String {
    block_in("text", lines)
}

/// Lines as a block of code in a language.
pub(super) fn block_in(language: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| visible(line).replace(['\n', '\r'], " ")).collect();
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// What can be opened: a line, and what lies behind it.
pub(super) fn folded(summary: &str, inside: &str) -> String {
    // A line of HTML is no Markdown, but mentions and addresses are found in it.
    let summary = on_one_line(summary).chars().fold(String::new(), |mut text, c| {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '@' | '#' => text.extend([c.to_string().as_str(), APART]),
            c => text.push(c),
        }
        text
    });
    let mut folded = String::new();
    let _ = write!(folded, "<details>\n<summary>{summary}</summary>\n\n{}\n\n</details>\n", inside.trim_end());
    folded
}

fn on_one_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without characters that are orders to whoever shows it.
fn visible(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\r' | '\t' => c,
        c if c.is_control() || turns_direction(c) => '\u{FFFD}',
        c => c,
    };
    text.chars().map(visible).collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_nothing_but_text() {
        let said = |text| prose(text);
        assert_eq!(
            said("a|b `c` *d* _e_ ~f~ [g](h) \\ $i$"),
            "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\~f\\~ \\[g\\](h) \\\\ \\$i\\$"
        );
        assert_eq!(said("<img src=x> &lt;"), "&lt;img src=x&gt; &amp;lt;");
        assert_eq!(said("one\r\n\n# two"), "one \\#&#8203; two");
        assert_eq!(said("- a"), "\\- a");
        assert_eq!(said("12. a 12. b"), "12\\. a 12. b");
        assert_eq!(said("6.2 MB of latest_backup"), "6.2 MB of latest_backup");
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_is_linked() {
        assert_eq!(
            prose("@ops me@a.example org/x#12 GH-7"),
            "@&#8203;ops me@&#8203;a.example org/x\\#&#8203;12 GH-&#8203;7"
        );
        assert_eq!(prose("https://a.example www.b.example"), "https:&#8203;//a.example www&#8203;.b.example");
        assert!(folded("@ops </summary>#1", "x").contains("<summary>@&#8203;ops &lt;/summary&gt;#&#8203;1</summary>"));
    }

    #[test]
    fn a_code_span_ends_where_it_should() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("a\\|b <i>"), "<code>a&#92;&#124;b &#60;i&#62;</code>");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(" "), "`  `");
        assert_eq!(code("a\nb\u{202E}"), "`a b\u{FFFD}`");
    }

    #[test]
    fn a_block_ends_where_it_should() {
        assert_eq!(block(&["a".into(), "```` b".into()]), "`````text\na\n```` b\n`````\n");
        assert_eq!(block(&["a\nb\u{1b}[1m".into()]), "```text\na b\u{FFFD}[1m\n```\n");
    }
}
