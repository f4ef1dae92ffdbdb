//! One run from its first process to its last.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lifeboat::journal::{Journal as _, LibsqlJournal, RUNNING, RunQuery, RunSummary};
use lifeboat::model::{Applied, EventBody, IdempotencyKey};

use crate::chance::Chance;
use crate::generate::{Generated, generate_once};
use crate::project::Project;

/// How often a run is killed before it may go on.
const KILLS: u64 = 6;
/// A process that takes longer is not killed for it; it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    runs: u64,
    pub(crate) kills: u64,
    effects: u64,
    doubts: u64,
    doubled: u64,
    lost: u64,
    ended: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.kills += other.kills;
        self.effects += other.effects;
        self.doubts += other.doubts;
        self.doubled += other.doubled;
        self.lost += other.lost;
        for (status, count) in &other.ended {
            *self.ended.entry(status.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended: Vec<String> = self.ended.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let Self { runs, kills, effects, doubts, doubled, lost, .. } = self;
        write!(
            f,
            "{kills} kills in {runs} runs, {effects} effects: {}; {doubts} times in doubt and settled, {doubled} doubled, {lost} lost",
            ended.join(", ")
        )
    }
}

/// Plays a seed. Returns what is wrong with it.
pub(crate) fn play(seed: u64) -> (Counts, Option<String>) {
    let generated = generate_once(seed);
    let project = Project::new(seed, &generated);
    let mut run = Life { project, chance: Chance::new(seed ^ 0xdead), counts: Counts { runs: 1, ..Counts::default() } };
    let wrong = run.live().err().or_else(|| run.judge().err());
    let wrong = wrong.map(|why| run.story(seed, &generated, &why));
    (run.counts, wrong)
}

struct Life {
    project: Project,
    chance: Chance,
    counts: Counts,
}

impl Life {
    fn lifeboat(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(args).current_dir(self.project.path("."));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Lets processes live and die until the run is over.
    fn live(&mut self) -> Result<(), String> {
        for life in 0..100 {
            let args: &[&str] = match self.newest() {
                None => &["run", "runbooks/it.rhai"],
                Some(run) if run.status == RUNNING => &["resume"],
                Some(run) if run.status == "in-doubt" => {
                    self.settle(&run)?;
                    &["resume"]
                }
                Some(run) if run.status == "waiting" => {
                    self.answer(&run)?;
                    &["resume"]
                }
                Some(_) => return Ok(()),
            };
            let child = self.lifeboat(args).spawn().expect("starts");
            let dies = (life < KILLS).then(|| Duration::from_millis(self.chance.below(250)));
            self.end(child, dies)?;
        }
        Err("it does not come to its end".to_owned())
    }

    /// Waits for the process, and kills it when its time has come.
    fn end(&mut self, mut child: Child, dies: Option<Duration>) -> Result<(), String> {
        let began = Instant::now();
        loop {
            if child.try_wait().expect("waits").is_some() {
                break;
            }
            if dies.is_some_and(|after| began.elapsed() >= after) {
                child.kill().expect("is killed");
                break;
            }
            if began.elapsed() > PATIENCE {
                child.kill().expect("is killed");
                return Err("it hangs".to_owned());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().expect("waits");
        self.counts.kills += u64::from(output.status.signal() == Some(9));
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(3 | 64 | 65 | 70 | 74 | 78) => Err(format!("{}: {said}", output.status)),
            _ if said.contains("panicked") => Err(said.into_owned()),
            _ => Ok(()),
        }
    }

    fn journal(&self) -> Option<LibsqlJournal> {
        let path = self.project.path(".lifeboat/journal.db");
        path.exists().then(|| LibsqlJournal::open(path).expect("opens"))
    }

    fn newest(&self) -> Option<RunSummary> {
        self.journal()?.runs(&RunQuery::newest(1)).expect("reads").pop()
    }

    fn does(&self, args: &[&str]) -> Result<(), String> {
        let output = self.lifeboat(args).output().expect("starts");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("lifeboat {}: {said}", args.join(" "))) }
    }

