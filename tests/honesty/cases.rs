//! The cases, by what they are about.

mod changes;
mod databases;
mod failures;
mod language;
mod moved;
mod people;
mod probing;
mod releases;
mod secrets;
mod unknowns;

use crate::case::Named;

/// All of them, with their names.
pub(crate) fn all() -> Vec<Named> {
    [
        changes::CASES,
        databases::CASES,
        failures::CASES,
        language::CASES,
        moved::CASES,
        people::CASES,
        probing::CASES,
        releases::CASES,
        secrets::CASES,
        unknowns::CASES,
    ]
    .concat()
}
