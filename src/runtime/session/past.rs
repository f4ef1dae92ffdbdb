//! The run at which a session looks back.

use jiff::Timestamp;

use crate::model::{Key, Record, RunId, ScopeKind, Started};

use super::LiveSession;

/// What a session that looks back is given: `RUN@KEY`.
pub(super) const LOOKS_BACK: &str = "from";

/// A run, and the point up to which a session knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The run.
    pub run: RunId,
    /// Its runbook.
    pub runbook: String,
    /// The environment in which it was.
    pub environment: String,
    /// When it began, UTC.
    pub began: Timestamp,
    /// The call or step before which the session stands: its key, and what it was. None: the end of the run.
    pub before: Option<(Key, String)>,
}

impl Past {
    pub(super) fn of(
        id: &RunId,
        (started, began): (&Started, Timestamp),
        record: &Record,
        until: Option<&Key>,
    ) -> Self {
        let before = until.map(|key| {
            let step = record.scope(key).map(|known| match known.scope.kind {
                ScopeKind::Step { .. } => format!("step `{}`", known.scope.title),
                _ => format!("`{}`", known.scope.title),
            });
            let call = || record.call(key).map(|call| format!("{} {}", call.primitive, call.impact.targets.join(", ")));
            (key.clone(), step.or_else(call).unwrap_or_default().trim_end().to_owned())
        });
        let (runbook, environment) = (started.runbook.clone(), started.environment.clone());
        Self { run: id.clone(), runbook, environment, began, before }
    }
}

impl Past {
    /// As it is given on the command line.
    pub(super) fn given(&self) -> String {
        let key = self.before.as_ref().map(|(key, _)| format!("@{key}")).unwrap_or_default();
        format!("{}{key}", self.run)
    }
}

impl LiveSession<'_> {
    /// The run at which it looks back, if it does.
    pub fn looks_back_at(&self) -> Option<&Past> {
        self.looks_back.as_ref()
    }
}
