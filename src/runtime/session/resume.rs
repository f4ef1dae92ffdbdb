//! A session that is taken up again, and one that looks back at a run.

use std::sync::Arc;

use crate::model::{
    Awaited, Event, EventBody, Halt, Key, Left, Mode, Record, RecordedCall, RunId, ScopeKind, Started, Value, Verdict,
};
use crate::system::whoami;
use crate::worlds::{Live, OnFault, Recorder, Retrace};

use super::begin::last_number;
use super::past::LOOKS_BACK;
use super::{LiveSession, Past, SessionRequest};
use crate::runtime::active::{Active, Life};
use crate::runtime::resume::given;
use crate::runtime::{Error, Lifeboat};

/// What was found of a session that is taken up again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retraced {
    /// How many inputs were evaluated again.
    pub inputs: usize,
    /// What was under way when it was cut short, and what came of it.
    pub cut: Option<Cut>,
    /// Inputs that did not come to the same as before, each with why: what they defined may be missing.
    pub lost: Vec<(u32, String)>,
    /// Files that are not as they were when it began.
    pub edited: Vec<String>,
}

/// An input that was cut short.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Its number.
    pub number: u32,
    /// What was typed.
    pub text: String,
    /// What was under way in it, as people read it, and what came of each; nothing where nothing was.
    pub under_way: Vec<(String, Fate)>,
}

/// What came of a call that was under way when its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It took place; what proves it.
    TookPlace(String),
    /// It did not take place; what proves it.
    DidNot(String),
    /// Nobody can tell; what is known.
    InDoubt(String),
    /// It was a question, and nobody had answered it.
    Unanswered,
    /// It was a question, and this was answered; nothing was made of that.
    Answered(String),
    /// It was a pause that was not over.
    Waited,
}

impl Lifeboat {
    /// Takes up a session again: what was typed is evaluated once more, and answered from the record. An `Err` means that nothing was
    /// done.
    pub fn resume_session(
        &self,
        run: Option<&str>,
        request: &SessionRequest,
    ) -> Result<(LiveSession<'_>, Retraced), Error> {
        let id = match run {
            Some(named) => self.journal()?.find(named)?,
            None => self.session_left_open(request.environment.as_deref())?,
        };
        let events = self.journal()?.events(&id)?;
        let started = started(&id, &events)?.clone();
        if started.mode != Mode::Session {
            let help = match started.mode {
                Mode::Drill => "a drill is not resumed: start it again".to_owned(),
                _ => format!("it is a run of {}: lifeboat resume {id}", started.runbook),
            };
            return Err(Error::Refused { why: format!("{id} is no session"), help: Some(help) });
        }
        if let Some(past) = started.params.get(LOOKS_BACK) {
            let help = format!("nothing was changed in it; look back once more: lifeboat repl --from {past}");
            return Err(Error::Refused { why: format!("{id} only looked back at a run"), help: Some(help) });
        }
        if let Some(other) = request.environment.as_ref().filter(|other| **other != started.environment) {
            let why = format!("session {id} is in {}, not in {other}", started.environment);
            return Err(Error::Params { why, help: Some("name the session alone".to_owned()) });
        }
        let over = matches!(events.last().map(|event| &event.body), Some(EventBody::Ended { .. }));
        if !over {
            match Life::of(&id, &events) {
                Life::Interrupted => {}
                Life::GoesOn(process) | Life::Elsewhere(process) => {
                    return Err(Error::Refused {
                        why: format!("session {id} still goes on, in process {} of {}", process.pid, process.host),
                        help: Some("end it there (`:quit`), or begin another one".to_owned()),
                    });
                }
            }
        }
        let Some(active) = Active::begin(&id) else {
            return Err(Error::Refused { why: format!("session {id} goes on in this process"), help: None });
        };
        let parts = self.parts(Some(&started.environment), events.clone())?;
        let listeners: Vec<Arc<dyn crate::worlds::Listener>> = vec![parts.heard.clone()];
        let recorder = Recorder::resuming(id.clone(), parts.journal.clone(), parts.look.clone(), listeners, &events);
        let recorder = Arc::new(recorder);
        recorder.note(EventBody::Resumed {
            by: whoami(),
            process: Some(self.look().own_process()),
            edited: Vec::new(),
            ends: None,
            break_glass: request.break_glass.clone(),
        });
        recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        let mut session = self.assembled(parts, (id, recorder, Some(active)), request);
        session.began = events.first().map_or(session.began, |event| event.at);
        session.incident = started.params.get("incident").map(ToString::to_string);
        let mut retraced = session.retrace(&events);
        if started.digests.get("lifeboat.toml") != Some(&self.config.digest) {
            retraced.edited.push("lifeboat.toml".to_owned());
        }
        Ok((session, retraced))
    }

