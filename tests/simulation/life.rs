//! One life after the other: a run whose process dies at chosen points, is taken up again, dies again, until it is over.

use std::fmt::Write as _;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifeboat::journal::{Journal, JournalError, Leases, MemoryJournal, Recorded, RunQuery, RunSummary};
use lifeboat::model::{Event, Fence, Halt, RunId, Verdict};
use lifeboat::primitives::Registry;
use lifeboat::runtime::{Error, Lifeboat, Ran, ResumeRequest, RunRequest, Settled, Status};
use lifeboat::system::{Answer, Answers, Asked, Cancel, Clock, Interrupted, Pause};
use lifeboat::worlds::Listener;

use crate::chance::Chance;
use crate::generate::{Generated, TARGETS};
use crate::targets::{Outside, registry};

/// What a journal does wrong, for showing that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Now and then a commit is reported as durable, and is not.
    LosesCommits,
}

/// A journal that dies with its process.
struct Mortal {
    outside: Arc<Outside>,
    journal: Arc<MemoryJournal>,
    flaw: Flaw,
    commits: AtomicU64,
}

impl Mortal {
    fn write(&self, run: &RunId, events: &[Event], fence: Option<Fence>) -> Result<(), JournalError> {
        let gone = || JournalError::DiskFull { path: PathBuf::from("the process is gone") };
        if !self.outside.lives() {
            return Err(gone());
        }
        let commit = self.commits.fetch_add(1, Ordering::SeqCst);
        if self.flaw == Flaw::LosesCommits && commit % 7 == 5 {
            self.outside.lose();
        }
        if !self.outside.is_losing() {
            match fence {
                Some(fence) => self.journal.append_fenced(run, events, &[], fence)?,
                None => self.journal.append(run, events)?,
            }
            self.outside.recorded(run, events);
        }
        // It is durable, and nobody hears of it.
        if self.outside.lives() { Ok(()) } else { Err(gone()) }
    }
}

impl Journal for Mortal {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        self.write(run, events, None)
    }

    fn append_fenced(
        &self,
        run: &RunId,
        events: &[Event],
        _: &[lifeboat::model::Letter],
        fence: Fence,
    ) -> Result<(), JournalError> {
        self.write(run, events, Some(fence))
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.journal.leases()
    }

    fn leave_request(&self, run: &RunId, request: &lifeboat::model::Request) -> Result<(), JournalError> {
        self.journal.leave_request(run, request)
    }

    fn requests(&self, run: &RunId, after: u64) -> Result<Vec<(u64, lifeboat::model::Request)>, JournalError> {
        self.journal.requests(run, after)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.journal.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.journal.recorded(run)
    }
}

/// Time that moves on when somebody waits for it, and never runs out beside a run.
#[derive(Debug, Default)]
struct Simulated {
    /// Milliseconds since the machine was started; for all processes the same.
    now: Arc<AtomicU64>,
    /// When the process began.
    born: u64,
}

impl Simulated {
    /// The clock of a process that begins now.
    fn for_one_process(&self) -> Self {
        Self { now: self.now.clone(), born: self.millis() }
    }

    fn millis(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }
}

impl Clock for Simulated {
    fn now(&self) -> jiff::Timestamp {
        let millis = i64::try_from(self.millis()).expect("not so long");
        jiff::Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time")
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.millis() - self.born)
    }

    fn boot_ms(&self) -> u64 {
        self.millis()
    }

    fn sleep(&self, time: Duration) -> Pause {
        self.now.fetch_add(u64::try_from(time.as_millis()).expect("not so long"), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn timer(&self, _: Duration) -> Pause {
        Box::pin(std::future::pending())
    }
}

/// Somebody who says yes, or is not there.
struct Person(bool);

impl Answers for Person {
    fn ask<'a>(&'a self, _: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        let said = Answer::Said { text: "yes".into(), by: "somebody@here".into() };
        let answer = if self.0 { said } else { Answer::Nobody };
        Box::pin(async move { Ok(answer) })
    }
}

/// Asks a run to stop when it has heard of so many events.
struct Stopper {
    cancel: Cancel,
    at: Option<u64>,
    heard: AtomicU64,
}

impl Listener for Stopper {
    fn on_event(&self, _: &Event) {
        if Some(self.heard.fetch_add(1, Ordering::SeqCst)) == self.at {
            self.cancel.request();
        }
    }
}

/// A place in which one simulation after the other lives.
pub(crate) struct Stage {
    directory: tempfile::TempDir,
    number: u64,
    registry: Registry,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// What is to happen besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fortune {
    /// After how many points each process dies; the last one lives on.
    pub(crate) deaths: Vec<u64>,
    /// Whether somebody is there to answer.
    pub(crate) attended: bool,
    /// In the first process: cancelled at this event.
    pub(crate) cancelled_at: Option<u64>,
}

