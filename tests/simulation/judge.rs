//! What must hold, whatever happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use lifeboat::journal::{Journal as _, RunQuery};
use lifeboat::model::{Applied, Event, EventBody, IdempotencyKey, Left, ScopeKind, Verdict};
use lifeboat::runtime::Status;

use crate::chance::Chance;
use crate::generate::{Generated, PAUSE_S, generate};
use crate::life::{Ended, Flaw, Fortune, Stage, fortune};
use crate::targets::{Effect, Evidence, Outside};

/// Which lies the drivers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lies {
    None,
    NothingTookPlace,
}

/// How much was played.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) seeds: u64,
    pub(crate) runs: u64,
    pub(crate) crashes: u64,
    pub(crate) doubts: u64,
    pub(crate) effects: u64,
    pub(crate) doubled: u64,
    pub(crate) lost: u64,
    completed: u64,
    failed: u64,
    left_changed: u64,
    cancelled: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.doubts += other.doubts;
        self.effects += other.effects;
        self.doubled += other.doubled;
        self.lost += other.lost;
        self.completed += other.completed;
        self.failed += other.failed;
        self.left_changed += other.left_changed;
        self.cancelled += other.cancelled;
    }

    pub(crate) fn sentence(&self) -> String {
        format!(
            "{} seeds, {} runs, {} crashes, {} effects: {} completed, {} rolled back, {} left changed, {} cancelled, \
             {} times in doubt and settled, {} doubled, {} lost",
            self.seeds,
            self.runs,
            self.crashes,
            self.effects,
            self.completed,
            self.failed,
            self.left_changed,
            self.cancelled,
            self.doubts,
            self.doubled,
            self.lost
        )
    }

    fn ended(&mut self, ended: &Ended) {
        self.runs += 1;
        self.crashes += ended.deaths;
        self.doubts += ended.doubts;
        match ended.status {
            Status::Completed => self.completed += 1,
            Status::RolledBack => self.failed += 1,
            Status::Cancelled => self.cancelled += 1,
            _ => self.left_changed += 1,
        }
    }
}

/// One seed, played.
pub(crate) struct Played {
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<String>,
    pub(crate) story: String,
}

/// Plays a seed: once without any crash, then with crashes at chosen points, then cancelled.
pub(crate) fn play_seed(stage: &Stage, seed: u64, flaw: Flaw, lies: Lies) -> Played {
    let generated = generate(seed);
    stage.write(&generated);
    let mut chance = Chance::new(seed ^ 0x5eed);
    let mut played = Played {
        counts: Counts { seeds: 1, ..Counts::default() },
        violations: Vec::new(),
        story: format!("{}\n--- runbooks/child.rhai\n{}", generated.runbook, generated.child),
    };
    let lying = lies != Lies::None;
    let calm = Fortune { attended: true, ..Fortune::default() };
    let outside = stage.outside(seed, lying);
    let Some(whole) = judged(stage, &outside, (seed, &generated), &calm, flaw, &mut played) else { return played };
    let expected = (whole.status, comparable(&outside, generated.interleaved));
    let calm_went_well = branches_went_well(&outside);
    for _ in 0..8 {
        let fortune = fortune(&mut chance, whole.points);
        let outside = stage.outside(seed, lying);
        let Some(ended) = judged(stage, &outside, (seed, &generated), &fortune, flaw, &mut played) else {
            return played;
        };
        let found = (ended.status, comparable(&outside, generated.interleaved));
        let races = generated.interleaved && generated.conditions;
        let comparable = !races && (!generated.interleaved || calm_went_well && branches_went_well(&outside));
        if found != expected && comparable {
            let told = format!("it ends differently after {fortune:?}: {found:?} instead of {expected:?}");
            played.violations.push(violation(seed, &told, &generated));
            played.story += &recorded(&outside);
            return played;
        }
    }
    let cancelled_at = Some(chance.below(3 * whole.points + 1));
    let fortune = Fortune { cancelled_at, ..fortune(&mut chance, whole.points) };
    let outside = stage.outside(seed, lying);
    judged(stage, &outside, (seed, &generated), &fortune, flaw, &mut played);
    played
}

