//! Reads `[environments.NAME]`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::model::instead;

use super::parse_target::{Names, targets};
use super::reader::{Node, Reader};
use super::{Environment, ProcessSpec, TargetKind, parse_approvals, parse_secrets};

/// The keys of an environment that are not tables of targets.
const KEYS: [&str; 6] = ["protected", "approvals", "drill", "independent", "processes", "secrets"];
/// The keys of a process.
const PROCESS_KEYS: [&str; 3] = ["name", "command", "ready"];

const PAIRS: &str = "independent = [[\"web\", \"docs\"]]";
const COMMAND: &str = "command = [\"program\", \"argument\"]";

pub(super) fn read(reader: &mut Reader<'_>, root: &Path, name: &str, value: &Node<'_>) -> Environment {
    let mut environment = Environment {
        name: name.to_owned(),
        protected: false,
        approvals: None,
        drill: false,
        root: root.to_path_buf(),
        targets: BTreeMap::new(),
        independent: Vec::new(),
        processes: Vec::new(),
        documents_elsewhere: BTreeMap::new(),
        secrets: BTreeMap::new(),
        secret_stores: BTreeMap::new(),
    };
    let header = format!("[environments.{name}]");
    let Some(table) = reader.table(&format!("environment `{name}`"), value, &header) else { return environment };
    let known: Vec<_> = KEYS.into_iter().chain(TargetKind::ALL.map(TargetKind::table)).collect();
    reader.keys(table, &known, &format!("environment {name}"));
    environment.protected = reader.truth(table, "protected");
    environment.approvals = parse_approvals::read(reader, root, name, table);
    environment.drill = reader.truth(table, "drill");
    if let (true, true, Some((key, _))) = (environment.protected, environment.drill, table.get_key_value("drill")) {
        let message = format!("environment {name} is both protected and for drills");
        reader.wrong(key.span(), message, "a drill breaks things on purpose: give it an environment of its own");
    }
    let names;
    (environment.targets, names) = targets(reader, name, table);
    environment.secrets = parse_secrets::read(reader, root, name, table);
    environment.secret_stores = parse_secrets::stores(reader, table);
    parse_secrets::references(reader, name, &environment.targets, &environment.secrets);
    environment.independent = independent(reader, name, table, &names);
    environment.processes = processes(reader, name, table, &names);
    environment
}

/// Notes a reference to a target that does not exist.
fn reference(reader: &mut Reader<'_>, target: &str, value: &Node<'_>, environment: &str, names: &Names) {
    if !names.contains_key(target) {
        let known: Vec<_> = names.keys().map(String::as_str).collect();
        let message = format!("there is no target `{target}` in environment {environment}");
        reader.wrong(value.span(), message, instead(target, &known, "targets"));
    }
}

fn independent(reader: &mut Reader<'_>, name: &str, table: &DeTable<'_>, names: &Names) -> Vec<(String, String)> {
    let list = table.get("independent").and_then(|value| reader.list("`independent`", value, PAIRS));
    let mut pairs = Vec::new();
    for pair in list.into_iter().flatten() {
        let two = match pair.get_ref() {
            DeValue::Array(two) => &**two,
            _ => &[],
        };
        let [one, other] = two else {
            let message = "each entry of `independent` must be a pair of targets";
            reader.wrong(pair.span(), message, format!("write it as `{PAIRS}`"));
            continue;
        };
        let mut target = |value| {
            let target = reader.text("a target", value, PAIRS)?;
            reference(reader, &target, value, name, names);
            Some(target)
        };
        let (Some(a), Some(b)) = (target(one), target(other)) else { continue };
        if a == b {
            let message = format!("`{a}` cannot be independent of itself");
            reader.wrong(
                pair.span(),
                message,
                "name two targets of which neither can be changed by a change of the other",
            );
        }
        pairs.push((a, b));
    }
    pairs
}

fn processes(reader: &mut Reader<'_>, environment: &str, table: &DeTable<'_>, names: &Names) -> Vec<ProcessSpec> {
    let header = format!("[[environments.{environment}.processes]]");
    let mut processes = Vec::<ProcessSpec>::new();
    let list = match table.get("processes") {
        Some(value) if !value.get_ref().is_array() => {
            let help = format!("begin each process with `{header}`");
            reader.wrong(value.span(), "`processes` must be a list of tables", help);
            return processes;
        }
        Some(value) => value.get_ref().as_array(),
        None => None,
    };
    for value in list.into_iter().flat_map(|list| list.iter()) {
        let Some(process) = reader.table("a process", value, &header) else { continue };
        let place = format!("a process of environment {environment}");
        reader.keys(process, &PROCESS_KEYS, &place);
        let name = required(reader, process, value, "name", "name = \"web\"").and_then(|value| {
            let name = reader.text("the name of a process", value, "name = \"web\"")?;
            reader.name(&name, value.span(), "a process");
            if processes.iter().any(|p| p.name == name) {
                let message = format!("there are two processes called `{name}` in environment {environment}");
                reader.wrong(value.span(), message, "give one of them another name");
            }
            Some(name)
        });
        let command = required(reader, process, value, "command", COMMAND).map(|value| command(reader, value));
        let ready = process.get("ready").and_then(|value| {
            let target = reader.text("`ready`", value, "ready = \"TARGET\"")?;
            reference(reader, &target, value, environment, names);
            Some(target)
        });
        // What lacks a name or a command was noted above.
        if let (Some(name), Some(command)) = (name, command) {
            processes.push(ProcessSpec { name, command, ready });
        }
    }
    processes
}

/// The value of `key` in a process that stands at `whole`; its absence is a mistake.
fn required<'t, 'i>(
    reader: &mut Reader<'_>,
    process: &'t DeTable<'i>,
    whole: &Node<'_>,
    key: &str,
    example: &str,
) -> Option<&'t Node<'i>> {
    let value = process.get(key);
    if value.is_none() {
        reader.wrong(whole.span(), format!("a process has no `{key}`"), format!("add `{example}`"));
    }
    value
}

fn command(reader: &mut Reader<'_>, value: &Node<'_>) -> Vec<String> {
    let Some(parts) = reader.list("`command`", value, COMMAND) else { return Vec::new() };
    if parts.is_empty() {
        reader.wrong(value.span(), "`command` must name a program", format!("write it as `{COMMAND}`"));
    }
    let mut command = Vec::with_capacity(parts.len());
    for (i, part) in parts.iter().enumerate() {
        match part.get_ref().as_str() {
            // An argument may be empty; a program may not.
            Some("") if i > 0 => command.push(String::new()),
            _ => command.extend(reader.text("each part of `command`", part, COMMAND)),
        }
    }
    command
}
