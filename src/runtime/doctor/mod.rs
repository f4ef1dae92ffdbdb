//! `doctor`: whether all that a run will need is there, before it is needed. Only looks, each with a time limit.

mod clock;
mod conformance;
mod disk;
mod journal;
mod machine;
mod secrets;
mod targets;

use std::time::Duration;

use serde::Serialize;

use crate::config::{ConfigError, Environment};

use super::{Error, Lifeboat};

pub use conformance::{Candidate, conformance};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A run will work, and something should be seen to.
    Warn,
    /// A run that needs it will fail.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What was looked at: `service web`, `journal`.
    pub subject: String,
    /// What was found, in one line.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    pub(super) fn new(level: Level, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level, subject: subject.into(), message: message.into(), hint: None }
    }

    pub(super) fn ok(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Ok, subject, message)
    }

    pub(super) fn warn(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Warn, subject, message)
    }

    pub(super) fn fail(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Fail, subject, message)
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Lifeboat {
    /// Looks at everything that a run in the environment will need. Each look takes at most `patience`; nothing is changed.
    pub fn doctor(&self, environment: Option<&str>, patience: Duration) -> Result<Vec<Finding>, Error> {
        let environment = self.environment(environment)?;
        let (mut findings, look) = (Vec::new(), self.look_in(environment));
        match self.cast(environment) {
            Ok(cast) => {
                findings.push(self.configured(environment));
                findings.extend(self.drivers(environment));
                findings.extend(self.tokio.handle().block_on(targets::all(&cast, &look, patience)));
            }
            Err(Error::Config(mistakes)) => findings.extend(mistakes.iter().map(misconfigured)),
            Err(error) => return Err(error),
        }
        findings.extend(self.tokio.handle().block_on(secrets::all(environment, &look, patience)));
        findings.extend(machine::all(self, &look));
        findings.push(clock::zone(&look));
        findings.extend(disk::all(self, environment, &look));
        findings.extend(journal::all(self, &look));
        findings.extend(journal::shared(self, environment));
        Ok(findings)
    }

    fn configured(&self, environment: &Environment) -> Finding {
        let counted = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        let targets = counted(environment.targets.len(), "target");
        let message = format!(
            "environment {} of {}, {targets}",
            environment.name,
            counted(self.config.environments.len(), "environment")
        );
        Finding::ok("lifeboat.toml", message)
    }

    /// The declared drivers that targets name: that they started is why we are here.
    fn drivers(&self, environment: &Environment) -> Vec<Finding> {
        let (drivers, _) = self.described(environment);
        let line = |driver: &std::sync::Arc<crate::primitives::external::ExternalDriver>| {
            let (name, description) = (&driver.spec.name, &driver.description);
            let finding = format!("{} {} answers", description.name, description.version);
            match driver.spec.sha256 {
                Some(_) => Finding::ok(format!("driver {name}"), format!("{finding}; its file is the one declared")),
                None => Finding::ok(format!("driver {name}"), finding),
            }
        };
        drivers.iter().map(line).collect()
    }
}

/// A mistake in the configuration, with its line.
fn misconfigured(mistake: &ConfigError) -> Finding {
    let line = mistake.span.map(|span| {
        let text: &str = mistake.source_code.inner();
        text[..span.offset().min(text.len())].matches('\n').count() + 1
    });
    let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let finding = Finding::fail("lifeboat.toml", format!("{}{place}", mistake.message));
    match &mistake.help {
        Some(help) => finding.hint(help.clone()),
        None => finding,
    }
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TB", 40), ("GB", 30), ("MB", 20), ("kB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| bytes >> shift > 0);
    match unit {
        // Tenths are enough, and whole numbers keep them exact.
        Some((unit, shift)) => {
            let tenths = (u128::from(bytes) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        for (bytes, text) in [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 kB"), (5 << 30, "5.0 GB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
