//! Parameters: `param reason: string = "…";` at the top level of a runbook.
//!
//! Rhai has no such statement. It is rewritten to `const reason         = "…";`, column by column, and a given value then
//! replaces the default in the syntax tree.

use std::collections::BTreeMap;
use std::fmt;

use rhai::{AST, Dynamic, Expr, Position, Stmt, Token};

use crate::model::{Span, Value, did_you_mean};

use super::source::{ScriptError, SourceFile};
use super::{convert, engine};

/// The values given for parameters, by name.
pub type Params = BTreeMap<String, Value>;

/// A parameter of a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ParamType,
    /// Its default as it stands in the source; `None` when it must be given.
    pub default: Option<String>,
    /// The comment above it.
    pub doc: String,
    /// Its line, from 1.
    pub line: u32,
    /// The column of its name, from 1.
    pub column: u32,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// Text such as `5m`.
    Duration,
}

impl ParamType {
    const ALL: [(&'static str, ParamType); 5] = [
        ("string", ParamType::String),
        ("int", ParamType::Int),
        ("float", ParamType::Float),
        ("bool", ParamType::Bool),
        ("duration", ParamType::Duration),
    ];

    /// Reads a value given as text on the command line.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let wrong = || format!("`{text}` is not a {self}");
        match self {
            ParamType::String => Ok(text.into()),
            ParamType::Int => text.parse().map(Value::Int).map_err(|_| wrong()),
            ParamType::Float => text.parse().map(Value::Float).map_err(|_| wrong()),
            ParamType::Bool => text.parse().map(Value::Bool).map_err(|_| wrong()),
            ParamType::Duration => text.parse::<Span>().map(|_| text.into()).map_err(|e| e.to_string()),
        }
    }

    /// Whether a value that a script gives may stand for it.
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Unknown(_))
            | (ParamType::String, Value::String(_))
            | (ParamType::Int, Value::Int(_))
            | (ParamType::Float, Value::Float(_) | Value::Int(_))
            | (ParamType::Bool, Value::Bool(_)) => true,
            (ParamType::Duration, Value::String(text)) => text.parse::<Span>().is_ok(),
            _ => false,
        }
    }
}

impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, kind)| kind == self).map_or("?", |(name, _)| name))
    }
}

/// Finds the parameters of a runbook, and returns its text with them rewritten so that Rhai reads it.
pub(super) fn extract(source: &SourceFile) -> Result<(String, Vec<Param>), ScriptError> {
    let engine = engine::for_lexing();
    let text = [&*source.text];
    let (tokens, _control) = engine.lex(&text);
    // Rhai's iterator goes on with `EOF` for ever.
    let tokens = tokens.take_while(|(token, _)| *token != Token::EOF);
    let tokens: Vec<(Token, Position)> = tokens.filter(|(token, _)| !matches!(token, Token::Comment(_))).collect();
    let (mut body, mut params, mut depth) = (source.text.to_string(), Vec::<Param>::new(), 0_usize);
    for (i, (token, position)) in tokens.iter().enumerate() {
        match token {
            Token::LeftBrace | Token::MapStart => depth += 1,
            Token::RightBrace => depth = depth.saturating_sub(1),
            Token::Identifier(word) if word.as_str() == "param" && depth == 0 && begins_statement(&tokens, i) => {
                let (param, blank) = declaration(source, &tokens[i..])?;
                if params.iter().any(|p| p.name == param.name) {
                    let message = format!("parameter `{}` is declared twice", param.name);
                    return Err(ScriptError::at(source, param.line, param.column, message));
                }
                let start = offset(source, *position).start;
                body.replace_range(start..start + 5, "const");
                plain_comments_above(&mut body, start);
                let spaces = " ".repeat(body[blank.clone()].chars().count());
                // Columns count characters, so a type keeps its width in characters; only ASCII can stand there.
                body.replace_range(blank, &spaces);
                params.push(param);
            }
            _ => {}
        }
    }
    Ok((body, params))
}

