//! What came of something typed, as people read it.

use miette::Diagnostic;

use crate::cli::plan::show_nodes;
use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::wrap;
use crate::model::{Fault, Halt, Impact, PlanNode, ScopeKind, Symbol, Value, Verdict};
use crate::runtime::{Error, LiveSession, Typed};

use super::story::is_message;

/// What is wrong with something typed, pointing into it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Pointing {
    message: String,
    help: Option<String>,
    source_code: Option<miette::NamedSource<std::sync::Arc<str>>>,
    at: Option<miette::SourceSpan>,
}

impl Diagnostic for Pointing {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source_code.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let at = self.at?;
        Some(Box::new(std::iter::once(miette::LabeledSpan::new_with_span(Some("here".to_owned()), at))))
    }
}

/// Shows what came of it. Whether it went well.
pub(super) fn show(typed: &Typed, session: &LiveSession, printer: &Printer) -> bool {
    // Whoever ends a line with `;` does not ask for its value.
    let silent = session.script().source(&format!("[{}]", typed.number)).is_some_and(|source| {
        let text = source.text.trim();
        text.ends_with(';') || (text.starts_with("step ") && text.ends_with('}'))
    });
    for finding in &typed.findings {
        printer.error(finding);
    }
    if printer.json {
        as_json(typed, printer);
        return matches!(typed.verdict, Verdict::Completed(_));
    }
    let nodes = inner(&typed.nodes);
    show_nodes(nodes, printer);
    for line in only_planned(nodes).iter().flat_map(|text| wrap(text, printer.width())) {
        printer.out(&printer.paint(Style::Caution, &line));
    }
    match &typed.verdict {
        Verdict::Completed(value) => {
            if let Some(Value::List(warnings)) = value.get("warnings") {
                for warning in warnings {
                    for line in wrap(&format!("! {warning}"), printer.width()) {
                        printer.out(&printer.paint(Style::Caution, &line));
                    }
                }
            }
            if !silent {
                self::value(value, printer);
            }
            true
        }
        Verdict::Failed { fault, unwound, .. } => {
            for step in unwound {
                let text = match &step.fault {
                    None => format!("rolled back: {}", step.title),
                    Some(fault) => format!("rollback of {} FAILED: {fault}", step.title),
                };
                for line in wrap(&text, printer.width()) {
                    printer.err(&line);
                }
            }
            self::fault(fault, session, printer);
            false
        }
        Verdict::Halted { halt, .. } => {
            self::halt(halt, session, printer);
            false
        }
    }
}

/// The nodes of an input, without the input itself.
fn inner(nodes: &[PlanNode]) -> &[PlanNode] {
    match nodes {
        [PlanNode::Scope(scope)] => &scope.nodes,
        nodes => nodes,
    }
}

/// What did not take place because the session is dry, and how it does. Nothing where nothing was to.
fn only_planned(nodes: &[PlanNode]) -> Option<String> {
    let (changes, messages) = (count(nodes, &|impact| impact.kind.is_change()), count(nodes, &is_message));
    let some = |n: usize, what: &str| (n > 0).then(|| format!("{n} {what}{}", if n == 1 { "" } else { "s" }));
    let what = match (some(changes, "change"), some(messages, "message")) {
        (None, None) => return None,
        (Some(changes), None) => format!("{changes} only planned"),
        (None, Some(messages)) => format!("{messages} not sent, only planned"),
        (Some(changes), Some(messages)) => format!("{changes} only planned, {messages} not sent"),
    };
    let how = if changes > 0 { "make it so" } else { "send it" };
    let how = if changes + messages > 1 && changes == 0 { "send them" } else { how };
    Some(format!("dry: {what}; `:arm`, and type it again, to {how}"))
}

fn count(nodes: &[PlanNode], counts: &dyn Fn(&Impact) -> bool) -> usize {
    let counted = |node: &PlanNode| match node {
        PlanNode::Call(line) => usize::from(counts(&line.impact) && line.symbol != Symbol::Nothing),
        PlanNode::Scope(scope) if scope.scope.kind == ScopeKind::Rehearsal => 0,
        PlanNode::Scope(scope) => count(&scope.nodes, counts),
    };
    nodes.iter().map(counted).sum()
}

/// A value: in a line where it fits, otherwise a field or an item each.
pub(super) fn value(value: &Value, printer: &Printer) {
    let text = value.to_string();
    let lines = match value {
        Value::Null => return,
        Value::Map(map) if 2 + text.chars().count() > printer.width() => {
            let longest = map.keys().map(|name| name.chars().count()).max().unwrap_or_default();
            map.iter().map(|(name, value)| format!("{name:<longest$}  {value}")).collect()
        }
        Value::List(items) if 2 + text.chars().count() > printer.width() => {
            items.iter().enumerate().map(|(n, item)| format!("{n:>3}  {item}")).collect()
        }
        _ => text.lines().map(str::to_owned).collect::<Vec<_>>(),
    };
    let mark = printer.paint(Style::Dim, "= ");
    for (n, line) in lines.iter().enumerate() {
        for (m, part) in wrap(line, printer.width() - 2).iter().enumerate() {
            let lead = if n + m == 0 { mark.as_str() } else { "  " };
            printer.out(&format!("{lead}{part}"));
        }
    }
}

