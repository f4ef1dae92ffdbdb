//! What two texts of a configuration do not have alike, key by key. Nothing of them is acted upon.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ConfigChange;

/// Keys that decide what is allowed or what is started, wherever they stand.
const GRAVE: [&str; 14] = [
    "protected",
    "approvals",
    "drivers",
    "program",
    "command",
    "check",
    "impact",
    "independent",
    "default",
    "secrets",
    "state",
    "policy",
    "drill",
    "read_only",
];

/// Of a value, so many characters are kept.
const SHOWN: usize = 80;

/// Compares two texts; those that decide what is allowed or started come first. A text that is no TOML is one change.
pub(super) fn config_changes(before: &str, after: &str) -> Vec<ConfigChange> {
    let (Ok(old), Ok(new)) = (flat(before), flat(after)) else {
        let unread = |text: &str| if flat(text).is_ok() { "TOML" } else { "no TOML" }.to_owned();
        return vec![ConfigChange {
            key: "the whole file".to_owned(),
            before: Some(unread(before)),
            after: Some(unread(after)),
            grave: true,
        }];
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    let change = |key: &String| ConfigChange {
        key: key.clone(),
        before: old.get(key).map(|value| shown(value)),
        after: new.get(key).map(|value| shown(value)),
        grave: key.split('.').any(|part| GRAVE.contains(&part)),
    };
    let mut changes: Vec<ConfigChange> = differing.map(change).collect();
    changes.sort_by_key(|change| !change.grave);
    changes
}

fn shown(value: &str) -> String {
    let cut: String = value.chars().take(SHOWN).collect();
    if cut.len() < value.len() { format!("{cut}…") } else { cut }
}

/// Every value by its path.
fn flat(text: &str) -> Result<BTreeMap<String, String>, toml::de::Error> {
    let table: toml::Table = text.parse()?;
    let mut found = BTreeMap::new();
    let mut open: Vec<(String, toml::Value)> = table.into_iter().collect();
    while let Some((path, value)) = open.pop() {
        match value {
            toml::Value::Table(table) if !table.is_empty() => {
                open.extend(table.into_iter().map(|(key, value)| (format!("{path}.{key}"), value)));
            }
            other => drop(found.insert(path, plain(&other))),
        }
    }
    Ok(found)
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("{text:?}"),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) => {
            let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", plain(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(value) => value.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> Vec<String> {
        let told = |change: ConfigChange| {
            let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            let grave = if change.grave { "! " } else { "" };
            format!("{grave}{}: {} → {}", change.key, or_none(change.before), or_none(change.after))
        };
        config_changes(before, after).into_iter().map(told).collect()
    }

    #[test]
    fn what_decides_what_is_allowed_comes_first() {
        let before = "[environments.live]\nprotected = true\n[environments.live.services.web]\nurl = \"http://a\"\n";
        let after = "[environments.live]\nprotected = false\n[environments.live.services.web]\nurl = \"http://b\"\n";
        let expected = [
            "! environments.live.protected: true → false",
            "environments.live.services.web.url: \"http://a\" → \"http://b\"",
        ];
        assert_eq!(told(before, after), expected);
    }

    #[test]
    fn what_is_new_and_what_is_gone() {
        let program = "[drivers.x]\nprogram = [\"./x\", \"-v\"]\n";
        assert_eq!(told("", program), ["! drivers.x.program: none → [\"./x\", \"-v\"]"]);
        assert_eq!(told(program, ""), ["! drivers.x.program: [\"./x\", \"-v\"] → none"]);
    }

    #[test]
    fn order_and_comments_are_no_change() {
        assert_eq!(told("a = 1\nb = 2\n", "# two\nb = 2\na = 1 # one\n"), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_toml_is_said() {
        assert_eq!(told("a = 1", "a = = 1"), ["! the whole file: TOML → no TOML"]);
    }
}
