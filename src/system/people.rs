//! People: who answers a question, and where a message for them is shown.

use std::future::Future;
use std::pin::Pin;

use super::Interrupted;

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub question: String,
    /// The answers to choose from; empty for free text.
    pub choices: Vec<String>,
    /// What an empty answer means.
    pub default: Option<String>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the person said, and who it was.
    Said {
        /// The text; one of the choices where there are some.
        text: String,
        /// Who, as `user@host`.
        by: String,
    },
    /// Nobody is there to answer.
    Nobody,
}

/// Who answers questions.
pub trait Answers: Send + Sync {
    /// Asks, and waits for the answer. The future is dropped when the run is asked to stop meanwhile.
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>>;
}

/// Nobody is there: a run without a terminal.
#[derive(Clone, Copy, Debug)]
pub struct NoAnswers;

impl Answers for NoAnswers {
    fn ask<'a>(&'a self, _: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        Box::pin(async { Ok(Answer::Nobody) })
    }
}

/// Where messages for the person at the terminal go.
pub trait Console: Send + Sync {
    /// Shows one message.
    fn show(&self, message: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct SilentConsole;

impl Console for SilentConsole {
    fn show(&self, _: &str) {}
}
