//! What scripts may write, and how it can end.

use super::*;
use crate::model::{CaseResult, Unknown};
use crate::primitives::targets::{FileChannel, TerminalChannel, WebhookChannel};
use crate::primitives::{ArgType, Registry};

fn args(json: serde_json::Value) -> Result<Args, String> {
    Value::from_json(json).decode()
}

#[test]
fn scripts_give_channel_and_message_and_may_say_more() {
    let registry = Registry::empty()
        .driver::<Notify, FileChannel>()
        .driver::<Notify, TerminalChannel>()
        .driver::<Notify, WebhookChannel>();
    let signature = registry.signature("notify").expect("it is declared");
    let kind = |name: &str| signature.arg(name).map(|arg| (arg.kind.clone(), arg.required));
    assert_eq!(kind("message"), Some((ArgType::String, true)));
    assert_eq!(kind("key"), Some((ArgType::String, false)));
    assert_eq!(kind("details"), Some((ArgType::Map, false)));
    assert_eq!(kind("required"), Some((ArgType::Bool, false)));
    let severities = ["info", "warning", "critical"].map(str::to_owned).to_vec();
    assert_eq!(kind("severity"), Some((ArgType::Choice(severities), false)));
    assert_eq!(registry.drivers(TargetKind::Channel).len(), 3);
}

#[test]
fn only_a_required_message_can_fail() {
    let ends = |json| -> Vec<_> {
        let cases = Notify::cases(&args(json).expect("they are arguments"));
        cases.iter().map(|case| (case.name, matches!(case.result, CaseResult::Fails { .. }))).collect()
    };
    let plain = serde_json::json!({ "channel": "c", "message": "m" });
    assert_eq!(ends(plain), [("delivered", false), ("undelivered", false)]);
    let required = serde_json::json!({ "channel": "c", "message": "m", "required": true });
    assert_eq!(ends(required), [("delivered", false), ("failed", true)]);
}

#[test]
fn a_plan_may_not_know_the_text_yet() {
    let unknown = |text: &str| serde_json::json!({ "$unknown": text });
    let args = args(serde_json::json!({
        "channel": "c", "message": unknown("from ‹b›"), "key": unknown("‹k›"), "details": { "id": unknown("‹i›") },
    }))
    .expect("unknowns are welcome");
    assert_eq!(args.message, Arg::Unknown(Unknown::text("from ‹b›")));
    assert_eq!(args.key, Some(Arg::Unknown(Unknown::text("‹k›"))));
    assert_eq!(args.details["id"], Value::Unknown(Unknown::text("‹i›")));
    assert!(self::args(serde_json::json!({ "channel": "c", "message": "m", "severty": "info" })).is_err());
}
