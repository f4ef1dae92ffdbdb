//! A runbook that is taken statement by statement.

use std::path::Path;

use super::colour::{Part, parts};

/// A runbook in statements.
pub(super) struct Loaded {
    pub(super) file: String,
    statements: Vec<String>,
    next: usize,
    /// Whether the statement before was taken into the line, to be changed.
    edited: bool,
}

/// What tells a text from another one: how long it is, and the beginning of its digest.
pub(super) fn fingerprint(text: &str) -> String {
    let digest = crate::system::hex(text.as_bytes());
    format!("{} statements, {}", statements(text).len(), digest.get(..8).unwrap_or(&digest))
}

impl Loaded {
    /// The statements of a text. Functions come first: they are there from the beginning.
    pub(super) fn of(file: &str, text: &str) -> Self {
        let (functions, others): (Vec<_>, Vec<_>) =
            statements(text).into_iter().partition(|statement| is_function(statement));
        let functions = (!functions.is_empty()).then(|| functions.join("\n\n"));
        Self {
            file: file.to_owned(),
            statements: functions.into_iter().chain(others).collect(),
            next: 0,
            edited: false,
        }
    }

    /// The statement that comes next.
    pub(super) fn next(&self) -> Option<&str> {
        self.statements.get(self.next).map(String::as_str)
    }

    /// Follows what was typed, or carried out of it: whether the next statement is behind it now. What is recorded tells the same once
    /// more when the session is taken up again.
    pub(super) fn follow(&mut self, typed: &str, went_well: bool) -> bool {
        let typed = typed.trim();
        let (skipped, edited) = (typed.starts_with(":skip"), typed.starts_with(":edit"));
        if !skipped && !edited && super::editor::is_command(typed) {
            return false;
        }
        // Taken into the line and left as it was, it is not the one behind it, though that may say the same.
        let before = self.next.checked_sub(1).and_then(|before| self.statements.get(before));
        let was_edited = std::mem::replace(&mut self.edited, edited);
        let as_it_was = was_edited && before.is_some_and(|before| before.trim() == typed);
        let is_next = self.next().is_some_and(|next| next.trim() == typed) && !as_it_was;
        let over = self.next().is_some() && (skipped || edited || (went_well && is_next));
        self.next += usize::from(over);
        over
    }

    /// How many were carried out or left out, and how many there are.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.next, self.statements.len())
    }

    /// The name of its file, without the folder.
    pub(super) fn name(&self) -> String {
        Path::new(&self.file).file_name().map_or_else(|| self.file.clone(), |name| name.to_string_lossy().into_owned())
    }
}

fn is_function(statement: &str) -> bool {
    let mut words = parts(statement).into_iter().filter(|(part, _)| *part == Part::Keyword).map(|(_, word)| word);
    let first = parts(statement).into_iter().find(|(part, text)| *part != Part::Comment && !text.trim().is_empty());
    let begins = first.is_some_and(|(_, text)| matches!(text, "fn" | "private"));
    begins && words.any(|word| word == "fn")
}

/// The statements at the top level of a text, each with the comments before it.
pub(super) fn statements(text: &str) -> Vec<String> {
    let (mut found, mut current, mut depth) = (Vec::new(), String::new(), 0_usize);
    // The first word of the statement, which tells whether it ends with its block.
    let mut first: Option<&str> = None;
    // A block was closed at the top level: the statement may be over.
    let mut closed = false;
    for (part, piece) in parts(text) {
        let blank = piece.trim().is_empty() || part == Part::Comment;
        if closed && !blank {
            closed = false;
            let goes_on = matches!(piece, "else" | "catch" | "rollback" | "while" | "until" | ";" | "." | ")");
            if !goes_on {
                push(&mut found, &mut current);
                first = None;
            }
        }
        current.push_str(piece);
        if blank {
            continue;
        }
        first = first.or(Some(piece));
        match piece {
            _ if part == Part::Text => {}
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                let block = first.is_some_and(|word| BLOCKS.contains(&word));
                closed = depth == 0 && block;
            }
            ";" if depth == 0 => {
                push(&mut found, &mut current);
                first = None;
            }
            _ => {}
        }
    }
    push(&mut found, &mut current);
    found
}

