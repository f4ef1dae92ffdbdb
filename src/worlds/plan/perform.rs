//! One call, planned.

use std::collections::BTreeMap;

use crate::model::{
    Basis, Case, CaseResult, Fault, Halt, ImpactKind, Invocation, Outcome, Performed, PlanLine, PlanResult, Rewrite,
    Symbol, Value,
};
use crate::primitives::{Preview, Signature};
use crate::worlds::cast::Role;

use super::state::{CALLS, Cause};
use super::{OFFLINE, PlanWorld, result};

/// What is known of a call.
struct Known {
    outcome: Outcome,
    basis: Basis,
    because: Option<String>,
    preview: Option<Preview>,
    /// The files that decide what it does, whatever else is known.
    inputs: BTreeMap<String, String>,
}

impl PlanWorld {
    pub(super) fn planned(&self, call: &Invocation) -> Result<Performed, Halt> {
        let role = self.cast.role(call)?;
        if !self.state().count() {
            return Err(Halt::Unplannable {
                why: format!("it makes more than {CALLS} calls"),
                site: call.site.clone(),
                hint: Some("a plan of so many lines is read by nobody: does the loop end?".into()),
            });
        }
        let known = match self.pinned(call, &role)? {
            Some(known) => known,
            None if self.offline => assumed(call, &role, Some(OFFLINE.to_owned())),
            None if role.impact.kind == ImpactKind::Look => self.looked(call, &role)?,
            None => self.previewed(call, &role),
        };
        let changed = role.impact.kind.is_change();
        let redactor = self.look.secrets().redactor();
        // As a run has it: a script that catches a fault may ask where it happened, and on what.
        let placed = known.outcome.map_err(|mut fault| {
            fault.site.get_or_insert_with(|| call.site.to_string());
            fault.target = fault.target.or_else(|| role.target.map(str::to_owned));
            fault
        });
        let known = Known { outcome: redactor.outcome(placed), ..known };
        let outcome = known.outcome.clone();
        let line = redactor.line(line(call, &role, known));
        let mut state = self.state();
        // What would change nothing as things are now may well change something once they are different.
        if changed && (line.symbol != Symbol::Nothing || line.basis == Basis::Assumed) {
            let text =
                format!("after {} {} at line {}", call.primitive, role.impact.targets.join(", "), call.site.line);
            state.causes.push(Cause::change(role.impact.targets.clone(), text));
        }
        if matches!(role.impact.kind, ImpactKind::Ask | ImpactKind::Wait) {
            let what = if role.impact.kind == ImpactKind::Ask { "a person answered" } else { "waiting" };
            state.causes.push(Cause::everything(format!("after {what} at line {}", call.site.line)));
        }
        state.add(line);
        Ok(Performed { outcome, changed })
    }

    /// What the reader pinned. It holds until the plan itself changes the target.
    fn pinned(&self, call: &Invocation, role: &Role) -> Result<Option<Known>, Halt> {
        if self.state().has_changed(&role.impact.targets) {
            return Ok(None);
        }
        let cases = role.signature.cases(&call.args).unwrap_or_default();
        let Some(case) = self.pinned_case(call, role.target, cases)? else { return Ok(None) };
        let outcome = of_case(call, (role.signature, role.target), &case);
        Ok(Some(Known { outcome, basis: Basis::Pinned, because: None, preview: None, inputs: BTreeMap::new() }))
    }

    /// How the reader pinned a call of `wait_until`, `hold` or `retry`.
    pub(super) fn pinned_repeat(&self, call: &Invocation) -> Result<Option<Outcome>, Halt> {
        let Some(signature) = self.cast.registry.signature(call.primitive) else { return Ok(None) };
        let case = self.pinned_case(call, None, signature.cases(&call.args).unwrap_or_default())?;
        Ok(case.map(|case| of_case(call, (signature, None), &case)))
    }

