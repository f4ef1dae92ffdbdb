//! Rollbacks: run newest first, each in a branch of its own.

use std::sync::Arc;

use rhai::{Dynamic, Engine, NativeCallContext};

use crate::model::{Halt, Left, Scope, ScopeKind, Segment, UnwoundStep};

use super::branch::{Branch, Owed, Rollback};
use super::errors;
use super::host::lock;

/// Runs what the branch owes, newest first, until only `base` entries are left. A rollback that fails is reported, and the
/// rest still run; a halt ends it, with the rest still owed.
pub(super) fn down_to(engine: &Engine, branch: &Arc<Branch>, base: usize) {
    loop {
        let newest = {
            let mut owed = lock(&branch.owed);
            if owed.len() <= base || branch.is_ended() { None } else { owed.pop() }
        };
        let Some(owed) = newest else { return };
        undo(engine, branch, owed);
    }
}

fn undo(engine: &Engine, branch: &Arc<Branch>, owed: Owed) {
    let scope = Scope {
        key: owed.key.child(Segment::Rollback),
        site: branch.host.site(owed.rollback.position),
        title: owed.title.clone(),
        kind: ScopeKind::Rollback,
    };
    let fault = match run(engine, branch, &scope, &owed.rollback) {
        Ok(left) => left,
        Err(halt) => {
            drop(branch.halt(halt, owed.rollback.position));
            lock(&branch.owed).push(owed);
            return;
        }
    };
    let fault = match fault {
        Left::Faulted(fault) => Some(fault),
        Left::Completed { .. } => None,
        Left::Halted | Left::Stopped => {
            lock(&branch.owed).push(owed);
            return;
        }
    };
    lock(&branch.host.unwound).push(UnwoundStep { title: owed.title, fault });
}

/// Shows a rollback without owing or undoing anything: its calls meet the world inside a rehearsal scope.
pub(super) fn rehearse(engine: &Engine, branch: &Arc<Branch>, step: &Scope, rollback: Rollback) -> Rollback {
    let scope = Scope {
        key: step.key.child(Segment::Rollback),
        site: branch.host.site(rollback.position),
        title: step.title.clone(),
        kind: ScopeKind::Rehearsal,
    };
    if let Err(halt) = run(engine, branch, &scope, &rollback) {
        drop(branch.halt(halt, rollback.position));
    }
    rollback
}

fn run(engine: &Engine, branch: &Arc<Branch>, scope: &Scope, rollback: &Rollback) -> Result<Left, Halt> {
    branch.host.world.enter(scope)?;
    let inner = branch.undoing(scope.key.clone());
    let _at_work = inner.at_work();
    let mut state = (*rollback.state).clone();
    state.tag = Dynamic::from(inner.clone());
    let source = state.source.clone();
    let context =
        NativeCallContext::new_with_all_fields(engine, "rollback", source.as_deref(), &state, rollback.position);
    let result = rollback.closure.call_raw(&context, None, []);
    let left = match result {
        _ if inner.is_ended() => Left::Halted,
        Err(error) if !error.is_pseudo_error() => {
            let fault = errors::fault(&branch.host, &error);
            // Its steps that went well before it failed are undone, as in any script that fails.
            down_to(engine, &inner, 0);
            if inner.is_ended() { Left::Halted } else { Left::Faulted(fault) }
        }
        _ => Left::Completed { owes: false },
    };
    branch.host.world.leave(scope, &left)?;
    Ok(left)
}
