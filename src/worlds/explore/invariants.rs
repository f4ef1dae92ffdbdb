//! What no path may do, whichever way its calls end.

use std::collections::HashMap;

use crate::model::{INVARIANTS, ImpactKind, Value};
use crate::primitives::Primitive as _;
use crate::primitives::maintenance::Maintenance;

use super::effect::Effect;
use super::ledger::{Held, Ledger, Standing};
use super::{Call, Ending, Path, Step, Visit};

/// Where a path breaks it: the visit, and in which way.
type Broken = (usize, String);

/// Of a path that ends so, in a protected environment or in another.
type Check = fn(&Path, &Ending, bool) -> Option<Broken>;

/// A path that breaks an invariant.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The invariant's position in [`INVARIANTS`].
    pub invariant: usize,
    /// Which visit of the path breaks it.
    pub at: usize,
    /// In which way.
    pub why: String,
}

/// How each of [`INVARIANTS`] is checked, in their order.
const CHECKS: [Check; INVARIANTS.len()] =
    [maintenance_restored, open_only_when_healthy, backup_before_destroying, told, no_destruction_after_failure, ends];

/// The invariants that a path breaks. `protected`: whether it runs in a protected environment.
pub fn broken(path: &Path, ending: &Ending, protected: bool) -> Vec<Violation> {
    let each = INVARIANTS.iter().zip(CHECKS).enumerate();
    each.filter_map(|(invariant, (_, check))| {
        let (at, why) = check(path, ending, protected)?;
        Some(Violation { invariant, at, why })
    })
    .collect()
}

/// The calls with their positions among the visits.
fn calls(path: &Path) -> impl Iterator<Item = (usize, &Call)> {
    path.visits.iter().enumerate().filter_map(|(n, visit)| Some((n, visit.call()?)))
}

fn text<'a>(call: &'a Call, argument: &str) -> Option<&'a str> {
    call.args.get(argument).and_then(Value::as_str)
}

fn on(call: &Call) -> &str {
    call.target.as_deref().unwrap_or_default()
}

fn fails(ending: &Ending) -> bool {
    matches!(ending, Ending::Restored { .. } | Ending::LeftChanged { .. } | Ending::Mistake { .. } | Ending::Endless)
}

fn maintenance_restored(path: &Path, ending: &Ending, _: bool) -> Option<Broken> {
    if !fails(ending) {
        return None;
    }
    if !calls(path).any(|(_, call)| call.changed && call.primitive == Maintenance::NAME) {
        return None;
    }
    let ledger = Ledger::of(path);
    let closed = |held: &Held| {
        let at = held.set_by.filter(|_| held.name == Maintenance::SIDE)?;
        let stays = ledger.now(held) == Some("on".into()) && ledger.since_it_began(held) != Standing::AsItWas;
        (stays && !is_opening_tried(path, (at, held.target))).then_some(at)
    };
    let at = ledger.held.iter().filter_map(closed).min()?;
    let call = path.visits.get(at)?.call()?;
    let around = |is: fn(&Step) -> bool| path.around(call).any(is);
    let because = if call.undoing {
        ": a rollback has closed it"
    } else if around(|step| step.forgone) {
        ": a point of no return has cancelled its rollback"
    } else if around(|step| step.undone) {
        ": its rollback does not open it"
    } else if around(|step| step.tried) {
        ": its rollback fails before it opens it"
    } else {
        ""
    };
    Some((at, format!("{} stays in maintenance{because}", on(call))))
}

/// Whether a rollback was to open what this call has closed. However that ended: it was tried.
fn is_opening_tried(path: &Path, (at, target): (usize, &str)) -> bool {
    let opens = |call: &Call| {
        let mut sides = call.effect.as_deref().into_iter().flat_map(Effect::sets);
        sides.any(|side| side.name == Maintenance::SIDE && side.value_after(None) != Some("on".into()))
    };
    let later = calls(path).filter(|(n, call)| *n > at && call.undoing && on(call) == target);
    later.map(|(_, call)| call).any(opens)
}

