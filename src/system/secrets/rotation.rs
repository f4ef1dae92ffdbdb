//! What it takes to give a secret another value.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use zeroize::Zeroizing;

use super::{Revealed, SHORTEST, Secrets, source, withhold_dumps};
use crate::model::{Fault, SecretStore};
use crate::system::Look;

/// Values that secrets had, by name and generation. They are gone with the process.
pub(super) type Former = BTreeMap<(String, u64), Arc<Zeroizing<String>>>;

impl Secrets {
    /// The same, with how those that can be changed are changed.
    #[must_use]
    pub fn storing(self, stores: BTreeMap<String, SecretStore>) -> Self {
        Self { stores, ..self }
    }

    /// How the secret `name` is changed; nothing if the configuration says nothing of it.
    pub fn store(&self, name: &str) -> SecretStore {
        self.stores.get(name).cloned().unwrap_or_default()
    }

    /// The project's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// From now on `value` is kept out of everything, although it is not yet what `name` stands for.
    pub fn conceal(&self, name: &str, value: &str) -> Result<(), Fault> {
        if value.chars().count() < SHORTEST {
            let message = format!("the new value of secret {name} has fewer than 4 characters");
            let hint = "what is so short cannot be kept out of what is printed";
            return Err(Fault::new("secret-unavailable", message).hint(hint));
        }
        withhold_dumps();
        self.redactor.learn(name, value);
        Ok(())
    }

    /// Keeps a value that `name` had, as long as the process lives.
    pub fn remember(&self, name: &str, generation: u64, value: &Revealed) {
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        former.insert((name.to_owned(), generation), Arc::new(Zeroizing::new(value.to_string())));
    }

    /// A value that was kept.
    pub fn recall(&self, name: &str, generation: u64) -> Option<Revealed> {
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        former.get(&(name.to_owned(), generation)).map(|value| Revealed((**value).clone()))
    }
}

impl Look {
    /// What the source of a secret says now, not what it said before.
    pub async fn reveal_afresh(&self, name: &str) -> Result<Revealed, Fault> {
        let secrets = &self.secrets;
        let source = secrets.sources.get(name).ok_or_else(|| secrets.unknown(name))?;
        let fetched = source::fetch(source, self, &secrets.root).await;
        secrets.keep(name, fetched.map_err(|unavailable| unavailable.of(name))?).map(|value| Revealed((*value).clone()))
    }
}
