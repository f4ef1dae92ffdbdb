//! The static check: what can be said of a runbook without running it.
//!
//! Rhai resolves functions when they are called, and a call that does not exist can be caught. So a typo inside a `try` would
//! vanish: here it is found.

mod calls;
mod closures;
mod diagnostic;
mod imports;
mod names;
mod outline;
mod polling;
mod targets;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Environment;
use crate::primitives::Registry;

use super::source::{Library, Script};

pub(super) use diagnostic::UNNAMED;
pub use diagnostic::{Diagnostic, Severity};
pub use outline::{Outline, OutlinedCall, OutlinedFunction, outline, outlines};
pub use targets::{NamedTarget, named_targets};

/// Checks a runbook with its modules and the runbooks that it calls; with `environment`, its targets too. Sorted by place.
///
/// Every file that was checked is among the script's sources afterwards, so that a record of it can name them all.
pub fn check(
    script: &Script,
    registry: &Arc<Registry>,
    library: &dyn Library,
    environment: Option<&Environment>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let own_invariants = library.invariants();
    let (mut queue, mut checked) = (vec![script.clone()], BTreeSet::new());
    while let Some(script) = queue.pop() {
        if !checked.insert(script.source.name.clone()) {
            continue;
        }
        names::front_matter(&script, registry, &own_invariants, &mut found);
        let modules = imports::load(&script, library, &mut found);
        let context = calls::Context::new(&script, &modules, registry, library, environment);
        context.check(&script.ast, &script.source, &mut found);
        for module in &modules {
            context.check(&module.ast, &module.source, &mut found);
        }
        names::unused(&script, &mut found);
        polling::check(&script, registry, &mut found);
        queue.extend(context.into_children());
    }
    found.sort_by(|a, b| (&a.site.file, a.site.line, a.site.column).cmp(&(&b.site.file, b.site.line, b.site.column)));
    // Rhai's walk visits some nodes twice.
    found.dedup_by(|a, b| a.site == b.site && a.message == b.message);
    found
}

#[cfg(test)]
mod tests;
