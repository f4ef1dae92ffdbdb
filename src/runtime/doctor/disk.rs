//! Space: for the journal, and for backups beside what is there.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::config::{Environment, Target, TargetKind};
use crate::system::Look;

use super::super::Lifeboat;
use super::{Finding, size};

/// Below this, records of runs are at risk.
const TIGHT: u64 = 64 << 20;
/// Fewer backups than this should still fit.
const FEW: u64 = 3;

pub(super) fn all(lifeboat: &Lifeboat, environment: &Environment, look: &Look) -> Vec<Finding> {
    let mut findings = vec![journal(lifeboat, look)];
    let databases = environment.targets.values().filter(|target| target.kind == TargetKind::Database);
    findings.extend(databases.filter_map(|target| backups(lifeboat, environment, target, look)));
    findings
}

fn journal(lifeboat: &Lifeboat, look: &Look) -> Finding {
    match look.disk(&lifeboat.config().root) {
        Ok(disk) if disk.free < TIGHT => {
            Finding::fail("disk", format!("only {} are free for the journal", size(disk.free)))
                .hint("a run stops before an effect that it cannot record: make room")
        }
        Ok(disk) => Finding::ok("disk", format!("{} are free for the journal", size(disk.free))),
        Err(error) => Finding::warn("disk", format!("the space for the journal cannot be told: {error}")),
    }
}

/// How many more backups of a database fit into its store, and whether one can be unpacked to be verified.
fn backups(lifeboat: &Lifeboat, environment: &Environment, database: &Target, look: &Look) -> Option<Finding> {
    let path = |target: &Target| {
        let path = target.settings.get("path").and_then(Json::as_str)?;
        Some(environment.resolve(path.as_ref()))
    };
    let len = look.len(&path(database)?).ok().filter(|len| *len > 0)?;
    let name = database.settings.get("store").and_then(Json::as_str);
    let subject = format!("database {}", database.name);
    let Some(store) = name.and_then(|name| environment.targets.get(name)) else {
        return Some(Finding::warn(subject, "has no store for backups").hint("set `store` at it in lifeboat.toml"));
    };
    let free = look.disk(&existing(&path(store)?, look)).ok()?.free;
    let scratch = look.disk(&existing(&lifeboat.state_directory(), look)).ok()?.free;
    let fit = free / len;
    let message = format!("{} in size: {fit} uncompressed backups fit into {}", size(len), store.name);
    Some(match fit {
        0 => Finding::fail(subject, message).hint("a backup would fail for lack of space: make room"),
        _ if scratch < len => {
            Finding::fail(subject, format!("{} are free to unpack a backup of {}", size(scratch), size(len)))
                .hint("verifying a backup needs that space below .lifeboat: make room")
        }
        fit if fit < FEW => Finding::warn(subject, message).hint("make room, or remove old backups"),
        // Beyond that the number says nothing.
        fit if fit > 100 => {
            Finding::ok(subject, format!("{} in size: more than 100 backups fit into {}", size(len), store.name))
        }
        _ => Finding::ok(subject, message),
    })
}

/// The nearest directory above `path` that is there.
fn existing(path: &Path, look: &Look) -> PathBuf {
    path.ancestors().find(|path| look.exists(path)).unwrap_or(path).to_owned()
}
