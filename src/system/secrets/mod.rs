//! Secrets: where their values come from, who gets them, and how they are kept out of everything else.

mod encodings;
mod redactor;
mod rotation;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::Look;
use crate::model::{Fault, Part, SecretSource, SecretStore, SecretText, Value, did_you_mean};

pub(super) use redactor::Redacting;
pub use redactor::Redactor;

/// A secret of fewer characters would be found everywhere by chance, and guessed at once.
const SHORTEST: usize = 4;

/// The secrets of one environment. A value is got when a driver needs it, once in a process.
#[derive(Default)]
pub struct Secrets {
    sources: BTreeMap<String, SecretSource>,
    /// Where programs that are named by a path are looked for.
    root: PathBuf,
    values: Mutex<BTreeMap<String, Arc<Zeroizing<String>>>>,
    /// One at a time: a program that asks a person for a passphrase asks once.
    fetching: tokio::sync::Mutex<()>,
    redactor: Arc<Redactor>,
    stores: BTreeMap<String, SecretStore>,
    former: Mutex<rotation::Former>,
}

/// What a [`SecretText`] stands for. It is wiped from memory when it is dropped, and never printed.
pub struct Revealed(Zeroizing<String>);

impl Deref for Revealed {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for Revealed {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secrets {
    /// Secrets from `sources`, by name. Those that are at hand (variables, files) are read at once, so that they are kept out of
    /// everything from the beginning; one that is missing is a fault only for who needs it.
    pub fn new(sources: BTreeMap<String, SecretSource>, root: PathBuf, redactor: Arc<Redactor>) -> Self {
        let secrets = Self { sources, root, redactor, ..Self::default() };
        for (name, source) in secrets.sources.iter().filter(|(_, source)| source::is_at_hand(source)) {
            if let Ok(value) = source::at_hand(source) {
                let _ = secrets.keep(name, value);
            }
        }
        secrets
    }

    /// What takes them out of texts.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// The names of those that are declared.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// Where the value of `name` comes from.
    pub fn source(&self, name: &str) -> Option<&SecretSource> {
        self.sources.get(name)
    }

    /// From now on `name` stands for `value`: what a call made, or changed. Gone with the process.
    pub fn adopt(&self, name: &str, value: &str) -> Result<SecretText, Fault> {
        self.keep(name, Zeroizing::new(value.to_owned())).map(|_| SecretText::named(name))
    }

    fn keep(&self, name: &str, value: Zeroizing<String>) -> Result<Arc<Zeroizing<String>>, Fault> {
        if value.chars().count() < SHORTEST {
            let what = if value.is_empty() { "is empty" } else { "has fewer than 4 characters" };
            let hint = "what is so short cannot be kept out of what is printed";
            return Err(Fault::new("secret-unavailable", format!("secret {name} {what}")).hint(hint));
        }
        withhold_dumps();
        self.redactor.learn(name, &value);
        let value = Arc::new(value);
        self.values().insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Zeroizing<String>>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, name: &str) -> Fault {
        let help = did_you_mean(name, self.names());
        let help = help.unwrap_or_else(|| "declare it in `[environments.NAME.secrets]`".to_owned());
        Fault::new("secret-unavailable", format!("there is no secret {name} in this environment")).hint(help)
    }
}

impl Look {
    /// What `text` stands for. A fault has the code `secret-unavailable`, and names the secret.
    pub async fn reveal(&self, text: &SecretText) -> Result<Revealed, Fault> {
        let mut revealed = Zeroizing::new(String::new());
        for part in text.parts() {
            match part {
                Part::Text(text) => revealed.push_str(text),
                Part::Secret { name } => revealed.push_str(&self.secret_value(name).await?),
            }
        }
        Ok(Revealed(revealed))
    }

    /// Parameters of a statement, secrets among them revealed.
    pub async fn reveal_params(&self, params: &[Value]) -> Result<Vec<Value>, Fault> {
        let mut revealed = Vec::with_capacity(params.len());
        for param in params {
            revealed.push(match param {
                Value::Secret(text) => Value::from(&*self.reveal(text).await?),
                other => other.clone(),
            });
        }
        Ok(revealed)
    }

    /// Why `text` could not be revealed, as far as that can be said without asking a program or a person: for plans.
    pub fn obstacle_to(&self, text: &SecretText) -> Option<Fault> {
        text.names().find_map(|name| match self.secrets.sources.get(name) {
            _ if self.secrets.values().contains_key(name) => None,
            None => Some(self.secrets.unknown(name)),
            Some(source) if source::is_at_hand(source) => source::at_hand(source)
                .map_or_else(|unavailable| Some(unavailable.of(name)), |value| self.secrets.keep(name, value).err()),
            Some(_) => None,
        })
    }

    /// `text` without secrets: for what is sent to people.
    pub fn redacted(&self, text: &str) -> String {
        self.secrets.redactor.clean(text).into_owned()
    }

    /// The secrets of the environment.
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    async fn secret_value(&self, name: &str) -> Result<Arc<Zeroizing<String>>, Fault> {
        let known = || self.secrets.values().get(name).cloned();
        if let Some(value) = known() {
            return Ok(value);
        }
        let _one_at_a_time = self.secrets.fetching.lock().await;
        if let Some(value) = known() {
            return Ok(value);
        }
        let source = self.secrets.sources.get(name).ok_or_else(|| self.secrets.unknown(name))?;
        let fetched = source::fetch(source, self, &self.secrets.root).await;
        self.secrets.keep(name, fetched.map_err(|unavailable| unavailable.of(name))?)
    }
}

/// From the first secret on, a crash of this process leaves no image of its memory, and no other process of the user may read it.
fn withhold_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Where the kernel refuses, the secrets are no less secret than in any other program.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
