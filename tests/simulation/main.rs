//! The whole runtime, simulated: generated runbooks against targets that fail and lie, in processes that die at any point.
//!
//! `LIFEBOAT_SEED=N` plays one seed, and shows it; `LIFEBOAT_CRASHES=N` is how many crashes there are to be (2,000),
//! `LIFEBOAT_FIRST_SEED=N` the seed with which they begin.
#![expect(
    clippy::disallowed_methods,
    reason = "a test prepares files, and is told by the environment how long to go on"
)]
#![expect(clippy::print_stdout, reason = "the counts are what it is about")]

mod chance;
mod explored;
mod generate;
mod judge;
mod life;
mod targets;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use judge::{Counts, Lies, play_seed};
use life::{Flaw, Stage};

/// After how many crashes a long simulation says how far it is.
const TOLD_EVERY: u64 = 50_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Plays seeds on every core until there were so many crashes, or `enough` says so. Returns the counts and the violations.
fn play_many(
    first: u64,
    crashes: u64,
    flaw: Flaw,
    lies: Lies,
    enough: impl Fn(&[String]) -> bool + Sync,
) -> (Counts, Vec<String>) {
    let (next, over) = (AtomicU64::new(first), AtomicBool::new(false));
    let (counts, violations) = (Mutex::new(Counts::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let stage = Stage::new();
                while !over.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let played = play_seed(&stage, seed, flaw, lies);
                    let mut counts = counts.lock().expect("nobody panicked");
                    let before = counts.crashes;
                    counts.add(&played.counts);
                    if counts.crashes / TOLD_EVERY > before / TOLD_EVERY {
                        println!("{} so far", counts.sentence());
                    }
                    let mut violations = violations.lock().expect("nobody panicked");
                    violations.extend(played.violations);
                    if counts.crashes >= crashes || enough(&violations) {
                        over.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    (counts.into_inner().expect("nobody panicked"), violations.into_inner().expect("nobody panicked"))
}

#[test]
fn nothing_is_done_twice_and_nothing_is_forgotten() {
    let stage = Stage::new();
    if let Some(seed) = number("LIFEBOAT_SEED") {
        let played = play_seed(&stage, seed, Flaw::None, Lies::None);
        println!("{}", played.story);
        println!("{:?}", played.counts);
        assert!(played.violations.is_empty(), "{}", played.violations.join("\n"));
        return;
    }
    let (first, crashes) = (number("LIFEBOAT_FIRST_SEED").unwrap_or(1), number("LIFEBOAT_CRASHES").unwrap_or(2_000));
    let began = Instant::now();
    let (counts, violations) = play_many(first, crashes, Flaw::None, Lies::None, |found| found.len() >= 5);
    println!("{} in {:.1} s, seeds from {first}", counts.sentence(), began.elapsed().as_secs_f64());
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
}

/// What a simulation does not find it proves nothing about.
#[test]
fn a_journal_that_loses_commits_is_found() {
    let (counts, violations) = play_many(1, 5_000, Flaw::LosesCommits, Lies::None, |found| !found.is_empty());
    println!("found after {} seeds: {}", counts.seeds, violations.first().map_or("", |first| first.as_str()));
    assert!(!violations.is_empty(), "{}", counts.sentence());
}

/// A driver that says of everything that it did not take place: nobody can keep a promise with that.
#[test]
fn wrong_evidence_doubles_effects_and_is_found() {
    let (counts, violations) = play_many(1, 5_000, Flaw::None, Lies::NothingTookPlace, |found| !found.is_empty());
    println!("found after {} seeds: {}", counts.seeds, violations.first().map_or("", |first| first.as_str()));
    assert!(!violations.is_empty(), "{}", counts.sentence());
}
