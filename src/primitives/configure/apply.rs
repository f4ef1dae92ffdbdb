//! Carries a change of a document out: check the new text, keep the old one, replace it, tell the service.

use std::io::Write as _;

use crate::model::{Applied, Fault, IdempotencyKey, Value};
use crate::primitives::documents::{Change, Content, KeyPath, Leaf, Versions};
use crate::primitives::hook::Given;
use crate::primitives::targets::Document;
use crate::system::{Act, Beside, hex};

use super::decide::{Decision, line, undo};
use super::{Args, Changed, Output};

/// Shorter values are too common to be taken out of all that is said from then on.
const SHORTEST: usize = 6;

impl Document {
    pub(super) async fn configure(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        let asked = self.revealed(self.asked(args)?, act).await?;
        let content = self.read(act)?;
        let mut versions = Versions::read(act, &content.file).map_err(|why| self.unreadable(why))?;
        if let Some(done) = versions.of(key).filter(|done| done.after.0 == content.version) {
            // An earlier attempt of this very call came as far as the change.
            let output = done.output.decode().map_err(|why| self.unreadable(why))?;
            if done.reloaded == Some(false) {
                self.conceal(content.leaves.iter(), asked.given(), act);
                self.reload(act, key, &mut versions).await?;
            }
            return Ok(output);
        }
        let decision = self.decide(args, &asked, &content, act)?;
        if decision.text == content.text {
            return Ok(output(&content, &decision, &content.version));
        }
        let after = self.leaves(&decision.text)?;
        self.conceal(content.leaves.iter().chain(&after), asked.given(), act);
        self.check(&content, &decision.text, act, key).await?;
        let beside = self.beside(&content, &decision.text, act)?;
        let output = output(&content, &decision, beside.version());
        let change = Change {
            idempotency_key: key.as_str().to_owned(),
            at: act.now(),
            before: (content.version.clone(), content.digest.clone()),
            after: (beside.version().to_owned(), hex(decision.text.as_bytes())),
            reloaded: self.reload.is_some().then_some(false),
            output: Value::encode(&output),
        };
        self.replace(&content, beside, change, act, &mut versions)?;
        self.reload(act, key, &mut versions).await?;
        Ok(output)
    }

    fn failed(&self, what: impl std::fmt::Display, error: &std::io::Error) -> Fault {
        let text = error.to_string().to_lowercase();
        let text = text.split(" (os error").next().unwrap_or_default();
        Fault::new("configure-failed", format!("{} was not changed: {what}: {text}", self.name))
            .on(&self.name)
            .hint("see whether the directory may be written to, and the file given to its owner")
    }

    /// From now on the secrets of the document are kept out of everything: the programs that are run may repeat them.
    fn conceal<'a>(&self, leaves: impl Iterator<Item = &'a Leaf>, given: &[KeyPath], act: &Act) {
        let keys = self.secrets.and(given);
        for (path, value) in leaves.filter(|(path, value)| keys.hide(path, value)) {
            let texts = match value {
                Value::List(list) => list.iter().map(ToString::to_string).collect(),
                value => vec![value.to_string()],
            };
            for text in texts.iter().filter(|text| text.chars().count() >= SHORTEST) {
                // It fails for texts that are too short only.
                let _ = act.secrets().conceal(&path.to_string(), text);
            }
        }
    }

    /// Lets the configured program check the new text.
    async fn check(&self, content: &Content, text: &str, act: &Act, key: &IdempotencyKey) -> Result<(), Fault> {
        let Some(hook) = &self.validate else { return Ok(()) };
        let scratch = act.scratch("configure").map_err(|error| self.failed("no scratch directory", &error))?;
        let file = scratch.join(content.file.file_name().unwrap_or_default());
        // Only we may read it, as it may hold secrets.
        let written = act.create_private(&file).and_then(|mut file| file.write_all(text.as_bytes()));
        let checked = match written {
            Err(error) => Err(self.failed(file.display(), &error)),
            Ok(()) => hook.run(act, key, Given { file: Some(&file), ..Given::default() }).await.map_err(|failed| {
                let code = if failed.interrupted { "interrupted" } else { "configure-invalid" };
                let message = format!("{} was not changed: {}", self.name, failed.message);
                let fault = Fault { code: code.to_owned(), ..Fault::new("configure-invalid", message).on(&self.name) };
                if failed.started { fault } else { fault.hint(format!("see `validate` of document {}", self.name)) }
            }),
        };
        let _ = act.remove_dir_all(&scratch);
        checked
    }

    /// The new file, beside the old one.
    fn beside(&self, content: &Content, text: &str, act: &Act) -> Result<Beside, Fault> {
        let like = act.ownership(&content.file).map_err(|error| self.failed(content.file.display(), &error))?;
        act.write_beside(&content.file, text.as_bytes(), like)
            .map_err(|error| self.failed(format!("no new file beside {}", content.file.display()), &error))
    }

    /// Keeps the old text and a record of the change, then replaces the file.
    fn replace(
        &self,
        content: &Content,
        beside: Beside,
        change: Change,
        act: &Act,
        versions: &mut Versions,
    ) -> Result<(), Fault> {
        let shown = content.file.display();
        // Its `validate` may have taken a while.
        if self.read(act)?.digest != content.digest {
            let message = format!("{} was not changed: somebody else changed it at the same time", self.name);
            return Err(self.conflict(message));
        }
        let (key, version) = (change.idempotency_key.clone(), beside.version().to_owned());
        versions
            .begin(act, &content.text, change)
            .map_err(|error| self.failed(format!("its versions cannot be kept beside {shown}"), &error))?;
        beside.put_in_place().map_err(|error| {
            let fault = self.failed(shown.to_string(), &error);
            if act.file_version(&content.file).is_ok_and(|now| now == version) {
                let message = format!("{shown} was replaced, but the disk may forget it: {error}");
                return Fault { message, ..fault }.applied(Applied::Yes);
            }
            // The record of what did not take place would only mislead.
            let _ = versions.forget(act, &key);
            fault
        })
    }

    /// Tells the service of the change.
    async fn reload(&self, act: &Act, key: &IdempotencyKey, versions: &mut Versions) -> Result<(), Fault> {
        let Some(hook) = &self.reload else { return Ok(()) };
        if let Err(failed) = hook.run(act, key, Given::default()).await {
            let message = format!("{} was changed, but its reload failed: {}", self.name, failed.message);
            let code = if failed.interrupted { "interrupted" } else { "reload-failed" };
            let fault = Fault { code: code.to_owned(), ..Fault::new("reload-failed", message) };
            let hint = "undo the change, or find out why the service does not take it";
            return Err(fault.on(&self.name).hint(hint).applied(Applied::Yes));
        }
        // Only evidence for later: the change itself is done.
        let _ = versions.reloaded(act, key);
        Ok(())
    }
}

fn output(content: &Content, decision: &Decision, version: &str) -> Output {
    let changes: Vec<Changed> = decision.differences.iter().map(Changed::from).collect();
    let (before, added) = undo(&changes);
    let same = decision.text == content.text;
    let detail = line(&decision.differences, same);
    Output {
        changed: !same,
        changes,
        before,
        added,
        undo: content.version.clone(),
        version: version.to_owned(),
        detail,
    }
}
