//! Reads `[environments.NAME.services.NAME]` and the tables of the other kinds of target.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use crate::model::SecretText;

use super::reader::{Node, Reader};
use super::{Origin, Target, TargetKind};

/// Every name of a target in an environment, also of those that could not be read, with its kind and place.
pub(super) type Names = BTreeMap<String, (TargetKind, Range<usize>)>;

/// The targets of `environment`, by name.
pub(super) fn targets(
    reader: &mut Reader<'_>,
    environment: &str,
    table: &DeTable<'_>,
) -> (BTreeMap<String, Target>, Names) {
    let mut found = Vec::new();
    for kind in TargetKind::ALL {
        let header = format!("[environments.{environment}.{}.NAME]", kind.table());
        let of_kind = table.get(kind.table()).and_then(|value| {
            let what = format!("`{}`", kind.table());
            reader.table(&what, value, &header)
        });
        found.extend(of_kind.into_iter().flatten().map(|(name, value)| (kind, name, value)));
    }
    // Of two targets with one name, the later one in the file is the mistake.
    found.sort_by_key(|(_, name, _)| name.span().start);
    let (mut targets, mut names) = (BTreeMap::new(), Names::new());
    for (kind, name, value) in found {
        let (name, span) = (name.get_ref().as_ref(), name.span());
        if let Some((first, at)) = names.get(name) {
            let message = format!("`{name}` is the name of two targets in environment {environment}");
            let help = format!("line {} calls a {first} so: give one of them another name", reader.line(at));
            reader.wrong(span, message, help);
            continue;
        }
        reader.name(name, span.clone(), "a target");
        names.insert(name.to_owned(), (kind, span));
        if let Some(target) = target(reader, environment, kind, name, value) {
            targets.insert(name.to_owned(), target);
        }
    }
    (targets, names)
}

fn target(
    reader: &mut Reader<'_>,
    environment: &str,
    kind: TargetKind,
    name: &str,
    value: &Node<'_>,
) -> Option<Target> {
    let header = format!("[environments.{environment}.{}.NAME]", kind.table());
    let table = reader.table(&format!("{kind} `{name}`"), value, &header)?;
    let mut origin = Origin {
        path: reader.path.to_path_buf(),
        text: reader.text.clone(),
        span: value.span(),
        keys: BTreeMap::new(),
        values: BTreeMap::new(),
    };
    let mut settings = settings(reader, table, "", &mut origin);
    // The driver is part of the table, and no setting of its own.
    settings.remove("driver");
    let Some(driver) = table.get("driver") else {
        let help = "add `driver = \"…\"` to say what serves it";
        reader.wrong(value.span(), format!("{kind} `{name}` has no `driver`"), help);
        return None;
    };
    let driver = reader.text("`driver`", driver, "driver = \"…\"")?;
    Some(Target { name: name.to_owned(), kind, driver, settings: Json::Object(settings), origin })
}

/// A table as JSON; the places of its keys and values go to `origin` under their paths, which begin with `prefix`.
fn settings(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    prefix: &str,
    origin: &mut Origin,
) -> serde_json::Map<String, Json> {
    let mut settings = serde_json::Map::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        origin.keys.insert(path.clone(), key.span());
        settings.insert(name, setting(reader, value, path, origin));
    }
    settings
}

fn setting(reader: &mut Reader<'_>, value: &Node<'_>, path: String, origin: &mut Origin) -> Json {
    let mut too_large = |what: &str| {
        reader.wrong(value.span(), format!("`{path}` is {what}"), "write a number that fits into 64 bits");
        Json::Null
    };
    let json = match value.get_ref() {
        // Where a secret is named, a driver that wants text gets none, and says so.
        DeValue::String(text) => SecretText::template(text)
            .and_then(|secret| serde_json::to_value(secret).ok())
            .unwrap_or_else(|| Json::from(text.as_ref())),
        DeValue::Boolean(truth) => Json::from(*truth),
        // JSON has no dates; a driver that wants one reads it from text.
        DeValue::Datetime(date) => Json::from(date.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Json::from(number),
            Err(_) => too_large("too large a number"),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Json::from(number),
            _ => too_large("not a finite number"),
        },
        DeValue::Array(list) => {
            let item = |(i, item): (usize, &Node<'_>)| setting(reader, item, format!("{path}[{i}]"), origin);
            Json::Array(list.iter().enumerate().map(item).collect())
        }
        DeValue::Table(table) => Json::Object(settings(reader, table, &path, origin)),
    };
    origin.values.insert(path, value.span());
    json
}
