//! A primitive that a host brings itself, `turn(valve, to)`, with a driver that fails in every way a driver can.
//!
//! What takes place is a line in the file `effects`; every attempt is a line in `attempts`, with its idempotency key.

use std::path::{Path, PathBuf};

use lifeboat::config::{ConfigError, Environment, Target, TargetKind};
use lifeboat::model::{Applied, Case, Fault, IdempotencyKey, Impact, ImpactKind, Symbol, Value};
use lifeboat::primitives::{Driver, FromTarget, Preview, Primitive, Reconciled, Registry, TargetArg};
use lifeboat::system::{Act, Look};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything that Lifeboat brings, and valves.
pub(crate) fn registry() -> Registry {
    Registry::standard().driver::<Turn, Valve>()
}

/// The contract of `turn`.
pub(crate) struct Turn;

/// Turns a valve, and gives its position before.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    /// The valve.
    pub valve: String,
    /// The position that it should have: `open` or `closed`.
    pub to: String,
}

impl Primitive for Turn {
    const NAME: &'static str = "turn";
    const SUMMARY: &'static str = "turns a valve";
    const POSITIONAL: &'static [&'static str] = &["valve", "to"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "valve", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"turn("north", "open");"#;
    type Args = Args;
    type Output = String;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.valve)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("turned", Value::from("closed")), Case::fails("stuck", "stuck", Applied::No)]
    }
}

/// What a valve does when it is turned for the n-th time. Whatever is not said is `Turns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Does {
    /// It turns.
    Turns,
    /// It does not, and says so.
    Sticks,
    /// It turns, and then breaks.
    Breaks,
    /// It turns, and nobody hears of it.
    FallsSilent,
    /// It does not turn, and nobody hears of it.
    IsNotReached,
    /// It waits until the run is asked to stop, and has not turned then.
    Hangs,
    /// It turns, and then waits until the run is asked to stop.
    TurnsAndHangs,
}

/// The driver of a valve.
pub(crate) struct Valve {
    name: String,
    effects: PathBuf,
    attempts: PathBuf,
    does: Vec<Does>,
    witnessed: bool,
}

/// Settings of `driver = "valve"`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What it does when it is turned for the n-th time.
    #[serde(default)]
    does: Vec<Does>,
    /// Whether there is evidence of what happened to it.
    #[serde(default = "yes")]
    witnessed: bool,
}

fn yes() -> bool {
    true
}

impl FromTarget for Valve {
    const DRIVER: &'static str = "valve";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let Settings { does, witnessed } = settings;
        let file = |name: &str| environment.resolve(name.as_ref());
        Ok(Self { name: target.name.clone(), effects: file("effects"), attempts: file("attempts"), does, witnessed })
    }
}

impl Valve {
    fn lines(&self, path: &Path, look: &Look) -> Vec<String> {
        let text = look.read_text(path).unwrap_or_default();
        let ours = |line: &&str| line.split(' ').next() == Some(&self.name);
        text.lines().filter(ours).map(str::to_owned).collect()
    }

    fn position(&self, look: &Look) -> String {
        let last = self.lines(&self.effects, look).pop();
        last.and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_else(|| "closed".to_owned())
    }

    fn fault(&self, applied: Applied) -> Fault {
        let message = match applied {
            Applied::No => format!("{} is stuck", self.name),
            Applied::Yes => format!("{} broke after it had turned", self.name),
            Applied::Unknown => format!("{} does not answer", self.name),
        };
        Fault::new("stuck", message).applied(applied)
    }
}

impl Driver<Turn> for Valve {
    const EVIDENCE: lifeboat::primitives::Evidence = lifeboat::primitives::Evidence::Found("somebody who saw it turn");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let summary = format!("{}: {} → {}", self.name, self.position(look), args.to);
        Ok(Preview::new(Symbol::Change, summary).output(Value::from(self.position(look))))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<String, Fault> {
        let (before, line) = (self.position(act), format!("{} {} {key}\n", self.name, args.to));
        let does = self.does.get(self.lines(&self.attempts, act).len()).copied().unwrap_or(Does::Turns);
        act.append(&self.attempts, line.as_bytes()).expect("attempts are written down");
        if !matches!(does, Does::Sticks | Does::IsNotReached | Does::Hangs) {
            act.append(&self.effects, line.as_bytes()).expect("effects are written down");
        }
        let interrupted = Fault::new("interrupted", format!("{} was interrupted", self.name));
        match does {
            Does::Turns => Ok(before),
            Does::Sticks => Err(self.fault(Applied::No)),
            Does::Breaks => Err(self.fault(Applied::Yes)),
            Does::FallsSilent | Does::IsNotReached => Err(self.fault(Applied::Unknown)),
            Does::Hangs => {
                act.cancel().wait().await;
                Err(interrupted)
            }
            Does::TurnsAndHangs => {
                act.cancel().wait().await;
                Err(interrupted.applied(Applied::Yes))
            }
        }
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<String> {
        if !self.witnessed {
            return Reconciled::Unknown { why: format!("look at {} yourself", self.name) };
        }
        let ours = |line: &String| line.ends_with(&format!(" {key}"));
        if self.lines(&self.effects, look).iter().any(ours) {
            Reconciled::Applied { output: "closed".to_owned(), evidence: "it was seen to turn".to_owned() }
        } else {
            Reconciled::NotApplied { evidence: "it was seen not to turn".to_owned() }
        }
    }
}
