//! The values that stand before the arms of a `switch`.
//!
//! Rhai keeps their hashes, and not the values. They are found again among the literals of the file: Rhai gives those their hashes, too.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use rhai::{Dynamic, Position, Stmt, Token};

use crate::script::engine;
use crate::script::source::SourceFile;

/// The literals of a file, looked for when the first `switch` is met.
pub(super) struct Literals {
    text: Arc<str>,
    /// How many lines Rhai counts before the file.
    base: usize,
    /// By hash: the value, and everywhere it stands.
    found: Option<HashMap<u64, Literal>>,
}

/// A value that a file spells out, and everywhere it does, as Rhai counts lines.
#[derive(Clone)]
pub(super) struct Literal {
    pub(super) value: Dynamic,
    places: Vec<Position>,
}

impl Literal {
    /// Where it stands last before a place, and not before another one.
    pub(super) fn between(&self, from: Position, to: Position) -> Option<Position> {
        let key = |at: &Position| (at.line(), at.position());
        self.places.iter().copied().filter(|at| key(at) >= key(&from) && key(at) < key(&to)).max_by_key(key)
    }
}

impl Literals {
    pub(super) fn of(source: &SourceFile) -> Self {
        Self { text: source.text.clone(), base: source.base, found: None }
    }

    /// The literal with this hash.
    pub(super) fn of_hash(&mut self, hash: u64) -> Option<Literal> {
        let (text, base) = (&self.text, self.base);
        self.found.get_or_insert_with(|| hashed(&literals(text, base))).get(&hash).cloned()
    }
}

/// Every literal of a text, as Rhai reads it, with its value and its place.
fn literals(text: &str, base: usize) -> Vec<(String, Dynamic, Position)> {
    let engine = engine::for_lexing();
    let text = [text];
    let (tokens, control) = engine.lex(&text);
    let mut found = Vec::new();
    // How many braces are open inside each text that a value is being put into.
    let mut within: Vec<usize> = Vec::new();
    for (token, at) in tokens.take_while(|(token, _)| *token != Token::EOF) {
        let at = placed(at, base);
        let mut find = |text: String, value: Dynamic| found.push((text, value, at));
        match token {
            Token::True => find("true".to_owned(), true.into()),
            Token::False => find("false".to_owned(), false.into()),
            Token::Unit => find("()".to_owned(), Dynamic::UNIT),
            Token::IntegerConstant(number) => {
                find(number.to_string(), number.into());
                number.checked_neg().into_iter().for_each(|number| find(number.to_string(), number.into()));
            }
            Token::FloatConstant(parts) => {
                let number: f64 = *parts.0;
                for number in [number, -number] {
                    find(format!("{number:?}"), number.into());
                }
            }
            Token::CharConstant(c) => find(format!("'{}'", escaped(&c.to_string())), c.into()),
            Token::StringConstant(text) => find(format!("\"{}\"", escaped(&text)), text.to_string().into()),
            Token::InterpolatedString(_) => within.push(0),
            Token::LeftBrace | Token::MapStart => within.iter_mut().last().into_iter().for_each(|open| *open += 1),
            Token::RightBrace => {
                if let Some(open) = within.last_mut() {
                    *open = open.saturating_sub(1);
                    if *open == 0 {
                        // The rest of the text comes next.
                        within.pop();
                        control.borrow_mut().is_within_text = true;
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// A place in a file, as Rhai counts lines.
fn placed(at: Position, base: usize) -> Position {
    match (at.line().and_then(|line| u16::try_from(line + base).ok()), at.position()) {
        (Some(line), Some(column)) => Position::new(line, u16::try_from(column).unwrap_or(u16::MAX)),
        _ => Position::NONE,
    }
}

/// As it stands between quotes.
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ';
    text.chars().fold(String::new(), |mut escaped, c| {
        if plain(c) {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "\\U{:08x}", u32::from(c));
        }
        escaped
    })
}

/// The hashes that Rhai gives to such values: those before the arms of a `switch` that has all of them.
fn hashed(literals: &[(String, Dynamic, Position)]) -> HashMap<u64, Literal> {
    let arms: String = literals.iter().fold(String::new(), |arms, (text, ..)| arms + text.as_str() + " => (),");
    let compiled = engine::for_lexing().compile(format!("switch () {{ {arms} }}"));
    let mut found = HashMap::new();
    let Some(Stmt::Switch(parts, _)) = compiled.as_ref().ok().and_then(|ast| ast.statements().first()) else {
        return found;
    };
    for (hash, case) in &parts.1.cases {
        let spelled = || case.blocks.iter().map(|n| &literals[*n]);
        if let Some((_, value, _)) = spelled().next() {
            found.insert(*hash, Literal { value: value.clone(), places: spelled().map(|(.., at)| *at).collect() });
        }
    }
    found
}
