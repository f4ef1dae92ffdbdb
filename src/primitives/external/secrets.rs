//! Secrets in settings and arguments: their values for who performs, and for others their names or nothing.

use std::collections::BTreeMap;
use std::pin::Pin;

use serde_json::Value as Json;

use crate::model::{Fault, SecretText};
use crate::system::Look;

use super::protocol::TargetOf;

/// The secret that `json` stands for.
pub(super) fn secret(json: &Json) -> Option<SecretText> {
    let named = json.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("$secret"));
    named.then(|| serde_json::from_value(json.clone()).ok()).flatten()
}

/// The same values, with each secret as what it stands for.
pub(super) async fn revealed(values: &BTreeMap<String, Json>, look: &Look) -> Result<BTreeMap<String, Json>, Fault> {
    let mut all = BTreeMap::new();
    for (name, value) in values {
        all.insert(name.clone(), reveal(value, look).await?);
    }
    Ok(all)
}

fn reveal<'a>(json: &'a Json, look: &'a Look) -> Pin<Box<dyn Future<Output = Result<Json, Fault>> + Send + 'a>> {
    Box::pin(async move {
        if let Some(secret) = secret(json) {
            return Ok(Json::from(&*look.reveal(&secret).await?));
        }
        Ok(match json {
            Json::Array(list) => {
                let mut all = Vec::with_capacity(list.len());
                for item in list {
                    all.push(reveal(item, look).await?);
                }
                Json::Array(all)
            }
            Json::Object(map) => {
                let mut all = serde_json::Map::new();
                for (name, item) in map {
                    all.insert(name.clone(), reveal(item, look).await?);
                }
                Json::Object(all)
            }
            other => other.clone(),
        })
    })
}

/// The target without the settings that hold secrets.
pub(super) fn withheld(target: &TargetOf) -> TargetOf {
    let holds = |value: &Json| {
        let mut found = Vec::new();
        collect(value, &mut found);
        !found.is_empty()
    };
    let withheld: Vec<String> =
        target.settings.iter().filter(|(_, value)| holds(value)).map(|(name, _)| name.clone()).collect();
    let mut target = target.clone();
    target.settings.retain(|name, _| !withheld.contains(name));
    TargetOf { withheld, ..target }
}

/// The secrets in settings or arguments.
pub(super) fn of(values: &BTreeMap<String, Json>) -> Vec<SecretText> {
    let mut found = Vec::new();
    for value in values.values() {
        collect(value, &mut found);
    }
    found
}

fn collect(json: &Json, found: &mut Vec<SecretText>) {
    match (secret(json), json) {
        (Some(secret), _) => found.push(secret),
        (None, Json::Array(list)) => list.iter().for_each(|item| collect(item, found)),
        (None, Json::Object(map)) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}
