//! The outbox, for people: what waits, sending it, dropping it.

use std::sync::Arc;

use crate::config::Environment;
use crate::model::{Letter, LetterQuery, LetterState};
use crate::worlds::{Courier, Zeal};

use super::{Error, Lifeboat};

/// What came of sending.
#[derive(Debug)]
pub struct SentOutbox {
    /// What was delivered.
    pub delivered: Vec<Letter>,
    /// What still waits, with the reason.
    pub waiting: Vec<Letter>,
}

impl Lifeboat {
    /// The messages that wait in the outbox, in the order in which they were written; of one environment, if it is named.
    pub fn outbox(&self, environment: Option<&str>) -> Result<Vec<Letter>, Error> {
        Ok(self.journal()?.letters(&waiting(environment))?)
    }

    /// Tries to deliver what waits in the outbox, however old, and whatever limits its channels have. Blocks for as long as the
    /// channels may take.
    pub fn send_outbox(&self, environment: Option<&str>) -> Result<SentOutbox, Error> {
        let before = self.outbox(environment)?;
        let mut environments: Vec<&str> = before.iter().map(|letter| letter.origin.environment.as_str()).collect();
        environments.sort_unstable();
        environments.dedup();
        for name in environments {
            // What waits for an environment that is gone stays, and is shown.
            let Some(environment) = self.config().environments.get(name) else { continue };
            self.send_in(environment)?;
        }
        let journal = self.journal()?;
        let (mut delivered, mut waiting) = (Vec::new(), Vec::new());
        for letter in before {
            let query = LetterQuery { key: Some(letter.key.clone()), ..LetterQuery::default() };
            match journal.letters(&query)?.pop().unwrap_or(letter) {
                letter if letter.state == LetterState::Waiting => waiting.push(letter),
                letter => delivered.push(letter),
            }
        }
        Ok(SentOutbox { delivered, waiting })
    }

    fn send_in(&self, environment: &Environment) -> Result<(), Error> {
        let courier = Courier::new(self.cast(environment)?, self.journal()?, &self.look_in(environment));
        self.tokio.handle().block_on(Arc::new(courier).round(Zeal::All));
        Ok(())
    }

    /// Drops messages that wait: those of the calls, or runs, whose key is named or begins or ends so. Returns what was dropped.
    pub fn drop_outbox(&self, environment: Option<&str>, keys: &[String]) -> Result<Vec<Letter>, Error> {
        let journal = self.journal()?;
        let letters = self.outbox(environment)?;
        let named = |letter: &&Letter, key: &String| {
            let own = letter.key.as_str();
            own.starts_with(key.as_str()) || own.ends_with(key.as_str())
        };
        for key in keys {
            if key.is_empty() || !letters.iter().any(|letter| named(&letter, key)) {
                let help = Some("`lifeboat outbox` lists what waits, with its keys".to_owned());
                return Err(Error::Params { why: format!("nothing waits in the outbox as `{key}`"), help });
            }
        }
        let mut dropped = Vec::new();
        for letter in letters.into_iter().filter(|letter| keys.iter().any(|key| named(&letter, key))) {
            let attempts = letter.attempts;
            let done = Some(self.system.clock.now());
            let letter = Letter { state: LetterState::Dropped, under_way: false, done, ..letter };
            if journal.change_letter(&letter, attempts)? {
                dropped.push(letter);
            }
        }
        Ok(dropped)
    }
}

fn waiting(environment: Option<&str>) -> LetterQuery {
    LetterQuery { environment: environment.map(str::to_owned), ..LetterQuery::waiting() }
}
