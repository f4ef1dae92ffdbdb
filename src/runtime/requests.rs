//! What another terminal can ask of a run: that it stops, that a question has an answer.

use std::time::Duration;

use crate::model::{Awaited, Halt, Key, Mode, Record, Request, RunId, Value, Wanted, did_you_mean};
use crate::system::whoami;
use crate::worlds::{OnFault, Unanswered};

use super::resume::{Way, given};
use super::run::acknowledge;
use super::unfinished::{Unfinished, takes_up};
use super::{Error, Life, Lifeboat, Ran};

/// Which run to end.
#[derive(Clone, Default)]
pub struct CancelRequest {
    /// The beginning or the end of its id, or `latest`.
    pub run: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is rolled back.
    pub abort: bool,
    /// Whether files may have changed since it began, where its process is gone.
    pub edited: bool,
    /// The name of the environment, typed by whoever may change a protected one.
    pub acknowledged: Option<String>,
    /// How long to wait for runs that change one of its targets, where its process is gone.
    pub wait: Option<Duration>,
    /// Why it takes no heed of the leases of other machines, nor of a shared journal that does not answer.
    pub break_glass: Option<String>,
}

/// What came of a request to end a run.
#[derive(Debug)]
pub enum Cancelled {
    /// The process that carries it out was asked.
    Asked(RunId),
    /// Its process was gone: what it owed was undone here.
    Ended(Box<Ran>),
}

/// An answer that was left for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The run.
    pub run: RunId,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Whether a process waits for it; otherwise the run is to be resumed.
    pub goes_on: bool,
    /// Whether its files were edited when it was taken up the last time.
    pub edited: bool,
}

/// A question of a run that has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// The call that asks.
    pub key: Key,
    /// The question.
    pub question: String,
    /// The answers to choose from; empty for any text.
    pub choices: Vec<String>,
}

impl Lifeboat {
    /// Ends a run: asks its process, or undoes what it owes where that is gone. An `Err` means that nothing was done.
    pub fn cancel_run(&self, request: &CancelRequest) -> Result<Cancelled, Error> {
        let run = self.recorded_run(Some(&request.run))?;
        if let Some(refused) = run.is_session() {
            return Err(refused);
        }
        if run.status().is_none()
            && let Life::GoesOn(_) | Life::Elsewhere(_) = Life::of(&run.id, &run.events)
        {
            let wanted = Wanted::Cancel { reason: request.reason.clone(), abort: request.abort };
            self.journal()?.leave_request(&run.id, &self.request(wanted))?;
            return Ok(Cancelled::Asked(run.id));
        }
        let run = self.unfinished(Some(run.id.as_str()))?;
        if request.abort {
            return Err(Error::Refused {
                why: format!("no process carries run {} out", run.id),
                help: Some("without --abort, what it owes is rolled back; as it is, nothing goes on".to_owned()),
            });
        }
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_sound(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, request.edited)?;
        let params = given(&script, &run.started.params);
        acknowledge(environment, request.acknowledged.as_deref())?;
        let (on_fault, unanswered) = (OnFault::RollBack, Unanswered::Fail);
        let way = Way {
            edited,
            on_fault,
            unanswered,
            deadline: None,
            ends: Some(Halt::Cancelled),
            again: false,
            wait: request.wait,
            break_glass: request.break_glass.clone(),
        };
        self.take_up(&run, (&script, &params), environment, way).map(|ran| Cancelled::Ended(Box::new(ran)))
    }

