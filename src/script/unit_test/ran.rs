//! What a test can ask of a runbook that was played. Every answer says what it was taken from, for an expectation that fails.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, ImmutableString, Map, NativeCallContext};

use crate::model::{CallPattern, INVARIANTS, Played, PlayedCall, PlayedEnd, did_you_mean, fits};
use crate::script::convert;
use crate::script::host::RhaiResult;

use super::bench::Bench;
use super::outcome;

/// A runbook that was played, in a test.
#[derive(Clone)]
pub(super) struct Ran {
    pub(super) played: Arc<Played>,
    pub(super) bench: Arc<Bench>,
}

/// Its fields.
pub(super) const FIELDS: &[&str] =
    &["ended", "fault", "why", "value", "calls", "told", "rolled_back", "rollbacks_failed", "left_changed", "broken"];
/// Its methods.
pub(super) const METHODS: &[&str] = &["called", "count", "calls_of", "in_order", "told_to", "undid", "state", "keeps"];
/// The fields of what it gives: of calls, of messages, of the state of targets.
pub(super) const MAP_FIELDS: &[&str] = &[
    "primitive",
    "target",
    "args",
    "outcome",
    "failed",
    "changed",
    "undoing",
    "step",
    "file",
    "line",
    "channel",
    "message",
    "severity",
    "key",
    "resolved",
    "delivered",
    "maintenance",
    "version",
    "shares",
];

/// Of how many calls a failing expectation tells.
const NOTED: usize = 8;

/// Registers the type.
pub(super) fn register(engine: &mut Engine) {
    use rhai::{ImmutableString as S, NativeCallContext as C};
    engine.register_type_with_name::<Ran>("run");
    register_fields(engine);
    engine.register_fn("called", |c: C, ran: &mut Ran, call: S| ran.called(&c, &call, None));
    engine.register_fn("called", |c: C, ran: &mut Ran, call: S, args: Map| ran.called(&c, &call, Some(&args.into())));
    engine.register_fn("count", |c: C, ran: &mut Ran, call: S| ran.count(&c, &call, None));
    engine.register_fn("count", |c: C, ran: &mut Ran, call: S, args: Map| ran.count(&c, &call, Some(&args.into())));
    engine.register_fn("calls_of", |c: C, ran: &mut Ran, call: S| ran.calls_of(&c, &call, None));
    engine
        .register_fn("calls_of", |c: C, ran: &mut Ran, call: S, args: Map| ran.calls_of(&c, &call, Some(&args.into())));
    engine.register_fn("in_order", |c: C, ran: &mut Ran, calls: Array| ran.in_order(&c, &calls));
    engine.register_fn("told_to", |c: C, ran: &mut Ran, channel: S| ran.told_to(&c, &channel, "*"));
    engine.register_fn("told_to", |c: C, ran: &mut Ran, channel: S, text: S| ran.told_to(&c, &channel, &text));
    engine.register_fn("undid", |ran: &mut Ran, title: S| ran.undid(&title));
    engine.register_fn("state", |c: C, ran: &mut Ran, target: S| ran.state(&c, &target));
    engine.register_fn("keeps", |c: C, ran: &mut Ran, invariant: S| ran.keeps(&c, &invariant));
}

fn register_fields(engine: &mut Engine) {
    engine.register_get("ended", |ran: &mut Ran| -> ImmutableString {
        let all = PlayedEnd::ALL.map(PlayedEnd::name).join(", ");
        ran.note(format!("the runbook {}; `ended` is one of: {all}", ran.ending()));
        ran.played.ended.name().into()
    });
    engine.register_get("fault", |ran: &mut Ran| -> ImmutableString {
        ran.note(format!("the runbook {}", ran.ending()));
        ran.played.fault.as_str().into()
    });
    engine.register_get("why", |ran: &mut Ran| -> ImmutableString {
        ran.about();
        ran.played.why.as_str().into()
    });
    engine.register_get("value", |ran: &mut Ran| {
        ran.about();
        known(&ran.played.value)
    });
    engine.register_get("calls", |ran: &mut Ran| -> Array {
        ran.about();
        ran.played.calls.iter().map(call).collect()
    });
    engine.register_get("told", |ran: &mut Ran| -> Array {
        ran.about();
        ran.played.calls.iter().filter_map(message).collect()
    });
    engine.register_get("rolled_back", |ran: &mut Ran| -> Array {
        ran.about();
        texts(ran.played.rolled_back.iter().map(String::as_str))
    });
    engine.register_get("rollbacks_failed", |ran: &mut Ran| -> Array {
        ran.about();
        texts(ran.played.rollbacks_failed.iter().map(String::as_str))
    });
    engine.register_get("left_changed", |ran: &mut Ran| -> Array {
        ran.about();
        texts(ran.played.left.iter().map(|n| ran.played.calls[*n].said.as_str()))
    });
    engine.register_get("broken", |ran: &mut Ran| -> Array {
        let unwaived = ran.played.broken.iter().filter(|broken| !broken.waived);
        unwaived.clone().for_each(|broken| ran.note(format!("{}: {}", broken.name, broken.why)));
        ran.about();
        texts(unwaived.map(|broken| broken.name))
    });
}

