//! TOML documents: comments, order, and how values are written stay as they were.

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, Value as TomlValue};

use crate::model::Value;

use super::path::{KeyPath, Segment};
use super::{Leaf, Syntax};

/// A TOML document.
#[derive(Debug)]
pub(super) struct Toml {
    document: DocumentMut,
    /// Lines end with CR LF; the parser knows LF only.
    crlf: bool,
}

impl Toml {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let crlf = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
        let plain = if crlf { text.replace("\r\n", "\n") } else { text.to_owned() };
        let document = plain.parse::<DocumentMut>().map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(plain.len()));
            let line = String::from_utf8_lossy(&plain.as_bytes()[..at]).matches('\n').count() + 1;
            // The parser's own rendering shows the line, which may hold a password.
            format!("line {line}: {}", error.message().lines().next().unwrap_or("it is no TOML"))
        })?;
        let toml = Self { document, crlf };
        if toml.text() != text {
            return Err("it cannot be written back as it is: does it mix line ends?".to_owned());
        }
        Ok(toml)
    }
}

impl Syntax for Toml {
    fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        collect_table(self.document.as_table(), &KeyPath::default(), &mut leaves);
        leaves
    }

    fn set(&mut self, path: &KeyPath, value: &Value) -> Result<(), String> {
        let value = toml_value(value)?;
        let Some((last, above)) = path.0.split_last() else { return Ok(()) };
        let mut item = self.document.as_item_mut();
        for segment in above {
            item = step_or_make(item, segment)?;
        }
        match last {
            Segment::Index(index) => {
                let slot = item.as_array_mut().and_then(|list| list.get_mut(*index));
                replace(slot.ok_or_else(|| format!("there is no list with an entry [{index}]"))?, value);
                Ok(())
            }
            Segment::Name(name) => put(item, name, value),
        }
    }

    fn unset(&mut self, path: &KeyPath) -> Result<(), String> {
        let Some((last, above)) = path.0.split_last() else { return Ok(()) };
        let mut item = self.document.as_item_mut();
        for segment in above {
            let Some(next) = step(item, segment) else { return Ok(()) };
            item = next;
        }
        match last {
            Segment::Name(name) => {
                if let Some(table) = item.as_table_mut() {
                    remove(table, name);
                } else if let Some(table) = item.as_inline_table_mut() {
                    table.remove(name);
                }
            }
            Segment::Index(index) => {
                if let Some(list) = item.as_array_mut().filter(|list| *index < list.len()) {
                    list.remove(*index);
                } else if let Some(tables) = item.as_array_of_tables_mut().filter(|tables| *index < tables.len()) {
                    tables.remove(*index);
                }
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let text = self.document.to_string();
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }
}

fn step<'a>(item: &'a mut Item, segment: &Segment) -> Option<&'a mut Item> {
    match segment {
        Segment::Name(name) => item.get_mut(name.as_str()),
        Segment::Index(index) => item.get_mut(*index),
    }
}

/// One step further; a table that is not there is made.
fn step_or_make<'a>(item: &'a mut Item, segment: &Segment) -> Result<&'a mut Item, String> {
    let found = item.type_name();
    match segment {
        Segment::Index(index) => item.get_mut(*index).ok_or_else(|| format!("the list has no entry [{index}]")),
        Segment::Name(name) => {
            if let Item::Table(table) = item {
                return Ok(table.entry(name).or_insert_with(|| {
                    let mut made = Table::new();
                    // Its header is only written when it holds values of its own.
                    made.set_implicit(true);
                    Item::Table(made)
                }));
            }
            if item.as_inline_table().is_some_and(|table| !table.contains_key(name)) {
                put(item, name, TomlValue::InlineTable(InlineTable::new()))?;
            }
            item.get_mut(name.as_str()).ok_or_else(|| format!("{} stands there, and no table", kind(found)))
        }
    }
}

/// A type of TOML, for people.
fn kind(name: &str) -> String {
    match name {
        "array" | "array of tables" => "a list".to_owned(),
        "inline table" | "table" => "a table".to_owned(),
        "integer" => "a number".to_owned(),
        name => format!("a {name}"),
    }
}

/// Gives a key of a table its value, in the place and with the comments that it has.
fn put(table: &mut Item, name: &str, value: TomlValue) -> Result<(), String> {
    let found = table.type_name();
    let is_table = || "a table stands there: name the key in it".to_owned();
    match table {
        Item::Table(table) => match table.get_mut(name) {
            Some(Item::Value(TomlValue::InlineTable(_)) | Item::Table(_) | Item::ArrayOfTables(_)) => Err(is_table()),
            Some(Item::Value(there)) => {
                replace(there, value);
                Ok(())
            }
            Some(Item::None) | None => {
                table.insert(name, Item::Value(value));
                Ok(())
            }
        },
        Item::Value(TomlValue::InlineTable(table)) => match table.get_mut(name) {
            Some(TomlValue::InlineTable(_)) => Err(is_table()),
            Some(there) => {
                replace(there, value);
                Ok(())
            }
            None => {
                // The space before the closing brace belongs to the last value.
                let last = table.iter_mut().last().map(|(_, last)| last.decor_mut());
                let space = last.and_then(|decor| {
                    let space = decor.suffix().and_then(RawString::as_str).map(str::to_owned);
                    decor.set_suffix("");
                    space
                });
                let mut value = value;
                value.decor_mut().set_prefix(" ");
                value.decor_mut().set_suffix(space.unwrap_or_else(|| " ".to_owned()));
                table.insert(name, value);
                if let Some(mut key) = table.key_mut(name) {
                    key.leaf_decor_mut().set_prefix(" ");
                    key.leaf_decor_mut().set_suffix(" ");
                }
                Ok(())
            }
        },
        _ => Err(format!("{} stands there, and no table", kind(found))),
    }
}

