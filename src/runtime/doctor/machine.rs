//! What this user may do in the project's directories.

use crate::config::TargetKind;
use crate::system::Look;

use super::super::Lifeboat;
use super::Finding;

pub(super) fn all(lifeboat: &Lifeboat, look: &Look) -> Vec<Finding> {
    let (root, state) = (&lifeboat.config().root, lifeboat.state_directory());
    let mut findings = Vec::new();
    let kept = if look.exists(&state) { &state } else { root };
    findings.push(if look.may_write(kept) {
        Finding::ok("permissions", "this user may write the journal's directory")
    } else {
        Finding::fail("permissions", format!("this user may not write {}", kept.display()))
            .hint("no run can be recorded: change its owner, or run as the user to whom it belongs")
    });
    if let Ok(owned) = look.ownership(&state)
        && owned.mode & 0o022 != 0
    {
        let message = format!("others may write {} (mode {:o})", state.display(), owned.mode);
        findings.push(Finding::warn("permissions", message).hint(format!("chmod go-w {}", state.display())));
    }
    findings.extend(stores(lifeboat, look));
    findings
}

/// Directories of backups that are there and may not be written.
fn stores(lifeboat: &Lifeboat, look: &Look) -> Vec<Finding> {
    let environments = lifeboat.config().environments.values();
    let targets = environments.flat_map(|environment| environment.targets.values().map(move |t| (environment, t)));
    let stores = targets.filter(|(_, target)| target.kind == TargetKind::Store);
    let refused = stores.filter_map(|(environment, target)| {
        let path = environment.resolve(target.settings.get("path")?.as_str()?.as_ref());
        let closed = look.exists(&path) && !look.may_write(&path);
        closed.then(|| {
            let message = format!("this user may not write {}", path.display());
            Finding::fail(format!("store {}", target.name), message).hint("change its owner or its mode")
        })
    });
    refused.collect()
}
