//! The ways in which one call can end.

use std::sync::{Arc, OnceLock, PoisonError};

use crate::model::{
    Applied, Assumption, Case, CaseResult, Fault, Halt, HappeningKind, Impact, ImpactKind, Invocation, Manner, Mood,
    Outcome, Performed, Site, Unknown, Value,
};
use crate::primitives::{ArgType, Signature};

use super::cases::{CANCELLED, IN_DOUBT, Tally, WalkedCalls, note};
use super::effect::Effect;
use super::limits::{LATE, Time};
use super::story::{is_ill, said};
use super::trace::manner;
use super::{Call, Explore, VISITS, Visit, Walk};

/// With how many arguments a line is remembered.
const REMEMBERED: usize = 32;

/// What a call with these arguments can come to. It is the same on every path.
pub(super) struct Known {
    primitive: &'static str,
    args: Arc<Value>,
    target: Option<Arc<str>>,
    pub(super) impact: Impact,
    signature: Arc<Signature>,
    /// What people call its output.
    label: String,
    /// Those that return, then those that throw.
    pub(super) ways: Vec<Way>,
    /// How many of them throw.
    failing: usize,
    /// Whether nobody can tell, when its answer is lost, whether it took place.
    pub(super) doubtful: bool,
    /// The one that is pinned, until the path changes the target.
    pinned: Option<usize>,
    /// Whether it is kept for the next path.
    remembered: bool,
    /// The ways that it can be cancelled, and be in doubt.
    cancelled: Tally,
    in_doubt: Tally,
    /// The way that it does not begin, because the time of a step around it is over.
    pub(super) late: Tally,
}

pub(super) struct Way {
    pub(super) case: Case,
    pub(super) changed: bool,
    /// What the script sees of it the first time.
    outcome: Outcome,
    /// What it has to do with the state of its targets then.
    effect: OnceLock<Option<Arc<Effect>>>,
    tally: Tally,
}

impl Known {
    /// Which ways there are, and which were taken.
    pub(super) fn note(&self, site: &Site, calls: &mut WalkedCalls) {
        let ways = self.ways.iter().enumerate().map(|(n, way)| (way.case.name, n, &way.tally));
        let special = [
            (CANCELLED, usize::MAX - 2, &self.cancelled),
            (IN_DOUBT, usize::MAX - 1, &self.in_doubt),
            (LATE, usize::MAX, &self.late),
        ];
        let there = |(name, order, tally): (_, _, &Tally)| Some((name, order, tally.taken()?));
        note(calls, site, self.primitive, ways.chain(special).filter_map(there));
    }

    /// The call, as one would say it.
    pub(super) fn said(&self) -> Arc<str> {
        said(self.primitive, self.target.as_deref(), &self.args).into()
    }

    /// How it goes when the first of its ways is taken with a result like that.
    pub(super) fn manner_like(&self, like: impl Fn(&CaseResult) -> bool) -> Option<Manner> {
        let position = self.ways.iter().position(|way| like(&way.case.result))?;
        Some(self.manner(position, &self.ways[position]))
    }

    /// How it goes when this way is taken, as people say it.
    fn manner(&self, order: usize, way: &Way) -> Manner {
        let was = match way.case.name {
            "on" => "was on",
            "off" => "was off",
            other => other,
        };
        let switched = self.primitive == "maintenance" && self.impact.kind.is_change();
        let mood = match (&way.outcome, way.changed) {
            (Err(_), true) => Mood::Applied,
            (Err(_), false) => Mood::Failed,
            (Ok(_), _) if self.impact.kind == ImpactKind::Look && is_ill(way.case.name) => Mood::Ill,
            (Ok(_), _) => Mood::Fine,
        };
        Manner { text: if switched { was } else { way.case.name }, ..manner(order, way.case.name, mood) }
    }
}