/// Puts a value into the place of another one; a list that had a line for each entry keeps them.
fn replace(there: &mut TomlValue, mut value: TomlValue) {
    let lines = there.as_array().and_then(|list| {
        let prefix = list.get(0)?.decor().prefix()?.as_str().filter(|space| space.contains('\n'))?;
        let indent = prefix.rsplit_once('\n').map_or("", |(_, indent)| indent).to_owned();
        Some((indent, list.trailing_comma(), list.trailing().as_str().unwrap_or("\n").to_owned()))
    });
    if let (Some((indent, comma, trailing)), Some(list)) = (lines, value.as_array_mut()) {
        for item in list.iter_mut() {
            item.decor_mut().set_prefix(format!("\n{indent}"));
        }
        list.set_trailing_comma(comma);
        list.set_trailing(trailing);
    }
    *value.decor_mut() = there.decor().clone();
    *there = value;
}

/// Removes a key with the comment right above it. Comments that a blank line sets apart belong to what follows, and stay.
fn remove(table: &mut Table, name: &str) {
    let order: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let place = order.iter().position(|key| key == name);
    let prefix = |table: &Table, key: &str| {
        let raw =
            table.key(key).and_then(|key| key.leaf_decor().prefix().and_then(RawString::as_str).map(str::to_owned));
        raw.unwrap_or_default()
    };
    let above = prefix(table, name);
    let is_value = table.get(name).is_some_and(Item::is_value);
    table.remove(name);
    let Some(apart) = above.rfind("\n\n").map(|end| &above[..end + 2]).filter(|apart| apart.contains('#') && is_value)
    else {
        return;
    };
    let place = place.unwrap_or_default();
    let next = order.get(place + 1).filter(|next| table.get(next).is_some_and(Item::is_value));
    if let Some(next) = next {
        let own = prefix(table, next);
        if let Some(mut key) = table.key_mut(next) {
            key.leaf_decor_mut().set_prefix(format!("{apart}{own}"));
        }
    } else if let Some(before) =
        place.checked_sub(1).and_then(|n| table.get_mut(&order[n])).and_then(Item::as_value_mut)
    {
        let own = before.decor().suffix().and_then(RawString::as_str).unwrap_or_default();
        let suffix = format!("{own}\n{}", apart.trim_end());
        before.decor_mut().set_suffix(suffix);
    } else {
        let own = table.decor().suffix().and_then(RawString::as_str).unwrap_or_default();
        let suffix = format!("{own}\n{}", apart.trim_end());
        table.decor_mut().set_suffix(suffix);
    }
}

fn toml_value(value: &Value) -> Result<TomlValue, String> {
    Ok(match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.as_ref().into(),
        Value::List(list) => {
            let items = list.iter().map(toml_value).collect::<Result<Vec<_>, _>>()?;
            TomlValue::Array(Array::from_iter(items))
        }
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, item)| Ok((key, toml_value(item)?)));
            TomlValue::InlineTable(pairs.collect::<Result<Vec<_>, String>>()?.into_iter().collect())
        }
        Value::Null => return Err("TOML has no (): take the key away with `unset`".to_owned()),
        Value::Unknown(_) | Value::Secret(_) => return Err(format!("TOML holds no {}", value.kind())),
    })
}

fn collect_table(table: &Table, path: &KeyPath, leaves: &mut Vec<Leaf>) {
    for (key, item) in table {
        collect_item(item, &path.child(key), leaves);
    }
}

fn collect_item(item: &Item, path: &KeyPath, leaves: &mut Vec<Leaf>) {
    match item {
        Item::None => {}
        Item::Table(table) => collect_table(table, path, leaves),
        Item::ArrayOfTables(tables) => {
            for (index, table) in tables.iter().enumerate() {
                collect_table(table, &path.item(index), leaves);
            }
        }
        Item::Value(value) => collect_value(value, path, leaves),
    }
}

fn collect_value(value: &TomlValue, path: &KeyPath, leaves: &mut Vec<Leaf>) {
    match value {
        TomlValue::InlineTable(table) => {
            for (key, value) in table {
                collect_value(value, &path.child(key), leaves);
            }
        }
        TomlValue::Array(list) if list.iter().any(holds_table) => {
            for (index, item) in list.iter().enumerate() {
                collect_value(item, &path.item(index), leaves);
            }
        }
        value => leaves.push((path.clone(), scalar_or_list(value))),
    }
}

fn holds_table(value: &TomlValue) -> bool {
    value.is_inline_table() || value.as_array().is_some_and(|list| list.iter().any(holds_table))
}

fn scalar_or_list(value: &TomlValue) -> Value {
    match value {
        TomlValue::String(text) => Value::from(text.value().as_str()),
        TomlValue::Integer(number) => Value::Int(*number.value()),
        TomlValue::Float(number) => Value::Float(*number.value()),
        TomlValue::Boolean(truth) => Value::Bool(*truth.value()),
        TomlValue::Datetime(date) => Value::from(date.value().to_string()),
        TomlValue::Array(list) => Value::List(list.iter().map(scalar_or_list).collect()),
        TomlValue::InlineTable(_) => Value::Map([].into()),
    }
}

#[cfg(test)]
#[path = "toml_tests.rs"]
mod tests;
