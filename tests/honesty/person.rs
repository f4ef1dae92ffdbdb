//! A person who says what a case has them say.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use lifeboat::system::{Answer, Answers, Asked, Interrupted};

/// Says this, one answer to each question; then nobody is there any more.
pub(crate) struct Person(Mutex<VecDeque<&'static str>>);

impl Person {
    pub(crate) fn saying(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.iter().copied().collect())))
    }
}

impl Answers for Person {
    fn ask<'a>(&'a self, _: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        let said = self.0.lock().expect("nobody panicked").pop_front();
        let answer =
            said.map_or(Answer::Nobody, |text| Answer::Said { text: text.to_owned(), by: "somebody".to_owned() });
        Box::pin(async move { Ok(answer) })
    }
}
