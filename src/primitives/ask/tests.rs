//! What `ask` promises.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use crate::model::{Arg, CaseResult, Fault, IdempotencyKey, Key, Symbol, Unknown, Value};
use crate::primitives::{Driver, NoTarget, Preview, Registry};
use crate::system::{Act, Answer, Answers, Asked, Interrupted, Look, System};

use super::{Args, Ask};

/// Somebody who always says the same, and remembers what was asked.
struct Person {
    says: Result<Answer, Interrupted>,
    heard: Mutex<Vec<Asked>>,
}

impl Person {
    fn new(says: Result<Answer, Interrupted>) -> Arc<Self> {
        Arc::new(Self { says, heard: Mutex::default() })
    }

    fn who_says(text: &str) -> Arc<Self> {
        Self::new(Ok(Answer::Said { text: text.to_owned(), by: "ops@host".to_owned() }))
    }

    async fn is_asked(self: &Arc<Self>, args: &Args) -> Result<String, Fault> {
        let mut system = System::new("/nowhere".into());
        system.answers = self.clone();
        let act = Act::grant(&Look::new(Arc::new(system)));
        Driver::<Ask>::perform(&NoTarget, args, &act, &IdempotencyKey::new("run", &Key::ROOT)).await
    }
}

impl Answers for Person {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        self.heard.lock().expect("not poisoned").push(asked.clone());
        Box::pin(async { self.says.clone() })
    }
}

fn args(choices: &[&str], default: Option<&str>) -> Args {
    Args {
        question: Arg::Known("Which region?".into()),
        choices: (!choices.is_empty()).then(|| choices.iter().map(|&c| c.to_owned()).collect()),
        default: default.map(str::to_owned),
        within: None,
        otherwise: None,
    }
}

async fn preview(args: &Args) -> Preview {
    let look = Look::new(Arc::new(System::new("/nowhere".into())));
    Driver::<Ask>::preview(&NoTarget, args, &look).await.expect("a preview")
}

#[tokio::test]
async fn the_answer_is_returned() {
    let person = Person::who_says("eu");
    assert_eq!(person.is_asked(&args(&["eu", "us"], Some("us"))).await, Ok("eu".to_owned()));
    let heard = person.heard.lock().expect("not poisoned").clone();
    let choices = vec!["eu".to_owned(), "us".to_owned()];
    assert_eq!(heard, [Asked { question: "Which region?".into(), choices, default: Some("us".into()) }]);
}

#[tokio::test]
async fn without_choices_any_text_is_an_answer() {
    assert_eq!(Person::who_says("the new one").is_asked(&args(&[], None)).await, Ok("the new one".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_none_of_the_choices_is_refused() {
    let fault = Person::who_says("mars").is_asked(&args(&["eu", "us"], None)).await.expect_err("no such region");
    assert_eq!(fault.code, "not-a-choice");
    assert_eq!(fault.message, "`mars`, said by ops@host, is none of the choices: Which region?");
    assert_eq!(fault.hint.as_deref(), Some("answer one of: eu, us"));
}

#[tokio::test]
async fn a_default_that_is_none_of_the_choices_is_refused_before_anybody_is_asked() {
    let (person, args) = (Person::who_says("eu"), args(&["eu", "us"], Some("mars")));
    let fault = person.is_asked(&args).await.expect_err("no such region");
    assert_eq!(
        (fault.code.as_str(), fault.message.as_str()),
        ("argument", "ask: the default `mars` is none of the choices")
    );
    assert!(person.heard.lock().expect("not poisoned").is_empty());
    assert_eq!(preview(&args).await.fault, Some(fault));
}

#[tokio::test]
async fn nobody_to_ask_and_a_cancelled_run_are_faults() {
    let fault = Person::new(Ok(Answer::Nobody)).is_asked(&args(&[], None)).await.expect_err("nobody");
    assert_eq!(fault.code, "nobody-to-ask");
    assert_eq!(fault.message, "nobody is there to answer: Which region?");
    assert!(fault.hint.expect("a hint").contains("--answer"));
    let fault = Person::new(Err(Interrupted)).is_asked(&args(&[], None)).await.expect_err("cancelled");
    assert_eq!(fault.code, "interrupted");
}

#[tokio::test]
async fn a_plan_shows_the_question_and_does_not_know_the_answer() {
    let mut args = args(&["eu", "us"], Some("eu"));
    args.question = Arg::Unknown(Unknown::text("Restore ‹latest_backup:primary.id›?"));
    let shown = preview(&args).await;
    assert_eq!((shown.symbol, shown.summary.as_str()), (Symbol::Ask, "Restore ‹latest_backup:primary.id›?"));
    assert_eq!(shown.notes, ["choices: eu, us", "an empty answer means `eu`"]);
    let registry = Registry::empty().driver_without_target::<Ask>();
    let ask = registry.signature("ask").expect("declared");
    let args = Value::encode(&args);
    assert_eq!(ask.likely(&args), Some(CaseResult::Returns(Value::Map(BTreeMap::new()))));
    assert_eq!(ask.assumed_output(&args, &shown.output), Value::Unknown(Unknown::labelled("ask")));
}
