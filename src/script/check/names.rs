//! Names that mean nothing: keys of the front matter, parameters that nobody reads.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr};

use super::diagnostic::Diagnostic;
use crate::model::{INVARIANTS, Site, Span, did_you_mean};
use crate::primitives::Registry;
use crate::script::front_matter::FrontMatter;
use crate::script::source::Script;

/// Keys that mean nothing, objectives that are no durations.
pub(super) fn front_matter(
    script: &Script,
    registry: &Registry,
    own_invariants: &[String],
    found: &mut Vec<Diagnostic>,
) {
    let mut names = BTreeSet::new();
    for (line, scenario) in script.front_matter.scenarios() {
        let site = Site { file: script.source.name.clone(), line, column: 5 };
        let known = scenario.and_then(|scenario| {
            scenario.assumptions.iter().try_for_each(|assumption| registry.knows(assumption)).map(|()| scenario.name)
        });
        let (message, help) = match known {
            Ok(name) if names.insert(name.clone()) => continue,
            Ok(name) => (format!("there are two scenarios `{name}`"), Some("give each a name of its own".to_owned())),
            Err(wrong) => (wrong.message, wrong.hint),
        };
        let error = Diagnostic::error("front-matter", &script.source, site, "scenario".len(), message);
        found.push(error.maybe_help(help));
    }
    for (key, value, line) in &script.front_matter.entries {
        let site = Site { file: script.source.name.clone(), line: *line, column: 5 };
        let error = |code, message| Diagnostic::error(code, &script.source, site.clone(), key.len(), message);
        if !FrontMatter::KEYS.contains(&key.as_str()) {
            let known = FrontMatter::KEYS.iter().copied();
            let help = did_you_mean(key, known.clone())
                .unwrap_or_else(|| format!("known keys: {}", known.collect::<Vec<_>>().join(", ")));
            found.push(error("front-matter", format!("`{key}` means nothing in front matter")).warning().help(help));
        }
        if key == "waive" {
            let (name, reason) = value.split_once(':').unwrap_or((value, ""));
            let known = INVARIANTS.iter().map(|(name, _)| *name).chain(own_invariants.iter().map(String::as_str));
            if !known.clone().any(|known| known == name.trim()) {
                let all = || format!("the invariants: {}", known.clone().collect::<Vec<_>>().join(", "));
                let help = did_you_mean(name.trim(), known.clone()).unwrap_or_else(all);
                found.push(error("front-matter", format!("there is no invariant `{}`", name.trim())).help(help));
            } else if reason.trim().is_empty() {
                let help = format!("write it as `//! waive: {}: WHY`", name.trim());
                found.push(error("front-matter", "a waiver gives its reason".to_owned()).help(help));
            }
        }
        if matches!(key.as_str(), "rto" | "rpo" | "deadline")
            && let Err(why) = value.parse::<Span>()
        {
            found.push(error("front-matter", format!("{key}: {why}")));
        }
    }
}

/// Parameters that the script never reads.
pub(super) fn unused(script: &Script, found: &mut Vec<Diagnostic>) {
    let mut read = std::collections::BTreeSet::new();
    script.ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::Variable(variable, ..))) = path.last() {
            read.insert(variable.1.to_string());
        }
        true
    });
    for param in script.params.iter().filter(|param| !read.contains(&param.name)) {
        let site = Site { file: script.source.name.clone(), line: param.line, column: param.column };
        let message = format!("parameter `{}` is never used", param.name);
        let unused = Diagnostic::error("unused", &script.source, site, param.name.len(), message);
        found.push(unused.warning().help("remove it, or use it"));
    }
}
