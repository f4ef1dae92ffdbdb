//! Who watches over what an armed session changes: until when it is armed, and that a person agrees to what destroys something.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::model::{Fault, Impact, ImpactKind, Invocation, Key, Record, RecordedCall, RunId, Span};
use crate::system::{Answer, Answers, Asked, Look};
use crate::worlds::{Faulted, OnFault, Warden};

use super::{Interrupter, LiveSession};
use crate::runtime::{Error, Lifeboat};

/// A session is armed for so long at most.
pub const ARMED_AT_MOST: Duration = Duration::from_secs(15 * 60);

/// Until when a session is armed.
pub(super) struct Arms {
    look: Look,
    answers: Arc<dyn Answers>,
    handle: Handle,
    interrupter: Interrupter,
    /// On the clock that counts suspension too, in milliseconds; 0 where it is not armed.
    until_ms: AtomicU64,
    /// What a person has agreed to be destroyed by the line that is evaluated.
    agreed: Mutex<Vec<String>>,
    /// The changes that were in doubt when the line was begun: nobody knows in which state their targets are.
    in_doubt: Mutex<Vec<Doubt>>,
}

/// A change of which nobody knows whether it took place.
struct Doubt {
    key: Key,
    call: RecordedCall,
}

impl Arms {
    pub(super) fn none(lifeboat: &Lifeboat, look: &Look, interrupter: Interrupter) -> Arc<Self> {
        let (answers, handle) = (lifeboat.system.answers.clone(), lifeboat.tokio.handle().clone());
        let (look, until_ms) = (look.clone(), AtomicU64::new(0));
        let (agreed, in_doubt) = (Mutex::default(), Mutex::default());
        Arc::new(Self { look, answers, handle, interrupter, until_ms, agreed, in_doubt })
    }

    /// How long it is still armed; none if it is not.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.until_ms.load(Ordering::SeqCst).saturating_sub(self.look.boot_ms());
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// That it is not armed any more, with what to do.
    fn over(&self) -> Option<(String, String)> {
        let why = "the session is not armed any more".to_owned();
        self.left().is_none().then(|| (why, "look at what was done, then `:arm` it again".to_owned()))
    }

    fn set(&self, time: Duration) {
        let time = u64::try_from(time.min(ARMED_AT_MOST).as_millis()).unwrap_or_default();
        let until = if time == 0 { 0 } else { self.look.boot_ms() + time };
        self.until_ms.store(until, Ordering::SeqCst);
    }

