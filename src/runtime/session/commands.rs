//! What the commands of a session need beside what is typed.

use std::path::{Path, PathBuf};

use crate::model::{Applied, EventBody, Fault, Key, PlanNode, Record, Settlement, Value};
use crate::system::whoami;
use crate::worlds::NOT_APPLIED;

use super::resume::described;
use super::{LiveSession, Typed, Untyped, looks_secret};
use crate::runtime::settle::nothing_goes_on;
use crate::runtime::{Error, Lifeboat, load};

impl Lifeboat {
    /// The text of a runbook that is to be taken statement by statement, with the values of its parameters in place.
    pub fn loadable(&self, file: &str, environment: &str, given: &[(String, String)]) -> Result<String, Error> {
        not_secret(given, |value| looks_secret(value).map(str::to_owned))?;
        let script = self.load_sound(Path::new(file), self.environment(Some(environment))?)?;
        let params = load::params(&script, given)?;
        let mut lines: Vec<String> = script.source.text.lines().map(str::to_owned).collect();
        for param in &script.params {
            let Some(value) = params.get(&param.name) else { continue };
            let at = usize::try_from(param.line).unwrap_or(1).saturating_sub(1);
            // A comment that documents a parameter documents no constant.
            for comment in lines.iter_mut().take(at).rev() {
                let Some(text) = comment.trim_start().strip_prefix("///") else { break };
                *comment = format!("//{text}");
            }
            if let Some(line) = lines.get_mut(at) {
                *line = format!("const {} = {};", param.name, literal(value));
            }
        }
        Ok(lines.join("\n"))
    }
}

impl LiveSession<'_> {
    /// The configuration.
    pub fn config_file(&self) -> PathBuf {
        self.lifeboat.config.path.clone()
    }

    /// Only plans something typed, armed or not. What it defines is there afterwards all the same.
    pub fn plan(&mut self, text: &str) -> Result<Typed, Untyped> {
        let input = self.watch(text)?;
        let mut typed = self.glance(&input);
        self.unkept = None;
        if let [PlanNode::Scope(scope)] = typed.nodes.as_mut_slice() {
            typed.nodes = std::mem::take(&mut scope.nodes);
        }
        Ok(typed)
    }

    /// The text of a runbook that is to be taken statement by statement, with the values of its parameters in place.
    pub fn loadable(&self, file: &str, given: &[(String, String)]) -> Result<String, Error> {
        not_secret(given, |value| self.secret_in(value))?;
        self.lifeboat.loadable(file, &self.environment.name, given)
    }

    /// A person says what became of a change that is in doubt. Returns what it was.
    pub fn settle(&mut self, key: &Key, applied: bool) -> Result<String, Error> {
        let record = Record::of(&self.heard.events());
        let Some(call) = record.call(key).filter(|call| call.outcome.is_none()) else {
            let open = record.open().map(|(key, call)| format!("{key} ({})", described(call)));
            let help = match open.collect::<Vec<String>>().join(", ") {
                none if none.is_empty() => "nothing is in doubt".to_owned(),
                open => format!("in doubt: {open}"),
            };
            return Err(Error::Refused { why: format!("call {key} is not in doubt"), help: Some(help) });
        };
        nothing_goes_on(&self.look, &self.id, key)?;
        let by = whoami();
        let outcome = if applied {
            Ok(self.lifeboat.certain(call))
        } else {
            let fault = Fault::new(NOT_APPLIED, format!("{by} found that it did not take place"));
            Err(fault.applied(Applied::No))
        };
        self.recorder.note(EventBody::Resumed {
            by: by.clone(),
            process: None,
            edited: Vec::new(),
            ends: None,
            break_glass: None,
        });
        self.recorder.note(EventBody::Settled(Box::new(Settlement {
            key: key.clone(),
            primitive: call.primitive.clone(),
            args: None,
            site: call.site.clone(),
            impact: call.impact.clone(),
            outcome,
            began: self.look.now(),
            elapsed_ms: 0,
            repeats: None,
            evidence: Some(Settlement::told_by(&by)),
        })));
        self.recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        Ok(described(call))
    }
}

/// What is loaded is recorded, with the values of its parameters.
fn not_secret(given: &[(String, String)], held: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    for (name, value) in given {
        if let Some(what) = held(value) {
            let why = format!("{name} holds {what}: it would be recorded");
            return Err(Error::Params { why, help: Some("let the runbook name it: secret(\"NAME\")".to_owned()) });
        }
    }
    Ok(())
}

/// A value as a script writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::to_string(&**text).unwrap_or_default(),
        other => other.to_string(),
    }
}
