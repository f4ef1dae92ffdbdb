//! Sends a message as its channel wants it: not twice, in its thread, not too many at once. What cannot be delivered waits in the
//! outbox, and the run goes on.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Applied, Fault, Letter, LetterQuery, LetterState, Outbox, Span};
use crate::primitives::Reconciled;
use crate::system::Act;

use super::thread::root_of;
use super::{Channel, Delivery, Dispatch, Message, MessageKind, Receipt, Severity, Undelivered};

/// For so long after a channel failed, messages go to the outbox without trying it: a dead channel costs a recovery one time
/// limit, not one for each message.
const DEAD_FOR: Duration = Duration::from_secs(30);

/// The pause before the second attempt; each further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// What is done with a message.
enum Way {
    /// It is sent, into the thread that begins with this.
    Send { root: Option<String> },
    /// The channel has it, or will have it, already.
    Said { delivered: bool, detail: String },
    /// It waits in the outbox until then.
    Wait { until: Timestamp, held: bool, why: String },
}

/// Sends a message. `Err` only when it is `required`; everything else that is not delivered waits in the outbox.
pub(super) async fn post(
    channel: &impl Channel,
    message: &Message,
    required: bool,
    act: &Act,
) -> Result<Delivery, Fault> {
    let Some(outbox) = act.outbox() else {
        let sent = channel.deliver(&Dispatch::first(message), act).await.map_err(|undelivered| undelivered.fault);
        return match sent {
            Ok(receipt) => Ok(Delivery::made(receipt.detail)),
            Err(fault) if required => Err(fault),
            Err(fault) => Ok(Delivery { delivered: false, queued: false, detail: fault.message }),
        };
    };
    let letter = letter(channel, message);
    match decide(channel, &letter, message, required, outbox) {
        Way::Said { delivered, detail } => Ok(Delivery { delivered, queued: !delivered, detail }),
        Way::Wait { until, held, why } => {
            Ok(queue(outbox, Letter { next: until, held, detail: why, ..letter }, "it waits in the outbox"))
        }
        Way::Send { root } => {
            let letter = Letter { root, attempts: 1, tried: Some(message.at), ..letter };
            let dispatch = Dispatch { root: letter.root.as_deref(), ..Dispatch::first(message) };
            match channel.deliver(&dispatch, act).await {
                Ok(receipt) => Ok(delivered(outbox, letter, receipt, act.now())),
                Err(undelivered) if required => Err(undelivered.fault),
                Err(undelivered) => Ok(undeliverable(channel, letter, undelivered, act).await),
            }
        }
    }
}

/// The answer was lost, or there was none: looks whether it arrived all the same, and keeps it for later if not.
async fn undeliverable(channel: &impl Channel, letter: Letter, failed: Undelivered, act: &Act) -> Delivery {
    let Some(outbox) = act.outbox() else { return Delivery::missed(failed.fault.message) };
    let letter = match after_failure(channel, letter, &failed, act).await {
        Ok((letter, receipt)) => return delivered(outbox, letter, receipt, act.now()),
        Err(letter) => letter,
    };
    let again = if letter.doubtful { "it may have arrived, and is sent again" } else { "it is tried again" };
    queue(outbox, letter, again)
}

/// A letter after an attempt that failed, with when it is tried next; `Ok` when there is evidence that it arrived all the same.
pub(super) async fn after_failure(
    channel: &impl Channel,
    letter: Letter,
    failed: &Undelivered,
    act: &Act,
) -> Result<(Letter, Receipt), Letter> {
    // What was in doubt before stays so: this attempt says nothing about the earlier ones.
    let mut doubtful = letter.doubtful;
    if failed.fault.applied != Applied::No {
        match channel.delivered(act, &letter.key).await {
            Reconciled::Applied { output, evidence } => {
                let detail = format!("{}; {evidence}", output.detail);
                return Ok((letter, Receipt { detail, ..output }));
            }
            Reconciled::NotApplied { .. } => {}
            Reconciled::Unknown { .. } => doubtful = true,
        }
    }
    let pause = failed.wait.unwrap_or_else(|| pause_after(letter.attempts)).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    let (next, detail) = (later(act.now(), pause), act.redacted(&failed.fault.message));
    Err(Letter { under_way: false, doubtful, next, detail, ..letter })
}

/// 2 s, 4 s, 8 s, … 5 min.
fn pause_after(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(10))
}

pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MIN)
}

fn delivered(outbox: &dyn Outbox, letter: Letter, receipt: Receipt, now: Timestamp) -> Delivery {
    let detail = receipt.detail.clone();
    outbox.post(Letter {
        state: LetterState::Delivered,
        doubtful: false,
        detail: receipt.detail,
        receipt: receipt.id,
        done: Some(now),
        ..letter
    });
    Delivery::made(detail)
}

fn queue(outbox: &dyn Outbox, letter: Letter, then: &str) -> Delivery {
    let why = letter.detail.clone();
    if outbox.post(letter) {
        Delivery { delivered: false, queued: true, detail: format!("{why}; {then}") }
    } else {
        Delivery::missed(why)
    }
}