/// Whether a look says that its target works; none where it says nothing of that.
fn healthy(call: &Call) -> Option<bool> {
    match call.primitive {
        "probe" => Some(call.way == "pass" || call.way == "warn"),
        "health" => Some(call.way != "unhealthy"),
        _ => None,
    }
}

/// To what a call lets traffic.
fn opens(call: &Call) -> Option<&str> {
    match call.primitive {
        "maintenance" if text(call, "state") == Some("off") => Some(on(call)),
        "route" if call.args.get("percent") != Some(&Value::Int(0)) => text(call, "to"),
        _ => None,
    }
}

fn open_only_when_healthy(path: &Path, _: &Ending, _: bool) -> Option<Broken> {
    let mut ill: HashMap<&str, u32> = HashMap::new();
    for (n, call) in calls(path) {
        match healthy(call) {
            Some(true) => drop(ill.remove(on(call))),
            Some(false) => drop(ill.insert(on(call), call.site.line)),
            // What a rollback opens was open before.
            None if call.changed && !call.undoing => {
                let opened = opens(call).and_then(|target| Some((target, ill.get(target)?)));
                if let Some((target, line)) = opened {
                    return Some((n, format!("{target} gets traffic, and its check in line {line} failed")));
                }
            }
            None => {}
        }
    }
    None
}

/// Whether a call proves that there is a backup of its target that can be restored.
fn proves_backup(call: &Call) -> bool {
    match call.primitive {
        "verify_backup" => call.way == "pass",
        "latest_backup" => !call.failed && call.args.get("verified") == Some(&Value::Bool(true)),
        _ => false,
    }
}

fn backup_before_destroying(path: &Path, _: &Ending, protected: bool) -> Option<Broken> {
    if !protected {
        return None;
    }
    let mut proved: Vec<&str> = Vec::new();
    for (n, call) in calls(path) {
        if proves_backup(call) {
            proved.push(on(call));
        }
        let destroys = call.kind == ImpactKind::Destroy && call.target.is_some() && !call.undoing;
        if destroys && !proved.contains(&on(call)) {
            return Some((n, format!("{} {} without a verified backup of it before", call.primitive, on(call))));
        }
    }
    None
}

fn told(path: &Path, ending: &Ending, _: bool) -> Option<Broken> {
    let matters = |call: &Call| call.changed && call.kind.is_change() && !call.undoing;
    // Nobody needs to hear of what is only added.
    let harmless = |call: &Call| call.effect.as_deref().is_some_and(Effect::only_adds);
    let first = calls(path).find(|(_, call)| matters(call) && !harmless(call));
    let (at, call) = first.filter(|_| fails(ending))?;
    let tells = |visit: &Visit| match visit {
        Visit::Called(call) => matches!(call.primitive, "notify" | "resolve") && !call.failed,
        // Whoever cancels it knows.
        Visit::Cancelled { .. } => true,
        _ => false,
    };
    let what = [call.primitive, on(call)].join(" ");
    let why = format!("{} takes place, the run fails, and nobody hears of it", what.trim_end());
    (!path.visits.iter().any(tells)).then_some((at, why))
}

fn no_destruction_after_failure(path: &Path, _: &Ending, _: bool) -> Option<Broken> {
    let mut failed: HashMap<(&str, &str), u32> = HashMap::new();
    for (n, call) in calls(path) {
        if matches!(call.primitive, "verify_backup" | "drift") {
            let what = (call.primitive, on(call));
            if matches!(call.way, "pass" | "same") {
                failed.remove(&what);
            } else {
                failed.insert(what, call.site.line);
            }
        }
        if call.kind == ImpactKind::Destroy && call.changed && !call.undoing {
            let check = failed.iter().min_by_key(|(_, line)| **line);
            if let Some(((primitive, target), line)) = check {
                let why = format!(
                    "{} {} takes place, although {primitive} {target} in line {line} failed",
                    call.primitive,
                    on(call)
                );
                return Some((n, why));
            }
        }
    }
    None
}

fn ends(path: &Path, ending: &Ending, _: bool) -> Option<Broken> {
    let why = "it goes on and on: wait with `wait_until` or `retry`, not with a loop";
    (*ending == Ending::Endless).then(|| (path.visits.len().saturating_sub(1), why.to_owned()))
}
