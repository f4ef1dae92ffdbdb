//! What somebody looked at and went on from, as what a runbook expects.

use crate::model::{ImpactKind, Value};

use super::colour::{Part, parts};
use super::load::statements;
use super::postmortem::found;
use super::save::one_line;
use super::story::Line;

/// What was typed, with what it only looked at made into what is expected: whoever typed it saw that it was well, and went on. What was
/// seen not to be well is a remark.
pub(super) fn expected(line: &Line, all: &[Line]) -> String {
    let statements = statements(&line.text);
    let mut written = Vec::new();
    for (n, statement) in statements.iter().enumerate() {
        let bare = statement.trim().trim_end_matches(';').trim_end();
        let seen = looked_at(bare).and_then(|(name, call)| {
            let before =
                statements[..n].iter().flat_map(|earlier| parts(earlier)).filter(|part| *part == (Part::Called, name));
            let settled = line.done.iter().filter(|settled| settled.primitive == name).nth(before.count())?;
            (settled.impact.kind == ImpactKind::Look || name == "verify_backup").then_some((call, settled))
        });
        let Some((call, settled)) = seen else {
            written.push(statement.trim().to_owned());
            continue;
        };
        let value = settled.outcome.clone().unwrap_or_default();
        match value.get("ok") {
            Some(Value::Bool(true)) if !looked_again(call, line, all) => {
                let targets = settled.impact.targets.join(", ");
                let what = match settled.primitive.as_str() {
                    "probe" | "health" => format!("{targets} is not well"),
                    other => format!("{other} of {targets} did not pass"),
                };
                written.push(format!("require({call}.ok, {what:?});"));
            }
            _ => written.push(format!("// looked: {bare} → {}", one_line(&found(&value)))),
        }
    }
    written.join("\n")
}

/// Whether the same was looked at again before anything was done: the last look is the one that counts.
fn looked_again(call: &str, line: &Line, all: &[Line]) -> bool {
    let later = all.iter().filter(|other| other.number > line.number && !other.is_command());
    later.take_while(|other| !other.acted()).any(|other| other.text.contains(call))
}

/// The call of which a statement consists, if it only looks at what that finds: its name, and the call itself.
fn looked_at(statement: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    let (mut name, mut depth) = (None, 0_u32);
    for (part, piece) in parts(statement) {
        at += piece.len();
        match piece {
            _ if part == Part::Text => {}
            _ if part == Part::Called && name.is_none() && at == piece.len() => name = Some(piece),
            "(" => depth += 1,
            ")" if depth == 1 => {
                let field = &statement[at..];
                let is_field = matches!(field, "" | ".ok" | ".status" | ".detail" | ".value" | ".latency_ms" | ".down");
                return name.filter(|_| is_field).map(|name| (name, &statement[..at]));
            }
            ")" => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_is_known_by_its_form() {
        assert_eq!(looked_at("probe(\"web\")"), Some(("probe", "probe(\"web\")")));
        assert_eq!(looked_at("probe(\"a)\", #{ x: f(1) }).ok"), Some(("probe", "probe(\"a)\", #{ x: f(1) })")));
        for other in ["let a = probe(\"web\")", "probe(\"web\").ok && true", "1 + 1", "probe(\"web\").value > 3", "x"] {
            assert_eq!(looked_at(other), None, "{other}");
        }
    }
}
