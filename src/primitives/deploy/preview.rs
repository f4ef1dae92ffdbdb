//! How a deployment is shown in a plan, however it is done.

use crate::model::{Symbol, Value};
use crate::primitives::Preview;

/// What a deployment of `version` would do where `live` is live now, if anything.
pub(super) fn sketch(target: &str, (live, version): (Option<&str>, &str), does: bool) -> Preview {
    let before = live.unwrap_or("nothing");
    let previous = live.map_or(Value::Null, Value::from);
    let fields = [("version", version.into()), ("previous", previous), ("changed", does.into())];
    let output = Value::Map(fields.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into());
    let (symbol, summary) = match (does, live == Some(version)) {
        (false, _) => (Symbol::Nothing, format!("{target}: already at {version}: nothing to do")),
        (true, true) => (Symbol::Change, format!("{target}: {version} is live; restart it")),
        (true, false) => (Symbol::Change, format!("{target}: {before} → {version}")),
    };
    Preview::new(symbol, summary).states(before, version).output(output)
}