impl Explore {
    /// Takes the next of the ways in which a call can end.
    pub(super) fn end_one_way(&self, call: &Invocation) -> Result<Performed, Halt> {
        let undoing = call.key.in_rollback();
        if let Some(halt) = self.walk().stop(undoing) {
            return Err(halt);
        }
        if let Some(planned) = self.planned(&call.key) {
            return self.end_as_planned(call, planned);
        }
        if let Some(recorded) = self.end_as_recorded(call)? {
            return Ok(recorded);
        }
        let known = self.known(call)?;
        let mut walk = self.walk();
        let (pinned, all) = (walk.pinned(&known), known.ways.len());
        // A person cancels while it is under way: it is carried to its end, and then the run ends.
        let cancels = usize::from(walk.may_be_cancelled(&known) && !undoing);
        let doubts = usize::from(known.doubtful && pinned.is_none());
        let (ways, failing) = if pinned.is_some() { (1, 0) } else { (all, known.failing) };
        if cancels == 1 {
            known.cancelled.offer();
        }
        let time = walk.time_for(call);
        let lates = usize::from(matches!(time, Time::Running(_)));
        if lates == 1 {
            known.late.offer();
        }
        let special = cancels + doubts + lates;
        let taken = match time {
            Time::Over(_) => ways + special,
            _ => walk.fork(&call.site, ways + special, failing + special)?,
        };
        if let (Time::Over(limit), _) | (Time::Running(limit), true) =
            (time, taken >= ways + cancels + doubts && lates == 1)
        {
            return Ok(walk.out_of_time(call, &known, (limit, taken)));
        }
        let (cancelled, in_doubt) = (taken == ways && cancels == 1, taken == ways + cancels && doubts == 1);
        let position = pinned.unwrap_or(if cancelled || in_doubt { 0 } else { taken });
        let way = &known.ways[position];
        match (cancelled, in_doubt) {
            (true, _) => known.cancelled.take(),
            (_, true) => known.in_doubt.take(),
            _ => way.tally.take(),
        }
        if !known.remembered {
            known.note(&call.site, &mut self.forgotten.lock().unwrap_or_else(PoisonError::into_inner));
        }
        walk.note(&call.site, HappeningKind::Call(known.impact.kind), || {
            let manner = match (cancelled, in_doubt) {
                (true, _) => manner(taken, CANCELLED, Mood::Cancelled),
                (_, true) => manner(taken, IN_DOUBT, Mood::InDoubt),
                _ => known.manner(position, way),
            };
            (known.said(), manner)
        });
        if in_doubt {
            return Err(walk.doubt(call, &known));
        }
        let (outcome, effect) = walk.outcome(call, &known, way);
        if way.changed && !known.impact.targets.iter().all(|target| walk.changed.contains(target)) {
            walk.changed.extend(known.impact.targets.iter().cloned());
        }
        let visit = known.visit(call, (way.case.name, outcome.is_err(), way.changed), walk.path.open);
        walk.path.visits.push(Visit::Called(Call { effect, ..visit }));
        let outcome = match outcome {
            Ok(Value::Unknown(answer)) if known.impact.kind == ImpactKind::Ask => Ok(walk.answer(call, answer)),
            outcome => outcome,
        };
        if cancelled {
            walk.cancel(&call.site);
        }
        Ok(Performed { outcome, changed: known.impact.kind.is_change() })
    }

