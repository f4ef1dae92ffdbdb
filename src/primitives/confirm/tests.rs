//! What `confirm` promises.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::model::{Applied, Arg, CaseResult, Fault, IdempotencyKey, Key, Symbol, Value};
use crate::primitives::{ArgType, Driver, NoTarget, Registry};
use crate::system::{Act, Answer, Answers, Asked, Interrupted, Look, System};

use super::{Args, Confirm, YesNo};

/// Somebody who says a word, or takes the default.
struct Person(Option<&'static str>);

impl Answers for Person {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        assert_eq!(asked.choices, ["yes", "no"]);
        let text = self.0.map(str::to_owned).or_else(|| asked.default.clone()).expect("a word or a default");
        Box::pin(async { Ok(Answer::Said { text, by: "ops@host".to_owned() }) })
    }
}

fn args(default: Option<YesNo>) -> Args {
    Args { question: Arg::Known("Restore?".into()), default, within: None, otherwise: None }
}

async fn confirm(system: System, args: &Args) -> Result<bool, Fault> {
    let act = Act::grant(&Look::new(Arc::new(system)));
    Driver::<Confirm>::perform(&NoTarget, args, &act, &IdempotencyKey::new("run", &Key::ROOT)).await
}

async fn says(word: Option<&'static str>, default: Option<YesNo>) -> Result<bool, Fault> {
    let mut system = System::new("/nowhere".into());
    system.answers = Arc::new(Person(word));
    confirm(system, &args(default)).await
}

#[tokio::test]
async fn yes_goes_on() {
    assert_eq!(says(Some("yes"), None).await, Ok(true));
    assert_eq!(says(None, Some(YesNo::Yes)).await, Ok(true));
}

#[tokio::test]
async fn anything_else_does_not() {
    for (word, default) in [(Some("no"), None), (None, Some(YesNo::No)), (Some("y"), None), (Some(""), None)] {
        let fault = says(word, default).await.expect_err("not a yes");
        assert_eq!((fault.code.as_str(), fault.applied), ("not-confirmed", Applied::No), "{word:?}");
    }
    let fault = says(Some("no"), None).await.expect_err("a no");
    assert_eq!(fault.message, "not confirmed, ops@host said `no`: Restore?");
}

#[tokio::test]
async fn silence_is_not_a_yes() {
    let fault = confirm(System::new("/nowhere".into()), &args(Some(YesNo::Yes))).await.expect_err("nobody");
    assert_eq!(fault.code, "nobody-to-ask");
    assert!(fault.hint.expect("a hint").contains("--yes"));
}

#[tokio::test]
async fn a_plan_takes_the_yes_and_exploration_the_no_as_well() {
    let look = Look::new(Arc::new(System::new("/nowhere".into())));
    let args = args(Some(YesNo::No));
    let preview = Driver::<Confirm>::preview(&NoTarget, &args, &look).await.expect("a preview");
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Ask, "Restore?"));
    assert_eq!((preview.notes, preview.output), (vec!["an empty answer means `no`".to_owned()], Value::Bool(true)));
    let registry = Registry::empty().driver_without_target::<Confirm>();
    let signature = registry.signature("confirm").expect("declared");
    let cases = signature.cases(&Value::encode(&args)).expect("right arguments");
    let fails = CaseResult::Fails { code: "not-confirmed", applied: Applied::No };
    let cases: Vec<_> = cases.into_iter().map(|case| (case.name, case.result)).collect();
    assert_eq!(cases, [("yes", CaseResult::Returns(Value::Bool(true))), ("no", fails)]);
    let default = signature.arg("default").expect("declared");
    assert_eq!(default.kind, ArgType::Choice(vec!["yes".into(), "no".into()]));
}
