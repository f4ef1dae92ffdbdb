//! Events as a test compares them: one short line each.

use lifeboat::model::{Event, EventBody, Key, Left, ScopeKind, Value};

/// Events in short, one line each, calls with the titles and arguments that a reader of the runbook knows.
pub(crate) fn describe(events: &[Event]) -> Vec<String> {
    let mut titles: Vec<(Key, String)> = Vec::new();
    events.iter().map(|event| line(event, &mut titles)).collect()
}

pub(crate) fn line(event: &Event, titles: &mut Vec<(Key, String)>) -> String {
    match &event.body {
        EventBody::Started(started) => format!("started {}", started.runbook),
        EventBody::Entered { scope } => {
            let kind = match scope.kind {
                ScopeKind::Step { .. } => "step",
                ScopeKind::Rollback => "rollback",
                ScopeKind::Child => "child",
                ScopeKind::Parallel { .. } => "parallel",
                ScopeKind::Branch => "branch",
                ScopeKind::During(_) => "during",
                _ => "body",
            };
            titles.push((scope.key.clone(), scope.title.clone()));
            format!("enter {kind} {}", scope.title)
        }
        EventBody::Left { key, how } => {
            let title = titles.iter().rfind(|(entered, _)| entered == key).map_or("?", |(_, title)| title);
            let how = match how {
                Left::Completed { owes: true } => "completed, owes",
                Left::Completed { owes: false } => "completed",
                Left::Faulted(_) => "faulted",
                Left::Halted => "halted",
                Left::Stopped => "stopped",
            };
            format!("leave {title}: {how}")
        }
        EventBody::Intended { attempt, primitive, args, impact, .. } => {
            let to = args.get("to").or(args.get("state")).map(|to| format!(" {to}")).unwrap_or_default();
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            format!("intend {primitive} {}{to}{again}", impact.targets.join(" "))
        }
        EventBody::Settled(settled) => {
            let outcome = match &settled.outcome {
                Ok(Value::Map(_)) => "ok".to_owned(),
                Ok(value) => value.to_string(),
                Err(fault) => fault.code.clone(),
            };
            let what = [settled.primitive.as_str()].into_iter();
            let what: Vec<&str> = what.chain(settled.impact.targets.iter().map(String::as_str)).collect();
            format!("settle {}: {outcome}", what.join(" "))
        }
        EventBody::Foreseen(foreseen) => format!("foreseen {}", foreseen.primitive),
        EventBody::InDoubt { why, .. } => format!("in doubt: {why}"),
        EventBody::Updated { message, delivered, .. } => {
            format!("update{}: {message}", if *delivered { "" } else { " NOT DELIVERED" })
        }
        EventBody::Decided { decision, reason, .. } => {
            format!("decide {decision}{}", reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default())
        }
        EventBody::Awaiting { primitive, .. } => format!("await {primitive}"),
        EventBody::Answered { answer, .. } => format!("answered {answer}"),
        EventBody::Cancelling { reason, abort, .. } => {
            let reason = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{}{reason}", if *abort { "aborting" } else { "cancelling" })
        }
        EventBody::Unwinding { owed, .. } => format!("unwind {}", owed.join(", ")),
        EventBody::Resumed { process, .. } => if process.is_some() { "resume" } else { "settle" }.to_owned(),
        EventBody::Ended { status, .. } => format!("end {status}"),
    }
}
