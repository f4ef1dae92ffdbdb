//! What to do when a call fails: pass the fault to the script, or let a person decide first.

use std::sync::Arc;

use crate::model::{EventBody, Fault, Halt, Impact, Invocation, Key, RunId};
use crate::system::{Answer, Asked};

use super::Live;

/// What happens after a fault that the script does not catch on the spot.
#[derive(Clone, Default)]
pub enum OnFault {
    /// The fault goes to the script, which is rolled back unless it catches it.
    #[default]
    RollBack,
    /// Nothing is rolled back: the run ends and leaves things as they are.
    Stop,
    /// A person decides.
    Pause(Arc<dyn Faulted>),
}

/// Shows a fault to the person who is to decide.
pub trait Faulted: Send + Sync {
    /// Shows it, before the question is asked.
    fn show(&self, fault: &Fault, impact: Option<&Impact>);

    /// The run waits for the decision from here on. All that it has done is on record.
    fn pauses(&self, _run: &RunId) {}

    /// Why the call must not be carried out again after all, with what to do. Asked when somebody has decided so, which may take its time.
    fn forbids(&self) -> Option<(String, String)> {
        None
    }
}

/// What was decided about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Carry out the call again.
    Retry,
    /// Go on as if it had gone well; it returns `()`.
    Skip,
    /// The fault goes to the script.
    Throw,
}

impl Live {
    /// Decides about a call that failed.
    pub(super) fn decide(&self, call: &Invocation, impact: &Impact, fault: &Fault) -> Result<Decision, Halt> {
        if call.guarded || call.key.in_rollback() || self.recorder.is_unwinding() || !impact.kind.is_change() {
            return Ok(Decision::Throw);
        }
        match &self.on_fault {
            OnFault::RollBack => Ok(Decision::Throw),
            OnFault::Stop => Err(Halt::LeftAsIs { fault: fault.clone() }),
            OnFault::Pause(faulted) => self.ask_about(&call.key, faulted.as_ref(), (fault, Some(impact))),
        }
    }

    /// Decides about a requirement that did not hold.
    pub(super) fn on_raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        match &self.on_fault {
            OnFault::RollBack => Ok(()),
            OnFault::Stop => Err(Halt::LeftAsIs { fault: fault.clone() }),
            // Where nothing is undone, there is nothing to decide.
            OnFault::Pause(_) if !self.would_unwind(at) => Ok(()),
            OnFault::Pause(faulted) => self.ask_about(at, faulted.as_ref(), (fault, None)).map(drop),
        }
    }

    fn ask_about(
        &self,
        key: &Key,
        faulted: &dyn Faulted,
        (fault, impact): (&Fault, Option<&Impact>),
    ) -> Result<Decision, Halt> {
        // Where another branch has failed meanwhile, or a person has decided about all of them, there is nothing left to decide.
        let turn = match self.turn_to_ask(key) {
            Err(Halt::Stopped) => return Ok(Decision::Throw),
            turn => turn?,
        };
        faulted.show(fault, impact);
        self.recorder.commit()?;
        faulted.pauses(self.recorder.run());
        let choices: &[&str] = match (impact, self.would_unwind(key)) {
            (Some(_), true) => &["retry", "skip", "roll back", "leave"],
            (Some(_), false) => &["retry", "skip", "leave"],
            (None, _) => &["roll back", "leave"],
        };
        // Whoever types has nothing undone by an empty line.
        let (question, default) = match (self.typed, self.would_unwind(key)) {
            (false, _) => ("What now?", Some("roll back")),
            (true, true) => ("What now? `roll back` undoes this step, `leave` leaves it owed", None),
            (true, false) => ("What now? `leave` stops here; nothing is undone", None),
        };
        let choice = self.ask(key, question, choices, default)?;
        let reason = match choice.as_deref() {
            Some("skip") => self.ask(key, "Why is it safe to skip?", &[], None)?,
            _ => None,
        };
        let choice = match choice {
            Some(choice) => choice,
            None if self.typed => "leave".to_owned(),
            None => {
                self.turns.keep(key, turn);
                return Ok(Decision::Throw);
            }
        };
        if choice == "retry"
            && let Some((why, hint)) = faulted.forbids()
        {
            return Err(Halt::Refused { why, hint: Some(hint) });
        }
        self.recorder.note(EventBody::Decided { key: key.clone(), decision: choice.clone(), reason });
        match choice.as_str() {
            "retry" => Ok(Decision::Retry),
            "skip" => Ok(Decision::Skip),
            "leave" => {
                // Before anybody else has a turn: a person who leaves things as they are means all of them.
                self.stops.stop(&Key::ROOT, true);
                Err(Halt::LeftAsIs { fault: fault.clone() })
            }
            _ => {
                self.turns.keep(key, turn);
                Ok(Decision::Throw)
            }
        }
    }

    /// `None` when nobody is there any more.
    fn ask(&self, key: &Key, question: &str, choices: &[&str], default: Option<&str>) -> Result<Option<String>, Halt> {
        self.recorder.commit()?;
        let asked = Asked {
            question: question.to_owned(),
            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
            default: default.map(str::to_owned),
        };
        match self.unless_stopped(key, self.act.ask(&asked)) {
            Ok(Ok(Answer::Said { text, .. })) => Ok(Some(text)),
            Ok(Ok(Answer::Nobody)) | Err(Halt::Stopped) => Ok(None),
            Ok(Err(_)) => Err(self.act.cancel().requested().unwrap_or(Halt::Cancelled)),
            Err(halt) => Err(halt),
        }
    }
}