/// Whether no branch failed: where branches overtake each other and one of them fails, how far the others come depends on who was
/// faster.
fn branches_went_well(outside: &Outside) -> bool {
    let runs = outside.journal.runs(&RunQuery::newest(1)).expect("reads");
    let Some(run) = runs.first() else { return false };
    let events = outside.journal.events(&run.id).expect("reads");
    !events.iter().any(|event| match &event.body {
        EventBody::Left { key, how: Left::Faulted(_) | Left::Stopped } => key.to_string().contains(".b"),
        EventBody::Ended { .. } => run.status != Status::Completed.name(),
        _ => false,
    })
}

/// Plays it once and looks at what must hold in any case.
fn judged(
    stage: &Stage,
    outside: &Arc<Outside>,
    (seed, generated): (u64, &Generated),
    fortune: &Fortune,
    flaw: Flaw,
    played: &mut Played,
) -> Option<Ended> {
    let ended = match stage.play(outside, fortune, flaw) {
        Ok(ended) => ended,
        Err(why) => {
            played.violations.push(violation(seed, &format!("{why}, after {fortune:?}"), generated));
            played.story += &recorded(outside);
            return None;
        }
    };
    played.counts.ended(&ended);
    let wrong = wrongs(outside, &ended, generated.interleaved, &mut played.counts);
    if wrong.is_empty() {
        return Some(ended);
    }
    let told = format!("{} after {fortune:?}", wrong.join("; "));
    played.story += &recorded(outside);
    played.violations.push(violation(seed, &told, generated));
    None
}

fn violation(seed: u64, told: &str, generated: &Generated) -> String {
    let exactly = if generated.interleaved { " (branches overtake each other: it may take several tries)" } else { "" };
    format!(
        "seed {seed}: {told}\n  LIFEBOAT_SEED={seed} cargo test --all-features --test simulation \
         nothing_is_done_twice -- --nocapture{exactly}"
    )
}

/// What the journal and the ledger say of each other.
fn wrongs(outside: &Outside, ended: &Ended, interleaved: bool, counts: &mut Counts) -> Vec<String> {
    let mut wrong = Vec::new();
    let events = outside.journal.events(&ended.run).expect("reads");
    let verified = outside.journal.verify(&ended.run).expect("reads");
    if let Some(broken) = verified.broken {
        wrong.push(format!("the chain is broken at {}: {}", broken.seq, broken.why));
    }
    if matches!(ended.status, Status::Internal | Status::Refused) {
        wrong.push(format!("it ended as {:?}: {:?}", ended.status, ended.verdict));
    }
    if let Verdict::Halted { halt: lifeboat::model::Halt::Diverged { .. }, .. } = &ended.verdict {
        wrong.push(format!("it diverged: {:?}", ended.verdict));
    }
    let ledger = outside.ledger();
    counts.effects += ledger.len() as u64;
    let mut times: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for effect in &ledger {
        *times.entry((&effect.key, &effect.attempt)).or_default() += 1;
    }
    for ((key, _), count) in &times {
        if *count > 1 {
            counts.doubled += 1;
            wrong.push(format!("{key} took place {count} times"));
        }
    }
    let mut settled: BTreeMap<String, bool> = BTreeMap::new();
    for event in &events {
        if let EventBody::Settled(settlement) = &event.body
            && settlement.impact.kind.is_change()
        {
            let key = IdempotencyKey::new(ended.run.as_str(), &settlement.key).as_str().to_owned();
            let took_place = match &settlement.outcome {
                Ok(_) => true,
                Err(fault) => fault.applied != Applied::No,
            };
            *settled.entry(key).or_default() |= took_place;
        }
    }
    for (key, said) in &settled {
        if *said && !outside.took_place(key) {
            counts.lost += 1;
            wrong.push(format!("{key} is recorded, and did not take place"));
        }
    }
    for Effect { key, target, .. } in &ledger {
        if settled.get(key) != Some(&true) && outside.evidence(target) != Evidence::Wrong {
            counts.lost += 1;
            wrong.push(format!("{key} took place, and is not recorded"));
        }
    }
    if !interleaved {
        wrong.extend(too_long(&events));
    }
    wrong.extend(beyond_its_end(&events));
    wrong.extend(forgotten(&events));
    if ended.doubts > 0 && crate::generate::TARGETS.iter().all(|target| outside.evidence(target) == Evidence::True) {
        wrong.push("in doubt, though every driver has evidence".to_owned());
    }
    wrong
}

