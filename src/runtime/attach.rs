//! `attach`: another terminal follows a run.

use std::time::Duration;

use crate::model::{Event, EventBody, ProcessId, RunId};
use crate::worlds::Listener;

use super::{Aftermath, Error, Life, Lifeboat};

/// How often the journal is asked for more.
const EVERY: Duration = Duration::from_millis(100);

/// What became of a run that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It ended, with this status, and left the world so.
    Ended(RunId, String, Box<Aftermath>),
    /// Its process is gone, and the run is not over.
    Interrupted(RunId),
    /// Whoever followed it was asked to stop.
    Left(RunId),
    /// It is carried out on another machine, which alone knows whether it goes on; this is all that is recorded here.
    Elsewhere(RunId, ProcessId),
}

impl Lifeboat {
    /// Tells `listener` of everything that a run has recorded, and of what it records from now on, until it ends. What a run has
    /// not made durable yet is not seen.
    pub fn follow(&self, run: &str, listener: &dyn Listener) -> Result<Followed, Error> {
        let journal = self.journal()?;
        let id = journal.find(run)?;
        let look = self.look();
        let mut events: Vec<Event> = Vec::new();
        loop {
            // Before reading: what it recorded at its very end is read then.
            let life = (!events.is_empty()).then(|| Life::of(&id, &events));
            let seen = events.len();
            if journal.recorded_events(&id)? > seen as u64 {
                events = journal.events(&id)?;
            }
            events.iter().skip(seen).for_each(|event| listener.on_event(event));
            if let Some(EventBody::Ended { status, .. }) = events.last().map(|event| &event.body) {
                return Ok(Followed::Ended(id, status.clone(), Box::new(Aftermath::of(&events))));
            }
            match life {
                Some(Life::Interrupted) if events.len() == seen => return Ok(Followed::Interrupted(id)),
                Some(Life::Elsewhere(process)) if events.len() == seen => return Ok(Followed::Elsewhere(id, process)),
                _ => {}
            }
            if self.tokio.block_on(look.sleep(EVERY)).is_err() {
                return Ok(Followed::Left(id));
            }
        }
    }
}
