//! Whoever answers a question of the runbook first: the person at the terminal, or somebody elsewhere.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::model::{EventBody, Halt, Invocation, Key, Outcome, Value};
use crate::system::{Answer, Answers, Asked, Interrupted};

use super::requests::Requests;
use super::{Live, Recorder};

/// The code of the fault of a question that nobody is there to answer.
const NOBODY: &str = "nobody-to-ask";

/// What happens to a question when nobody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unanswered {
    /// The run ends, and waits in the journal: it is taken up again when the answer has come.
    #[default]
    Wait,
    /// The call fails.
    Fail,
}

/// Answers one question.
pub(super) struct Asking {
    key: Key,
    here: Arc<dyn Answers>,
    requests: Arc<Requests>,
    recorder: Arc<Recorder>,
    /// Whether an answer is waited for here, though nobody is: for a time.
    patient: bool,
}

impl Live {
    /// Who answers the question of `call`.
    pub(super) fn asking(&self, call: &Invocation) -> Arc<dyn Answers> {
        Arc::new(Asking {
            key: call.key.clone(),
            here: self.act.answers().clone(),
            requests: self.requests.clone(),
            recorder: self.recorder.clone(),
            patient: call.args.get("within").is_some_and(|within| *within != Value::Null),
        })
    }

    /// A question that nobody is there to answer ends the run, which goes on when somebody has answered.
    pub(super) fn unless_waiting(&self, call: &Invocation, outcome: Outcome) -> Result<Outcome, Halt> {
        match outcome {
            Err(fault) if fault.code == NOBODY && self.unanswered == Unanswered::Wait => {
                let args = self.redactor_value(call);
                let question = args.get("question").map(ToString::to_string).unwrap_or_default();
                let choices = match args.get("choices") {
                    Some(Value::List(choices)) => choices.iter().map(ToString::to_string).collect(),
                    _ if call.primitive == "confirm" => vec!["yes".to_owned(), "no".to_owned()],
                    _ => Vec::new(),
                };
                Err(Halt::Waiting { key: call.key.clone(), question, choices })
            }
            Err(fault) if fault.code == NOBODY && self.typed => {
                Ok(Err(fault.hint("type it again, at a terminal, to be asked again")))
            }
            outcome => Ok(outcome),
        }
    }

    fn redactor_value(&self, call: &Invocation) -> Value {
        use crate::model::Rewrite as _;
        self.redactor().value(call.args.clone())
    }
}

impl Asking {
    async fn ask_both(&self, asked: &Asked) -> Result<Answer, Interrupted> {
        let here = async {
            match self.here.ask(asked).await {
                Ok(Answer::Nobody) if self.patient => std::future::pending().await,
                answer => answer,
            }
        };
        tokio::select! {
            biased;
            (text, by) = self.requests.answer(&self.key) => Ok(Answer::Said { text, by }),
            answer = here => answer,
        }
    }
}

impl Answers for Asking {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        Box::pin(async move {
            let answer = self.ask_both(asked).await?;
            if let Answer::Said { text, by } = &answer {
                let (key, answer, by) = (self.key.clone(), text.clone(), by.clone());
                self.recorder.note(EventBody::Answered { key, answer, by });
            }
            Ok(answer)
        })
    }
}