    /// What a call can come to, found out once.
    pub(super) fn known(&self, call: &Invocation) -> Result<Arc<Known>, Halt> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Arc<Known>| known.primitive == call.primitive && *known.args == call.args;
        if let Some(known) = all.get(&call.site).and_then(|here| here.iter().find(same)) {
            return Ok(known.clone());
        }
        let here = all.entry(call.site.clone()).or_default();
        // A line that says something else on every path is not worth remembering.
        let remembered = here.len() < REMEMBERED;
        let known = Arc::new(Known { remembered, ..self.find_out(call)? });
        if remembered {
            here.push(known.clone());
        }
        Ok(known)
    }

    fn find_out(&self, call: &Invocation) -> Result<Known, Halt> {
        let role = self.cast.role(call)?;
        let cases = match role.handler.cases(&call.args) {
            Some(cases) => cases,
            None => role.signature.cases(&call.args).map_err(|_| depends(call))?,
        };
        let pin = self.assumptions.iter().position(|pinned| pinned.meets(call.primitive, role.target));
        self.met.lock().unwrap_or_else(PoisonError::into_inner).extend(pin);
        let pin = pin.map(|pin| &self.assumptions[pin]);
        let (mut returning, throwing): (Vec<Case>, Vec<Case>) =
            cases.into_iter().partition(|case| matches!(case.result, CaseResult::Returns(_)));
        let failing = throwing.len();
        returning.extend(throwing);
        if returning.is_empty() {
            returning.push(Case::returns("done", Value::Map([].into())));
        }
        let pinned = match pin {
            Some(pin) => Some(self.position(pin, call.primitive, &returning)?),
            None => None,
        };
        let label = role.signature.label(&call.args);
        let changes = role.impact.kind.is_change();
        let way = |case: Case| Way {
            changed: changes && took_place(call, &case),
            outcome: outcome(call, role.signature, role.target, &label, &case),
            effect: OnceLock::new(),
            tally: Tally::possible(),
            case,
        };
        let doubtful = changes && self.cast.is_doubtful(call.primitive, role.target);
        Ok(Known {
            primitive: call.primitive,
            args: Arc::new(call.args.clone()),
            target: role.target.map(Into::into),
            ways: returning.into_iter().map(way).collect(),
            signature: self.cast.registry.signature(call.primitive).cloned().ok_or_else(|| depends(call))?,
            in_doubt: if doubtful { Tally::possible() } else { Tally::default() },
            cancelled: Tally::default(),
            late: Tally::default(),
            remembered: false,
            doubtful,
            impact: role.impact,
            label: label.clone(),
            failing,
            pinned,
        })
    }
}

impl Explore {
    /// Which of the cases a pin means.
    fn position(&self, pin: &Assumption, primitive: &str, cases: &[Case]) -> Result<usize, Halt> {
        let found = cases.iter().position(|case| case.name == pin.case);
        found.ok_or_else(|| {
            let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
            let why = format!("`{pin}`: `{primitive}` cannot end in `{}`", pin.case);
            let hint = format!("it can end in: {}", names.join(", "));
            let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
            wrong.get_or_insert((why.clone(), hint.clone()));
            Halt::Refused { why, hint: Some(hint) }
        })
    }
}

impl Known {
    /// The call, as it stands on a path: the way that it took, whether it threw and whether it changed anything.
    pub(super) fn visit(
        &self,
        call: &Invocation,
        (way, failed, changed): (&'static str, bool, bool),
        step: Option<usize>,
    ) -> Call {
        Call {
            site: call.site.clone(),
            primitive: call.primitive,
            args: self.args.clone(),
            target: self.target.clone(),
            kind: self.impact.kind,
            way,
            failed,
            changed,
            undoing: call.key.in_rollback(),
            step,
            effect: None,
        }
    }

    /// What the call has to do with the state of its targets when it returns this, if it does.
    pub(super) fn effect(&self, call: &Invocation, output: Option<&Value>) -> Option<Arc<Effect>> {
        Effect::of(call, &self.signature, &self.impact, output)
    }
}

impl Walk {
    /// Whether it makes a difference that somebody cancels here: something changes, or takes long behind something that was changed.
    fn may_be_cancelled(&self, known: &Known) -> bool {
        let behind = !self.changed.is_empty();
        match known.impact.kind {
            ImpactKind::Ask | ImpactKind::Wait => behind,
            kind => kind.is_change(),
        }
    }

    /// The call is carried out, and nobody learns what came of it.
    pub(super) fn doubt(&mut self, call: &Invocation, known: &Known) -> Halt {
        let visit = known.visit(call, ("IN DOUBT", true, true), self.path.open);
        self.path.visits.push(Visit::Called(visit));
        Halt::InDoubt {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            targets: known.impact.targets.clone(),
            why: "its driver has no evidence".to_owned(),
        }
    }

