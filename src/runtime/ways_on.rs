//! In which ways a run can go on from where it is: the real script once more, along its record and then every way, without a look at
//! anything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use crate::journal::UNFINISHED;
use crate::model::{Halt, Here, Mode, NextWay, PathEnd, Record, RunId, StoryLine, Verdict, WayEnd, WaysOn};
use crate::script::{Evaluation, Evaluator, Params, Script, on_deep_stack};
use crate::system::Look;
use crate::worlds::{Beginning, Explore, Visit, Walked, described, story};

use super::plan_failures::left;
use super::policy::Judge;
use super::resume::given;
use super::tree::{Ground, path_end};
use super::unfinished::Unfinished;
use super::{Error, Lifeboat};

/// So many further failures a way on meets at most.
const FAULTS: usize = 2;
/// For so long they are looked for.
const TIME: Duration = Duration::from_secs(1);

/// What is found so far.
#[derive(Default)]
struct Found {
    here: Option<Here>,
    ways: u64,
    /// By what comes of the next call, and by how the run then ends; of each the shortest.
    next: BTreeMap<String, BTreeMap<PathEnd, WayEnd>>,
    cut_off: bool,
}

impl Lifeboat {
    /// In which ways the run goes on that is meant, if it is not over: with at most two further failures, as far as a second suffices.
    /// Nothing is looked at but the journal, nothing is changed.
    pub fn ways_on(&self, run: &str) -> Result<WaysOn, Error> {
        let run = self.recorded_run(Some(run))?;
        if run.started.mode == Mode::Session {
            let why = format!("{} is a session: what comes next is what somebody types", run.id);
            let help = format!("lifeboat show {} says what it owes", run.id);
            return Err(Error::Refused { why, help: Some(help) });
        }
        if let Some(status) = run.status().filter(|status| !UNFINISHED.contains(status)) {
            let why = format!("run {} is over: {status}", run.id);
            return Err(Error::Refused { why, help: Some("lifeboat show tells how it ended".to_owned()) });
        }
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_sound(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, true)?;
        if !edited.is_empty() {
            let why = format!("{} changed since run {} began", edited.join(", "), run.id);
            let help = "in which ways it goes on can be told only of what it began with".to_owned();
            return Err(Error::Refused { why, help: Some(help) });
        }
        let params = given(&script, &run.started.params);
        let judge = self.judge(script.name(), environment)?;
        let ground = self.ground(&script, &judge.invariants);
        let walking = Walking { run: &run, script: &script, params: &params, judge, ground, look: self.look() };
        let stops = self.ending(&run)?.is_some();
        let explore = Arc::new(Explore::behind(self.cast(environment)?, Record::of(&run.events), stops));
        let found = on_deep_stack(|| walking.walk(self, &explore));
        let found = found.unwrap_or_else(|why| Err(Error::Internal { why }))?;
        Ok(self.told(run.id, found))
    }

    fn told(&self, run: RunId, found: Found) -> WaysOn {
        let clean = |text: &mut String| *text = self.redactor().clean(text).into_owned();
        let badness = |end: &WayEnd| Reverse((end.bad, end.ways));
        let next = found.next.into_iter().map(|(way, ends)| {
            let mut ends: Vec<WayEnd> = ends.into_values().collect();
            for end in &mut ends {
                end.left.iter_mut().chain(end.story.iter_mut().map(|line| &mut line.text)).for_each(clean);
            }
            ends.sort_by_key(badness);
            NextWay { way, ends }
        });
        let mut next: Vec<NextWay> = next.collect();
        next.sort_by_key(|next| next.ends.first().map(badness));
        let bad = next.iter().flat_map(|next| &next.ends).filter(|end| end.bad).map(|end| end.ways).sum();
        let mut here = found.here;
        if let Some(here) = &mut here {
            clean(&mut here.call);
        }
        WaysOn { run, here, ways: found.ways, bad, faults: FAULTS, cut_off: found.cut_off, next }
    }
}

/// What is needed to walk.
struct Walking<'a> {
    run: &'a Unfinished,
    script: &'a Script,
    params: &'a Params,
    judge: Judge,
    ground: Ground,
    look: Look,
}

impl Walking<'_> {
    /// Walks the ways on, those with few failures first.
    fn walk(&self, lifeboat: &Lifeboat, world: &Arc<Explore>) -> Result<Found, Error> {
        let evaluation = Evaluation {
            script: self.script,
            params: self.params,
            world: world.clone(),
            registry: lifeboat.registry().clone(),
            library: lifeboat.library(),
        };
        let evaluator =
            Evaluator::new(&evaluation).map_err(|verdict| Error::Internal { why: format!("{verdict:?}") })?;
        let began = self.look.monotonic();
        let mut found = Found::default();
        let mut open = BinaryHeap::from([Reverse((0, Beginning::default()))]);
        while let Some(Reverse((_, beginning))) = open.pop() {
            if found.ways > 0 && self.look.monotonic().saturating_sub(began) >= TIME {
                found.cut_off = true;
                break;
            }
            world.begin(beginning);
            let verdict = evaluator.evaluate();
            self.is_its_record(&verdict)?;
            let each = |other: Beginning| open.push(Reverse((other.failures(), other)));
            let walked = world.end(&verdict, FAULTS, each);
            found.add(&walked, &path_end(&walked, &self.judge.broken(&walked), &self.ground));
        }
        Ok(found)
    }

    /// The error says where the script asks for something else than was recorded.
    fn is_its_record(&self, verdict: &Verdict) -> Result<(), Error> {
        match verdict {
            Verdict::Halted { halt: halt @ Halt::Diverged { .. }, .. }
            | Verdict::Failed { unwinding_halted: Some(halt @ Halt::Diverged { .. }), .. } => Err(Error::Refused {
                why: format!("run {} cannot be followed to where it is: {halt}", self.run.id),
                help: Some("its record is not what its runbook does now".to_owned()),
            }),
            _ => Ok(()),
        }
    }
}

impl Found {
    fn add(&mut self, walked: &Walked, end: &PathEnd) {
        let visits = &walked.path.visits;
        let at = walked.strayed.as_ref().map_or(visits.len(), |strayed| strayed.visit.min(visits.len()));
        let call = visits.get(at).and_then(Visit::call);
        if let (None, Some(call)) = (&self.here, call) {
            self.here = Some(Here { site: call.site.clone(), call: described(call) });
        }
        self.ways += 1;
        let way = match (call, visits.get(at + 1)) {
            (Some(call), Some(Visit::Cancelled { .. })) => format!("{}, and cancelled", call.way),
            (Some(call), _) => call.way.to_owned(),
            (None, _) if at < visits.len() => "cancelled".to_owned(),
            (None, _) => "the end".to_owned(),
        };
        let behind = || -> Vec<StoryLine> { story(&walked.path, None).split_off(at) };
        let bad = end.is_bad();
        let key = end.clone();
        let known = self.next.entry(way).or_default().entry(key).or_insert_with(|| WayEnd {
            ends: end.ends,
            cancelled: end.cancelled,
            breaks: end.breaks.iter().map(ToString::to_string).collect(),
            bad,
            ways: 0,
            left: if bad { left(&walked.path) } else { Vec::new() },
            story: behind(),
        });
        known.ways += 1;
        if visits.len() - at < known.story.len() {
            known.story = behind();
            known.left = if bad { left(&walked.path) } else { Vec::new() };
        }
    }
}
