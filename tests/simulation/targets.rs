//! Targets that keep a ledger of what was really done to them, and drivers that fail and lie.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lifeboat::config::{ConfigError, Environment, Target, TargetKind};
use lifeboat::journal::MemoryJournal;
use lifeboat::model::{
    Applied, Case, Event, EventBody, Fault, IdempotencyKey, Impact, ImpactKind, RunId, Symbol, Value,
};
use lifeboat::primitives::{Driver, FromTarget, Observer, Preview, Primitive, Reconciled, Registry, TargetArg};
use lifeboat::system::{Act, Look};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chance::{Chance, mixed_text};

/// One effect that took place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Effect {
    pub(crate) target: String,
    pub(crate) value: String,
    /// Its idempotency key.
    pub(crate) key: String,
    /// The call's own key, with the attempts of the `retry` around it.
    pub(crate) attempt: String,
}

/// What the targets know of the evidence for their effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// They know, and say so.
    True,
    /// They never know.
    None,
    /// They say that nothing took place, whatever did.
    Wrong,
}

/// Everything outside of the journal: the targets, and the process that is to die.
pub(crate) struct Outside {
    seed: u64,
    evidence: BTreeMap<String, Evidence>,
    /// Whether drivers fail and lose answers.
    faulty: bool,
    pub(crate) journal: Arc<MemoryJournal>,
    ledger: Mutex<Vec<Effect>>,
    calls: Mutex<HashMap<IdempotencyKey, Call>>,
    /// Points that the process has come to: commits, and both sides of every effect.
    points: AtomicU64,
    /// The point at which it dies.
    dies_at: AtomicU64,
    dead: AtomicBool,
    /// Whether what is written is lost from now on, until the process ends.
    losing: AtomicBool,
}

static WORLDS: LazyLock<Mutex<HashMap<u64, Arc<Outside>>>> = LazyLock::new(Mutex::default);

fn worlds() -> MutexGuard<'static, HashMap<u64, Arc<Outside>>> {
    WORLDS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outside {
    pub(crate) fn new(number: u64, seed: u64, lying: bool) -> Arc<Self> {
        let mut chance = Chance::new(seed ^ 0xe71d);
        let kinds = [Evidence::True, Evidence::True, Evidence::None];
        let mut of = |target: &&str| {
            let evidence = if lying { Evidence::Wrong } else { *chance.pick(&kinds) };
            ((*target).to_owned(), evidence)
        };
        let evidence = crate::generate::TARGETS.iter().map(&mut of).collect();
        let faulty = chance.happens(70);
        let outside = Arc::new(Self {
            seed,
            evidence,
            faulty,
            journal: Arc::new(MemoryJournal::new()),
            ledger: Mutex::default(),
            calls: Mutex::default(),
            points: AtomicU64::new(0),
            dies_at: AtomicU64::new(u64::MAX),
            dead: AtomicBool::new(false),
            losing: AtomicBool::new(false),
        });
        worlds().insert(number, outside.clone());
        outside
    }

    pub(crate) fn forget(number: u64) {
        worlds().remove(&number);
    }

    pub(crate) fn of(number: u64) -> Arc<Self> {
        worlds().get(&number).expect("it was made").clone()
    }

    /// A new process begins, and dies when it has come to so many points.
    pub(crate) fn begin(&self, dies_after: Option<u64>) {
        self.points.store(0, Ordering::SeqCst);
        self.dies_at.store(dies_after.unwrap_or(u64::MAX), Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
        self.losing.store(false, Ordering::SeqCst);
    }

    /// The process comes to a point. Whether it is still there afterwards.
    pub(crate) fn lives(&self) -> bool {
        let point = self.points.fetch_add(1, Ordering::SeqCst);
        if point >= self.dies_at.load(Ordering::SeqCst) {
            self.dead.store(true, Ordering::SeqCst);
        }
        !self.is_dead()
    }

    pub(crate) fn lose(&self) {
        self.losing.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_losing(&self) -> bool {
        self.losing.load(Ordering::SeqCst)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn points(&self) -> u64 {
        self.points.load(Ordering::SeqCst)
    }

    pub(crate) fn ledger(&self) -> Vec<Effect> {
        self.locked().clone()
    }

    pub(crate) fn took_place(&self, key: &str) -> bool {
        self.locked().iter().any(|effect| effect.key == key)
    }

    pub(crate) fn evidence(&self, target: &str) -> Evidence {
        self.evidence[target]
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Effect>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is durable now.
    pub(crate) fn recorded(&self, run: &RunId, events: &[Event]) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            match &event.body {
                EventBody::Intended { key, .. } => {
                    let call = calls.entry(IdempotencyKey::new(run.as_str(), key)).or_default();
                    call.attempt = key.to_string();
                }
                EventBody::Settled(settled) if settled.impact.kind.is_change() => {
                    let call = calls.entry(IdempotencyKey::new(run.as_str(), &settled.key)).or_default();
                    match &settled.outcome {
                        // Found by the driver after a crash: nothing that a target knows of.
                        Err(fault)
                            if fault.code == "not-applied" && settled.evidence.as_deref() == Some("the ledger") => {}
                        Err(fault) if fault.code == "not-applied" => {
                            call.not_applied += 1;
                        }
                        _ => call.outcomes += 1,
                    }
                }
                _ => {}
            }
        }
    }

    fn call(&self, key: &IdempotencyKey) -> Call {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    /// An effect takes place. A provider knows the key of an effect that it has had, and does it once; that of the same attempt is
    /// never sent twice by whoever keeps its promise, so that is not looked for.
    fn take_place(&self, target: &str, value: &str, key: &IdempotencyKey) {
        let attempt = self.call(key).attempt;
        let mut ledger = self.locked();
        if ledger.iter().any(|effect| effect.key == key.as_str() && effect.attempt != attempt) {
            return;
        }
        let (target, value, key) = (target.to_owned(), value.to_owned(), key.as_str().to_owned());
        ledger.push(Effect { target, value, key, attempt });
    }
}

/// What is durable of the calls with one idempotency key.
#[derive(Clone, Debug, Default)]
struct Call {
    /// The full key of the last that was intended.
    attempt: String,
    outcomes: u64,
    not_applied: u64,
}

/// Everything that Lifeboat brings, and `set` and `look`.
pub(crate) fn registry() -> Registry {
    Registry::standard().driver::<Set, Sim>().observer::<Seen, Sim>()
}

pub(crate) struct Set;

/// Sets a target to a value.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetArgs {
    /// The target.
    target: String,
    /// The value.
    to: String,
}

impl Primitive for Set {
    const NAME: &'static str = "set";
    const SUMMARY: &'static str = "sets a target";
    const POSITIONAL: &'static [&'static str] = &["target", "to"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"set("north", "v1");"#;
    type Args = SetArgs;
    type Output = bool;

    fn impact(args: &SetArgs) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(_: &SetArgs) -> Vec<Case> {
        vec![Case::returns("set", Value::Bool(true)), Case::fails("refused", "refused", Applied::No)]
    }
}

pub(crate) struct Seen;

/// Looks at a target.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenArgs {
    /// The target.
    target: String,
}

impl Primitive for Seen {
    const NAME: &'static str = "look";
    const SUMMARY: &'static str = "looks at a target";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"look("north");"#;
    type Args = SeenArgs;
    type Output = String;

    fn impact(args: &SeenArgs) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(_: &SeenArgs) -> Vec<Case> {
        vec![Case::returns("seen", Value::Map([].into()))]
    }
}

/// The driver of a simulated target.
pub(crate) struct Sim {
    name: String,
    outside: Arc<Outside>,
}

/// Settings of `driver = "sim"`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Which world it belongs to.
    world: u64,
}