fn letter(channel: &impl Channel, message: &Message) -> Letter {
    Letter {
        key: message.idempotency_key.clone(),
        origin: message.origin.clone(),
        channel: channel.name().to_owned(),
        thread: message.key.clone(),
        resolves: message.kind == MessageKind::Resolve,
        headline: message.headline(),
        digest: message.digest(),
        message: serde_json::to_value(message).unwrap_or_default(),
        written: message.at,
        state: LetterState::Waiting,
        attempts: 0,
        tried: None,
        next: message.at,
        under_way: false,
        held: false,
        doubtful: false,
        detail: String::new(),
        done: None,
        late: false,
        gathered: false,
        receipt: None,
        root: None,
    }
}

fn decide(channel: &impl Channel, letter: &Letter, message: &Message, required: bool, outbox: &dyn Outbox) -> Way {
    if let Some(way) = known(letter, outbox).or_else(|| repeated(channel, letter, outbox)) {
        return way;
    }
    let urgent = required || message.severity == Severity::Critical;
    let waiting = LetterQuery { state: Some(LetterState::Waiting), ..on(letter) };
    let waiting = outbox.letters(&waiting);
    let now = message.at;
    let failed = waiting.iter().rfind(|other| !other.held && other.tried.is_some_and(|at| later(at, DEAD_FOR) > now));
    if let Some(failed) = failed.filter(|_| !required) {
        let why = format!("{} could not be told anything just now: {}", letter.channel, failed.detail);
        return Way::Wait { until: failed.next.max(now), held: false, why };
    }
    if urgent {
        return Way::Send { root: root_of(letter, outbox) };
    }
    // The end of a problem must not arrive before its beginning.
    if let Some(earlier) = waiting.iter().rfind(|other| other.thread.is_some() && other.thread == letter.thread) {
        let why = "an earlier message of its thread is not delivered yet".to_owned();
        return Way::Wait { until: earlier.next.max(now), held: earlier.held, why };
    }
    match free_from(channel, letter, outbox, now) {
        Some(from) if from > now => {
            let at_most = channel.policy().at_most.map(|most| format!("{} in {}", most.messages, most.per));
            let why = format!("{} takes at most {} messages", letter.channel, at_most.unwrap_or_default());
            Way::Wait { until: from, held: true, why }
        }
        _ => Way::Send { root: root_of(letter, outbox) },
    }
}

/// The same call was carried out before: all attempts of one call say one thing.
fn known(letter: &Letter, outbox: &dyn Outbox) -> Option<Way> {
    let query = LetterQuery { key: Some(letter.key.clone()), ..LetterQuery::default() };
    let before = outbox.letters(&query).pop()?;
    Some(match before.state {
        LetterState::Delivered => Way::Said { delivered: true, detail: format!("already told: {}", before.detail) },
        LetterState::Waiting => Way::Said { delivered: false, detail: "it waits in the outbox already".to_owned() },
        LetterState::Dropped => Way::Said { delivered: true, detail: "a person dropped it from the outbox".to_owned() },
    })
}

/// The last message with its key said the same a moment ago. Only the last one counts: a state that changed and changed back is
/// news.
fn repeated(channel: &impl Channel, letter: &Letter, outbox: &dyn Outbox) -> Option<Way> {
    let window = channel.policy().repeat_after;
    letter.thread.as_ref()?;
    let query = LetterQuery { thread: letter.thread.clone(), newest: Some(1), ..on(letter) };
    let last = outbox.letters(&query).pop()?;
    let recent = last.written > earlier(letter.written, window);
    if !recent || last.digest != letter.digest || last.state == LetterState::Dropped {
        return None;
    }
    let ago = Duration::try_from(letter.written.duration_since(last.written)).unwrap_or_default();
    let (delivered, ago) = (last.state == LetterState::Delivered, Span(ago).human());
    let what = if delivered { "was said" } else { "waits in the outbox, written" };
    Some(Way::Said { delivered, detail: format!("not sent again: the same {what} {ago} ago") })
}

/// When the channel takes another message; `None` when it has no limit.
pub(super) fn free_from(
    channel: &impl Channel,
    letter: &Letter,
    outbox: &dyn Outbox,
    now: Timestamp,
) -> Option<Timestamp> {
    let most = channel.policy().at_most?;
    let since = earlier(now, most.per.0);
    let query = LetterQuery { state: Some(LetterState::Delivered), since: Some(since), ..on(letter) };
    let sent: Vec<Timestamp> =
        outbox.letters(&query).iter().filter(|sent| !sent.gathered).filter_map(|sent| sent.done).collect();
    let messages = usize::try_from(most.messages).unwrap_or(usize::MAX);
    let mut sent: Vec<Timestamp> = sent.into_iter().filter(|done| *done > since).collect();
    sent.sort();
    match sent.len().checked_sub(messages) {
        None => Some(now),
        Some(oldest) => sent.get(oldest).map(|done| later(*done, most.per.0)),
    }
}

/// The letters for the channel of this one. A drill rehearses everything: it knows nothing of other runs.
pub(super) fn on(letter: &Letter) -> LetterQuery {
    LetterQuery {
        environment: Some(letter.origin.environment.clone()),
        channel: Some(letter.channel.clone()),
        run: letter.origin.drill.then(|| letter.origin.run.clone()),
        ..LetterQuery::default()
    }
}