    /// Leaves an answer to a question of a run. An `Err` means that nothing was left.
    pub fn answer(&self, run: &str, key: Option<&str>, text: &str) -> Result<Answered, Error> {
        let run = self.recorded_run(Some(run))?;
        let id = run.id.clone();
        let refused = |why: String, help: String| Err(Error::Refused { why, help: Some(help) });
        let goes_on = match (run.status(), Life::of(&id, &run.events)) {
            (None, Life::GoesOn(_) | Life::Elsewhere(_)) => true,
            (None, Life::Interrupted) | (Some("waiting"), _) if run.started.mode == Mode::Run => false,
            (status, _) => {
                let status = status.unwrap_or("interrupted");
                // What was asked in a session is asked again by whoever types it again.
                let help = match run.started.mode {
                    Mode::Session => format!("take it up again, and type it again: {}", takes_up(Mode::Session, &id)),
                    _ => format!("lifeboat show {id}"),
                };
                return refused(format!("run {id} asks nothing: {status}"), help);
            }
        };
        let question = one_of(&run, questions(&run), key)?;
        let Some(answer) = meant(&question, text) else {
            let why = format!("`{text}` is none of the answers to: {}", question.question);
            return refused(why, format!("answer one of: {}", question.choices.join(", ")));
        };
        let journal = self.journal()?;
        let said = journal.requests(&id, 0)?.into_iter().find_map(|(_, request)| match request.wanted {
            Wanted::Answer { key, text } if key == question.key => Some((text, request.by)),
            _ => None,
        });
        if let Some((said, by)) = said {
            let help = format!("carry on with: lifeboat resume {id}");
            return refused(format!("{by} has answered already: {said}"), help);
        }
        let wanted = Wanted::Answer { key: question.key.clone(), text: answer.clone() };
        journal.leave_request(&id, &self.request(wanted))?;
        Ok(Answered { run: id, question: question.question, answer, goes_on, edited: run.was_edited() })
    }

    /// The questions of a run that have no answer yet.
    pub fn open_questions(&self, run: &str) -> Result<Vec<OpenQuestion>, Error> {
        Ok(questions(&self.recorded_run(Some(run))?))
    }

    fn request(&self, wanted: Wanted) -> Request {
        Request { by: whoami(), at: self.look().now(), wanted }
    }
}

fn questions(run: &Unfinished) -> Vec<OpenQuestion> {
    let record = Record::of(&run.events);
    record.all_awaited().filter_map(|(key, awaited)| question(key, awaited)).collect()
}

/// The question that was asked there, unless it is a pause, or was answered.
fn question(key: &Key, awaited: &Awaited) -> Option<OpenQuestion> {
    let choices = match awaited.primitive.as_str() {
        "confirm" => vec!["yes".to_owned(), "no".to_owned()],
        "ask" => match awaited.args.get("choices") {
            Some(Value::List(choices)) => choices.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        },
        _ => return None,
    };
    let question = awaited.args.get("question").map(ToString::to_string).unwrap_or_default();
    awaited.answer.is_none().then(|| OpenQuestion { key: key.clone(), question, choices })
}

/// The question that is meant.
fn one_of(run: &Unfinished, mut open: Vec<OpenQuestion>, key: Option<&str>) -> Result<OpenQuestion, Error> {
    let listed = |open: &[OpenQuestion]| {
        open.iter().map(|one| format!("{} ({})", one.key, one.question)).collect::<Vec<_>>().join(", ")
    };
    let refused = |why: String, help: Option<String>| Err(Error::Refused { why, help });
    match key {
        _ if open.is_empty() => {
            let help = format!("lifeboat show {} says how far it is", run.id);
            refused(format!("run {} asks nothing", run.id), Some(help))
        }
        None if open.len() == 1 => Ok(open.remove(0)),
        None => refused(
            format!("run {} asks {} questions", run.id, open.len()),
            Some(format!("name one: {}", listed(&open))),
        ),
        Some(key) => {
            if let Some(at) = open.iter().position(|one| one.key.to_string() == key) {
                return Ok(open.remove(at));
            }
            let keys: Vec<String> = open.iter().map(|one| one.key.to_string()).collect();
            let help = did_you_mean(key, keys.iter().map(String::as_str));
            refused(format!("call {key} asks nothing"), help.or_else(|| Some(format!("asked: {}", listed(&open)))))
        }
    }
}

/// The answer that is meant by what was typed: a choice as it is written, whatever its case.
fn meant(question: &OpenQuestion, text: &str) -> Option<String> {
    if question.choices.is_empty() {
        return Some(text.to_owned());
    }
    let fits = |choice: &&String| choice.as_str() == text || choice.to_lowercase() == text.to_lowercase();
    question.choices.iter().find(fits).cloned()
}
