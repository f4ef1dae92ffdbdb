//! The page of what each driver knows after a crash.

use std::fmt::Write as _;

use crate::primitives::{Evidence, Registry};

use super::text::GENERATED;

pub(super) fn page(registry: &Registry) -> String {
    let mut page = format!("{GENERATED}{}", include_str!("evidence.md"));
    let mut harmless: Vec<&str> = Vec::new();
    for (primitive, target, evidence) in registry.evidence() {
        let driver =
            target.map_or_else(|| "–".to_owned(), |(kind, driver)| format!("[`{driver}`](drivers.md#{kind}-{driver})"));
        let (knows, by) = match evidence {
            Evidence::Found(by) => ("yes".to_owned(), by),
            Evidence::Given(what, by) => (format!("with {what}"), by),
            Evidence::None(by) => ("**no**".to_owned(), by),
            Evidence::NotNeeded => {
                harmless.push(primitive);
                continue;
            }
        };
        let _ = writeln!(page, "| [`{primitive}`](primitives/{primitive}.md) | {driver} | {knows} | {by} |");
    }
    let harmless: Vec<String> = harmless.iter().map(|name| format!("[`{name}`](primitives/{name}.md)")).collect();
    let _ = write!(page, "\nNothing depends on it for {}: they are done again.\n", harmless.join(", "));
    page
}
