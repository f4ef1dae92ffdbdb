//! `lifeboat doc`: a primitive's page at the terminal.

use clap::Args;
use serde_json::json;

use crate::config::TargetKind;
use crate::model::did_you_mean;
use crate::primitives::{ArgSpec, FieldSpec, Registry, Signature};
use crate::runtime::Error;

use super::Exit;
use super::printer::{Printer, Style};
use super::wrap::wrap;

/// Explain a primitive: arguments, results, targets, an example
#[derive(Args)]
pub(super) struct Doc {
    /// The primitive [default: list them all]
    #[arg(value_name = "PRIMITIVE")]
    name: Option<String>,
}

impl Doc {
    pub(super) fn execute(&self, printer: &Printer) -> Result<Exit, Error> {
        let registry = Registry::standard();
        let Some(name) = &self.name else {
            list(&registry, printer);
            return Ok(Exit::Done);
        };
        let Some(signature) = registry.signature(name) else {
            let known = registry.signatures().map(|s| s.name);
            let list = "`lifeboat doc` lists them";
            let help = did_you_mean(name, known).map_or_else(|| list.to_owned(), |near| format!("{near} {list}"));
            return Err(Error::Params { why: format!("there is no primitive `{name}`"), help: Some(help) });
        };
        if printer.json {
            printer.out_json(&as_json(signature, &registry));
        } else {
            Page { printer, width: printer.width() }.print(signature, &registry);
        }
        Ok(Exit::Done)
    }
}

fn list(registry: &Registry, printer: &Printer) {
    let longest = registry.signatures().map(|s| s.name.len()).max().unwrap_or_default();
    for signature in registry.signatures() {
        if printer.json {
            printer.out_json(&json!({ "name": signature.name, "summary": signature.summary }));
            continue;
        }
        let lines = wrap(signature.summary, printer.width() - longest - 2);
        for (n, line) in lines.iter().enumerate() {
            let name = format!("{:<longest$}", if n == 0 { signature.name } else { "" });
            printer.out(&format!("{}  {line}", printer.paint(Style::Bold, &name)));
        }
    }
    if !printer.json {
        printer.err("`lifeboat doc PRIMITIVE` explains one");
    }
}

/// Each kind of target that a primitive takes, with the drivers that carry it out.
fn targets<'r>(signature: &Signature, registry: &'r Registry) -> Vec<(TargetKind, Vec<&'r str>)> {
    let kinds = signature.target.map_or(&[][..], |target| target.kinds);
    let drivers = |kind| {
        let serves = |driver: &&str| registry.served_by(kind, driver).contains(signature.name);
        registry.drivers(kind).into_iter().filter(serves).collect()
    };
    kinds.iter().map(|kind| (*kind, drivers(*kind))).collect()
}

fn as_json(signature: &Signature, registry: &Registry) -> serde_json::Value {
    let targets: Vec<_> = targets(signature, registry)
        .into_iter()
        .map(|(kind, drivers)| json!({ "kind": kind, "drivers": drivers }))
        .collect();
    json!({
        "name": signature.name,
        "summary": signature.summary,
        "description": signature.description,
        "example": signature.example,
        "positional": signature.positional,
        "args": signature.args,
        "returns": signature.output,
        "fields": signature.fields,
        "item_fields": signature.item_fields,
        "targets": targets,
        "drill_only": signature.drill_only,
    })
}

struct Page<'a> {
    printer: &'a Printer,
    width: usize,
}

impl Page<'_> {
    fn print(&self, signature: &Signature, registry: &Registry) {
        let head = format!("{}: {}", signature.name, signature.summary);
        self.text(0, &head, Some(Style::Bold));
        if !signature.description.is_empty() {
            self.printer.out("");
            // The line breaks are those of the source.
            for paragraph in signature.description.split("\n\n") {
                self.text(2, &paragraph.replace('\n', " "), None);
            }
        }
        self.heading("Example");
        signature.example.lines().for_each(|line| self.printer.out(&format!("  {line}")));
        let (first, options): (Vec<_>, Vec<_>) =
            signature.args.iter().partition(|arg| signature.positional.contains(&arg.name.as_str()));
        self.arguments("Arguments", &in_order(&first, signature.positional));
        self.arguments("Options, in #{ … } at the end", &options);
        self.returns(signature);
        self.targets(signature, registry);
        if signature.drill_only {
            self.printer.out("");
            self.text(2, "Only in drill environments: anywhere else it is refused.", Some(Style::Caution));
        }
    }

    fn heading(&self, text: &str) {
        self.printer.out("");
        self.printer.out(&self.printer.paint(Style::Bold, text));
    }

    fn text(&self, indent: usize, text: &str, style: Option<Style>) {
        for line in wrap(text, self.width - indent) {
            let line = style.map_or_else(|| line.clone(), |style| self.printer.paint(style, &line));
            self.printer.out(&format!("{:indent$}{line}", ""));
        }
    }

    fn entry(&self, name: &str, kind: &str, doc: &str) {
        let fits = 4 + name.chars().count() + kind.chars().count() <= self.width;
        if fits {
            self.printer.out(&format!("  {name}  {}", self.printer.paint(Style::Dim, kind)));
        } else {
            self.printer.out(&format!("  {name}"));
            self.text(6, kind, Some(Style::Dim));
        }
        if !doc.is_empty() {
            self.text(6, doc, None);
        }
    }

    fn arguments(&self, title: &str, args: &[&ArgSpec]) {
        if args.is_empty() {
            return;
        }
        self.heading(title);
        for arg in args {
            let more = match (&arg.default, arg.required) {
                (Some(default), _) if !is_empty(default) => format!(", default {default}"),
                (_, true) => ", required".to_owned(),
                _ => String::new(),
            };
            self.entry(&arg.name, &format!("{}{more}", arg.kind), &arg.doc);
        }
    }

    fn returns(&self, signature: &Signature) {
        self.heading("Returns");
        if signature.fields.is_empty() {
            self.text(2, &signature.output.to_string(), None);
        }
        for FieldSpec { name, kind, doc } in signature.fields.iter().chain(&signature.item_fields) {
            self.entry(name, &kind.to_string(), doc);
        }
    }

    fn targets(&self, signature: &Signature, registry: &Registry) {
        let targets = targets(signature, registry);
        if targets.is_empty() {
            return;
        }
        self.heading("Targets");
        for (kind, drivers) in targets {
            self.text(2, &format!("a {kind}, served by {}", drivers.join(" or ")), None);
        }
    }
}

/// What is empty unless it is given says nothing by its default.
fn is_empty(default: &serde_json::Value) -> bool {
    default.as_object().is_some_and(serde_json::Map::is_empty) || default.as_array().is_some_and(Vec::is_empty)
}

/// Arguments in the order in which they are written.
fn in_order<'a>(args: &[&'a ArgSpec], order: &[&str]) -> Vec<&'a ArgSpec> {
    order.iter().filter_map(|name| args.iter().copied().find(|arg| arg.name == *name)).collect()
}
