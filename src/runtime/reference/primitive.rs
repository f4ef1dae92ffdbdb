//! The page of one primitive.

use std::fmt::Write as _;

use crate::config::TargetKind;
use crate::primitives::{ArgSpec, ArgType, Registry, Signature, TargetArg};

use super::text::{GENERATED, args, code, example, fields, sentence};

pub(super) fn page(signature: &Signature, registry: &Registry) -> String {
    format!("{GENERATED}# {}\n\n{}", signature.name, content(signature, registry, "##"))
}

/// Everything below the title; `heading` is the mark of the headings inside.
pub(super) fn content(signature: &Signature, registry: &Registry, heading: &str) -> String {
    let mut text = lead(signature);
    if signature.drill_only {
        text.push_str("\nRefused outside environments that are marked with `drill = true`.\n");
    }
    let _ = write!(text, "\n{}\n{heading} Arguments\n\n", example(signature));
    if !signature.positional.is_empty() {
        let names: Vec<String> = signature.positional.iter().map(|name| code(name)).collect();
        let others = if signature.options().next().is_some() { "; the others in a map, `#{ … }`" } else { "" };
        let _ = write!(text, "By position: {}{others}.\n\n", names.join(", "));
    }
    text.push_str(&args(in_order(signature), "It takes none."));
    let _ = write!(text, "\n{heading} Returns\n\n{}", returns(signature));
    if let Some(target) = signature.target {
        let _ = write!(text, "\n{heading} Targets\n\n{}", targets(signature.name, target, registry));
    }
    text
}

/// The arguments by position first, in their order; then the others.
fn in_order(signature: &Signature) -> impl Iterator<Item = &ArgSpec> {
    let positional = signature.positional.iter().filter_map(|name| signature.arg(name));
    positional.chain(signature.options())
}

/// The description, or else the summary.
fn lead(signature: &Signature) -> String {
    let description = signature.description.trim();
    format!("{}\n", sentence(if description.is_empty() { signature.summary } else { description }))
}

fn returns(signature: &Signature) -> String {
    let kind = &signature.output;
    match (signature.fields.is_empty(), signature.item_fields.is_empty()) {
        (false, _) => fields(&signature.fields),
        (true, false) => format!("An array; each item has these fields:\n\n{}", fields(&signature.item_fields)),
        (true, true) if *kind == ArgType::Nothing => "Nothing: `()`.\n".to_owned(),
        (true, true) if *kind == ArgType::Any => "A value of any type.\n".to_owned(),
        (true, true) => format!("A value of type {}.\n", code(&kind.to_string())),
    }
}

/// The kinds of target that it takes, with the drivers that serve it.
fn targets(name: &str, target: TargetArg, registry: &Registry) -> String {
    let mut text = format!("{} names one of these:\n\n| kind | drivers |\n|---|---|\n", code(target.name));
    for kind in target.kinds {
        let drivers: Vec<String> = serving(name, *kind, registry);
        let drivers = if drivers.is_empty() { "none yet".to_owned() } else { drivers.join(", ") };
        let _ = writeln!(text, "| {kind} | {drivers} |");
    }
    text
}

fn serving(name: &str, kind: TargetKind, registry: &Registry) -> Vec<String> {
    let drivers = registry.drivers(kind).into_iter();
    let serving = drivers.filter(|driver| registry.served_by(kind, driver).contains(name));
    serving.map(|driver| format!("[`{driver}`](../drivers.md#{kind}-{driver})")).collect()
}