    /// Begins a session that looks back: what the run `run` had at hand before the call or step `until` is there, and it stays dry.
    pub fn look_back(
        &self,
        run: &str,
        until: Option<&str>,
        request: &SessionRequest,
    ) -> Result<LiveSession<'_>, Error> {
        let journal = self.journal()?;
        let id = journal.find(run)?;
        let events = journal.events(&id)?;
        let started = started(&id, &events)?.clone();
        if started.mode == Mode::Session {
            return Err(Error::Refused {
                why: format!("{id} is a session"),
                help: Some(format!("take it up again: lifeboat repl --resume {id}")),
            });
        }
        let record = Arc::new(Record::of(&events));
        let until = until.map(|until| place(&record, until)).transpose()?;
        let environment = request.environment.clone().unwrap_or_else(|| started.environment.clone());
        let look_back = SessionRequest { environment: Some(environment.clone()), ..request.clone() };
        let script = self.load_sound(started.runbook.as_ref(), self.environment(Some(&started.environment))?)?;
        let mut session = self.prepared_session(&look_back)?;
        let began = events.first().map_or(session.began, |event| event.at);
        let past = Past::of(&id, (&started, began), &record, until.as_ref());
        let at = past.given();
        session.looks_back = Some(past);
        session.switch.set(Arc::new(Retrace::up_to(record, until)));
        let text = script.source.text.to_string();
        let params = given(&script, &started.params);
        let input = session.script.read_with(&script.source.name, &text, &params);
        let input = input.map_err(|_| Error::Internal { why: format!("{} was read before", script.name()) })?;
        let verdict = super::typed::evaluated(|| session.script.evaluate_at_root(input));
        if let Verdict::Halted { halt: Halt::Diverged { recorded, requested, .. }, .. } = verdict {
            return Err(Error::Refused {
                why: format!("{} was edited since run {id}: recorded {recorded}, now {requested}", script.name()),
                help: Some("put it back as it was then, for instance from version control".to_owned()),
            });
        }
        self.begin_session(&mut session, &look_back)?;
        session.note(&format!("# looks back at {at}"));
        Ok(session)
    }
}

impl LiveSession<'_> {
    /// Evaluates what was typed once more, each in its turn.
    fn retrace(&mut self, events: &[Event]) -> Retraced {
        let record = Arc::new(Record::of(events));
        let mut retraced = Retraced::default();
        for (number, armed, title) in inputs(events) {
            retraced.inputs += 1;
            let key: Key = number.to_string().parse().unwrap_or_default();
            let left = record.scope(&key).and_then(|scope| scope.left.clone());
            let look = self.look.clone().for_one_run();
            let handle = self.lifeboat.tokio.handle().clone();
            let live = Live::new(self.cast.clone(), self.recorder.clone(), &look, handle, OnFault::RollBack);
            self.switch.set(Arc::new(Retrace::settling(record.clone(), live, self.recorder.clone())));
            let verdict = self.once_more(number, armed, &title, left.as_ref());
            let lost = match (&left, verdict) {
                (_, Err(why) | Ok(Verdict::Halted { halt: Halt::Diverged { requested: why, .. }, .. })) => Some(why),
                (Some(Left::Completed { .. }), Ok(Verdict::Failed { fault, .. })) => Some(fault.message),
                (Some(Left::Completed { .. }), Ok(Verdict::Halted { halt, .. })) => Some(halt.to_string()),
                _ => None,
            };
            retraced.lost.extend(lost.map(|why| (number, why)));
            if left.is_none() {
                retraced.cut = Some(Cut { number, text: title, under_way: Vec::new() });
            }
        }
        self.number = last_number(events);
        let _ = self.recorder.commit_if_possible();
        if let Some(cut) = &mut retraced.cut {
            cut.under_way = under_way(cut.number, events, &record, &self.heard.events());
        }
        retraced
    }

    fn once_more(&mut self, number: u32, armed: bool, title: &str, left: Option<&Left>) -> Result<Verdict, String> {
        let script = &mut self.script;
        // One that failed or was stopped has left its step owed; what it did is known to the next one.
        if title.starts_with(":undo") && matches!(left, None | Some(Left::Completed { .. })) {
            return Ok(super::typed::evaluated(|| {
                let undone = script.undo(number, title);
                undone.map_or(Verdict::Completed(Value::Null), |(_, verdict)| verdict)
            }));
        }
        if title.starts_with([':', '#']) {
            return Ok(super::typed::evaluated(|| script.note(number, armed, title)));
        }
        let input = script.read(&format!("[{number}]"), title).map_err(|unread| match unread {
            crate::script::Unread::Incomplete => "it is not complete".to_owned(),
            crate::script::Unread::Wrong(error) => error.message,
        })?;
        Ok(super::typed::evaluated(|| script.evaluate(input, number, armed)))
    }
}

