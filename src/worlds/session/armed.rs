//! Changes of a session take place: whoever watches over it is asked first.

use std::ops::Deref;
use std::sync::Arc;

use crate::model::{Halt, Impact, Invocation, Outcome, Performed, Question, Record, RecordedCall, Repeat, World};
use crate::worlds::around::Around;
use crate::worlds::live::{Live, Standing};

/// Who may say no before something is destroyed, and how long changes may be made at all.
pub trait Warden: Send + Sync {
    /// Asked before each change. The reason why it must not be made, with what to do.
    ///
    /// `foreseen` says what it would do as things are; it is asked only where that matters.
    fn objects(
        &self,
        call: &Invocation,
        impact: &Impact,
        foreseen: &dyn Fn() -> Vec<String>,
    ) -> Option<(String, String)>;
}

/// Changes take place, if the warden has nothing against them.
pub struct Armed {
    live: Live,
    warden: Arc<dyn Warden>,
    /// What was recorded of a rollback that is taken on where it was stopped.
    before: Record,
}

impl Armed {
    /// Acts in `live`.
    pub fn new(live: Live, warden: Arc<dyn Warden>) -> Self {
        Self { live, warden, before: Record::default() }
    }

    /// The same for a rollback that may have been tried before: what it did then is not done again.
    #[must_use]
    pub fn after(self, before: Record) -> Self {
        Self { before, ..self }
    }

    /// What a call would do, for a person who is to agree to it. What was typed is on record before anybody is asked.
    fn asked(&self, call: &Invocation) -> Vec<String> {
        // Where that fails, the effect itself does.
        let _ = self.live.commit();
        self.live.foreseen(call)
    }

    /// Goes on with a call of a rollback that was made before.
    fn again(&self, call: &Invocation, recorded: &RecordedCall) -> Result<Performed, Halt> {
        let changed = recorded.impact.kind.is_change();
        match &recorded.outcome {
            Some(Ok(value)) => Ok(Performed { outcome: Ok(value.clone()), changed }),
            Some(Err(_)) => self.live.go_on(call, Standing::Again(recorded.attempt + 1)),
            None => self.live.go_on(call, Standing::Open(recorded.attempt)),
        }
    }
}

impl Around for Armed {
    fn inner(&self) -> impl Deref<Target = dyn World + '_> {
        &self.live as &dyn World
    }

    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        if let Some(unknown) = call.args.find_unknown() {
            return Err(Halt::Refused {
                why: format!("`{}` needs {unknown}, which was only planned", call.primitive),
                hint: Some("type again, armed, what it comes from".to_owned()),
            });
        }
        let impact = self.live.impact(call)?;
        let done = matches!(self.before.call(&call.key), Some(RecordedCall { outcome: Some(Ok(_)), .. }));
        if !done
            && impact.kind.is_change()
            && let Some((why, hint)) = self.warden.objects(call, &impact, &|| self.asked(call))
        {
            return Err(Halt::Refused { why, hint: Some(hint) });
        }
        match self.before.call(&call.key) {
            Some(recorded) => self.again(call, recorded),
            None => self.live.perform(call),
        }
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        match self.before.call(&call.key) {
            Some(RecordedCall { outcome: Some(Ok(value)), .. }) => Ok(Performed::unchanged(Ok(value.clone()))),
            _ => self.live.repeat(call, policy, attempt),
        }
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        Err(Halt::Unplannable {
            why: format!("the way depends on `{}`, which was only planned", question.condition),
            site: question.site.clone(),
            hint: Some("type again, armed, what it comes from".to_owned()),
        })
    }
}
