//! Changes of a session take place: whoever watches over it is asked first.

use std::sync::Arc;

use crate::model::{
    After, Fault, Halt, Impact, Invocation, Key, Left, Outcome, Performed, Question, Repeat, Scope, World,
};
use crate::worlds::live::Live;

/// Who may say no before something is destroyed, and how long changes may be made at all.
pub trait Warden: Send + Sync {
    /// Asked before each change. The reason why it must not be made, with what to do.
    fn objects(&self, call: &Invocation, impact: &Impact) -> Option<(String, String)>;
}

/// Changes take place, if the warden has nothing against them.
pub struct Armed {
    live: Live,
    warden: Arc<dyn Warden>,
}

impl Armed {
    /// Acts in `live`.
    pub fn new(live: Live, warden: Arc<dyn Warden>) -> Self {
        Self { live, warden }
    }
}

impl World for Armed {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        if let Some(unknown) = call.args.find_unknown() {
            return Err(Halt::Refused {
                why: format!("`{}` needs {unknown}, which was only planned", call.primitive),
                hint: Some("type again, armed, what it comes from".to_owned()),
            });
        }
        let impact = self.live.impact(call)?;
        if impact.kind.is_change()
            && let Some((why, hint)) = self.warden.objects(call, &impact)
        {
            return Err(Halt::Refused { why, hint: Some(hint) });
        }
        self.live.perform(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.live.repeat(call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        Err(Halt::Unplannable {
            why: format!("the way depends on `{}`, which was only planned", question.condition),
            site: question.site.clone(),
            hint: Some("type again, armed, what it comes from".to_owned()),
        })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        self.live.enter(scope)
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        self.live.leave(scope, how)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        self.live.raised(at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.live.interrupted(unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.live.lanes(at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.live.stop(within, rollbacks);
    }

    fn ending(&self, halt: &Halt) {
        self.live.ending(halt);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        self.live.point_of_no_return(call, forgone)
    }
}