/// What begins a statement that ends with its block.
const BLOCKS: &[&str] = &["step", "if", "switch", "for", "while", "loop", "do", "try", "fn", "private", "during", "{"];

fn push(found: &mut Vec<String>, current: &mut String) {
    let text = current.trim();
    let only_comments = parts(text).iter().all(|(part, piece)| *part == Part::Comment || piece.trim().is_empty());
    if !text.is_empty() && !only_comments {
        // The front matter belongs to the file, not to its first statement.
        let lines = text.lines().skip_while(|line| line.starts_with("//!") || line.trim().is_empty());
        found.push(lines.collect::<Vec<_>>().join("\n"));
    }
    current.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_its_statements() {
        let text = r#"//! Title.
//! owner: x

param reason: string = "a; b";

// Why.
let before = maintenance("web");
step "Stop" {
    maintenance("web", "on");
} rollback {
    maintenance("web", before);
}
if before == "on" { log("x"); } else if true { log("y"); }
try { log("a") } catch (e) { log("b"); }
let list = [1, 2].map(|x| { x + 1 });
let m = #{ a: 1 };
do { log("z"); } while false;
fn helper(a) { a + 1 }
probe("web")"#;
        let found = statements(text);
        let heads: Vec<&str> = found.iter().map(|s| s.lines().next().unwrap_or_default()).collect();
        assert_eq!(
            heads,
            [
                "param reason: string = \"a; b\";",
                "// Why.",
                "step \"Stop\" {",
                "if before == \"on\" { log(\"x\"); } else if true { log(\"y\"); }",
                "try { log(\"a\") } catch (e) { log(\"b\"); }",
                "let list = [1, 2].map(|x| { x + 1 });",
                "let m = #{ a: 1 };",
                "do { log(\"z\"); } while false;",
                "fn helper(a) { a + 1 }",
                "probe(\"web\")",
            ]
        );
        let loaded = Loaded::of("runbooks/a.rhai", text);
        assert_eq!(loaded.next(), Some("fn helper(a) { a + 1 }"));
        assert_eq!((loaded.progress(), loaded.name()), ((0, 10), "a.rhai".to_owned()));
    }

    #[test]
    fn what_is_typed_moves_it_on_as_the_record_does() {
        let mut loaded = Loaded::of("a.rhai", "log(\"a\");\nlet b = 2;\nlet b = 2;\nlog(\"c\");\nlog(\"d\");");
        let mut follow = |typed: &str, went_well| (loaded.follow(typed, went_well), loaded.progress().0);
        assert_eq!(follow("log(\"a\");", false), (false, 0), "what failed stays the next one");
        assert_eq!(follow("log(\"a\");", true), (true, 1));
        assert_eq!(follow("log(\"a\");", true), (false, 1), "it was there before");
        assert_eq!(follow(":owed", true), (false, 1));
        assert_eq!(follow(":edit # let b = 2;", true), (true, 2));
        assert_eq!(follow(":owed", true), (false, 2));
        assert_eq!(follow("let b = 2;", true), (false, 2), "it is the one that was taken into the line");
        assert_eq!(follow("let b = 2;", true), (true, 3));
        assert_eq!(follow("# a remark", true), (false, 3));
        assert_eq!(follow(":skip it is late # log(\"c\");", true), (true, 4));
        assert_eq!(follow("log(\"d\");\n", true), (true, 5));
        assert_eq!(follow("log(\"d\");", true), (false, 5), "that was the last one");
        assert_eq!(follow(":skip more", true), (false, 5));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test reads the runbooks that ship")]
    fn every_shipped_runbook_falls_into_statements_that_can_be_read_each() {
        for file in std::fs::read_dir("runbooks").expect("the runbooks") {
            let path = file.expect("an entry").path();
            if !path.to_string_lossy().ends_with(".rhai") || path.to_string_lossy().ends_with("_test.rhai") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("reads");
            for statement in statements(&text) {
                assert!(!crate::script::is_incomplete(&statement), "{}: {statement}", path.display());
            }
        }
    }
}