    /// Whether it was armed, and the time is over: told once.
    pub(super) fn has_expired(&self) -> bool {
        let until = self.until_ms.load(Ordering::SeqCst);
        let over = until > 0 && until <= self.look.boot_ms();
        over && self.until_ms.compare_exchange(until, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// From now on the changes that `record` leaves open are in doubt. What the next line begins is not: it is under way.
    pub(super) fn doubts(&self, record: &Record) {
        let open = record.open().filter(|(_, call)| call.impact.kind.is_change());
        let open = open.map(|(key, call)| Doubt { key: key.clone(), call: call.clone() }).collect();
        *self.in_doubt.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    /// Why a target must not be changed before it is known what became of an earlier change, with what to do. A rollback that is taken on
    /// looks into its own.
    fn unsettled(&self, call: &Invocation, impact: &Impact) -> Option<(String, String)> {
        let in_doubt = self.in_doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = in_doubt.iter().filter(|doubt| doubt.key != call.key);
        let Doubt { key, call: doubtful } =
            others.find(|doubt| doubt.call.impact.targets.iter().any(|target| impact.targets.contains(target)))?;
        let targets = doubtful.impact.targets.join(", ");
        let why = format!("{targets} is in doubt: nobody knows whether {} (call {key}) took place", doubtful.primitive);
        let help = format!("look at {targets}, then say so: `:settle {key} applied` or `:settle {key} not-applied`");
        Some((why, help))
    }

    fn agrees(&self, call: &Invocation, impact: &Impact, foreseen: &[String]) -> Result<bool, String> {
        let what = format!("{} {}", call.primitive, impact.targets.join(", "));
        let told = foreseen.iter().map(|text| format!("{text}. ")).collect::<Vec<_>>().concat();
        let question = format!("{told}{what} destroys what is there. Do it?");
        let asked = Asked { question, choices: vec!["yes".to_owned(), "no".to_owned()], default: None };
        let answer = self.handle.block_on(async {
            tokio::select! {
                answer = self.answers.ask(&asked) => answer.ok(),
                () = self.interrupter.interrupted() => None,
            }
        });
        match answer {
            Some(Answer::Said { text, .. }) => Ok(text == "yes"),
            Some(Answer::Nobody) => Err(format!("{what} destroys what is there, and nobody is here to agree to that")),
            None => Ok(false),
        }
    }
}

impl Warden for Arms {
    fn objects(
        &self,
        call: &Invocation,
        impact: &Impact,
        foreseen: &dyn Fn() -> Vec<String>,
    ) -> Option<(String, String)> {
        if let Some(over) = self.over() {
            return Some(over);
        }
        if let Some(unsettled) = self.unsettled(call, impact) {
            return Some(unsettled);
        }
        if impact.kind != ImpactKind::Destroy {
            return None;
        }
        // A branch asks while another one waits for its answer.
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        match self.agrees(call, impact, &foreseen()) {
            // An answer may take longer than the session is armed.
            Ok(true) if self.left().is_none() => self.over(),
            Ok(true) => {
                agreed.push(call.key.to_string());
                None
            }
            Ok(false) => Some((
                format!("{} {}: nobody agreed to that", call.primitive, impact.targets.join(", ")),
                "nothing of it was done; type it again to be asked again".to_owned(),
            )),
            Err(why) => Some((why, "type it at a terminal, or put it into a runbook and run that".to_owned())),
        }
    }
}

/// A person decides about faults; nothing is tried again when the session is not armed any more.
struct WhileArmed {
    person: Arc<dyn Faulted>,
    arms: Arc<Arms>,
}

impl Faulted for WhileArmed {
    fn show(&self, fault: &Fault, impact: Option<&Impact>) {
        self.person.show(fault, impact);
    }

    fn pauses(&self, run: &RunId) {
        self.person.pauses(run);
    }

    fn forbids(&self) -> Option<(String, String)> {
        self.arms.over()
    }
}

impl Arms {
    /// What happens after a fault, as long as it is armed.
    pub(super) fn deciding(self: &Arc<Self>, on_fault: &OnFault) -> OnFault {
        match on_fault {
            OnFault::Pause(person) => {
                OnFault::Pause(Arc::new(WhileArmed { person: person.clone(), arms: self.clone() }))
            }
            other => other.clone(),
        }
    }
}

impl LiveSession<'_> {
    /// From now on changes take place, for `time` and [`ARMED_AT_MOST`]. `acknowledged` is what was typed as the environment's name:
    /// needed for a protected one.
    pub fn arm(&mut self, acknowledged: Option<&str>, time: Option<Duration>) -> Result<Duration, Error> {
        let environment = self.environment;
        let refused = |why: String, help: &str| Err(Error::Refused { why, help: Some(help.to_owned()) });
        if self.looks_back.is_some() {
            return refused(
                "this session looks back at another run: it stays dry".into(),
                "begin one: `lifeboat repl`",
            );
        }
        let name = &environment.name;
        match acknowledged {
            Some(typed) if environment.protected && typed != name => {
                let why = format!("`{typed}` names another environment than {name}");
                return refused(why, "the session stays dry; `:arm` asks again");
            }
            None if environment.protected => {
                let why = format!("environment {name} is protected, and nobody is here to type its name");
                let help = format!("`:arm` at a terminal, or put it into a runbook: lifeboat run RUNBOOK --yes {name}");
                return refused(why, &help);
            }
            _ => {}
        }
        if environment.approvals.is_some() && self.break_glass.is_none() {
            return refused(
                format!("environment {} runs only plans that other people have approved", environment.name),
                "plan a runbook and have it approved; in an emergency `lifeboat repl --break-glass WHY`",
            );
        }
        let time = time.unwrap_or(ARMED_AT_MOST);
        if time.is_zero() || time > ARMED_AT_MOST {
            let most = Span(ARMED_AT_MOST);
            return refused(format!("a session is armed for {most} at most"), "`:arm` again when that is over");
        }
        self.bind()?;
        self.arms.set(time);
        self.note(&format!(":arm {}", Span(time)));
        Ok(time)
    }

    /// From now on changes are only planned.
    pub fn disarm(&mut self) {
        if self.arms.left().is_some() {
            self.arms.set(Duration::ZERO);
            self.note(":disarm");
        }
    }

    /// How long it is still armed; none if it is not.
    pub fn armed(&self) -> Option<Duration> {
        self.arms.left()
    }

    /// Whether it has ceased to be armed because the time was over; said once.
    pub fn has_expired(&mut self) -> bool {
        let expired = self.arms.has_expired();
        if expired {
            self.note(":disarm # the time was over");
        }
        expired
    }
}
