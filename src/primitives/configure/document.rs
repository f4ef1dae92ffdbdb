//! `configure` of an env file, a JSON or a TOML document.

use crate::model::{Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::documents::{Content, Difference, Versions, secrets};
use crate::primitives::targets::{ConfigDocument, Document, DocumentSyntax};
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, Look};

use super::decide::{Asked, Decision, line};
use super::{Args, Changed, Configure, Output};

impl<S: DocumentSyntax> Driver<Configure> for ConfigDocument<S> {
    const EVIDENCE: Evidence = Evidence::Found(
        "the record of the document's versions, and the file that the call made; a `reload` that was cut off leaves doubt",
    );

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let document = &self.document;
        let asked = document.asked(args)?;
        let content = document.read(look)?;
        let (asked, later) = known(asked);
        let decision = match document.decide(args, &asked, &content, look) {
            Ok(decision) => decision,
            Err(fault) => return Ok(Preview::new(Symbol::Change, document.name.clone()).fault(fault)),
        };
        let unavailable = args.set.values().flat_map(secrets).find_map(|secret| look.obstacle_to(secret));
        let preview = document.foreseen(&content, &decision, &later);
        Ok(match unavailable {
            Some(fault) => preview.fault(fault),
            None => preview,
        })
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        self.document.configure(args, act, key).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        self.document.reconcile(look, key)
    }
}

/// What a plan can compute, and the keys whose values are known in the run only, with what stands for them.
fn known(asked: Asked) -> (Asked, Vec<String>) {
    let Asked::Edit { set, unset, given } = asked else { return (asked, Vec::new()) };
    let open = |value: &Value| value.find_unknown().is_some() || !secrets(value).is_empty();
    let (later, set): (Vec<_>, Vec<_>) = set.into_iter().partition(|(_, value)| open(value));
    (Asked::Edit { set, unset, given }, later.into_iter().map(|(path, value)| format!("{path} = {value}")).collect())
}

impl Document {
    fn foreseen(&self, content: &Content, decision: &Decision, later: &[String]) -> Preview {
        let name = &self.name;
        let same = decision.text == content.text;
        if same && later.is_empty() {
            let summary = format!("{name} {}", line(&decision.differences, true));
            let output = Value::Map([("changed".to_owned(), Value::Bool(false))].into());
            return Preview::new(Symbol::Nothing, summary).output(output);
        }
        let mut said: Vec<String> = decision.differences.iter().map(Difference::line).collect();
        said.extend_from_slice(later);
        let mut preview = match &said[..] {
            [one] => Preview::new(Symbol::Change, format!("{name}: {one}")),
            [] => Preview::new(Symbol::Change, format!("{name}: {}", line(&[], false))),
            several => {
                let preview = Preview::new(Symbol::Change, format!("{name}: {} keys", several.len()));
                several.iter().fold(preview, Preview::note)
            }
        };
        for difference in decision.differences.iter().filter(|d| !d.secret) {
            let (before, after) = (&difference.before, &difference.after);
            let numbers = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
            let both = *before != Value::Null && *after != Value::Null;
            if both && before.kind() != after.kind() && !(numbers(before) && numbers(after)) {
                preview = preview.note(format!(
                    "{} was of type {} and becomes {}",
                    difference.key,
                    before.kind(),
                    after.kind()
                ));
            }
        }
        if let Some(hook) = &self.validate {
            preview = preview.note(format!("`{}` checks it before it is written", hook.shown()));
        }
        if let Some(hook) = &self.reload {
            preview = preview.note(format!("`{}` is run after it", hook.shown()));
        }
        let changes: Vec<Changed> = decision.differences.iter().map(Changed::from).collect();
        let mut output =
            vec![("changed".to_owned(), Value::Bool(true)), ("undo".to_owned(), Value::from(content.version.as_str()))];
        if later.is_empty() {
            let (before, added) = super::decide::undo(&changes);
            output.extend([
                ("changes".to_owned(), Value::encode(&changes)),
                ("before".to_owned(), Value::encode(&before)),
                ("added".to_owned(), Value::encode(&added)),
                ("detail".to_owned(), Value::from(line(&decision.differences, same))),
            ]);
        }
        preview.output(Value::Map(output.into_iter().collect()))
    }

    /// Whether the change of a call took place, wherever it was cut short.
    fn reconcile(&self, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        let unknown = |why: String| Reconciled::Unknown { why };
        let content = match self.read(look) {
            Ok(content) => content,
            Err(fault) => return unknown(fault.message),
        };
        let shown = content.file.display();
        let versions = match Versions::read(look, &content.file) {
            Ok(versions) => versions,
            Err(why) => return unknown(why),
        };
        let Some(change) = versions.of(key) else {
            return Reconciled::NotApplied { evidence: format!("this call had not begun to replace {shown}") };
        };
        let in_place = change.after.0 == content.version || change.after.1 == content.digest;
        if in_place || versions.went_on_from(change) {
            if change.reloaded == Some(false) {
                let reload =
                    self.reload.as_ref().map_or_else(|| "reload".to_owned(), crate::primitives::hook::Hook::shown);
                return unknown(format!("{shown} was changed, and nobody knows whether `{reload}` was run"));
            }
            return match change.output.decode() {
                Ok(output) => {
                    Reconciled::Applied { output, evidence: format!("{shown} is the file that this call made") }
                }
                Err(why) => unknown(format!("the record of {shown} is damaged: {why}")),
            };
        }
        if change.before.0 == content.version || change.before.1 == content.digest {
            return Reconciled::NotApplied { evidence: format!("{shown} is as it was before this call") };
        }
        unknown(format!("{shown} is neither what it was before this call nor what the call made of it"))
    }
}