    /// What a person answers: one of the choices, each on paths of its own, where there are some.
    fn answer(&mut self, call: &Invocation, answer: Unknown) -> Value {
        let choices = match call.args.get("choices") {
            Some(Value::List(choices)) => &choices[..],
            _ => &[],
        };
        let Some((last, others)) = choices.split_last() else { return Value::Unknown(answer) };
        let place = &call.site;
        for choice in others {
            let condition = format!("{answer} == {}", choice.quoted());
            if self.goes_on_as(place, &condition) {
                return choice.clone();
            }
        }
        last.clone()
    }

    /// Whether the path is the one on which this holds. Where it comes by too often, it is.
    fn goes_on_as(&mut self, site: &Site, condition: &str) -> bool {
        let often = self.met.get(site).is_some_and(|met| *met > VISITS);
        let yes = often || self.choices.take(2, 0) == 0;
        self.note(site, HappeningKind::Question, || {
            let way = if yes { manner(0, "yes", Mood::Yes) } else { manner(1, "no", Mood::No) };
            (condition.into(), way)
        });
        self.path.visits.push(Visit::Answered { site: site.clone(), condition: condition.to_owned(), yes });
        yes
    }

    fn pinned(&self, known: &Known) -> Option<usize> {
        known.pinned.filter(|_| !known.impact.targets.iter().any(|target| self.changed.contains(target)))
    }

    /// What the script sees when this way is taken, and what that has to do with the state of the targets.
    pub(super) fn outcome(&mut self, call: &Invocation, known: &Known, way: &Way) -> (Outcome, Option<Arc<Effect>>) {
        let effect = way.effect.get_or_init(|| known.effect(call, way.outcome.as_ref().ok())).clone();
        if way.outcome.as_ref().is_ok_and(|value| value.find_unknown().is_some()) {
            let count = self.named.entry(known.label.clone()).or_default();
            *count += 1;
            // What two calls found are two things, though they are called the same.
            if *count > 1 {
                let label = format!("{}#{count}", known.label);
                let outcome = outcome(call, &known.signature, known.target.as_deref(), &label, &way.case);
                let has_sides = effect.as_ref().is_some_and(|effect| !effect.sides.is_empty());
                let effect = if has_sides { known.effect(call, outcome.as_ref().ok()) } else { effect };
                return (outcome, effect);
            }
        }
        (way.outcome.clone(), effect)
    }
}

/// What the script sees of a case.
fn outcome(call: &Invocation, signature: &Signature, target: Option<&str>, label: &str, case: &Case) -> Outcome {
    match &case.result {
        CaseResult::Returns(certain) => Ok(match signature.output_labelled(label, certain) {
            // What is found is one thing at least, and more of them would be no other path.
            Value::Unknown(list) if matches!(signature.output, ArgType::List(_)) => {
                Value::List(vec![Value::Unknown(list.field("first"))])
            }
            output => output,
        }),
        CaseResult::Fails { code, applied } => {
            let mut fault = Fault::new(code, format!("{} {}", call.primitive, case.name));
            fault.target = target.map(str::to_owned);
            fault.site = Some(call.site.to_string());
            Err(fault.applied(*applied))
        }
    }
}

/// Whether something is different afterwards.
pub(super) fn took_place(call: &Invocation, case: &Case) -> bool {
    match &case.result {
        // `maintenance` returns what was there before.
        CaseResult::Returns(before @ Value::String(_)) => call.args.get("state") != Some(before),
        CaseResult::Returns(certain) => {
            let nothing = Value::List(Vec::new());
            certain.get("changed") != Some(&Value::Bool(false)) && certain.get("applied") != Some(&nothing)
        }
        CaseResult::Fails { applied, .. } => *applied != Applied::No,
    }
}

fn depends(call: &Invocation) -> Halt {
    let label = call.args.find_unknown().map_or_else(|| "an argument".to_owned(), ToString::to_string);
    Halt::Unplannable {
        why: format!("how `{}` can end depends on {label}, which is not known before the run", call.primitive),
        site: call.site.clone(),
        hint: Some("pin the call it comes from with --assume, or give it as a parameter".to_owned()),
    }
}
