//! The page of the language: what a runbook consists of, and the calls that belong to the language rather than to a driver.

use std::fmt::Write as _;

use crate::primitives::Registry;

use super::primitive::content;
use super::text::GENERATED;

pub(super) fn page(registry: &Registry) -> String {
    let mut page = format!("{GENERATED}{}", include_str!("language.md"));
    for signature in registry.signatures().filter(|signature| signature.is_language) {
        let _ = write!(page, "\n## {}\n\n{}", signature.name, content(signature, registry, "###"));
    }
    page
}