    /// A person looks at what the programs have written down.
    fn settle(&mut self, run: &RunSummary) -> Result<(), String> {
        self.counts.doubts += 1;
        let events = self.journal().ok_or("no journal")?.events(&run.id).expect("reads");
        let key = events.iter().rev().find_map(|event| match &event.body {
            EventBody::InDoubt { key, .. } => Some(key.clone()),
            _ => None,
        });
        let key = key.ok_or("in doubt of what?")?;
        let wanted = IdempotencyKey::new(run.id.as_str(), &key);
        // A program that outlived its run may still be at it: who looks too early sees what is not there yet.
        let began = Instant::now();
        while is_carried_out(&wanted) {
            if began.elapsed() > PATIENCE {
                return Err(format!("{key} is carried out for ever"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let done = self.project.ledger().iter().any(|(_, key, _)| key == wanted.as_str());
        let found = if done { "--applied" } else { "--not-applied" };
        self.does(&["settle", run.id.as_str(), &key.to_string(), found])
    }

    fn answer(&self, run: &RunSummary) -> Result<(), String> {
        let mut list = self.lifeboat(&["answer", run.id.as_str(), "--list", "--json"]);
        let output = list.stdout(Stdio::piped()).output().expect("starts");
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let question: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
            let key = question["key"].as_str().ok_or("no key")?;
            // One that was answered and not taken up yet is no mistake.
            let _ = self.does(&["answer", run.id.as_str(), "yes", "--key", key]);
        }
        Ok(())
    }

    /// What the journal and the programs say of each other.
    fn judge(&mut self) -> Result<(), String> {
        let run = self.newest().ok_or("no run")?;
        *self.counts.ended.entry(run.status.clone()).or_default() += 1;
        let journal = self.journal().ok_or("no journal")?;
        let verified = journal.verify(&run.id).expect("reads");
        if let Some(broken) = verified.broken {
            return Err(format!("the journal is broken: {broken:?}"));
        }
        let ledger = self.project.ledger();
        self.counts.effects += ledger.len() as u64;
        let mut wrong = Vec::new();
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, key, _) in &ledger {
            *times.entry(key).or_default() += 1;
        }
        for (key, count) in times.iter().filter(|(_, count)| **count > 1) {
            self.counts.doubled += 1;
            wrong.push(format!("{key} took place {count} times"));
        }
        let mut said: BTreeMap<String, bool> = BTreeMap::new();
        for event in journal.events(&run.id).expect("reads") {
            if let EventBody::Settled(settled) = event.body
                && settled.impact.kind.is_change()
            {
                let key = IdempotencyKey::new(run.id.as_str(), &settled.key).as_str().to_owned();
                let applied = settled.outcome.as_ref().map_or_else(|fault| fault.applied != Applied::No, |_| true);
                *said.entry(key).or_default() |= applied;
            }
        }
        for (key, said) in &said {
            if *said != times.contains_key(key.as_str()) {
                self.counts.lost += 1;
                wrong.push(format!("{key}: the journal says {said}, and it took place: {}", !said));
            }
        }
        for key in times.keys().filter(|key| !said.contains_key(**key)) {
            self.counts.lost += 1;
            wrong.push(format!("{key} took place, and is not recorded"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    fn story(&self, seed: u64, generated: &Generated, why: &str) -> String {
        let lines = self.newest().zip(self.journal()).map_or_else(String::new, |(run, journal)| {
            let entries = journal.recorded(&run.id).expect("reads").entries;
            entries.into_iter().map(|entry| entry.json + "\n").collect()
        });
        let (blind, ledger) = (&self.project.blind, self.project.ledger());
        format!("seed {seed}: {why}\n{}\n{lines}\nwithout evidence: {blind:?}\n{ledger:#?}", generated.runbook)
    }
}

/// Whether a program that was started for this call still runs.
fn is_carried_out(key: &IdempotencyKey) -> bool {
    let entry = format!("{}={key}", IdempotencyKey::VARIABLE);
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let environments = processes.filter_map(|entry| std::fs::read(entry.path().join("environ")).ok());
    environments.into_iter().any(|environment| environment.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()))
}
