//! Delivers letters of the outbox: a channel behind one type, so that whoever empties the outbox need not know which it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;

use crate::model::{Applied, IdempotencyKey, Letter, LetterState, Outbox, Value};
use crate::system::{Act, hex};

use super::post::{after_failure, free_from};
use super::thread::root_of;
use super::{Channel, Dispatch, Message, MessageKind, Receipt, Severity};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries letters that waited.
pub trait Carrier: Send + Sync {
    /// Whether letters that were held back are carried together, in one message.
    fn gathers(&self) -> bool;

    /// From when on the channel takes this letter, as far as its limit is concerned.
    fn free_from(&self, letter: &Letter, outbox: &dyn Outbox, now: Timestamp) -> Timestamp;

    /// Tries to deliver these, as one message if they are several. Returns them as they are afterwards; `act` must have an outbox.
    fn carry<'a>(&'a self, letters: Vec<Letter>, act: &'a Act) -> Boxed<'a, Vec<Letter>>;
}

/// The channel as a carrier.
pub(in crate::primitives) struct Carries<C>(pub(in crate::primitives) C);

impl<C: Channel> Carrier for Carries<C> {
    fn gathers(&self) -> bool {
        self.0.policy().gathers
    }

    fn free_from(&self, letter: &Letter, outbox: &dyn Outbox, now: Timestamp) -> Timestamp {
        free_from(&self.0, letter, outbox, now).filter(|_| !is_critical(letter)).unwrap_or(now)
    }

    fn carry<'a>(&'a self, letters: Vec<Letter>, act: &'a Act) -> Boxed<'a, Vec<Letter>> {
        Box::pin(async move {
            let (mut messages, mut readable, mut carried) = (Vec::new(), Vec::new(), Vec::new());
            for letter in letters {
                match message(&letter) {
                    Ok(message) => {
                        messages.push(message);
                        readable.push(letter);
                    }
                    // Written by another version: a person must see to it.
                    Err(why) => carried.push(Letter { under_way: false, detail: why, next: Timestamp::MAX, ..letter }),
                }
            }
            match (readable.as_slice(), messages.as_slice()) {
                ([], _) => {}
                ([letter], [message]) => carried.push(self.one(letter.clone(), message, act).await),
                _ => carried.extend(self.digest(readable, &messages, act).await),
            }
            carried
        })
    }
}

impl<C: Channel> Carries<C> {
    async fn one(&self, letter: Letter, message: &Message, act: &Act) -> Letter {
        let root = act.outbox().and_then(|outbox| root_of(&letter, outbox));
        let dispatch = Dispatch { message, root: root.as_deref(), again: letter.doubtful, now: act.now() };
        let sent = self.0.deliver(&dispatch, act).await;
        let letter = Letter { root, ..letter };
        match sent {
            Ok(receipt) => arrived(letter, receipt, act.now()),
            Err(failed) => match after_failure(&self.0, letter, &failed, act).await {
                Ok((letter, receipt)) => arrived(letter, receipt, act.now()),
                Err(letter) => letter,
            },
        }
    }

    async fn digest(&self, letters: Vec<Letter>, messages: &[Message], act: &Act) -> Vec<Letter> {
        let message = digest(messages, act.now());
        let again = letters.iter().any(|letter| letter.doubtful);
        let dispatch = Dispatch { again, ..Dispatch::first(&message) };
        let sent = self.0.deliver(&dispatch, act).await;
        let mut carried = Vec::new();
        for (n, letter) in letters.into_iter().enumerate() {
            let letter = Letter { gathered: n > 0, ..letter };
            carried.push(match &sent {
                Ok(receipt) => {
                    let detail = format!("in one message with {} others; {}", messages.len() - 1, receipt.detail);
                    // No thread goes on below a digest.
                    arrived(letter, Receipt { detail, id: None }, act.now())
                }
                Err(failed) => {
                    let doubtful = letter.doubtful || failed.fault.applied != Applied::No;
                    match after_failure(&self.0, Letter { gathered: false, ..letter }, failed, act).await {
                        // Each by itself cannot be found: it was never sent by itself.
                        Ok((letter, _)) | Err(letter) => Letter { doubtful, ..letter },
                    }
                }
            });
        }
        carried
    }
}

fn arrived(letter: Letter, receipt: Receipt, now: Timestamp) -> Letter {
    Letter {
        state: LetterState::Delivered,
        under_way: false,
        doubtful: false,
        late: true,
        detail: receipt.detail,
        receipt: receipt.id,
        done: Some(now),
        ..letter
    }
}

fn message(letter: &Letter) -> Result<Message, String> {
    serde_json::from_value(letter.message.clone()).map_err(|why| format!("the message cannot be read: {why}"))
}

fn is_critical(letter: &Letter) -> bool {
    message(letter).is_ok_and(|message| message.severity == Severity::Critical)
}

/// One message that says what several wanted to say.
fn digest(messages: &[Message], now: Timestamp) -> Message {
    let line = |(n, message): (usize, &Message)| {
        let (from, key) = (message.at.strftime("%H:%M:%S"), message.key.as_deref());
        let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
        (format!("{:02} {from}", n + 1), Value::from(format!("{}{key}", message.headline()).as_str()))
    };
    let keys: Vec<IdempotencyKey> = messages.iter().map(|message| message.idempotency_key.clone()).collect();
    let all = keys.iter().map(IdempotencyKey::as_str).collect::<Vec<_>>().join("\n");
    let severities = messages.iter().map(|message| message.severity);
    let runs = |message: &Message| message.origin.run == messages[0].origin.run;
    Message {
        kind: MessageKind::Notify,
        severity: severities.max_by_key(|severity| *severity as u8).unwrap_or_default(),
        message: format!("{} messages that were held back", messages.len()),
        key: None,
        details: messages.iter().enumerate().map(line).collect::<BTreeMap<_, _>>(),
        at: now,
        idempotency_key: IdempotencyKey::of_all(&keys, &hex(all.as_bytes())[..8]),
        origin: match messages {
            [first, ..] if messages.iter().all(runs) => first.origin.clone(),
            _ => messages.first().map(|first| first.origin.clone()).map(without_run).unwrap_or_default(),
        },
    }
}

/// What messages of different runs have in common.
fn without_run(origin: crate::model::Origin) -> crate::model::Origin {
    crate::model::Origin { environment: origin.environment, drill: origin.drill, ..Default::default() }
}
