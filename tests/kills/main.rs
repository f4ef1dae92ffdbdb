//! Generated runbooks in real processes, which are killed at any moment (SIGKILL) and taken up again: what the programs that they
//! started have written down is compared with the journal.
//!
//! `LIFEBOAT_KILLS=N` is how many kills there are to be (40), `LIFEBOAT_FIRST_SEED=N` the seed with which they begin.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "the counts are what it is about")]

#[path = "../simulation/chance.rs"]
#[expect(dead_code, reason = "a part of it is needed")]
mod chance;
#[path = "../simulation/generate.rs"]
#[expect(dead_code, reason = "a part of it is needed")]
mod generate;
mod life;
mod project;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use life::{Counts, play};

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn killed_at_any_moment_every_effect_takes_place_once() {
    let (kills, first) = (number("LIFEBOAT_KILLS", 40), number("LIFEBOAT_FIRST_SEED", 1));
    let next = AtomicU64::new(first);
    let (counts, wrong) = (Mutex::new(Counts::default()), Mutex::new(Vec::new()));
    let began = Instant::now();
    let enough = || counts.lock().expect("nobody panicked").kills >= kills;
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !enough() {
                    let (played, found) = play(next.fetch_add(1, Ordering::SeqCst));
                    counts.lock().expect("nobody panicked").add(&played);
                    wrong.lock().expect("nobody panicked").extend(found);
                }
            });
        }
    });
    let (counts, wrong) = (counts.into_inner().expect("nobody panicked"), wrong.into_inner().expect("nobody panicked"));
    println!("{counts} in {:.1} s, seeds from {first}", began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
