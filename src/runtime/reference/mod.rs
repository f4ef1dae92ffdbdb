//! The reference as Markdown, made from the primitives and drivers themselves, so that it cannot tell anything else.

mod drivers;
mod evidence;
mod index;
mod language;
mod primitive;
mod protocol;
mod text;

use std::collections::BTreeMap;

use crate::primitives::Registry;

/// The pages of the reference, by path from its directory: an index, the language, the drivers, their protocol,
/// their evidence, and one page for each primitive
/// that a driver carries out. The same registry always gives the same pages.
pub fn reference(registry: &Registry) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::from([
        ("index.md".to_owned(), index::page(registry)),
        ("language.md".to_owned(), language::page(registry)),
        ("drivers.md".to_owned(), drivers::page(registry)),
        ("evidence.md".to_owned(), evidence::page(registry)),
        ("driver-protocol.md".to_owned(), protocol::page()),
    ]);
    for signature in registry.signatures().filter(|signature| !signature.is_language) {
        pages.insert(format!("primitives/{}.md", signature.name), primitive::page(signature, registry));
    }
    pages
}
