//! One evaluation for every mode: the script against a world.

use std::sync::Arc;

use rhai::{AST, Engine};

use crate::model::{Halt, Key, Left, Scope, ScopeKind, Site, UnwoundStep, Value, Verdict, World};
use crate::primitives::Registry;

use super::branch::Branch;
use super::host::{Host, RhaiResult, lock};
use super::{Library, Params, Script, child, convert, engine, errors, params, unknown, unwind};

/// What an evaluation needs.
pub struct Evaluation<'a> {
    /// The runbook.
    pub script: &'a Script,
    /// The values given for its parameters.
    pub params: &'a Params,
    /// What its calls meet.
    pub world: Arc<dyn World>,
    /// Which primitives there are.
    pub registry: Arc<Registry>,
    /// Where its modules and child runbooks come from.
    pub library: Arc<dyn Library>,
}

/// Runs `work` on a thread with a stack that is deep enough for every script that the limits allow.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("runbook".into()).stack_size(16 << 20).spawn_scoped(scope, work);
        let thread = thread.map_err(|e| format!("no thread could be started: {e}"))?;
        thread.join().map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            text.unwrap_or("panicked").to_owned()
        })
    })
}

/// Evaluates a runbook. Call it through [`on_deep_stack`] unless the calling thread has 16 MiB of stack.
pub fn evaluate(evaluation: &Evaluation) -> Verdict {
    Evaluator::new(evaluation).map_or_else(|halt| *halt, |evaluator| evaluator.evaluate())
}

/// Evaluates one runbook in one world, as often as one likes: what it is made of is prepared once.
pub struct Evaluator {
    engine: Engine,
    host: Arc<Host>,
    ast: AST,
}

impl Evaluator {
    /// Prepares a runbook. The error is the verdict on one whose parameters are wrong.
    pub fn new(evaluation: &Evaluation) -> Result<Self, Box<Verdict>> {
        let script = evaluation.script;
        let host = Host::new(
            evaluation.world.clone(),
            evaluation.registry.clone(),
            evaluation.library.clone(),
            script.sources.clone(),
        );
        if let Err((why, hint)) = params::validate(&script.params, evaluation.params) {
            let site = Site { file: script.source.name.clone(), line: 1, column: 1 };
            let halt = Halt::Mistake { why, site, hint };
            return Err(Verdict::Halted { halt, unwound: vec![], owed: vec![] }.into());
        }
        let engine = engine::for_evaluation(&host);
        let ast = params::give(&script.forking, &script.params, evaluation.params);
        Ok(Self { engine, host, ast })
    }

    /// Evaluates it from its beginning. Call it through [`on_deep_stack`] unless the calling thread has 16 MiB of stack.
    pub fn evaluate(&self) -> Verdict {
        self.host.begin();
        let branch = Branch::root(self.host.clone());
        let _at_work = branch.at_work();
        let result = child::statements(&self.engine, &self.ast, &branch);
        conclude(&self.engine, &self.host, &branch, result)
    }
}

/// Reads the verdict from the host, and unwinds what is owed.
fn conclude(engine: &Engine, host: &Arc<Host>, branch: &Arc<Branch>, result: RhaiResult) -> Verdict {
    match (host.halt(), result) {
        (Some(halt), result) => {
            let position = result.err().map_or(rhai::Position::NONE, |error| errors::position(&error));
            halted(engine, host, branch, placed(host, halt, position))
        }
        (None, result) => match branch.interrupted() {
            // Whoever asked while the last call was under way was promised that what is owed is undone; a fault that left the
            // script is then only how that call was cut short.
            Some(halt) => halted(engine, host, branch, halt),
            None => undisturbed(engine, host, branch, result),
        },
    }
}

/// The verdict on a script that nobody ended.
fn undisturbed(engine: &Engine, host: &Arc<Host>, branch: &Arc<Branch>, result: RhaiResult) -> Verdict {
    match result {
        Ok(value) => match convert::to_value(&value) {
            Ok(value) => Verdict::Completed(value),
            // A closure as the last expression of a runbook is nobody's mistake.
            Err(_) => Verdict::Completed(Value::Null),
        },
        Err(error) => {
            if let Some(halt) = mismatch_with_unknown(host, &error) {
                return Verdict::Halted { halt, unwound: vec![], owed: branch.owed_titles() };
            }
            let fault = errors::fault(host, &error);
            let unwinding_halted = unwind_all(engine, host, branch, (&fault.message, None));
            Verdict::Failed { fault, unwound: take_unwound(host), unwinding_halted }
        }
    }
}

/// A mistake that was found while Rhai computed has no place yet: the error that ended the script knows it.
pub(super) fn placed(host: &Host, halt: Halt, position: rhai::Position) -> Halt {
    match halt {
        Halt::Mistake { why, site, hint } if site.line == 0 => Halt::Mistake { why, site: host.site(position), hint },
        Halt::Unplannable { why, site, hint } if site.line == 0 => {
            Halt::Unplannable { why, site: host.site(position), hint }
        }
        other => other,
    }
}

fn halted(engine: &Engine, host: &Arc<Host>, branch: &Arc<Branch>, halt: Halt) -> Verdict {
    // One that happened in a rollback is the end of unwinding.
    if !halt.unwinds() || host.is_halted(true) {
        return Verdict::Halted { halt, unwound: take_unwound(host), owed: branch.owed_titles() };
    }
    host.unlatch();
    let halt = unwind_all(engine, host, branch, (&halt.to_string(), Some(&halt))).unwrap_or(halt);
    Verdict::Halted { halt, unwound: take_unwound(host), owed: branch.owed_titles() }
}

/// The last phase of a run that did not complete. Returns the halt that ended it early, if one did.
fn unwind_all(
    engine: &Engine,
    host: &Arc<Host>,
    branch: &Arc<Branch>,
    (cause, halt): (&str, Option<&Halt>),
) -> Option<Halt> {
    let owed = branch.owed_titles();
    if owed.is_empty() {
        return None;
    }
    let site = host.site(rhai::Position::NONE);
    let kind = ScopeKind::Unwinding { owed, halt: halt.cloned() };
    let scope = Scope { key: Key::ROOT, site, title: cause.to_owned(), kind };
    if let Err(halt) = host.world.enter(&scope) {
        return Some(halt);
    }
    unwind::down_to(engine, branch, 0);
    let left = if host.is_halted(true) { Left::Halted } else { Left::Completed { owes: false } };
    let ended = host.world.leave(&scope, &left).err();
    host.halt().or(ended)
}

fn take_unwound(host: &Host) -> Vec<UnwoundStep> {
    std::mem::take(&mut *lock(&host.unwound))
}

/// Rhai has no hook for `if` on an unknown value: its type error becomes a clear end of the plan.
pub(super) fn mismatch_with_unknown(host: &Host, error: &rhai::EvalAltResult) -> Option<Halt> {
    let fault = errors::fault(host, error);
    let unknown = fault.code == "script"
        && (fault.message.contains("does not know") || fault.message.contains(unknown::TYPE_NAME));
    unknown.then(|| Halt::Unplannable {
        why: fault.message.replace(unknown::TYPE_NAME, "a value that is not known before the run"),
        site: fault.site.as_deref().and_then(parse_site).unwrap_or_else(|| host.site(rhai::Position::NONE)),
        hint: Some("compare it first, or give what it comes from: a parameter with --set, a call with --assume".into()),
    })
}

fn parse_site(text: &str) -> Option<Site> {
    let mut parts = text.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some(Site { file: parts.next()?.into(), line, column })
}
