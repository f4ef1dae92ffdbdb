//! Something typed, evaluated.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Halt, PlanNode, Record, Rewrite, UnwoundStep, Value, Verdict, World};
use crate::script::{Diagnostic, Input, Params, Severity, Unread, on_deep_stack};
use crate::system::Look;
use crate::worlds::{Armed, Dry, Live, PlanWorld, Unanswered};

use super::{LiveSession, Under};
use crate::runtime::Error;

/// What came of something typed.
#[derive(Debug)]
pub struct Typed {
    /// Its number.
    pub number: u32,
    /// Whether its changes took place.
    pub armed: bool,
    /// How it ended.
    pub verdict: Verdict,
    /// What it would do and what it saw, where it was only planned.
    pub nodes: Vec<PlanNode>,
    /// What the check has to say, short of an error.
    pub findings: Vec<Diagnostic>,
    /// How long it took.
    pub took: Duration,
}

/// Why something typed was not evaluated.
#[derive(Debug)]
pub enum Untyped {
    /// More is to be typed.
    Incomplete,
    /// It is wrong.
    Wrong(Error),
}

impl From<Unread> for Untyped {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Incomplete => Self::Incomplete,
            Unread::Wrong(error) => (*error).into(),
        }
    }
}

impl LiveSession<'_> {
    /// Whether more is to be typed, or what is wrong with it. Nothing is evaluated.
    pub fn is_complete(&self, text: &str) -> Result<(), Untyped> {
        Ok(self.script.is_complete(&self.name(), text)?)
    }

    /// Evaluates what was typed. Whatever comes of it, the session goes on.
    pub fn evaluate(&mut self, text: &str) -> Result<Typed, Untyped> {
        self.evaluate_with(text, &Params::new())
    }

    /// The same with values for the parameters that it declares.
    pub fn evaluate_with(&mut self, text: &str, params: &Params) -> Result<Typed, Untyped> {
        let input = self.script.read_with(&self.name(), text, params)?;
        self.number += 1;
        let registry = self.cast.registry.clone();
        let findings = self.script.check(&input, &registry, self.environment);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            let findings = findings.into_iter().filter(|found| found.severity == Severity::Error).collect();
            return Err(Untyped::Wrong(Error::Check { runbook: format!("[{}]", self.number), findings }));
        }
        let (number, armed) = (self.number, self.armed().is_some());
        let began = self.look.monotonic();
        let (verdict, nodes) = self.within(armed, |script| script.evaluate(input, number, armed));
        let took = self.look.monotonic().saturating_sub(began);
        Ok(Typed { number, armed, verdict, nodes, findings, took })
    }

    /// Reads what is to be watched with [`LiveSession::glance`].
    pub fn watch(&mut self, text: &str) -> Result<Input, Untyped> {
        let input = self.script.read(&self.name(), text)?;
        self.number += 1;
        Ok(input)
    }

    /// Evaluates it without a trace, unless [`LiveSession::keep`] follows. Looks are real, changes are planned.
    pub fn glance(&mut self, input: &Input) -> Typed {
        let number = self.next_number();
        let look = self.look.clone().for_one_run();
        let _interruptible = self.interrupter.during(look.cancel(), Under::Watch);
        let dry = Arc::new(self.dry(look).unrecorded());
        let began = self.look.monotonic();
        self.switch.set(dry.clone());
        let script = &mut self.script;
        let verdict = evaluated(|| script.evaluate(input.clone(), number, false));
        let took = self.look.monotonic().saturating_sub(began);
        let nodes = dry.plan().nodes();
        self.unkept = Some(dry);
        Typed { number, armed: false, verdict: self.shown(verdict), nodes, findings: Vec::new(), took }
    }

    /// Records what the last glance saw, as something typed.
    pub fn keep(&mut self) {
        if let Some(dry) = self.unkept.take() {
            self.number += 1;
            dry.record();
            self.settle_down();
        }
    }

    /// Lets time pass. Whether nobody interrupted it.
    pub fn pause(&self, time: Duration) -> bool {
        let look = self.look.clone().for_one_run();
        let _interruptible = self.interrupter.during(look.cancel(), Under::Watch);
        self.lifeboat.tokio.block_on(look.sleep(time)).is_ok()
    }

    /// Undoes the newest step that is owed. None where nothing is owed.
    pub fn undo(&mut self) -> Result<Option<(UnwoundStep, Verdict)>, Error> {
        if self.script.owed().is_empty() {
            return Ok(None);
        }
        if self.armed().is_none() {
            return Err(Error::Refused {
                why: format!("undoing `{}` changes something, and the session is dry", self.script.owed()[0]),
                help: Some("`:arm` first".to_owned()),
            });
        }
        self.number += 1;
        let number = self.number;
        let mut undone = None;
        self.undoing = true;
        self.stopped = false;
        self.within(true, |script| {
            undone = script.undo(number, ":undo");
            Verdict::Completed(Value::Null)
        });
        Ok(undone)
    }

    /// Whether somebody asked what was evaluated last to stop, be it that it came to its end all the same.
    pub fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// Takes down something that evaluates nothing: a remark, a command.
    pub fn note(&mut self, text: &str) {
        self.number += 1;
        let (number, armed) = (self.number, self.armed().is_some());
        self.switch.set(Arc::new(self.dry(self.look.clone())));
        evaluated(|| self.script.note(number, armed, text));
        self.settle_down();
    }

    fn name(&self) -> String {
        format!("[{}]", self.next_number())
    }

    fn dry(&self, look: Look) -> Dry {
        let plan = PlanWorld::new(self.cast.clone(), look.clone(), self.lifeboat.tokio.handle().clone(), Vec::new());
        Dry::new(plan, look, self.recorder.clone())
    }

    /// Evaluates in the world that counts, so that it can be interrupted, and makes durable what came of it.
    fn within(
        &mut self,
        armed: bool,
        work: impl FnOnce(&mut crate::script::Session) -> Verdict + Send,
    ) -> (Verdict, Vec<PlanNode>) {
        let look = self.look.clone().for_one_run();
        let handle = self.lifeboat.tokio.handle().clone();
        let undoing = std::mem::take(&mut self.undoing);
        let what = if undoing { Under::Undo } else { Under::Evaluation };
        let _interruptible = self.interrupter.during(look.cancel(), what);
        let mut dry = None;
        let world: Arc<dyn World> = if armed {
            let on_fault = self.arms.deciding(&self.on_fault);
            let live = Live::new(self.cast.clone(), self.recorder.clone(), &look, handle, on_fault);
            let armed = Armed::new(live.unanswered(Unanswered::Fail).typed(), self.arms.clone());
            let record = Record::of(&self.heard.events());
            self.arms.doubts(&record);
            Arc::new(if undoing { armed.after(record) } else { armed })
        } else {
            let planned = Arc::new(self.dry(look.clone()));
            dry = Some(planned.clone());
            planned
        };
        self.switch.set(world);
        self.heard.speak(armed);
        let script = &mut self.script;
        let verdict = evaluated(|| work(script));
        self.stopped = look.cancel().requested().is_some();
        self.heard.speak(false);
        let verdict = self.settle_down().map_or(verdict, |halt| Verdict::Halted {
            halt,
            unwound: Vec::new(),
            owed: self.script.owed(),
        });
        (self.shown(verdict), dry.map(|dry| dry.plan().nodes()).unwrap_or_default())
    }

    /// Makes durable what was noted. The halt if that is not possible.
    fn settle_down(&self) -> Option<Halt> {
        self.recorder.commit_if_possible().err().map(|why| Halt::Journal { why })
    }

    /// A value may hold a secret that a driver has given.
    fn shown(&self, verdict: Verdict) -> Verdict {
        let redactor = self.look.secrets().redactor();
        match verdict {
            Verdict::Completed(value) => Verdict::Completed(redactor.value(value)),
            Verdict::Failed { fault, unwound, unwinding_halted } => {
                Verdict::Failed { fault: redactor.fault(fault), unwound, unwinding_halted }
            }
            halted @ Verdict::Halted { .. } => halted,
        }
    }
}

pub(super) fn evaluated(work: impl FnOnce() -> Verdict + Send) -> Verdict {
    let internal = |why| Verdict::Halted { halt: Halt::Internal { why }, unwound: vec![], owed: vec![] };
    on_deep_stack(work).unwrap_or_else(internal)
}
