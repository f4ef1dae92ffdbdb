//! Whether what was typed is all of it.

use rhai::{Engine, LexError, ParseError, ParseErrorType, Token};

use super::{SourceFile, SourceMap, engine, params};

/// Whether more is to be typed: a bracket, a text or a block is open. What else is wrong does not count.
pub fn is_incomplete(text: &str) -> bool {
    let sources = SourceMap::default();
    let Ok(source) = sources.add("[typed]", text) else { return false };
    let Ok((body, _)) = params::extract(&source) else { return false };
    let mut engine = engine::for_parsing();
    engine.set_strict_variables(false);
    // Whatever is wrong with the beginning of a block: what stands in it is none of what comes next.
    engine.compile(source.padded(&body)).is_err_and(|error| is_open(&error, &source) || open_brackets(&engine, text))
}

/// Whether more brackets are opened than closed. Of texts with parts that are evaluated, only the parser can tell.
fn open_brackets(engine: &Engine, text: &str) -> bool {
    let (tokens, _) = engine.lex(std::slice::from_ref(&text));
    let mut depth = 0_i64;
    for (token, _) in tokens {
        match token {
            Token::LeftBrace | Token::LeftParen | Token::LeftBracket | Token::MapStart => depth += 1,
            Token::RightBrace | Token::RightParen | Token::RightBracket => depth = (depth - 1).max(0),
            Token::InterpolatedString(_) | Token::LexError(_) => return false,
            // It comes again and again.
            Token::EOF => break,
            _ => {}
        }
    }
    depth > 0
}

/// What belongs behind the `}` of what was typed before, and stands alone.
pub(super) fn left_behind(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let behind = |word: &&&str| text.strip_prefix(**word).is_some_and(|rest| rest.trim_start().starts_with(['{', '(']));
    ["rollback", "else", "catch"].iter().find(behind).copied()
}

/// Whether the parser ran out of text: then nothing was wrong so far.
pub(super) fn is_open(error: &ParseError, source: &SourceFile) -> bool {
    let ParseError(kind, position) = error;
    match **kind {
        ParseErrorType::BadInput(LexError::UnterminatedString) => source.text.matches('`').count() % 2 == 1,
        ParseErrorType::UnexpectedEOF => true,
        _ => {
            let text = source.text.trim_end();
            let last_line = source.base + text.lines().count().max(1);
            let last_column = text.lines().last().map_or(0, |line| line.chars().count());
            let (line, column) = (position.line().unwrap_or(usize::MAX), position.position().unwrap_or(usize::MAX));
            line > last_line || (line == last_line && column > last_column)
        }
    }
}
