//! In which ways a run can go on from where it is: the real script once more, along its record and then every way, without a look at
//! anything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Here, NextWay, PathEnd, RunId, StoryLine, WayEnd, WaysOn};
use crate::script::{Evaluation, Evaluator, on_deep_stack};
use crate::system::Look;
use crate::worlds::{Beginning, Explore, Visit, Walked, story};

use super::plan_failures::left;
use super::policy::Judge;
use super::standing::{Standing, here, is_its_record};
use super::tree::{Ground, path_end};
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
        let standing = self.standing(run)?;
        let environment = self.environment(Some(&standing.run.started.environment))?;
        let judge = self.judge(standing.script.name(), environment)?;
        let ground = self.ground(&standing.script, &judge.invariants);
        let explore = Arc::new(standing.world(self.cast_unasked(environment)?));
        let walking = Walking { standing: &standing, judge, ground, look: self.look() };
        let found = on_deep_stack(|| walking.walk(self, &explore));
        let found = found.unwrap_or_else(|why| Err(Error::Internal { why }))?;
        Ok(self.told(standing.run.id, found))
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
    standing: &'a Standing,
    judge: Judge,
    ground: Ground,
    look: Look,
}

impl Walking<'_> {
    /// Walks the ways on, those with few failures first.
    fn walk(&self, lifeboat: &Lifeboat, world: &Arc<Explore>) -> Result<Found, Error> {
        let evaluation = Evaluation {
            script: &self.standing.script,
            params: &self.standing.params,
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
            is_its_record(&self.standing.run.id, &verdict)?;
            let each = |other: Beginning| open.push(Reverse((other.failures(), other)));
            let walked = world.end(&verdict, FAULTS, each);
            found.add(&walked, &path_end(&walked, &self.judge.broken(&walked), &self.ground));
        }
        Ok(found)
    }
}

impl Found {
    fn add(&mut self, walked: &Walked, end: &PathEnd) {
        let visits = &walked.path.visits;
        let at = walked.strayed.as_ref().map_or(visits.len(), |strayed| strayed.visit.min(visits.len()));
        let call = visits.get(at).and_then(Visit::call);
        if self.here.is_none() {
            self.here = here(walked);
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