/// Pauses that did not take the time that they were to take, however often they were interrupted.
fn too_long(events: &[Event]) -> Option<String> {
    let mut resumed = None;
    events.iter().find_map(|event| {
        if let EventBody::Resumed { .. } = event.body {
            resumed = Some(event.at);
        }
        let EventBody::Settled(settled) = &event.body else { return None };
        let took = event.at.duration_since(settled.began).as_secs();
        // What a process did that was not recorded any more took its time, too: then the pause was over when the next one began.
        let exact = took == PAUSE_S || took > PAUSE_S && resumed == Some(event.at);
        let wrong = settled.primitive == "sleep" && settled.outcome.is_ok() && !exact;
        wrong.then(|| format!("{} paused for {took} s instead of {PAUSE_S}", settled.key))
    })
}

/// A change that was begun after the run had been stopped, and does not undo anything.
fn beyond_its_end(events: &[Event]) -> Option<String> {
    let stopped = events.iter().position(|event| matches!(event.body, EventBody::Unwinding { halt: Some(_), .. }))?;
    events[stopped..].iter().find_map(|event| match &event.body {
        EventBody::Intended { key, .. } if !key.in_rollback() => {
            Some(format!("{key} was begun after the run was stopped"))
        }
        _ => None,
    })
}

/// A step that was owed when the run began to unwind, and was neither undone nor named as still owed.
fn forgotten(events: &[Event]) -> Option<String> {
    let began = events.iter().position(|event| matches!(event.body, EventBody::Unwinding { .. }))?;
    let EventBody::Unwinding { owed, .. } = &events[began].body else { return None };
    let tried = |title: &String| {
        events[began..].iter().any(|event| match &event.body {
            EventBody::Entered { scope } => scope.kind == ScopeKind::Rollback && scope.title == *title,
            EventBody::Ended { owed, .. } => owed.contains(title),
            _ => false,
        })
    };
    owed.iter().find(|title| !tried(title)).map(|title| format!("\"{title}\" was owed, and is forgotten"))
}

/// The record of the run that broke a promise, for whoever finds out why.
fn recorded(outside: &Outside) -> String {
    let runs = outside.journal.runs(&RunQuery::newest(1)).expect("reads");
    let Some(run) = runs.first() else { return String::new() };
    let entries = outside.journal.recorded(&run.id).expect("reads").entries;
    let lines: Vec<String> = entries.into_iter().map(|entry| entry.json).collect();
    let lines = lines.join("\n");
    format!("--- the record\n{lines}\n--- the ledger\n{:#?}\n", outside.ledger())
}

/// The effects without the run's id; where branches overtake each other, in no order.
fn comparable(outside: &Outside, interleaved: bool) -> Vec<(String, String, String)> {
    let short = |effect: Effect| {
        let key = effect.key.split_once('/').map_or_else(String::new, |(_, key)| key.to_owned());
        (effect.target, effect.value, key)
    };
    let mut effects: Vec<_> = outside.ledger().into_iter().map(short).collect();
    if interleaved {
        effects.sort();
    }
    effects
}
