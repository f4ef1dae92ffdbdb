//! `:watch`: the same look again and again, in one line, until Ctrl-C.

use std::collections::VecDeque;
use std::time::Duration;

use crate::cli::printer::Style;
use crate::cli::wrap::columns;
use crate::model::{ImpactKind, PlanNode, Span, Value, Verdict};
use crate::runtime::{Error, Typed};

use super::story::is_message;
use super::{Console, Next, prompt};

/// So many of the last looks are drawn.
const DRAWN: usize = 30;

/// What one look came to.
struct Seen {
    /// What is told apart: a status, a fault, a value.
    state: String,
    good: bool,
    /// How long it took, or the value where that is a number.
    size: f64,
    text: String,
}

impl Console<'_> {
    pub(super) fn watch(&mut self, every: Span, expression: &str) -> Next {
        let input = match self.session.watch(expression) {
            Ok(input) => input,
            Err(untyped) => return self.untyped(untyped),
        };
        let drawn = self.at_terminal && self.printer.watched();
        let mut last: VecDeque<(f64, bool)> = VecDeque::new();
        let (mut state, mut since, mut count) = (String::new(), self.session.age(), 0_u32);
        loop {
            let typed = self.session.glance(&input);
            if let Some(what) = more_than_looks(&typed.nodes) {
                self.clear(drawn);
                return self.no_watch(&what);
            }
            if matches!(typed.verdict, Verdict::Halted { .. }) {
                self.clear(drawn);
                if count == 0 {
                    super::shown::show(&typed, &self.session, self.printer);
                    return Next::Failed;
                }
                break;
            }
            count += 1;
            let seen = seen(&typed);
            if seen.state != state {
                // What changed is remembered, for the report; what stays as it is fills no record.
                self.session.keep();
                self.clear(drawn);
                let text = format!("{} {expression}: {}", clock(&self.session), seen.text);
                let style = if seen.good { Style::Good } else { Style::Bad };
                self.say_in(style, &text);
                (state, since) = (seen.state.clone(), self.session.age());
            }
            last.push_back((seen.size, seen.good));
            if last.len() > DRAWN {
                last.pop_front();
            }
            if drawn {
                let time = prompt::short(self.session.age().saturating_sub(since));
                self.draw(&format!("{} {} for {time}", sparkline(&last), seen.text));
            }
            if !self.session.pause(every.0.max(Duration::from_millis(200))) {
                self.clear(drawn);
                break;
            }
        }
        self.session.keep();
        self.printer.out(&format!("looked {count} times"));
        Next::GoOn
    }

    /// What changes something is not done again and again, nor planned so.
    fn no_watch(&self, what: &str) -> Next {
        let help = "nothing was done: type it by itself, and watch what shows whether it helps, such as \
                    `:watch 5s probe(\"web\")`";
        self.failed(&Error::Refused { why: format!("`:watch` only looks, and {what}"), help: Some(help.to_owned()) })
    }

    /// Draws the line that is drawn over the next time.
    fn draw(&self, text: &str) {
        let mut shown = String::new();
        for c in self.printer.told(text).chars() {
            if columns(&shown) + 1 >= self.printer.width() {
                break;
            }
            shown.push(c);
        }
        self.printer.draw(&shown);
    }

    fn clear(&self, drawn: bool) {
        if drawn {
            self.printer.draw("");
        }
    }
}

/// What is done there besides looking, if anything is.
fn more_than_looks(nodes: &[PlanNode]) -> Option<String> {
    nodes.iter().find_map(|node| match node {
        PlanNode::Scope(scope) => more_than_looks(&scope.nodes),
        PlanNode::Call(line) => {
            let does = match line.impact.kind {
                ImpactKind::Change => "changes something",
                ImpactKind::Destroy => "destroys what is there",
                ImpactKind::Tell if is_message(&line.impact) => "tells somebody",
                ImpactKind::Tell => "shows a message",
                ImpactKind::Ask => "asks somebody",
                _ => return None,
            };
            let call = format!("{} {}", line.primitive, line.impact.targets.join(", "));
            Some(format!("`{}` {does}", call.trim_end()))
        }
    })
}

fn clock(session: &crate::runtime::LiveSession) -> String {
    session.now().strftime("%H:%M:%SZ").to_string()
}

fn seen(typed: &Typed) -> Seen {
    let took = typed.took.as_secs_f64() * 1000.0;
    match &typed.verdict {
        Verdict::Completed(value) => {
            let text = |name: &str| value.get(name).map(ToString::to_string);
            let status =
                text("status").or_else(|| text("ok").map(|ok| if ok == "true" { "ok" } else { "not ok" }.to_owned()));
            let latency = value.get("latency_ms").and_then(number);
            let detail =
                text("detail").filter(|detail| !detail.is_empty()).map(|d| format!(": {d}")).unwrap_or_default();
            if let Some(status) = status {
                let good = !matches!(status.as_str(), "fail" | "not ok");
                let text = format!("{status}{detail}");
                return Seen { good, size: latency.unwrap_or(took), text, state: status };
            }
            let shown = value.to_string();
            let size = number(value);
            // A number that moves all the time is drawn; it is no news each time.
            let state = size.map_or_else(|| shown.clone(), |_| "a number".to_owned());
            Seen { state, good: *value != Value::Bool(false), size: size.unwrap_or(took), text: shown }
        }
        Verdict::Failed { fault, .. } => {
            Seen { state: fault.code.clone(), good: false, size: took, text: fault.message.clone() }
        }
        Verdict::Halted { halt, .. } => {
            Seen { state: "halted".to_owned(), good: false, size: took, text: halt.to_string() }
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => n.to_string().parse().ok(),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// The last looks as bars, the slowest the highest; what failed is a cross.
fn sparkline(last: &VecDeque<(f64, bool)>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = last.iter().map(|(size, _)| *size).fold(f64::MIN_POSITIVE, f64::max);
    let bar = |size: f64| {
        let steps: [f64; 7] = std::array::from_fn(|n| (f64::from(u8::try_from(n).unwrap_or(0)) + 1.0) / 8.0);
        BARS[steps.iter().filter(|step| size / highest > **step).count()]
    };
    last.iter().map(|(size, good)| if *good { bar(*size) } else { '✗' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_what_they_stand_for() {
        let line = |sizes: &[(f64, bool)]| sparkline(&sizes.iter().copied().collect());
        assert_eq!(line(&[(0.0, true), (50.0, true), (100.0, true), (3.0, false)]), "▁▄█✗");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[(0.0, true)]), "▁");
    }
}
