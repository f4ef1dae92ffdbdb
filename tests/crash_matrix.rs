//! A runbook with every primitive that changes something, killed (SIGKILL) before and after each write to the journal, and taken up
//! again: what the targets have written down themselves shows each effect once. And how often all of that waits for the disk.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "the counts are what it is about")]

#[path = "crash_matrix/outside.rs"]
mod outside;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use lifeboat::journal::{Journal as _, LibsqlJournal, RUNNING, RunQuery, RunSummary};
use lifeboat::model::{EventBody, IdempotencyKey};
use lifeboat::primitives::{Evidence, Registry};
use outside::Outside;

/// The library that kills the program into which it is loaded, at a call that it makes.
fn die() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash_matrix/die.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("die.so");
        // Each test is a process of its own and builds it: one that loads it must never meet a half-written one.
        let whole = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file").into_temp_path();
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&whole).arg(source).arg("-ldl").output();
        let built = built.expect("cc is there: what is tested was built with it");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        whole.persist(&library).expect("takes its place");
        library
    })
}

/// Runs the program, and kills it before this call that writes to the journal's log. Notes all calls in the file `calls`.
fn dying(outside: &Outside, at: Option<usize>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.env("LD_PRELOAD", die()).env("LIFEBOAT_CALLS", outside.path("calls"));
    if let Some(at) = at {
        command.env("LIFEBOAT_DIE_AT", at.to_string());
    }
    command.args(["run", "runbooks/everything.rhai"]).current_dir(outside.path(".")).output().expect("starts")
}

/// Before and after each write: when the first page of a commit is written, and when all of it is there and is to go to the disk.
fn points(calls: &str) -> Vec<usize> {
    let calls: Vec<char> = calls.chars().collect();
    let begins = |at: usize| calls[at] == 's' || at == 0 || calls[at - 1] == 's';
    (0..calls.len()).filter(|at| begins(*at)).map(|at| at + 1).collect()
}

fn lifeboat(outside: &Outside, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(args).current_dir(outside.path(".")).output().expect("starts")
}

fn newest(outside: &Outside) -> Option<(LibsqlJournal, RunSummary)> {
    let path = outside.path(".lifeboat/journal.db");
    let journal = path.exists().then(|| LibsqlJournal::open(path).expect("opens"))?;
    let run = journal.runs(&RunQuery::newest(1)).expect("reads").pop()?;
    Some((journal, run))
}

#[derive(Debug, Default)]
struct Counts {
    points: usize,
    killed: usize,
    finished: usize,
    in_doubt: usize,
    doubled: usize,
    lost: usize,
}

/// Calls of primitives and drivers that the reference lists as having no evidence, in this runbook.
fn without_evidence() -> BTreeSet<&'static str> {
    let registry = Registry::standard();
    let none = |evidence: &Evidence| matches!(evidence, Evidence::None(_) | Evidence::Given(..));
    registry.evidence().filter(|(_, _, evidence)| none(evidence)).map(|(primitive, _, _)| primitive).collect()
}

/// Goes on until the run is over. Returns how often it was in doubt.
fn go_on(outside: &Outside) -> Result<usize, String> {
    let mut doubts = 0;
    for _ in 0..6 {
        let Some((journal, run)) = newest(outside) else {
            lifeboat(outside, &["run", "runbooks/everything.rhai"]);
            continue;
        };
        let said = match run.status.as_str() {
            RUNNING => lifeboat(outside, &["resume"]),
            "in-doubt" => {
                doubts += 1;
                let events = journal.events(&run.id).expect("reads");
                let doubt = events.iter().rev().find_map(|event| match &event.body {
                    EventBody::InDoubt { key, .. } => Some(key.clone()),
                    _ => None,
                });
                let doubt = doubt.ok_or("in doubt of what?")?;
                let primitive = events.iter().find_map(|event| match &event.body {
                    EventBody::Intended { key, primitive, .. } if *key == doubt => Some(primitive.clone()),
                    _ => None,
                });
                let primitive = primitive.ok_or("it was never intended")?;
                if !without_evidence().contains(primitive.as_str()) {
                    return Err(format!("{primitive} is in doubt, and its driver has evidence"));
                }
                let key = IdempotencyKey::new(run.id.as_str(), &doubt);
                let found = if outside.has_done(key.as_str()) { "--applied" } else { "--not-applied" };
                lifeboat(outside, &["settle", run.id.as_str(), &doubt.to_string(), found]);
                lifeboat(outside, &["resume"])
            }
            _ => return Ok(doubts),
        };
        let text = String::from_utf8_lossy(&said.stderr);
        if text.contains("panicked") || text.contains("refused") {
            return Err(text.into_owned());
        }
    }
    Err("it does not come to its end".to_owned())
}

