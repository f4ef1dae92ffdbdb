//! `configure`: changes keys of a configuration document, or brings an earlier version of it back.

mod apply;
mod decide;
mod document;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that the driver meets")]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, ArgList, Case, Impact, ImpactKind, Value};

use super::side::returned;
use super::{After, Primitive, Side, TargetArg};

/// `configure(target, #{…})`.
#[derive(Clone, Copy, Debug)]
pub struct Configure;

/// Changes keys of a configuration document. All that is not changed stays as it is written: comments, order, indentation. The file
/// is replaced as a whole, with its owner and permissions; a reader sees the old text or the new one. Keys are written with dots:
/// `pool.size`, `users[0].name`.
///
/// The document's `validate` sees the new text first, and nothing is changed if it fails. Its `reload` is run after the change; if that
/// fails, the call throws `reload-failed`, and the change stays until it is undone.
///
/// To undo it: `configure(target, #{ restore: change.undo })`, or with the `version` that `configuration` gave before. Earlier versions
/// are kept beside the file, where only its owner can read them. What somebody else has changed since is not overwritten.
///
/// The value of a key that looks secret is given as `secret("NAME")`, not as text: it would stand in every plan and record.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The document.
    pub target: String,
    /// Keys with their new values. Tables that are missing are made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// Keys that are taken away. One that is not there is no mistake.
    #[serde(default, skip_serializing_if = "ArgList::is_empty")]
    pub unset: ArgList<String>,
    /// The version that is brought back: the `undo` of an earlier change, or the `version` of `configuration`. Without `set` and
    /// `unset`.
    pub restore: Option<Arg<String>>,
    /// Refuses unless the document is still at this `version`.
    pub if_version: Option<Arg<String>>,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether anything was changed.
    pub changed: bool,
    /// What was changed, by key: `key`, `change` ("added", "removed" or "changed"), `before`, `after`, `secret`.
    pub changes: Vec<Changed>,
    /// The values that the keys had, as `set` takes them. New keys and secrets are left out.
    pub before: BTreeMap<String, Value>,
    /// The keys that are new, as `unset` takes them.
    pub added: Vec<String>,
    /// The version before: `restore` takes it.
    pub undo: String,
    /// The version now.
    pub version: String,
    /// What was done, in one line for people.
    pub detail: String,
}

/// One key that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The key.
    pub key: String,
    /// What happened to it.
    pub change: How,
    /// The value before; () if there was none or it is secret.
    pub before: Value,
    /// The value after; () if there is none or it is secret.
    pub after: Value,
    /// Whether its values are secret.
    pub secret: bool,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was not there before.
    Added,
    /// It is there no more.
    Removed,
    /// It has another value.
    Changed,
}

impl Primitive for Configure {
    const NAME: &'static str = "configure";
    const SUMMARY: &'static str = "changes keys of a configuration document";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Document] });
    const EXAMPLE: &'static str =
        r#"let change = configure("app-config", #{ set: #{ "pool.size": 20 }, unset: ["old.flag"] });"#;
    const DECLARES_STATE: bool = true;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        let certain = |changed| Value::Map([("changed".to_owned(), Value::Bool(changed))].into());
        vec![
            Case::returns("changed", certain(true)),
            Case::returns("unchanged", certain(false)),
            Case::fails("invalid", "configure-invalid", Applied::No),
            Case::fails("conflict", "configure-conflict", Applied::No),
            Case::fails("failed", "configure-failed", Applied::No),
            Case::fails("reload-failed", "reload-failed", Applied::Yes),
        ]
    }

    fn sides(args: &Args, output: Option<&Value>) -> Vec<Side> {
        let added = returned(output, "added");
        let is_new = |key: &String| matches!(&added, Some(Value::List(new)) if new.contains(&key.as_str().into()));
        let before = |key: &String| match returned(output, "before")?.get(key) {
            None if is_new(key) => Some(Value::Null),
            value => value.cloned(),
        };
        let set = args.set.iter().map(|(key, value)| (key, value.clone()));
        // Of keys that nobody knows nothing can be said.
        let unset = args.unset.known().unwrap_or_default();
        let unset = unset.iter().map(|key| (key, Value::Null));
        let keys = set.chain(unset).map(|(key, value)| Side::set(key.clone(), before(key), After::Is(value)));
        let whole = match (&args.restore, returned(output, "version")) {
            (Some(version), _) => After::Again(Value::encode(version)),
            (None, Some(version)) => After::Is(version),
            (None, None) => After::Unknown,
        };
        keys.chain([Side::set(Side::WHOLE, returned(output, "undo"), whole)]).collect()
    }
}