/// Rhai takes `///` only above functions: above a parameter it becomes an ordinary comment, of the same width.
fn plain_comments_above(body: &mut String, statement: usize) {
    let mut end = body[..statement].rfind('\n').unwrap_or(0);
    while end > 0 {
        let start = body[..end].rfind('\n').map_or(0, |at| at + 1);
        let Some(at) = body[start..end].find("///").filter(|at| body[start..start + at].trim().is_empty()) else {
            return;
        };
        body.replace_range(start + at..start + at + 3, "// ");
        end = start.saturating_sub(1);
    }
}

fn begins_statement(tokens: &[(Token, Position)], i: usize) -> bool {
    let after = i == 0 || matches!(tokens[i - 1].0, Token::SemiColon | Token::RightBrace);
    after && matches!(tokens.get(i + 1), Some((Token::Identifier(_) | Token::Reserved(_), _)))
}

/// `param name : type [= default] ;`, with the byte range of `: type`.
fn declaration(
    source: &SourceFile,
    tokens: &[(Token, Position)],
) -> Result<(Param, std::ops::Range<usize>), ScriptError> {
    const SHAPE: &str = "write it as `param name: string = \"default\";`; types are string, int, float, bool, duration";
    let fail = |at: usize, message: String| {
        let position = tokens.get(at).or(tokens.last()).map_or(Position::NONE, |t| t.1);
        let (line, column) = place(position);
        ScriptError::at(source, line, column, message).help(SHAPE)
    };
    let name = match tokens.get(1) {
        Some((Token::Identifier(name), _)) => name.to_string(),
        _ => return Err(fail(1, "expected the parameter's name after `param`".into())),
    };
    let (line, column) = place(tokens[1].1);
    if !matches!(tokens.get(2), Some((Token::Colon, _))) {
        return Err(fail(2, format!("expected `:` and a type after `param {name}`")));
    }
    let kind = match tokens.get(3) {
        Some((Token::Identifier(word) | Token::Reserved(word), _)) => {
            let found = ParamType::ALL.iter().find(|(n, _)| *n == word.as_str()).map(|(_, kind)| *kind);
            found.ok_or_else(|| fail(3, format!("there is no parameter type `{word}`")))?
        }
        _ => return Err(fail(3, format!("expected a type after `param {name}:`"))),
    };
    let from = offset(source, tokens[2].1).start;
    let to = offset(source, tokens.get(4).map_or(Position::NONE, |t| t.1)).start;
    let default = match tokens.get(4) {
        Some((Token::SemiColon, _)) => None,
        Some((Token::Equals, _)) => {
            let end = tokens[5..].iter().find(|(t, _)| *t == Token::SemiColon);
            let end = end.ok_or_else(|| fail(4, format!("expected `;` after the default of `{name}`")))?;
            Some(source.text[to + 1..offset(source, end.1).start].trim().to_owned())
        }
        _ => return Err(fail(4, format!("expected `=` or `;` after the type of `{name}`"))),
    };
    let param = Param { name, kind, default, doc: comment_above(&source.text, line), line, column };
    Ok((param, from..to))
}

/// The `///` lines directly above `line`.
fn comment_above(text: &str, line: u32) -> String {
    let lines: Vec<&str> = text.lines().take(line.saturating_sub(1) as usize).collect();
    let doc: Vec<&str> = lines.iter().rev().map_while(|l| l.trim().strip_prefix("///")).map(str::trim).collect();
    doc.into_iter().rev().collect::<Vec<_>>().join(" ")
}

fn place(position: Position) -> (u32, u32) {
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    (number(position.line()), number(position.position()))
}

fn offset(source: &SourceFile, position: Position) -> std::ops::Range<usize> {
    let (line, column) = place(position);
    source.span(line, column, 0)
}