    fn pinned_case(&self, call: &Invocation, target: Option<&str>, cases: Vec<Case>) -> Result<Option<Case>, Halt> {
        let found = self.assumptions.iter().position(|assumption| assumption.meets(call.primitive, target));
        let Some(index) = found else { return Ok(None) };
        let assumption = &self.assumptions[index];
        let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
        let hint = format!("it can end in: {}", names.join(", "));
        let Some(case) = cases.into_iter().find(|case| case.name == assumption.case) else {
            return Err(Halt::Refused {
                why: format!("`{assumption}`: `{}` cannot end in `{}`", call.primitive, assumption.case),
                hint: Some(hint),
            });
        };
        self.state().used[index] = true;
        Ok(Some(case))
    }

    fn looked(&self, call: &Invocation, role: &Role) -> Result<Known, Halt> {
        if let Some(because) = self.state().stale(&self.cast.environment, &role.impact.targets) {
            return Ok(assumed(call, role, Some(because)));
        }
        if let Some(unknown) = call.args.find_unknown() {
            return Ok(assumed(call, role, Some(format!("{unknown} is not known"))));
        }
        if role.signature.fleeting {
            let because = format!("what `{}` returns is known in the run only", call.primitive);
            return Ok(assumed(call, role, Some(because)));
        }
        let outcome = self.handle.block_on(async {
            let look = async {
                match role.handler.observe(&call.args, &self.look) {
                    Some(observed) => (observed.await, None),
                    None => preview_of_look(role.handler.preview(&call.args, &self.look).await),
                }
            };
            tokio::select! {
                outcome = look => Ok(outcome),
                () = self.look.cancel().wait() => Err(self.look.cancel().requested().unwrap_or(Halt::Cancelled)),
            }
        });
        let (outcome, preview) = outcome?;
        Ok(Known { outcome, basis: Basis::Observed, because: None, preview, inputs: BTreeMap::new() })
    }

    fn previewed(&self, call: &Invocation, role: &Role) -> Known {
        let stale = self.state().stale(&self.cast.environment, &role.impact.targets);
        let changed = role.impact.kind.is_change() && self.state().has_changed(&role.impact.targets);
        let mut preview = match self.handle.block_on(role.handler.preview(&call.args, &self.look)) {
            // The driver has compared with a state that the plan itself will have changed by then.
            Ok(preview) if changed && preview.assumed.is_none() => {
                return Known { inputs: preview.inputs, ..assumed(call, role, stale) };
            }
            Ok(preview) => preview,
            Err(_) if changed => return assumed(call, role, stale),
            // The driver cannot say anything: an argument is not known yet, or what it looks at does not answer.
            Err(fault) => {
                let because = match call.args.find_unknown() {
                    Some(unknown) => format!("{unknown} is not known"),
                    None => fault.message,
                };
                return assumed(call, role, Some(because));
            }
        };
        if let (Some(fault), Some(_)) = (&preview.fault, preview.assumed.as_ref().filter(|_| stale.is_some())) {
            preview.notes.push(format!("as things are now it would fail: {}", fault.message));
        }
        let inputs = std::mem::take(&mut preview.inputs);
        match (&preview.fault, role.impact.kind) {
            // A fault predicted from a state that will have changed by then is no prediction.
            (Some(fault), _) if stale.is_none() => {
                let outcome = Err(fault.clone());
                Known { outcome, basis: Basis::Predicted, because: None, preview: Some(preview), inputs }
            }
            (_, ImpactKind::Ask | ImpactKind::Wait) => {
                let outcome = likely(call, role);
                Known { outcome, basis: Basis::Assumed, because: None, preview: Some(preview), inputs }
            }
            _ => {
                let certain = overlay(likely(call, role), &preview.output);
                let outcome = certain.map(|certain| role.signature.assumed_output(&call.args, &certain));
                let because = stale.or_else(|| preview.assumed.clone());
                let basis = if because.is_some() { Basis::Assumed } else { Basis::Predicted };
                Known { outcome, basis, because, preview: Some(preview), inputs }
            }
        }
    }
}