/// What came of it.
pub(crate) struct Ended {
    pub(crate) status: Status,
    pub(crate) verdict: Verdict,
    pub(crate) run: RunId,
    /// How often a process died.
    pub(crate) deaths: u64,
    pub(crate) doubts: u64,
    /// Points that the first process came to.
    pub(crate) points: u64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let number = NUMBERS.fetch_add(1, Ordering::SeqCst);
        let mut config = "default = \"sim\"\n[environments.sim]\n".to_owned();
        for target in TARGETS {
            let _ = writeln!(config, "[environments.sim.services.{target}]\ndriver = \"sim\"\nworld = {number}");
            // Two targets with the same settings would be one and the same thing.
        }
        std::fs::create_dir_all(directory.path().join("runbooks")).expect("a directory");
        std::fs::write(directory.path().join("lifeboat.toml"), config).expect("writes");
        Self { directory, number, registry: registry() }
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("lifeboat.toml")
    }

    pub(crate) fn outside(&self, seed: u64, lying: bool) -> Arc<Outside> {
        Outside::new(self.number, seed, lying)
    }

    pub(crate) fn write(&self, generated: &Generated) {
        let write = |name: &str, text: &str| {
            std::fs::write(self.directory.path().join("runbooks").join(name), text).expect("writes");
        };
        write("it.rhai", &generated.runbook);
        write("child.rhai", &generated.child);
    }

    /// A new process.
    fn lifeboat(&self, outside: &Arc<Outside>, clock: Arc<dyn Clock>, stop: (&Fortune, bool), flaw: Flaw) -> Lifeboat {
        let cancel = Cancel::new();
        let (fortune, first) = stop;
        let at = fortune.cancelled_at.filter(|_| first);
        let stopper = Stopper { cancel: cancel.clone(), at, heard: AtomicU64::new(0) };
        let (journal, commits) = (outside.journal.clone(), AtomicU64::new(0));
        let mortal = Mortal { outside: outside.clone(), journal, flaw, commits };
        let builder = Lifeboat::builder(self.directory.path().join("lifeboat.toml")).registry(self.registry.clone());
        let builder = builder.journal(Arc::new(mortal)).clock(clock).cancel(cancel).listener(Arc::new(stopper));
        builder.answers(Arc::new(Person(fortune.attended))).build().expect("it is configured")
    }

    /// Lets a run live, die and live again until it is over.
    pub(crate) fn play(&self, outside: &Arc<Outside>, fortune: &Fortune, flaw: Flaw) -> Result<Ended, String> {
        let clock = Simulated::default();
        let (mut deaths, mut doubts, mut points) = (0, 0, 0);
        let mut dies = fortune.deaths.iter().copied();
        for life in 0..400 {
            let first = outside.journal.runs(&RunQuery::newest(1)).expect("reads").is_empty();
            outside.begin(dies.next());
            let lifeboat = self.lifeboat(outside, Arc::new(clock.for_one_process()), (fortune, life == 0), flaw);
            let ran = if first {
                lifeboat.run(&RunRequest::new(self.directory.path().join("runbooks/it.rhai")))
            } else {
                lifeboat.resume(&ResumeRequest::default())
            };
            if life == 0 {
                points = outside.points();
            }
            let is_gone = outside.is_dead();
            deaths += u64::from(is_gone);
            match ran {
                _ if is_gone => {}
                Err(error) if over(&error) => return self.last(outside, (deaths, doubts, points)),
                Err(error) => return Err(format!("it cannot be taken up: {error}")),
                Ok(ran) => match ran.status {
                    Status::InDoubt => {
                        doubts += 1;
                        outside.begin(None);
                        settle(&lifeboat, outside, &ran)?;
                    }
                    Status::Waiting => {
                        outside.begin(None);
                        let open = lifeboat.open_questions(ran.id.as_str()).map_err(|error| error.to_string())?;
                        for question in open {
                            // A branch that asks may have been answered already, and not have been taken up yet.
                            let _ = lifeboat.answer(ran.id.as_str(), Some(&question.key.to_string()), "yes");
                        }
                    }
                    Status::LeaseLost => return Err("its leases are lost, and nobody took them".to_owned()),
                    status => {
                        let (verdict, run) = (ran.verdict, ran.id);
                        return Ok(Ended { status, verdict, run, deaths, doubts, points });
                    }
                },
            }
        }
        Err("it does not come to its end".to_owned())
    }

    /// The end was recorded, and its process died before anybody heard of it.
    fn last(&self, outside: &Outside, (deaths, doubts, points): (u64, u64, u64)) -> Result<Ended, String> {
        let _ = self;
        let run = outside.journal.runs(&RunQuery::newest(1)).expect("reads").pop().ok_or("no run")?;
        let status = Status::ALL.into_iter().find(|status| status.name() == run.status);
        let status = status.ok_or_else(|| format!("it ended as {}", run.status))?;
        let verdict = Verdict::Halted { halt: Halt::Cancelled, unwound: vec![], owed: vec![] };
        Ok(Ended { status, verdict, run: run.id, deaths, doubts, points })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        Outside::forget(self.number);
    }
}

fn over(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("is over") || text.contains("no run is unfinished")
}

/// A person looks at each target that is named, and says what is there.
fn settle(lifeboat: &Lifeboat, outside: &Outside, ran: &Ran) -> Result<(), String> {
    if ran.aftermath.in_doubt.is_empty() {
        return Err(format!("in doubt, and nobody knows of what: {:?}", ran.verdict));
    }
    ran.aftermath.in_doubt.iter().try_for_each(|doubt| tell(lifeboat, outside, ran, &doubt.key))
}

fn tell(lifeboat: &Lifeboat, outside: &Outside, ran: &Ran, key: &lifeboat::model::Key) -> Result<(), String> {
    let wanted = lifeboat::model::IdempotencyKey::new(ran.id.as_str(), key);
    let settled = if outside.took_place(wanted.as_str()) { Settled::Applied(None) } else { Settled::NotApplied };
    let told = lifeboat.settle(ran.id.as_str(), Some(&key.to_string()), &settled);
    told.map(drop).map_err(|error| format!("it cannot be settled: {error}"))
}

/// Chosen by a seed.
pub(crate) fn fortune(chance: &mut Chance, points: u64) -> Fortune {
    let deaths = 1 + chance.below(4);
    let deaths = (0..deaths).map(|_| chance.below(points + 2)).collect();
    Fortune { deaths, attended: chance.happens(70), cancelled_at: None }
}
