//! What a primitive says of itself, and what a driver does for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{Case, Fault, IdempotencyKey, Impact, ImpactKind, Symbol, Value};
use crate::system::{Act, Look};

use super::{Evidence, Reach, Side};

/// The contract of a primitive: pure, the same for every driver.
///
/// `Args` must deny unknown fields; the doc comment of each field is its help text, in `check`, completion and the reference.
/// A field without `#[serde(default)]` and not an `Option` is required. The doc comment of the implementing type is the
/// primitive's description.
pub trait Primitive: Send + Sync + 'static {
    /// The name that scripts call.
    const NAME: &'static str;
    /// One line: what it does.
    const SUMMARY: &'static str;
    /// The arguments that are given by position, in order; all others are given in an options map.
    const POSITIONAL: &'static [&'static str];
    /// The argument that names a target, with the kinds it takes.
    const TARGET: Option<TargetArg>;
    /// A call as a script writes it, for the reference.
    const EXAMPLE: &'static str;
    /// Whether it is refused outside drill environments.
    const DRILL_ONLY: bool = false;
    /// Whether a call names the state in which its target is to be, so that the same call again changes nothing.
    const DECLARES_STATE: bool = false;
    /// Whether what a look finds is another thing each time, though nothing has changed: no plan knows what the run will see.
    const FLEETING: bool = false;
    /// How far what a call changes reaches, and so what can undo it.
    const REACH: Reach = Reach::Targets;
    /// The arguments by name.
    type Args: DeserializeOwned + Serialize + JsonSchema + Send + Sync;
    /// What the script gets.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send;

    /// What the call does, and to which targets.
    fn impact(args: &Self::Args) -> Impact;

    /// The ways in which the call can end, the likely one first. In a case that returns, every field of a finite type (bool,
    /// choice) must be given.
    fn cases(args: &Self::Args) -> Vec<Case>;

    /// The sides of its target that the call reads and sets, where they have values that can be compared: what a dry run tells by
    /// whether a rollback puts back what was there. `output` is what the call returned, if it did; some of it may be unknown. What
    /// stands for the whole of the target comes last.
    fn sides(_args: &Self::Args, _output: Option<&Value>) -> Vec<Side> {
        Vec::new()
    }
}

/// The argument of a primitive that names its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetArg {
    /// The argument's name.
    pub name: &'static str,
    /// What may stand there.
    pub kinds: &'static [TargetKind],
}

/// What a driver says a call would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The mark before the line.
    pub symbol: Symbol,
    /// What it would do, in one line, without the primitive's name: `primary → backups (12.4 MB)`.
    pub summary: String,
    /// The state before.
    pub before: Option<String>,
    /// The state after.
    pub after: Option<String>,
    /// Things the reader should know.
    pub notes: Vec<String>,
    /// Fields of the output that the driver can predict; all others are unknown.
    pub output: Value,
    /// The fault with which the call would fail, as the world is now.
    pub fault: Option<Fault>,
    /// What the driver cannot tell before the run, if that is the essence of the call: the line is then an assumption, no prediction.
    pub assumed: Option<String>,
    /// The files that decide what the call does, with their SHA-256 digests (hex): another content would be another change.
    pub inputs: BTreeMap<String, String>,
}

impl Preview {
    /// A preview of a change.
    pub fn new(symbol: Symbol, summary: impl Into<String>) -> Self {
        let output = Value::Map(BTreeMap::default());
        Self {
            symbol,
            summary: summary.into(),
            before: None,
            after: None,
            notes: Vec::new(),
            output,
            fault: None,
            assumed: None,
            inputs: BTreeMap::new(),
        }
    }

    /// A file that decides what the call does. One that cannot be read decides nothing.
    #[must_use]
    pub fn input(mut self, look: &Look, path: &Path) -> Self {
        self.inputs.extend(look.digest_of(path).ok().map(|digest| (path.display().to_string(), digest)));
        self
    }

    /// The state before and after.
    #[must_use]
    pub fn states(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        (self.before, self.after) = (Some(before.into()), Some(after.into()));
        self
    }

    /// What the driver can predict of the output.
    #[must_use]
    pub fn output(mut self, output: Value) -> Self {
        self.output = output;
        self
    }

    /// Something the reader should know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What the call does cannot be told before the run.
    #[must_use]
    pub fn assumed(mut self, why: impl Into<String>) -> Self {
        self.assumed = Some(why.into());
        self
    }

    /// As the world is now, the call would fail.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }
}

/// What evidence says of an effect whose outcome nobody received.
#[derive(Clone, Debug, PartialEq)]
pub enum Reconciled<O> {
    /// It took place.
    Applied {
        /// What the call returns.
        output: O,
        /// What proves it, in one line.
        evidence: String,
    },
    /// It did not take place, and can be carried out.
    NotApplied {
        /// What proves it, in one line.
        evidence: String,
    },
    /// There is no evidence either way.
    Unknown {
        /// What to look at, in one line.
        why: String,
    },
}

/// How a driver is made from a target's settings.
pub trait FromTarget: Sized + Send + Sync + 'static {
    /// The name in `driver = "…"`.
    const DRIVER: &'static str;
    /// The kind of target it serves.
    const KIND: TargetKind;
    /// Its settings; must deny unknown fields. Field doc comments are the reference.
    type Settings: DeserializeOwned + JsonSchema;

    /// Makes the driver. Other targets of the environment (a database's store) are found through `environment`.
    fn from_target(settings: Self::Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError>;
}

/// Stands for the target of primitives that have none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTarget;

/// Carries out a primitive that may change something.
///
/// `preview` may look and cannot touch; `perform` gets a key that is the same for every attempt of the same call.
pub trait Driver<P: Primitive>: Send + Sync + 'static {
    /// How `reconcile` finds out what it says.
    const EVIDENCE: Evidence;

    /// What the call does, where the settings of the target say it and the arguments do not. `None`: what the primitive says.
    fn impact(&self, _args: &P::Args) -> Option<ImpactKind> {
        None
    }

    /// The ways in which the call can end, where the settings of the target say more of them than the primitive can. Nothing is looked
    /// at.
    fn cases(&self, _args: &P::Args) -> Option<Vec<Case>> {
        None
    }

    /// What the call would do, as the world is now.
    fn preview(&self, args: &P::Args, look: &Look) -> impl Future<Output = Result<Preview, Fault>> + Send;

    /// Does it.
    fn perform(
        &self,
        args: &P::Args,
        act: &Act,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<P::Output, Fault>> + Send;

    /// Finds out whether an earlier `perform` with this key took place.
    fn reconcile(
        &self,
        args: &P::Args,
        look: &Look,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Reconciled<P::Output>> + Send;
}

/// Carries out a primitive that only looks.
pub trait Observer<P: Primitive>: Send + Sync + 'static {
    /// The ways in which the look can end, where the settings of the target say more of them than the primitive can. Nothing is looked
    /// at.
    fn cases(&self, _args: &P::Args) -> Option<Vec<Case>> {
        None
    }

    /// Looks.
    fn observe(&self, args: &P::Args, look: &Look) -> impl Future<Output = Result<P::Output, Fault>> + Send;
}
