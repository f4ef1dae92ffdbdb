//! Where the statements of a script begin and end.

use super::raw::is_complete;

/// One statement of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlStatement<'a> {
    /// From its first word to its semicolon, or to the end of the script.
    pub text: &'a str,
    /// The byte of the script at which it begins.
    pub offset: usize,
}

/// A word, a number, or one other character; comments, and what stands in quotes, are passed over.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    offset: usize,
}

/// The tokens of a text, quoted ones as an empty text.
fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let first = rest.chars().next()?;
            let after = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |i| from + i + end.len());
            let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let (length, kept) = match first {
                '-' if rest.starts_with("--") => (after("\n", 2), None),
                '/' if rest.starts_with("/*") => (after("*/", 2), None),
                c if c.is_ascii_whitespace() => (1, None),
                // A doubled quote ends one text and begins another, which comes to the same.
                '\'' | '"' | '`' => (after(&first.to_string(), 1), Some("")),
                '[' => (after("]", 1), Some("")),
                c if is_word(c) => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    (length, Some(&rest[..length]))
                }
                c => (c.len_utf8(), Some(&rest[..c.len_utf8()])),
            };
            let offset = at;
            at += length;
            if let Some(text) = kept {
                return Some(Token { text, offset });
            }
        }
    })
}

/// Whether a text holds nothing but blanks, comments and semicolons.
pub(super) fn is_blank(text: &str) -> bool {
    tokens(text).all(|token| token.text == ";")
}

/// The statements of a script, in order. What is left at its end without a semicolon is one too.
///
/// `sqlite3_complete` judges where a trigger ends. It is asked only where an end is possible at all, so that a long script takes
/// time in proportion to its length.
pub fn split_sql(script: &str) -> Vec<SqlStatement<'_>> {
    let mut statements = Vec::new();
    let (mut words, mut begin, mut last): (Vec<&str>, Option<usize>, &str) = (Vec::new(), None, "");
    for token in tokens(script) {
        if begin.is_none() && token.text == ";" {
            continue;
        }
        let start = *begin.get_or_insert(token.offset);
        if words.len() < 3 {
            words.push(token.text);
        }
        let end = token.offset + 1;
        let ends = token.text == ";"
            && (!makes_trigger(&words) || (last.eq_ignore_ascii_case("END") && is_complete(&script[start..end])));
        if ends {
            statements.push(SqlStatement { text: &script[start..end], offset: start });
            words.clear();
            begin = None;
        }
        last = token.text;
    }
    statements.extend(begin.map(|start| SqlStatement { text: script[start..].trim_end(), offset: start }));
    statements
}

fn makes_trigger(words: &[&str]) -> bool {
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found.eq_ignore_ascii_case(word));
    is(0, "CREATE") && (is(1, "TRIGGER") || ((is(1, "TEMP") || is(1, "TEMPORARY")) && is(2, "TRIGGER")))
}

impl SqlStatement<'_> {
    /// Its first words, in capitals; what stands in quotes is an empty one.
    pub fn words(&self, count: usize) -> Vec<String> {
        tokens(self.text).take(count).map(|token| token.text.to_ascii_uppercase()).collect()
    }

    /// Whether it deletes, and says nowhere which rows.
    pub(super) fn deletes_all(&self) -> bool {
        let (mut depth, mut deletes, mut limited) = (0_i64, false, false);
        for token in tokens(self.text) {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                word if depth == 0 && word.eq_ignore_ascii_case("DELETE") => deletes = true,
                word if depth == 0 && deletes => limited |= word.eq_ignore_ascii_case("WHERE"),
                _ => {}
            }
        }
        // In a trigger it deletes later, and only what the trigger says.
        deletes && !limited && !self.words(1).iter().any(|word| word == "CREATE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(script: &str) -> Vec<&str> {
        split_sql(script).into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn semicolons_in_texts_names_and_comments_end_nothing() {
        let script = "-- a; b\nINSERT INTO t VALUES ('x;''y;'); /* ; */ SELECT \";\", [;], `;` -- ;\n;";
        assert_eq!(split(script), ["INSERT INTO t VALUES ('x;''y;');", "SELECT \";\", [;], `;` -- ;\n;"]);
        assert_eq!(split(" ; -- nothing\n;;/* ; */"), Vec::<&str>::new());
    }

    #[test]
    fn a_trigger_ends_at_its_own_end() {
        let trigger = "CREATE TRIGGER a AFTER INSERT ON t BEGIN
            UPDATE t SET x = CASE WHEN 1 THEN 2 END;
            DELETE FROM u WHERE y = 'END;';
        END;";
        assert_eq!(split(&format!("{trigger} SELECT 1")), [trigger, "SELECT 1"]);
        let temporary = trigger.replace("CREATE", "create /* ; */ temp");
        assert_eq!(split(&format!("{temporary}{trigger}")), [temporary.as_str(), trigger]);
    }

    #[test]
    fn statements_know_where_they_begin() {
        let script = "-- first\nSELECT 'ü';\n\n  SELECT 2";
        let offsets: Vec<_> = split_sql(script).into_iter().map(|s| s.offset).collect();
        assert_eq!(offsets, [9, script.find("SELECT 2").expect("there")]);
        assert_eq!(split("SELECT 'never ends; "), ["SELECT 'never ends;"]);
    }

    #[test]
    fn a_delete_without_where_is_told_from_others() {
        let all = |sql| SqlStatement { text: sql, offset: 0 }.deletes_all();
        for sql in ["DELETE FROM t", "delete from t; -- where", "WITH a AS (SELECT 1 WHERE 1) DELETE FROM t"] {
            assert!(all(sql), "{sql}");
        }
        for sql in [
            "DELETE FROM t WHERE x",
            "DELETE FROM [a b] where (1)",
            "SELECT 'DELETE'",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; END",
        ] {
            assert!(!all(sql), "{sql}");
        }
    }

    #[test]
    fn a_script_takes_time_in_proportion_to_its_length() {
        let script = format!("INSERT INTO t VALUES ('{}');", "; END;".repeat(200_000));
        assert_eq!(split(&script).len(), 1);
        assert_eq!(split(&"SELECT 1;".repeat(100_000)).len(), 100_000);
    }
}
