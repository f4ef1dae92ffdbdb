//! The policy of a project: the invariants that a team adds, from the files in `policy/`.

use std::sync::Arc;

use crate::config::Environment;
use crate::model::{INVARIANTS, Invariant, Value};
use crate::script::Policy;
use crate::system::read_source_within;
use crate::worlds::{Violation, Walked, account, broken};

use super::{Error, Lifeboat};

/// The folder of the policy, from the project's directory.
pub(super) const FOLDER: &str = "policy";

/// Judges paths by every invariant that counts.
pub(super) struct Judge {
    pub(super) invariants: Vec<Invariant>,
    policy: Arc<Policy>,
    runbook: String,
    environment: String,
    protected: bool,
}

impl Judge {
    /// The invariants that a path breaks, by their positions.
    pub(super) fn broken(&self, walked: &Walked) -> Vec<Violation> {
        let mut found = broken(&walked.path, &walked.ending, self.protected);
        let built_in = INVARIANTS.len();
        if self.invariants.len() == built_in {
            return found;
        }
        let mut path = account(&walked.path, &walked.ending, walked.cancelled);
        if let Value::Map(entries) = &mut path {
            entries.insert("runbook".to_owned(), self.runbook.as_str().into());
            entries.insert("environment".to_owned(), self.environment.as_str().into());
            entries.insert("is_protected".to_owned(), self.protected.into());
        }
        let last = walked.path.visits.len().saturating_sub(1);
        found.extend(self.policy.broken(&path).into_iter().map(|broken| Violation {
            invariant: built_in + broken.rule,
            at: broken.at.unwrap_or(last),
            why: broken.why,
        }));
        found
    }
}

impl Lifeboat {
    /// Who judges the paths of a runbook.
    pub(super) fn judge(&self, runbook: &str, environment: &Environment) -> Result<Judge, Error> {
        let policy = self.policy()?;
        let invariants = Invariant::built_in().chain(policy.invariants().cloned()).collect();
        let (runbook, protected) = (runbook.to_owned(), environment.protected);
        Ok(Judge { invariants, policy, runbook, environment: environment.name.clone(), protected })
    }

    /// The invariants that the team adds, compiled once. A mistake in one is an error: what cannot be relied on must not seem to be.
    pub fn policy(&self) -> Result<Arc<Policy>, Error> {
        let compiled = self.policy.get_or_init(|| {
            let files = match &self.policy_files {
                Some(files) => files.clone(),
                None => self.policy_there().map_err(|why| Error::NoRunbook {
                    why,
                    help: "save it as text in UTF-8, and see that you may read it".to_owned(),
                })?,
            };
            Policy::compile(&files).map(Arc::new).map_err(|error| Error::Syntax(Box::new(error)))
        });
        match compiled {
            Ok(policy) => Ok(policy.clone()),
            Err(Error::Syntax(error)) => Err(Error::Syntax(error.clone())),
            Err(other) => Err(Error::NoRunbook { why: other.to_string(), help: String::new() }),
        }
    }

    fn policy_there(&self) -> Result<Vec<(String, String)>, String> {
        let folder = self.config.root.join(FOLDER);
        let mut names: Vec<String> =
            self.look().list(&folder).unwrap_or_default().into_iter().map(|entry| entry.name).collect();
        names.retain(|name| std::path::Path::new(name).extension().is_some_and(|extension| extension == "rhai"));
        names.sort();
        let file = |name: String| {
            let text = read_source_within(&folder, &name)?;
            Ok((format!("{FOLDER}/{name}"), text))
        };
        names.into_iter().map(file).collect()
    }
}