/// The likely way in which a call ends.
fn likely(call: &Invocation, role: &Role) -> Outcome {
    match role.signature.cases(&call.args).unwrap_or_default().first() {
        Some(case) => of_case(call, (role.signature, role.target), case),
        None => Ok(role.signature.assumed_output(&call.args, &Value::Map(BTreeMap::default()))),
    }
}

/// A call that nobody looked at.
fn assumed(call: &Invocation, role: &Role, because: Option<String>) -> Known {
    Known { outcome: likely(call, role), basis: Basis::Assumed, because, preview: None, inputs: BTreeMap::new() }
}

/// A look by a driver that can also change things: its preview says what it saw.
fn preview_of_look(preview: Result<Preview, Fault>) -> (Outcome, Option<Preview>) {
    match preview {
        Ok(preview) => match &preview.fault {
            Some(fault) => (Err(fault.clone()), Some(preview)),
            None => (Ok(preview.output.clone()), Some(preview)),
        },
        Err(fault) => (Err(fault), None),
    }
}

fn of_case(call: &Invocation, (signature, target): (&Signature, Option<&str>), case: &Case) -> Outcome {
    match &case.result {
        CaseResult::Returns(certain) => Ok(signature.assumed_output(&call.args, certain)),
        CaseResult::Fails { code, applied } => {
            let mut fault = Fault::new(code, format!("{} ends in `{}`, as assumed", call.primitive, case.name));
            fault.target = target.map(str::to_owned);
            fault.site = Some(call.site.to_string());
            Err(fault.applied(*applied))
        }
    }
}

/// The likely outcome, with what the driver predicts on top. What is still unknown there is left to be labelled.
fn overlay(likely: Outcome, predicted: &Value) -> Outcome {
    match (likely?, predicted) {
        (Value::Map(mut map), Value::Map(predicted)) => {
            map.retain(|_, value| value.find_unknown().is_none());
            map.extend(predicted.iter().map(|(name, value)| (name.clone(), value.clone())));
            Ok(Value::Map(map))
        }
        (likely, Value::Map(empty)) if empty.is_empty() => Ok(likely),
        (_, predicted) => Ok(predicted.clone()),
    }
}

fn line(call: &Invocation, role: &Role, known: Known) -> PlanLine {
    let target_name = role.signature.target.map(|t| t.name);
    let preview = known.preview;
    let symbol = preview.as_ref().map_or(symbol_of(role.impact.kind), |p| p.symbol);
    let mut summary = match &preview {
        Some(preview) => preview.summary.clone(),
        None => result::of_args(&call.args, role.target, target_name),
    };
    if role.impact.kind == ImpactKind::Look && preview.is_none() {
        let found = match &known.outcome {
            Ok(value) => result::of_look(value),
            Err(fault) => fault.message.clone(),
        };
        summary = format!("{summary} → {found}");
    }
    let (before, after, notes) = preview.map_or((None, None, Vec::new()), |p| (p.before, p.after, p.notes));
    PlanLine {
        key: call.key.clone(),
        site: call.site.clone(),
        primitive: call.primitive.to_owned(),
        args: call.args.clone(),
        impact: role.impact.clone(),
        symbol,
        summary,
        basis: known.basis,
        because: known.because,
        before,
        after,
        notes,
        inputs: known.inputs,
        result: match known.outcome {
            Ok(value) => PlanResult::Returns(value),
            Err(fault) => PlanResult::Throws(fault),
        },
        took: None,
    }
}

fn symbol_of(kind: ImpactKind) -> Symbol {
    match kind {
        ImpactKind::Look => Symbol::Look,
        ImpactKind::Change => Symbol::Change,
        ImpactKind::Destroy => Symbol::Destroy,
        ImpactKind::Tell => Symbol::Tell,
        ImpactKind::Ask => Symbol::Ask,
        ImpactKind::Wait => Symbol::Wait,
        ImpactKind::Mark => Symbol::Mark,
    }
}