fn fault(fault: &Fault, session: &LiveSession, printer: &Printer) {
    point(fault.message.clone(), fault.hint.clone(), fault.site.as_deref(), session, printer);
}

fn halt(halt: &Halt, session: &LiveSession, printer: &Printer) {
    let (message, help, site) = match halt {
        Halt::Cancelled | Halt::Stopped => ("stopped: the session goes on".to_owned(), None, None),
        Halt::Aborted => ("stopped at once: the session goes on".to_owned(), None, None),
        Halt::Mistake { why, site, hint } => (why.clone(), hint.clone(), Some(site.to_string())),
        Halt::Unplannable { why, site, .. } => {
            let help = "it is known once the call was really made: `:arm`, and type again what it comes from";
            (why.clone(), Some(help.to_owned()), Some(site.to_string()))
        }
        Halt::Refused { why, hint } => (format!("refused: {why}"), hint.clone(), None),
        Halt::InDoubt { key, primitive, targets, .. } => {
            let help = format!("look at it, then say so: `:settle {key} applied` or `:settle {key} not-applied`");
            (format!("in doubt: {primitive} {}", targets.join(", ")).trim_end().to_owned(), Some(help), None)
        }
        Halt::Journal { .. } | Halt::LeaseLost { .. } => {
            let help =
                format!("nothing more is changed by it; take it up again: lifeboat repl --resume {}", session.id());
            (halt.to_string(), Some(help), None)
        }
        other => (other.to_string(), None, None),
    };
    point(message, help, site.as_deref(), session, printer);
}

/// An error with the line that it is about.
fn point(message: String, help: Option<String>, site: Option<&str>, session: &LiveSession, printer: &Printer) {
    let place = site.and_then(|site| {
        let mut parts = site.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        let source = session.script().source(parts.next()?)?;
        let span = source.span(line, column, 1);
        let word = source.text[span.start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
        let span = source.span(line, column, word.max(1));
        Some((miette::NamedSource::new(&*source.name, source.text.clone()).with_language("Rust"), span.into()))
    });
    let (source_code, at) = place.map_or((None, None), |(source, span)| (Some(source), Some(span)));
    printer.error(&Pointing { message, help, source_code, at });
}

/// What could not be evaluated at all.
pub(super) fn wrong(error: &Error, printer: &Printer) {
    printer.error(error);
}

fn as_json(typed: &Typed, printer: &Printer) {
    let (ended, value, why) = match &typed.verdict {
        Verdict::Completed(value) => ("completed", Some(value), None),
        Verdict::Failed { fault, .. } => ("failed", None, Some(fault.to_string())),
        Verdict::Halted { halt, .. } => ("stopped", None, Some(halt.to_string())),
    };
    printer.out_json(&serde_json::json!({
        "kind": "input", "number": typed.number, "armed": typed.armed, "ended": ended, "value": value, "why": why,
        "planned": inner(&typed.nodes), "took_ms": u64::try_from(typed.took.as_millis()).unwrap_or(u64::MAX),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Basis, ImpactKind, PlanLine, PlanResult, Site};

    fn planned(calls: &[(ImpactKind, &str, Symbol)]) -> Option<String> {
        let node = |(kind, target, symbol): &(ImpactKind, &str, Symbol)| {
            let targets = if target.is_empty() { vec![] } else { vec![(*target).to_owned()] };
            PlanNode::Call(Box::new(PlanLine {
                key: "1.0".parse().expect("a key"),
                site: Site { file: "[1]".into(), line: 1, column: 1 },
                primitive: "any".to_owned(),
                args: Value::Null,
                impact: Impact { kind: *kind, targets },
                symbol: *symbol,
                summary: String::new(),
                basis: Basis::Predicted,
                because: None,
                before: None,
                after: None,
                notes: Vec::new(),
                inputs: std::collections::BTreeMap::new(),
                result: PlanResult::Returns(Value::Null),
                took: None,
            }))
        };
        only_planned(&calls.iter().map(node).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_only_planned_is_called_what_it_is() {
        let change = (ImpactKind::Change, "web", Symbol::Change);
        let message = (ImpactKind::Tell, "incidents", Symbol::Tell);
        let logged = (ImpactKind::Tell, "", Symbol::Tell);
        let look = (ImpactKind::Look, "web", Symbol::Look);
        let there_already = (ImpactKind::Change, "web", Symbol::Nothing);
        for (calls, says) in [
            (&[logged, look, there_already][..], None),
            (&[change, logged], Some("1 change only planned; `:arm`, and type it again, to make it so")),
            (&[message], Some("1 message not sent, only planned; `:arm`, and type it again, to send it")),
            (&[message, message], Some("2 messages not sent, only planned; `:arm`, and type it again, to send them")),
            (
                &[change, change, message],
                Some("2 changes only planned, 1 message not sent; `:arm`, and type it again, to make it so"),
            ),
        ] {
            assert_eq!(planned(calls), says.map(|says| format!("dry: {says}")));
        }
    }
}
