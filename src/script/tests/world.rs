//! A world that records what it is asked, and two primitives for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::*;
use crate::primitives::{Primitive, Registry, TargetArg, language};

/// `act(name, #{ … })`: a change.
struct ActOn;

/// Changes something.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ActArgs {
    /// What.
    name: Value,
    /// How often.
    #[serde(default)]
    times: Option<u32>,
    /// How long.
    #[serde(default)]
    timeout: Option<Span>,
}

impl Primitive for ActOn {
    const NAME: &'static str = "act";
    const SUMMARY: &'static str = "changes something";
    const POSITIONAL: &'static [&'static str] = &["name"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = "act(\"a\");";
    type Args = ActArgs;
    type Output = String;
    fn impact(_: &ActArgs) -> Impact {
        Impact::of(ImpactKind::Change)
    }
    fn cases(_: &ActArgs) -> Vec<Case> {
        vec![Case::returns("done", Value::Null)]
    }
}

/// `look(target)`.
struct LookAt;

/// Looks.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LookArgs {
    /// At what.
    target: String,
}

impl Primitive for LookAt {
    const NAME: &'static str = "look";
    const SUMMARY: &'static str = "looks";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = "look(\"a\");";
    type Args = LookArgs;
    type Output = String;
    fn impact(args: &LookArgs) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }
    fn cases(_: &LookArgs) -> Vec<Case> {
        vec![Case::returns("seen", Value::Null)]
    }
}

pub(in crate::script) fn registry() -> Arc<Registry> {
    Arc::new(
        Registry::empty()
            .contract::<ActOn>()
            .contract::<LookAt>()
            .language::<language::Require>()
            .language::<language::During>()
            .language::<language::Hold>()
            .language::<language::Parallel>()
            .language::<language::Runbook>()
            .language::<language::PointOfNoReturn>()
            .language::<language::Retry>()
            .language::<language::WaitUntil>(),
    )
}

#[derive(Default)]
pub(super) struct Recorder {
    pub(super) log: Mutex<Vec<String>>,
    pub(super) keys: Mutex<Vec<String>>,
    pub(super) failing: Mutex<Vec<String>>,
    pub(super) halting: Mutex<Vec<String>>,
    pub(super) cancelling: Mutex<Vec<String>>,
    pub(super) rehearse: bool,
    pub(super) lanes: usize,
    /// How many questions are still answered with no.
    pub(super) noes: Mutex<usize>,
    cancelled: AtomicBool,
}

impl Recorder {
    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }
}

impl World for Recorder {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let name = call.args.get("name").or(call.args.get("target")).cloned().unwrap_or_default();
        self.note(format!("{} {name}", call.primitive));
        self.keys.lock().unwrap().push(call.key.to_string());
        if call.primitive == "look" {
            return Ok(Performed::unchanged(Ok(Value::Unknown(Unknown::labelled(&format!("look:{name}"))))));
        }
        let name = name.to_string();
        let listed = |list: &Mutex<Vec<String>>| list.lock().unwrap().contains(&name);
        if listed(&self.halting) {
            return Err(Halt::Journal { why: "full".into() });
        }
        if listed(&self.cancelling) {
            self.cancelled.store(true, Ordering::SeqCst);
            return Err(Halt::Cancelled);
        }
        let outcome = if listed(&self.failing) {
            Err(Fault::new("boom", format!("{name} failed")))
        } else {
            Ok(name.as_str().into())
        };
        Ok(Performed { outcome, changed: true })
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.note(format!("{} begins", call.primitive));
        let times = if let Repeat::Retry { times, .. } = policy { *times } else { 3 };
        let mut last = Err(Fault::new("timeout", "never"));
        for n in 0..times {
            last = attempt(n)?;
            let done = match policy {
                Repeat::Until { .. } | Repeat::Hold { .. } => last == Ok(Value::Bool(true)),
                Repeat::Retry { .. } => last.is_ok(),
            };
            if done {
                break;
            }
        }
        Ok(Performed::unchanged(last))
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        self.note(format!("? {}", question.condition));
        let mut noes = self.noes.lock().unwrap();
        let denied = *noes > 0;
        *noes = noes.saturating_sub(1);
        Ok(usize::from(denied))
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let kind = match &scope.kind {
            ScopeKind::Step { .. } => "step",
            ScopeKind::Rollback => "rollback",
            ScopeKind::Rehearsal => "rehearsal",
            ScopeKind::Child => "child",
            ScopeKind::Input { .. } => "input",
            ScopeKind::Body => "body",
            ScopeKind::Parallel { .. } => "parallel",
            ScopeKind::Branch => "branch",
            ScopeKind::During(_) => "during",
            ScopeKind::Unwinding { owed, .. } => {
                self.note(format!("~ unwinding {owed:?}"));
                return Ok(());
            }
        };
        self.note(format!("> {kind} {}", scope.title));
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        let how = match how {
            Left::Completed { owes: true } => "owes".to_owned(),
            Left::Completed { owes: false } => "ok".to_owned(),
            Left::Faulted(fault) => format!("fault: {fault}"),
            Left::Halted => "halted".to_owned(),
            Left::Stopped => "stopped".to_owned(),
        };
        self.note(format!("< {} {how}", scope.title));
        let step = matches!(scope.kind, ScopeKind::Step { rollback: true, .. });
        Ok(if self.rehearse && step { After::Rehearse } else { After::Continue })
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        (self.cancelled.load(Ordering::SeqCst) && !unwinding).then_some(Halt::Cancelled)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.lanes.min(at_most)
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        self.note(format!("no return {forgone:?}"));
        if self.halting.lock().unwrap().iter().any(|why| call.args.get("why") == Some(&Value::from(why.as_str()))) {
            return Err(Halt::Cancelled);
        }
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}
