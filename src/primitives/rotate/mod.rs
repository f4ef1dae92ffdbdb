//! `rotate`: gives a secret a new value, or takes that back.

mod command;
mod file;
mod no_target;
mod record;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that the driver meets")]
mod tests;
mod wanted;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, Case, Fault, Impact, ImpactKind, SecretText, Value};

use super::targets::ArgvFailure;
use super::{Primitive, TargetArg};

/// `rotate(secret, #{…})`.
#[derive(Clone, Copy, Debug)]
pub struct Rotate;

/// Gives a secret of the environment a new value: one that is generated, or one that `to` names. Later calls of the run get the new value,
/// and neither value is ever shown, returned or recorded. A generation is the number of a value: it counts up with each change.
///
/// A secret in a file: the file is replaced as a whole, with its owner and permissions; the values before are kept beside it, where only
/// its owner can read them. A secret that a program gives: `store` in its declaration names the program that takes the new value on its
/// standard input; what the secret was before is known as long as this process lives. In both cases `check` may name a program that reads
/// the new value and says whether it works; if it does not, the old value is put back.
///
/// To take it back in a rollback: `rotate(secret, #{ undo: true })`. It undoes what this run has done, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name of the secret, as `[environments.E.secrets]` declares it.
    pub secret: String,
    /// The new value, as `secret("NAME")`. Without it, one is generated.
    pub to: Option<Arg<SecretText>>,
    /// How many characters are generated, 16 to 1024. 32 if not given.
    pub length: Option<u32>,
    /// Which characters are generated: letters and digits (`alphanumeric`, if not given), `hex`, `url` (with `-` and `_`), or `symbols` as
    /// well.
    pub alphabet: Option<Alphabet>,
    /// Takes back what this run has done to the secret. If it has done nothing, nothing is done.
    #[serde(default)]
    pub undo: bool,
    /// Brings the value of this generation back.
    pub restore: Option<Arg<u64>>,
}

/// Characters of a generated secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// `A` to `Z`, `a` to `z`, `0` to `9`.
    Alphanumeric,
    /// `0` to `9`, `a` to `f`.
    Hex,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Letters, digits, and symbols without quotes, `\`, `$` and spaces.
    Symbols,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether the secret has another value now.
    pub changed: bool,
    /// The generation of its value.
    pub generation: u64,
    /// The generation before: `restore` takes it.
    pub previous: u64,
    /// What was done, in one line for people.
    pub detail: String,
}

impl Primitive for Rotate {
    const NAME: &'static str = "rotate";
    const SUMMARY: &'static str = "gives a secret a new value, or takes that back";
    const POSITIONAL: &'static [&'static str] = &["secret"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"let rotated = rotate("API_KEY", #{ length: 40 });"#;
    type Args = Args;
    type Output = Output;

    /// Whatever uses the secret may be another thing afterwards, so no look after it can be sure.
    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &format!("secret {}", args.secret))
    }

    fn cases(args: &Args) -> Vec<Case> {
        let certain = |changed| Value::Map([("changed".to_owned(), Value::Bool(changed))].into());
        let mut cases = vec![Case::returns("rotated", certain(true)), Case::returns("unchanged", certain(false))];
        if !args.undo && args.restore.is_none() && args.to.is_none() {
            cases.truncate(1);
        }
        cases.extend([
            Case::fails("rejected", "rotate-rejected", Applied::No),
            Case::fails("failed", "rotate-failed", Applied::No),
            Case::fails("failed-but-applied", "rotate-failed", Applied::Yes),
        ]);
        cases
    }
}

/// The fault of a new value that does not work. `back` says whether the old one is in place again; then it is `adopt`ed.
fn rejected(name: &str, failed: &ArgvFailure, back: bool, adopt: impl FnOnce() -> Result<SecretText, Fault>) -> Fault {
    let (then, applied) = if back {
        // It was good enough to be a secret before.
        let _ = adopt();
        ("the old value was put back", Applied::No)
    } else {
        ("and the old value could not be put back", Applied::Yes)
    };
    let message = format!("the new value of secret {name} does not work, {then}: {}", failed.message);
    let fault = Fault::new("rotate-rejected", message).applied(applied);
    Fault { code: if failed.interrupted { "interrupted".to_owned() } else { fault.code.clone() }, ..fault }
}
