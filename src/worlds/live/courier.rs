//! Delivers what waits in the outbox: beside a run, at its end, in the next one, and when a person asks for it.
//!
//! It never meets the script: outcomes that a script has seen stay as they are, and what it does is not in the run's record but in
//! the letters. Each attempt is claimed, durably, before it is made; so two processes never send one letter at the same time, and
//! an attempt that a crash interrupted is known to have been made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use crate::journal::{Journal, JournalError};
use crate::model::{Letter, LetterQuery, LetterState, Origin, Outbox};
use crate::primitives::notify::Carrier;
use crate::system::{Act, Look};
use crate::worlds::Cast;

/// For so long an attempt belongs to who claimed it: longer than any channel may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// An older letter is not delivered by itself: what it says has been overtaken.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zeal {
    /// What is due, as far as the channel's limit lets it through.
    Due,
    /// The same without waiting for pauses to pass; what was held back is gathered now.
    Last,
    /// Everything, however old, and whatever the limit.
    All,
}

/// Delivers the letters of one environment.
pub struct Courier {
    cast: Cast,
    journal: Arc<dyn Journal>,
    act: Act,
}

impl Courier {
    /// A courier for the channels of `cast`.
    pub fn new(cast: Cast, journal: Arc<dyn Journal>, look: &Look) -> Self {
        let act = Act::grant(look).with_outbox(Arc::new(Shelf(journal.clone())));
        Self { cast, journal, act }
    }

    /// Tries to deliver what waits, each channel beside the others and in the order of its letters; a channel that fails is left
    /// alone for this round. Returns when there will be something to do again.
    pub async fn round(self: &Arc<Self>, zeal: Zeal) -> Option<Timestamp> {
        let query = LetterQuery { environment: Some(self.cast.environment.name.clone()), ..LetterQuery::waiting() };
        let letters = self.in_journal(move |journal| journal.letters(&query)).await.unwrap_or_default();
        let mut channels = BTreeMap::<String, Vec<Letter>>::new();
        for letter in letters {
            channels.entry(letter.channel.clone()).or_default().push(letter);
        }
        let mut rounds = JoinSet::new();
        for (channel, letters) in channels {
            // Letters for a channel that is gone wait for a person.
            let Some(carrier) = self.cast.carrier(&channel).cloned() else { continue };
            let round = Round { courier: self.clone(), carrier, zeal };
            rounds.spawn(async move { round.channel(letters).await });
        }
        rounds.join_all().await.into_iter().flatten().min()
    }

    /// The journal waits for the disk, and for other processes: not on the thread that moves the network.
    async fn in_journal<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.journal.clone();
        match spawn_blocking(move || work(journal.as_ref())).await {
            Ok(done) => done,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// Changes a letter that was tried `attempts` times. What cannot be written is not done.
    async fn change(&self, letter: Letter, attempts: u32) -> bool {
        self.in_journal(move |journal| journal.change_letter(&letter, attempts)).await.unwrap_or(false)
    }
}

/// One round at one channel.
struct Round {
    courier: Arc<Courier>,
    carrier: Arc<dyn Carrier>,
    zeal: Zeal,
}

impl Round {
    async fn channel(&self, letters: Vec<Letter>) -> Option<Timestamp> {
        let now = self.courier.act.now();
        let fresh = |letter: &Letter| {
            self.zeal == Zeal::All || letter.written.saturating_add(OLDEST).is_ok_and(|end| end > now)
        };
        let letters = letters.into_iter().filter(|letter| fresh(letter) && letter.next < Timestamp::MAX);
        let letters: Vec<Letter> = letters.collect();
        // One process at a time sends to one channel: else letters would overtake each other.
        if let Some(busy) = letters.iter().find(|letter| letter.under_way && letter.next > now) {
            return Some(busy.next);
        }
        let (mut held, free): (Vec<_>, Vec<_>) = letters.into_iter().partition(|letter| letter.held);
        for letter in free {
            match self.one(letter).await {
                Tried::Delivered => {}
                Tried::Held(letter) => held.push(*letter),
                Tried::Waits(next) => return Some(next),
            }
        }
        self.held(held).await
    }