impl FromTarget for Sim {
    const DRIVER: &'static str = "sim";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        Ok(Self { name: target.name.clone(), outside: Outside::of(settings.world) })
    }
}

/// What becomes of one attempt.
enum Fate {
    Done,
    Refused,
    /// It took place, and the answer was lost.
    LostAfter,
    /// It did not, and the answer was lost.
    LostBefore,
}

impl Sim {
    /// Follows from the seed, the call and what came of it before; from nothing else.
    fn fate(&self, key: &IdempotencyKey) -> Fate {
        if !self.outside.faulty {
            return Fate::Done;
        }
        let Call { outcomes, not_applied, .. } = self.outside.call(key);
        let call = key.as_str().split_once('/').map_or("", |(_, call)| call);
        // Who knows the key of an effect that it has had does not refuse it.
        let known = self.outside.took_place(key.as_str());
        match Chance::new(mixed_text(self.outside.seed ^ outcomes, call)).below(100) {
            0..8 if !known => Fate::Refused,
            8..14 => Fate::LostAfter,
            // Not for ever.
            14..20 if not_applied < 2 && !known => Fate::LostBefore,
            _ => Fate::Done,
        }
    }

    fn dead() -> Fault {
        Fault::new("dead", "the process is gone").applied(Applied::Unknown)
    }
}

impl Driver<Set> for Sim {
    const EVIDENCE: lifeboat::primitives::Evidence = lifeboat::primitives::Evidence::Found("the ledger");

    async fn preview(&self, _: &SetArgs, _: &Look) -> Result<Preview, Fault> {
        Ok(Preview::new(Symbol::Change, self.name.clone()).output(Value::Bool(true)))
    }

    async fn perform(&self, args: &SetArgs, _: &Act, key: &IdempotencyKey) -> Result<bool, Fault> {
        let fate = self.fate(key);
        if !self.outside.lives() {
            return Err(Self::dead());
        }
        if matches!(fate, Fate::Done | Fate::LostAfter) {
            self.outside.take_place(&self.name, &args.to, key);
        }
        if !self.outside.lives() {
            return Err(Self::dead());
        }
        match fate {
            Fate::Done => Ok(true),
            Fate::Refused => Err(Fault::new("refused", format!("{} refuses {}", self.name, args.to))),
            Fate::LostAfter | Fate::LostBefore => {
                Err(Fault::new("lost", format!("{} does not answer", self.name)).applied(Applied::Unknown))
            }
        }
    }

    async fn reconcile(&self, _: &SetArgs, _: &Look, key: &IdempotencyKey) -> Reconciled<bool> {
        let (evidence, seen) = ("the ledger".to_owned(), self.outside.took_place(key.as_str()));
        match self.outside.evidence(&self.name) {
            Evidence::True if seen => Reconciled::Applied { output: true, evidence },
            Evidence::True | Evidence::Wrong => Reconciled::NotApplied { evidence },
            Evidence::None => Reconciled::Unknown { why: format!("look at {} yourself", self.name) },
        }
    }
}

impl Observer<Seen> for Sim {
    async fn observe(&self, _: &SeenArgs, _: &Look) -> Result<String, Fault> {
        let ledger = self.outside.ledger();
        let last = ledger.iter().rfind(|effect| effect.target == self.name);
        Ok(last.map_or_else(|| "v0".to_owned(), |effect| effect.value.clone()))
    }
}