fn started<'a>(id: &RunId, events: &'a [Event]) -> Result<&'a Started, Error> {
    match events.first().map(|event| &event.body) {
        Some(EventBody::Started(started)) => Ok(started),
        _ => Err(Error::Internal { why: format!("run {id} has no beginning") }),
    }
}

/// What was typed: the number, whether the session was armed, the text.
pub(super) fn inputs(events: &[Event]) -> Vec<(u32, bool, String)> {
    let mut found: Vec<(u32, bool, String)> = Vec::new();
    for event in events {
        let EventBody::Entered { scope } = &event.body else { continue };
        let ScopeKind::Input { armed } = scope.kind else { continue };
        let Ok(number) = scope.key.to_string().parse() else { continue };
        // Taken up again, what was cut short was entered once more.
        if found.iter().all(|(known, ..)| *known != number) {
            found.push((number, armed, scope.title.clone()));
        }
    }
    found
}

/// The call or step that is meant: its key, or the title of a step.
fn place(record: &Record, wanted: &str) -> Result<Key, Error> {
    if let Ok(key) = wanted.parse::<Key>()
        && (record.call(&key).is_some() || record.scope(&key).is_some())
    {
        return Ok(key);
    }
    let titles: Vec<(&Key, &str)> = record.steps().collect();
    if let Some((key, _)) = titles.iter().find(|(_, title)| *title == wanted) {
        return Ok((*key).clone());
    }
    let help = crate::model::did_you_mean(wanted, titles.iter().map(|(_, title)| *title)).unwrap_or_else(|| {
        let known: Vec<String> = titles.iter().map(|(key, title)| format!("{key} ({title})")).collect();
        format!("its steps: {}", known.join(", "))
    });
    Err(Error::Refused { why: format!("the run has no call or step `{wanted}`"), help: Some(help) })
}

/// What was under way in the input of this number when its process ended, and what is known of it `now`. Neither what was in doubt before,
/// nor what it had done already.
fn under_way(number: u32, events: &[Event], record: &Record, now: &[Event]) -> Vec<(String, Fate)> {
    let is_it =
        |body: &EventBody| matches!(body, EventBody::Entered { scope } if scope.key.to_string() == number.to_string());
    let inside = events.iter().skip_while(|event| !is_it(&event.body));
    let mut found: Vec<(&Key, (String, Fate))> = Vec::new();
    let known = Record::of(now);
    for event in inside {
        let told = match &event.body {
            EventBody::Intended { key, .. } => {
                let call = record.call(key).filter(|call| call.outcome.is_none());
                call.map(|call| (key, (described(call), fate(&known, key, now))))
            }
            EventBody::Awaiting { key, .. } => record.awaited(key).map(|awaited| (key, awaited_was(awaited))),
            _ => None,
        };
        found.extend(told.filter(|(key, _)| found.iter().all(|(other, _)| other != key)));
    }
    found.into_iter().map(|(_, told)| told).collect()
}

/// A question or a pause that was under way.
fn awaited_was(awaited: &Awaited) -> (String, Fate) {
    let text = |name: &str| awaited.args.get(name).map(ToString::to_string);
    match (text("question"), &awaited.answer) {
        (Some(question), None) => (question, Fate::Unanswered),
        (Some(question), Some((answer, by))) => (question, Fate::Answered(format!("{answer}, by {by}"))),
        (None, _) => {
            let time = text("duration").unwrap_or_default();
            (format!("{} {time}", awaited.primitive).trim_end().to_owned(), Fate::Waited)
        }
    }
}

/// The call, as people read it: `restore primary`.
pub(super) fn described(call: &RecordedCall) -> String {
    format!("{} {}", call.primitive, call.impact.targets.join(", ")).trim_end().to_owned()
}

/// What came of the call at `key`.
fn fate(record: &Record, key: &Key, events: &[Event]) -> Fate {
    let evidence = events.iter().rev().find_map(|event| match &event.body {
        EventBody::Settled(settled) if settled.key == *key => settled.evidence.clone(),
        _ => None,
    });
    let doubt = events.iter().rev().find_map(|event| match &event.body {
        EventBody::InDoubt { key: doubtful, why } if doubtful == key => Some(why.clone()),
        _ => None,
    });
    match record.call(key).and_then(|call| call.outcome.clone()) {
        Some(Ok(_)) => Fate::TookPlace(evidence.unwrap_or_default()),
        Some(Err(fault)) => Fate::DidNot(evidence.unwrap_or(fault.message)),
        None => Fate::InDoubt(doubt.unwrap_or_else(|| "nothing tells whether it took place".to_owned())),
    }
}