/// Puts the given values into the syntax tree, in place of the defaults.
pub(super) fn give(ast: &AST, params: &[Param], given: &Params) -> AST {
    let mut statements: Vec<Stmt> = ast.statements().to_vec();
    for statement in &mut statements {
        if let Stmt::Var(variable, ..) = statement {
            let name = variable.0.name.as_str();
            if let Some(value) = given.get(name).filter(|_| params.iter().any(|p| p.name == name)) {
                let position = variable.1.position();
                let value: Dynamic = convert::to_dynamic(value);
                variable.1 = Expr::DynamicConstant(Box::new(value), position);
            }
        }
    }
    let mut with_values = AST::new(statements, ast.shared_lib().clone());
    if let Some(source) = ast.source() {
        with_values.set_source(source);
    }
    with_values
}

/// Checks given values against the declarations: every required one is there, every given one is known and of its type.
pub(super) fn validate(params: &[Param], given: &Params) -> Result<(), (String, Option<String>)> {
    for (name, value) in given {
        let Some(param) = params.iter().find(|p| p.name == *name) else {
            let known: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
            let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.len() {
                0 => "it takes no parameters".to_owned(),
                _ => format!("its parameters: {}", known.join(", ")),
            });
            return Err((format!("there is no parameter `{name}`"), Some(hint)));
        };
        if !param.kind.accepts(value) {
            return Err((format!("parameter `{name}` takes a {}, not {value}", param.kind), None));
        }
    }
    match params.iter().find(|p| p.default.is_none() && !given.contains_key(&p.name)) {
        Some(p) => Err((format!("parameter `{}` is not given", p.name), Some(format!("give it: --set {}=…", p.name)))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    #[test]
    fn declarations_are_found_and_keep_their_columns() {
        let text = "//! T\n/// Why we\n/// do it.\nparam reason: string = \"x\"; param n: int = 1 + 2;\nparam who: string;\nlet param_like = 1;";
        let script = Script::compile("a.rhai", text).expect("compiles");
        let names: Vec<_> = script.params.iter().map(|p| (p.name.as_str(), p.kind, p.default.as_deref())).collect();
        assert_eq!(
            names,
            [
                ("reason", ParamType::String, Some("\"x\"")),
                ("n", ParamType::Int, Some("1 + 2")),
                ("who", ParamType::String, None)
            ]
        );
        assert_eq!(script.params[0].doc, "Why we do it.");
        assert_eq!((script.params[0].line, script.params[0].column), (4, 7));
    }

    #[test]
    fn a_wrong_declaration_is_explained() {
        for (text, message) in [
            ("param x;", "expected `:` and a type after `param x`"),
            ("param x: text = 1;", "there is no parameter type `text`"),
            ("param x: int 5;", "expected `=` or `;` after the type of `x`"),
            ("param x: int = 5", "expected `;` after the default of `x`"),
            ("param x: int = 5; param x: int = 6;", "parameter `x` is declared twice"),
        ] {
            let error = Script::compile("a.rhai", text).expect_err(text);
            assert_eq!(error.message, message);
        }
    }

    #[test]
    fn param_inside_a_string_or_comment_is_text() {
        let script = Script::compile("a.rhai", "let x = \"; param y: int;\"; // ; param z: int;").expect("compiles");
        assert!(script.params.is_empty());
    }

    #[test]
    fn given_values_are_checked() {
        let script = Script::compile("a.rhai", "param n: int; param wait: duration = \"5m\";").expect("compiles");
        let given =
            |pairs: &[(&str, Value)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Params>();
        assert!(validate(&script.params, &given(&[("n", Value::Int(1))])).is_ok());
        assert_eq!(validate(&script.params, &given(&[])).expect_err("missing").0, "parameter `n` is not given");
        let wrong = validate(&script.params, &given(&[("n", "x".into())])).expect_err("type");
        assert_eq!(wrong.0, "parameter `n` takes a int, not x");
        let typo = validate(&script.params, &given(&[("wiat", "5m".into())])).expect_err("typo");
        assert_eq!(typo.1.as_deref(), Some("did you mean `wait`?"));
    }
}