/// Kills the run at the point, and looks at what is there when it is over.
fn killed_at(point: usize) -> (Counts, Option<String>) {
    let outside = Outside::new();
    let mut counts = Counts { points: 1, ..Counts::default() };
    let output = dying(&outside, Some(point));
    counts.killed += usize::from(output.status.signal() == Some(9));
    let wrong = match go_on(&outside) {
        Err(why) => Some(why),
        Ok(doubts) => {
            counts.in_doubt += usize::from(doubts > 0);
            let ended = newest(&outside).map(|(_, run)| run.status);
            counts.finished += usize::from(ended.as_deref() == Some("completed"));
            let (doubled, lost) = outside.judge();
            counts.doubled += doubled.len();
            counts.lost += lost.len();
            let completed = ended.as_deref() == Some("completed");
            let said = format!("{ended:?}, doubled: {doubled:?}, lost: {lost:?}");
            (!completed || !doubled.is_empty() || !lost.is_empty()).then_some(said)
        }
    };
    let wrong = wrong.map(|why| {
        let run = newest(&outside).map(|(_, run)| run.id.to_string()).unwrap_or_default();
        let shown = lifeboat(&outside, &["show", &run]);
        format!("killed before call {point}: {why}\n{}", String::from_utf8_lossy(&shown.stdout))
    });
    (counts, wrong)
}

#[test]
fn killed_at_every_write_to_the_journal_each_effect_takes_place_once() {
    let outside = Outside::new();
    let whole = dying(&outside, None);
    let said = String::from_utf8_lossy(&whole.stderr).into_owned() + &*String::from_utf8_lossy(&whole.stdout);
    assert!(whole.status.success(), "{said}");
    assert_eq!(outside.judge(), (vec![], vec![]), "without any crash");
    let calls = std::fs::read_to_string(outside.path("calls")).expect("it was loaded");
    let points = points(&calls);
    assert!(points.len() > 30, "{} points: {calls}", points.len());
    let (next, counts, wrong) = (AtomicUsize::new(0), Mutex::new(Counts::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (one, found) = killed_at(*point);
                    let mut counts = counts.lock().expect("nobody panicked");
                    counts.points += one.points;
                    counts.killed += one.killed;
                    counts.finished += one.finished;
                    counts.in_doubt += one.in_doubt;
                    counts.doubled += one.doubled;
                    counts.lost += one.lost;
                    wrong.lock().expect("nobody panicked").extend(found);
                }
            });
        }
    });
    let (counts, wrong) = (counts.into_inner().expect("nobody panicked"), wrong.into_inner().expect("nobody panicked"));
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(counts.killed, counts.points, "each was killed");
}

#[test]
fn each_effect_waits_for_the_disk_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("writes");
    write("lifeboat.toml", "default = \"here\"\n[environments.here]\n");
    write("effects.rhai", "for n in 0..100 { log(`effect ${n}`); }\n");
    let run = || {
        let syncs = directory.path().join("syncs");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.env("LD_PRELOAD", die()).env("LIFEBOAT_SYNCS", &syncs);
        let ran = command.args(["run", "effects.rhai"]).current_dir(&directory).output().expect("starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let count = std::fs::read(&syncs).expect("it was loaded").len();
        std::fs::remove_file(syncs).expect("it is there");
        count
    };
    // The first one makes the journal, too.
    run();
    // Its log and the log's directory, each effect, the end, and two when the log is emptied into the file.
    assert_eq!(run(), 2 + 100 + 1 + 2);
}