/// A call as it stands in a story.
fn told(call: &PlayedCall) -> String {
    format!("line {}: {} → {}", call.site.line, call.said, call.outcome)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Array {
    texts.map(|text| Dynamic::from(ImmutableString::from(text))).collect()
}

/// A value as a test sees it: what nobody knows is the text of its label.
fn known(value: &crate::model::Value) -> Dynamic {
    use crate::model::Value;
    match value {
        Value::Unknown(_) | Value::Secret(_) => value.to_string().into(),
        Value::List(list) => list.iter().map(known).collect::<Array>().into(),
        Value::Map(map) => map.iter().map(|(name, value)| (name.as_str().into(), known(value))).collect::<Map>().into(),
        other => convert::to_dynamic(other),
    }
}

fn call(call: &PlayedCall) -> Dynamic {
    let text = |text: &str| Dynamic::from(ImmutableString::from(text));
    Map::from_iter([
        ("primitive".into(), text(call.primitive)),
        ("target".into(), text(call.target.as_deref().unwrap_or_default())),
        ("args".into(), known(&call.args)),
        ("outcome".into(), text(call.outcome)),
        ("failed".into(), call.failed.into()),
        ("changed".into(), call.changed.into()),
        ("undoing".into(), call.undoing.into()),
        ("step".into(), text(&call.step)),
        ("file".into(), text(&call.site.file)),
        ("line".into(), i64::from(call.site.line).into()),
    ])
    .into()
}

fn message(call: &PlayedCall) -> Option<Dynamic> {
    let text = |text: &str| Dynamic::from(ImmutableString::from(text));
    let arg = |name: &str| call.args.get(name).map(ToString::to_string).unwrap_or_default();
    let message = call.message()?;
    Some(
        Map::from_iter([
            ("channel".into(), text(call.target.as_deref().unwrap_or_default())),
            ("message".into(), text(&message)),
            ("severity".into(), text(&arg("severity"))),
            ("key".into(), text(&arg("key"))),
            ("resolved".into(), (call.primitive == "resolve").into()),
            ("delivered".into(), call.is_delivered().into()),
            ("line".into(), i64::from(call.site.line).into()),
        ])
        .into(),
    )
}

impl Ran {
    /// The expectation that is being looked at is about this runbook.
    fn about(&self) {
        self.bench.kept().about = Some(self.played.clone());
    }

    /// Says from what an answer was taken.
    fn note(&self, note: String) {
        self.about();
        let mut kept = self.bench.kept();
        if !kept.notes.contains(&note) {
            kept.notes.push(note);
        }
    }

    fn ending(&self) -> String {
        let Played { ended, why, fault, .. } = &*self.played;
        match ended {
            PlayedEnd::Well => "came to its end".to_owned(),
            _ if fault.is_empty() || fault == why => format!("ended \"{ended}\": {why}"),
            _ => format!("ended \"{ended}\": {why} ({fault})"),
        }
    }

    fn pattern(&self, context: &NativeCallContext, call: &str, args: Option<&Dynamic>) -> RhaiResult<CallPattern> {
        let position = context.call_position();
        let wrong = |(why, hint)| self.bench.mistake(position, context.fn_name().len(), why, hint);
        let (pattern, case) = outcome::pattern(&self.bench, call, args).map_err(wrong)?;
        match case {
            None => Ok(pattern),
            Some(case) => {
                let hint =
                    format!("ask the calls how they ended: ran.calls_of(\"{pattern}\")[0].outcome == \"{case}\"");
                Err(wrong((format!("`{call}` names a call and how it ends"), Some(hint))))
            }
        }
    }

    /// The calls that are meant, with a note about those.
    fn meant(&self, context: &NativeCallContext, call: &str, args: Option<&Dynamic>) -> RhaiResult<Vec<&PlayedCall>> {
        let pattern = self.pattern(context, call, args)?;
        let meant = |call: &&PlayedCall| pattern.meets(call.primitive, call.target.as_deref(), &call.args);
        let found: Vec<&PlayedCall> = self.played.calls.iter().filter(meant).collect();
        let mut similar = self.played.calls.iter().filter(|call| call.primitive == pattern.primitive);
        match (found.as_slice(), similar.next_back()) {
            ([], None) => self.note(format!("`{pattern}` was not called")),
            ([], Some(near)) => {
                self.note(format!("`{pattern}` was not called; near it: {}, with {}", told(near), near.args));
            }
            (found, _) => {
                found.iter().take(NOTED).for_each(|call| self.note(format!("`{pattern}`: {}", told(call))));
                if found.len() > NOTED {
                    self.note(format!("`{pattern}`: {} times more", found.len() - NOTED));
                }
            }
        }
        Ok(found)
    }

    fn called(&self, context: &NativeCallContext, call: &str, args: Option<&Dynamic>) -> RhaiResult<bool> {
        self.meant(context, call, args).map(|found| !found.is_empty())
    }

    fn count(&self, context: &NativeCallContext, call: &str, args: Option<&Dynamic>) -> RhaiResult<i64> {
        self.meant(context, call, args).map(|found| i64::try_from(found.len()).unwrap_or(i64::MAX))
    }

    fn calls_of(&self, context: &NativeCallContext, name: &str, args: Option<&Dynamic>) -> RhaiResult<Array> {
        self.meant(context, name, args).map(|found| found.into_iter().map(call).collect())
    }

    /// Whether these calls were made, each behind the one before; others may stand between them.
    fn in_order(&self, context: &NativeCallContext, calls: &Array) -> RhaiResult<bool> {
        let mut rest = self.played.calls.iter();
        let mut before: Option<&PlayedCall> = None;
        for wanted in calls {
            let (text, args) = match wanted.read_lock::<Array>() {
                Some(pair) => (pair.first().cloned().unwrap_or_default(), pair.get(1).cloned()),
                None => (wanted.clone(), None),
            };
            let Ok(text) = text.into_immutable_string() else {
                let hint = "write \"probe(web)\", or [\"probe(web)\", #{ arguments }]".to_owned();
                let why = "`in_order` takes a list of calls";
                return Err(self.bench.mistake(context.call_position(), "in_order".len(), why, Some(hint)));
            };
            let pattern = self.pattern(context, &text, args.as_ref())?;
            let meant = |call: &&PlayedCall| pattern.meets(call.primitive, call.target.as_deref(), &call.args);
            match (rest.find(meant), before) {
                (Some(found), _) => before = Some(found),
                (None, Some(before)) => {
                    self.note(format!("`{pattern}` is not called behind {}", told(before)));
                    return Ok(false);
                }
                (None, None) => {
                    self.note(format!("`{pattern}` is not called"));
                    return Ok(false);
                }
            }
        }
        self.note("they are called in this order".to_owned());
        Ok(true)
    }

    /// Whether a message that fits was delivered on a channel.
    fn told_to(&self, context: &NativeCallContext, channel: &str, text: &str) -> RhaiResult<bool> {
        self.target(context, channel)?;
        let on = |call: &&PlayedCall| call.target.as_deref() == Some(channel);
        let mut told_it = false;
        let messages = self.played.calls.iter().filter(on).filter_map(|call| Some((call, call.message()?)));
        let mut none = true;
        for (call, message) in messages {
            none = false;
            self.note(format!("line {}: {channel} was told: {message} ({})", call.site.line, call.outcome));
            told_it |= call.is_delivered() && fits(text, &message);
        }
        if none {
            self.note(format!("{channel} was told nothing"));
        }
        Ok(told_it)
    }

    fn target(&self, context: &NativeCallContext, name: &str) -> RhaiResult<()> {
        let targets = self.bench.stage.as_ref().map(|stage| stage.targets()).unwrap_or_default();
        if targets.iter().any(|target| target == name) {
            return Ok(());
        }
        let hint = did_you_mean(name, targets.iter().map(String::as_str))
            .unwrap_or_else(|| format!("the targets: {}", targets.join(", ")));
        let why = format!("there is no target `{name}`");
        Err(self.bench.mistake(context.call_position(), context.fn_name().len(), why, Some(hint)))
    }

    /// Whether a step of this title was rolled back to the end.
    fn undid(&self, title: &str) -> bool {
        let list = |titles: &[String]| if titles.is_empty() { "nothing".to_owned() } else { titles.join(", ") };
        self.note(format!("rolled back: {}", list(&self.played.rolled_back)));
        if !self.played.rollbacks_failed.is_empty() {
            self.note(format!("rollbacks that failed: {}", list(&self.played.rollbacks_failed)));
        }
        self.played.rolled_back.iter().any(|undone| undone == title)
    }

    /// What is known of a target when it is over.
    fn state(&self, context: &NativeCallContext, target: &str) -> RhaiResult<Map> {
        self.target(context, target)?;
        let known_state = self.played.state.get(target).cloned().unwrap_or_default();
        let said: Vec<String> = known_state.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let said = if said.is_empty() { "nothing is known".to_owned() } else { said.join(", ") };
        self.note(format!("{target} in the end: {said}"));
        Ok(known_state.iter().map(|(name, value)| (name.as_str().into(), known(value))).collect())
    }

    /// Whether it keeps an invariant of explorations, waived or not.
    fn keeps(&self, context: &NativeCallContext, name: &str) -> RhaiResult<bool> {
        let names = || INVARIANTS.iter().map(|(name, _)| *name);
        if !names().any(|known| known == name) {
            let hint = did_you_mean(name, names())
                .unwrap_or_else(|| format!("the invariants: {}", names().collect::<Vec<_>>().join(", ")));
            let why = format!("there is no invariant `{name}`");
            return Err(self.bench.mistake(context.call_position(), "keeps".len(), why, Some(hint)));
        }
        let broken = self.played.broken.iter().find(|broken| broken.name == name);
        self.note(broken.map_or_else(|| format!("{name} is kept"), |broken| format!("{name}: {}", broken.why)));
        Ok(broken.is_none())
    }
}
