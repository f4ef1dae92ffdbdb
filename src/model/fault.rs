//! A failure that a script may catch.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Value;

/// Whether a failed effect took place all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Applied {
    /// The target is as it was.
    No,
    /// It failed, yet the target was changed.
    Yes,
    /// Nobody knows. The host asks the driver for evidence before it lets anything go on.
    Unknown,
}

/// The code of the fault of a call for which there is no time left.
pub const DEADLINE: &str = "deadline";

/// The code of the fault of a call whose target another run has.
pub const LEASED: &str = "leased";

/// Why a primitive failed. Scripts catch it as a map with these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A stable name of the kind of failure, such as `backup-corrupt`; it has an entry in the reference.
    pub code: String,
    /// What failed, in lower case, without a full stop.
    pub message: String,
    /// Whether the effect took place.
    pub applied: Applied,
    /// The target on which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The place in the script, as `file:line:column`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

impl Fault {
    /// A failure that left its target as it was.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            applied: Applied::No,
            target: None,
            hint: None,
            site: None,
        }
    }

    /// Whether the call was refused before it began: the time for it was over, or another run has its target.
    pub fn is_refusal(&self) -> bool {
        (self.code == DEADLINE || self.code == LEASED) && self.applied == Applied::No
    }

    /// Says whether the effect took place.
    #[must_use]
    pub fn applied(mut self, applied: Applied) -> Self {
        self.applied = applied;
        self
    }

    /// Names the target.
    #[must_use]
    pub fn on(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As scripts see it: what it is as JSON. Explorations make millions of these, so it takes no detour.
    pub fn to_value(&self) -> Value {
        let applied = match self.applied {
            Applied::No => "no",
            Applied::Yes => "yes",
            Applied::Unknown => "unknown",
        };
        let said = [("code", self.code.as_str()), ("message", &self.message), ("applied", applied)].map(Some);
        let told = [("target", &self.target), ("hint", &self.hint), ("site", &self.site)];
        let told = told.map(|(name, text)| text.as_deref().map(|text| (name, text)));
        let fields = said.into_iter().chain(told).flatten();
        Value::Map(fields.map(|(name, text)| (name.to_owned(), Value::from(text))).collect())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_see_what_is_recorded() {
        for applied in [Applied::No, Applied::Yes, Applied::Unknown] {
            let bare = Fault::new("corrupt", "the backup is corrupt").applied(applied);
            let full = Fault { site: Some("a.rhai:1:2".into()), ..bare.clone().on("primary").hint("take another") };
            for fault in [bare, full] {
                assert_eq!(fault.to_value(), Value::encode(&fault));
            }
        }
    }
}