    /// Tries one letter that was not held back.
    async fn one(&self, letter: Letter) -> Tried {
        let now = self.courier.act.now();
        if letter.next > now && self.zeal == Zeal::Due {
            return Tried::Waits(letter.next);
        }
        let from = self.free_from(&letter, now);
        if from > now && self.zeal != Zeal::All {
            let (attempts, letter) = (letter.attempts, Letter { held: true, next: from, ..letter });
            self.courier.change(letter.clone(), attempts).await;
            return Tried::Held(Box::new(letter));
        }
        match self.send(vec![letter]).await.pop() {
            Some(after) if after.state == LetterState::Waiting => Tried::Waits(after.next),
            _ => Tried::Delivered,
        }
    }

    /// Tries what was held back: in one message where people read it, one by one where systems do.
    async fn held(&self, mut letters: Vec<Letter>) -> Option<Timestamp> {
        while let Some(first) = letters.first() {
            let now = self.courier.act.now();
            let from = self.free_from(first, now);
            let gathered = self.carrier.gathers();
            let goes = self.zeal == Zeal::All || from <= now || (self.zeal == Zeal::Last && gathered);
            if !goes {
                return Some(from);
            }
            let count = if gathered { letters.len() } else { 1 };
            let after = self.send(letters.drain(..count).collect()).await;
            let waits = after.iter().filter(|letter| letter.state == LetterState::Waiting);
            if let Some(next) = waits.map(|letter| letter.next).min() {
                return Some(next);
            }
        }
        None
    }

    fn free_from(&self, letter: &Letter, now: Timestamp) -> Timestamp {
        self.courier.act.outbox().map_or(now, |outbox| self.carrier.free_from(letter, outbox, now))
    }

    /// Claims letters, carries them, and notes what came of it. Those that somebody else has claimed are left out.
    async fn send(&self, letters: Vec<Letter>) -> Vec<Letter> {
        let mut claimed = Vec::new();
        for letter in letters {
            let now = self.courier.act.now();
            let next = now.saturating_add(LEASE).unwrap_or(now);
            let attempts = letter.attempts + 1;
            let claim = Letter { attempts, tried: Some(now), next, under_way: true, doubtful: true, ..letter.clone() };
            if self.courier.change(claim.clone(), letter.attempts).await {
                claimed.push(Letter { doubtful: letter.doubtful, ..claim });
            }
        }
        let after = self.carrier.carry(claimed, &self.courier.act).await;
        for letter in &after {
            self.courier.change(letter.clone(), letter.attempts).await;
        }
        after
    }
}

/// What came of a letter in a round.
enum Tried {
    Delivered,
    Held(Box<Letter>),
    Waits(Timestamp),
}

/// The outbox, for who only looks things up in it.
struct Shelf(Arc<dyn Journal>);

impl Outbox for Shelf {
    fn origin(&self) -> Origin {
        Origin::default()
    }

    fn letters(&self, query: &LetterQuery) -> Vec<Letter> {
        self.0.letters(query).unwrap_or_default()
    }

    fn post(&self, _: Letter) -> bool {
        false
    }
}

/// A courier at work beside a run.
pub struct Rounds {
    courier: Arc<Courier>,
    posted: Arc<Notify>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Rounds {
    /// Starts with what earlier runs left, and goes on whenever `posted` is notified or a letter is due.
    pub fn start(courier: Courier, posted: Arc<Notify>, handle: &Handle) -> Self {
        let (courier, stop) = (Arc::new(courier), Arc::new(AtomicBool::new(false)));
        let task = handle.spawn(go_round(courier.clone(), posted.clone(), stop.clone()));
        Self { courier, posted, stop, task }
    }

    /// Lets the round under way end and tries the rest once more, both within `limit`.
    pub fn finish(self, handle: &Handle, limit: Duration) {
        self.stop.store(true, Ordering::SeqCst);
        self.posted.notify_one();
        let (abort, task) = (self.task.abort_handle(), self.task);
        let last = async {
            // A round that panicked has said so; what it left waits.
            drop(task.await);
            self.courier.round(Zeal::Last).await;
        };
        let late = handle.block_on(async { tokio::time::timeout(limit, last).await }).is_err();
        if late {
            abort.abort();
        }
    }
}

async fn go_round(courier: Arc<Courier>, posted: Arc<Notify>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let next = courier.round(Zeal::Due).await;
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let pause = next.map(|next| Duration::try_from(next.duration_since(courier.act.now())).unwrap_or_default());
        match pause {
            // Never at once again: a clock that stands still must not become a loop.
            Some(pause) => {
                let pause = pause.max(Duration::from_millis(50));
                drop(tokio::time::timeout(pause, posted.notified()).await);
            }
            None => posted.notified().await,
        }
    }
}
