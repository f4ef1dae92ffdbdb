//! What only the targets know, asked while somebody types: quickly, or not at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::model::{Rewrite, Value};
use crate::script::{STDLIB, is_incomplete};
use crate::system::Look;
use crate::worlds::Cast;

use super::LiveSession;

/// Who types does not wait longer than that.
const PATIENCE: Duration = Duration::from_millis(400);
/// An answer is taken for the next ones for so long.
const FRESH: Duration = Duration::from_secs(20);

/// When it was asked, and what was answered.
pub(super) type Known = HashMap<(String, String), (Duration, Vec<(String, String)>)>;

/// Asks targets.
#[derive(Clone)]
pub struct Lookup {
    cast: Cast,
    look: Look,
    handle: Handle,
    known: Arc<Mutex<Known>>,
}

impl Lookup {
    /// What the look `primitive` finds at `target`: each id or version, with `what` it is. Nothing where it does not answer at once.
    pub fn ask(&self, primitive: &'static str, target: &str, what: &str) -> Vec<(String, String)> {
        let key = (primitive.to_owned(), target.to_owned());
        let now = self.look.monotonic();
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known().get(&key).filter(|(at, _)| now.saturating_sub(*at) < FRESH) {
            return found.clone();
        }
        let found = self.found(primitive, target, what).unwrap_or_default();
        known().insert(key, (now, found.clone()));
        found
    }

    fn found(&self, primitive: &'static str, target: &str, what: &str) -> Option<Vec<(String, String)>> {
        let signature = self.cast.registry.signature(primitive)?;
        let handler = self.cast.handler(signature.name, target)?;
        let name = signature.target?.name;
        let given = Value::Map([(name.to_owned(), Value::from(target))].into());
        let args = signature.complete(&given).ok()?;
        let found = self.handle.block_on(async {
            let look = async {
                match handler.observe(&args, &self.look) {
                    Some(observed) => observed.await.ok(),
                    None => handler.preview(&args, &self.look).await.ok().map(|preview| preview.output),
                }
            };
            tokio::time::timeout(PATIENCE, look).await.ok().flatten()
        })?;
        let found = self.look.secrets().redactor().value(found);
        Some(match found {
            Value::List(items) => items.iter().filter_map(|item| named(item, what)).collect(),
            Value::String(text) => vec![(text.to_string(), what.to_owned())],
            other => named(&other, what).into_iter().collect(),
        })
    }
}

/// The id of something that was found, with when it was made.
fn named(item: &Value, what: &str) -> Option<(String, String)> {
    let id = item.get("id").or_else(|| item.get("version")).and_then(Value::as_str)?;
    let taken = item.get("taken_at").map(|at| format!(", taken {at}")).unwrap_or_default();
    Some((id.to_owned(), format!("{what}{taken}")))
}

impl LiveSession<'_> {
    /// Asks targets what only they know.
    pub fn lookup(&self) -> Lookup {
        Lookup {
            cast: self.cast.clone(),
            look: self.look.clone(),
            handle: self.lifeboat.tokio.handle().clone(),
            known: self.known.clone(),
        }
    }

    /// The modules that can be imported, as they are named there: those that Lifeboat brings, then the project's files.
    pub fn importable(&self) -> Vec<String> {
        let files = self.runbooks().into_iter();
        let own = files.filter_map(|name| Some(name.strip_prefix("runbooks/")?.strip_suffix(".rhai")?.to_owned()));
        STDLIB.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect()
    }

    /// The runbooks of the project, from its directory.
    pub fn runbooks(&self) -> Vec<String> {
        let library = self.lifeboat.library();
        self.lifeboat.runbooks().iter().map(|path| library.name(path)).collect()
    }

    /// Whether more is to be typed. Only brackets, texts and blocks count: what is wrong in it is told when it is evaluated.
    pub fn is_incomplete(text: &str) -> bool {
        is_incomplete(text)
    }
}
