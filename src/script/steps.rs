//! `step "title" within "10m" { … } rollback { … }`.

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression, FnPtr, ImmutableString, LexError, Position};

use crate::model::{After, Left, Scope, ScopeKind, Span};

use super::branch::{Branch, Owed, Rollback};
use super::host::{RhaiResult, branch_of, lock};
use super::{convert, errors, unwind};

/// Teaches an engine the syntax.
pub(super) fn register(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw("step", parse, false, |context, inputs, _| evaluate(context, inputs));
}

/// Stands before the time that a step may take.
const WITHIN: &str = "within";

/// What comes after the symbols read so far.
fn parse(
    symbols: &[ImmutableString],
    next: &str,
    _: &mut Dynamic,
) -> Result<Option<ImmutableString>, rhai::ParseError> {
    let wrong = |why: String| Err(LexError::ImproperSymbol(next.to_owned(), why).into_err(Position::NONE));
    let limited = symbols.get(2).is_some_and(|symbol| symbol == WITHIN);
    Ok(match symbols.len() {
        1 => Some("$string$".into()),
        2 if next == WITHIN => Some(WITHIN.into()),
        3 if limited => Some("$string$".into()),
        4 if limited => match symbols[3].parse::<Span>() {
            Ok(_) => Some("$block$".into()),
            Err(why) => return wrong(format!("the time of a step: {why}")),
        },
        2 => Some("$block$".into()),
        n if n == 3 + 2 * usize::from(limited) && next == "rollback" => Some("rollback".into()),
        n if n == 3 + 2 * usize::from(limited) && resembles_rollback(next) => {
            return wrong(format!("`{next}` after a step: did you mean `rollback`?"));
        }
        n if n == 4 + 2 * usize::from(limited) && next != "{" => {
            return wrong("`rollback` takes a block `{ … }` without parameters".to_owned());
        }
        n if n == 4 + 2 * usize::from(limited) => Some("$func$".into()),
        _ => None,
    })
}

/// A word such as `rolback`, and not a name such as `robust`, which may well begin the next statement.
fn resembles_rollback(word: &str) -> bool {
    word.len() > 4 && strsim::damerau_levenshtein(word, "rollback") <= 2
}

fn evaluate(context: &mut EvalContext, inputs: &[Expression]) -> RhaiResult {
    let title = inputs[0].get_literal_value::<ImmutableString>().unwrap_or_default().to_string();
    let position = inputs[0].position();
    let Some(branch) = branch_of(Some(context.tag())) else {
        let why = "a step stands at the top level of a module: put it into a function";
        return Err(EvalAltResult::ErrorRuntime(why.into(), position).into());
    };
    branch.check(position)?;
    // The parser has seen that it is a duration.
    let within = inputs[1].get_literal_value::<ImmutableString>().and_then(|text| text.parse::<Span>().ok());
    let inputs = &inputs[usize::from(within.is_some())..];
    let rollback = match inputs.get(2) {
        Some(closure) => Some(capture(context, closure, position)?),
        None => None,
    };
    let scope = Scope {
        key: branch.next_key(),
        site: branch.host.site(position),
        title,
        kind: ScopeKind::Step { rollback: rollback.is_some(), within },
    };
    if let Err(halt) = branch.host.world.enter(&scope) {
        return Err(branch.halt(halt, position));
    }
    let base = lock(&branch.owed).len();
    branch.open_frame();
    let result = context.eval_expression_tree(&inputs[1]);
    Step { branch, scope, base, position }.leave(context, rollback, result)
}

/// The rollback's closure with its surroundings, taken before the body runs.
fn capture(context: &mut EvalContext, closure: &Expression, position: Position) -> RhaiResult<Rollback> {
    let closure = context.eval_expression_tree(closure)?.cast::<FnPtr>();
    let mut state = context.global_runtime_state().clone();
    (state.level, state.scope_level) = (0, 0);
    // A kept tag would hold the branch that holds this state: a cycle that is never freed.
    state.tag = Dynamic::UNIT;
    Ok(Rollback { closure, state: Box::new(state), position })
}

struct Step {
    branch: Arc<Branch>,
    scope: Scope,
    /// How much was owed when the step began.
    base: usize,
    position: Position,
}

impl Step {
    fn leave(self, context: &EvalContext, rollback: Option<Rollback>, result: RhaiResult) -> RhaiResult {
        let frame = self.branch.close_frame();
        let mut rollback = rollback;
        if let Some(rollback) = &mut rollback {
            convert::freeze_captures(&mut rollback.closure);
        }
        let owes = rollback.is_some() && frame.changed && !frame.forgone;
        let halted = self.branch.is_ended();
        let passed = match &result {
            Ok(_) => true,
            Err(error) => error.is_pseudo_error(),
        };
        if halted || !passed {
            if owes {
                self.owe(rollback);
            }
            return self.fail(context, halted, result);
        }
        // A halt latched by a rehearsal or a journal that cannot be written ends the run here, with the step still owed.
        let rehearse = match self.branch.host.world.leave(&self.scope, &Left::Completed { owes }) {
            Ok(after) => after == After::Rehearse,
            Err(halt) => {
                drop(self.branch.halt(halt, self.position));
                false
            }
        };
        match rollback {
            Some(rollback) if rehearse => {
                let rollback = unwind::rehearse(context.engine(), &self.branch, &self.scope, rollback);
                if owes {
                    self.owe(Some(rollback));
                }
            }
            rollback if owes => self.owe(rollback),
            _ => {}
        }
        self.branch.check(self.position)?;
        result
    }

    /// Its own rollback runs after those of the steps inside: they were completed later.
    fn owe(&self, rollback: Option<Rollback>) {
        if let Some(rollback) = rollback {
            let mut owed = lock(&self.branch.owed);
            let at = self.base.min(owed.len());
            owed.insert(at, Owed { title: self.scope.title.clone(), key: self.scope.key.clone(), rollback });
        }
    }

    /// A fault unwinds what the step owes before it goes on; a halt leaves that to the end of the run.
    fn fail(self, context: &EvalContext, halted: bool, result: RhaiResult) -> RhaiResult {
        let host = &self.branch.host;
        let left = match &result {
            Err(error) if !halted => Left::Faulted(errors::fault(host, error)),
            _ => self.branch.left_early(),
        };
        if !halted {
            unwind::down_to(context.engine(), &self.branch, self.base);
        }
        if let Err(halt) = host.world.leave(&self.scope, &left) {
            drop(self.branch.halt(halt, self.position));
        }
        self.branch.check(self.position)?;
        result
    }
}
