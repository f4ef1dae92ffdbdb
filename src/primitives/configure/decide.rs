//! What a call of `configure` comes to: decided from what is there, before anything is touched.

use std::collections::BTreeMap;

use crate::model::{Arg, Fault, Unknown, Value};
use crate::primitives::documents::{
    Content, Difference, Differs, KeyPath, Leaf, Seal, Versions, flatten, reveal, secrets,
};
use crate::primitives::targets::Document;
use crate::system::Look;

use super::{Args, Changed, How};

/// What a call asks for.
pub(super) enum Asked {
    /// These keys get these values, and those go.
    Edit {
        set: Vec<Leaf>,
        unset: Vec<KeyPath>,
        /// The keys whose values are given as secrets, whatever they are called.
        given: Vec<KeyPath>,
    },
    /// This version comes back.
    Restore(String),
}

/// What is to be done.
pub(super) struct Decision {
    /// The new text.
    pub(super) text: String,
    /// What it changes.
    pub(super) differences: Vec<Difference>,
}

impl Asked {
    /// The keys whose values are given as secrets.
    pub(super) fn given(&self) -> &[KeyPath] {
        match self {
            Asked::Edit { given, .. } => given,
            Asked::Restore(_) => &[],
        }
    }
}

impl Document {
    /// The same with what secrets stand for.
    pub(super) async fn revealed(&self, asked: Asked, look: &Look) -> Result<Asked, Fault> {
        let Asked::Edit { mut set, unset, given } = asked else { return Ok(asked) };
        for (_, value) in &mut set {
            reveal(value, look).await?;
        }
        Ok(Asked::Edit { set, unset, given })
    }

    pub(super) fn misuse(&self, message: impl Into<String>) -> Fault {
        Fault::new("configure-misuse", message).on(&self.name)
    }

    pub(super) fn conflict(&self, message: impl Into<String>) -> Fault {
        Fault::new("configure-conflict", message)
            .on(&self.name)
            .hint("look at the document, and plan again from what it says now")
    }

    /// What a call asks for, where it makes sense.
    pub(super) fn asked(&self, args: &Args) -> Result<Asked, Fault> {
        let edits = !args.set.is_empty() || !args.unset.is_empty();
        if let Some(version) = &args.restore {
            if edits {
                return Err(self.misuse("`restore` brings a whole version back: leave `set` and `unset` out"));
            }
            return Ok(Asked::Restore(self.known(version)?));
        }
        if !edits {
            let hint = "write it as `configure(target, #{ set: #{ \"pool.size\": 20 } })`";
            return Err(self.misuse("nothing is asked for: `set`, `unset` and `restore` are missing").hint(hint));
        }
        let set = flatten(self.format, &args.set).map_err(|why| self.misuse(why))?;
        let key = |key: &String| self.format.key(key).map_err(|why| self.misuse(why));
        let unset = args.unset.known().map_err(|label| self.unknown(label))?;
        let unset = unset.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if let Some((path, _)) =
            set.iter().find(|(path, _)| unset.iter().any(|gone| gone.holds(path) || path.holds(gone)))
        {
            return Err(self.misuse(format!("`{path}` is in `set` and in `unset`")));
        }
        // Numbers and bools are left alone: a lifetime of tokens is no token.
        let texts = |value: &Value| matches!(value, Value::String(text) if !text.is_empty());
        if let Some((path, _)) = set.iter().find(|(path, value)| texts(value) && self.secrets.hide(path, value)) {
            let hint = format!(
                "give it as secret(\"NAME\"), or add `{path}` to `plain_keys` of document {} if it is no secret",
                self.name
            );
            return Err(self.misuse(format!("the value of `{path}` is a secret and stands in the runbook")).hint(hint));
        }
        let given = set.iter().filter(|(_, value)| !secrets(value).is_empty()).map(|(path, _)| path.clone()).collect();
        Ok(Asked::Edit { set, unset, given })
    }

    fn known(&self, version: &Arg<String>) -> Result<String, Fault> {
        match version {
            Arg::Known(version) => Ok(version.clone()),
            Arg::Unknown(label) => Err(self.unknown(label)),
        }
    }

    fn unknown(&self, label: &Unknown) -> Fault {
        Fault::new("argument", format!("{label} is not known before the run")).on(&self.name)
    }

    /// What is to be done to bring about what is asked for.
    pub(super) fn decide(&self, args: &Args, asked: &Asked, content: &Content, look: &Look) -> Result<Decision, Fault> {
        if let Some(wanted) = &args.if_version {
            let wanted = self.known(wanted)?;
            if wanted != content.version {
                let message =
                    format!("{} is at version {}, not at {wanted}: it was changed", self.name, content.version);
                return Err(self.conflict(message));
            }
        }
        let text = match asked {
            Asked::Edit { set, unset, .. } => self.edited(content, set, unset)?,
            Asked::Restore(version) => self.version(version, content, look)?,
        };
        let seal = Seal::new(false);
        let keys = self.secrets.and(asked.given());
        let after = seal.document(self.leaves(&text)?, &keys);
        let differences = seal.compare(&seal.document(content.leaves.clone(), &keys), &after);
        Ok(Decision { text, differences })
    }

    /// The text of an earlier version, if only we have changed the document since.
    fn version(&self, version: &str, content: &Content, look: &Look) -> Result<String, Fault> {
        if version == content.version {
            return Ok(content.text.clone());
        }
        let versions = Versions::read(look, &content.file).map_err(|why| self.unreadable(why))?;
        if versions.digest(version) == Some(&content.digest) {
            return Ok(content.text.clone());
        }
        let Some(text) = versions.text(look, version) else {
            let message = format!("no version {version} of {} is kept", self.name);
            return Err(self.misuse(message).hint("the last 20 changes of a document can be taken back"));
        };
        let ours = versions.latest().is_some_and(|latest| latest.after.1 == content.digest);
        if !ours {
            let message =
                format!("{} was changed by somebody else since: version {version} would undo that", self.name);
            let hint = "set the keys one by one, or mend the file by hand";
            return Err(self.conflict(message).hint(hint));
        }
        Ok(text)
    }
}

impl From<&Difference> for Changed {
    fn from(difference: &Difference) -> Self {
        let change = match difference.differs {
            Differs::Added => How::Added,
            Differs::Removed => How::Removed,
            Differs::Changed => How::Changed,
        };
        let Difference { before, after, secret, .. } = difference.clone();
        Self { key: difference.key.to_string(), change, before, after, secret }
    }
}

/// The values that keys had, and the keys that are new.
pub(super) fn undo(changes: &[Changed]) -> (BTreeMap<String, Value>, Vec<String>) {
    let before = changes.iter().filter(|changed| changed.change != How::Added && !changed.secret);
    let before = before.map(|changed| (changed.key.clone(), changed.before.clone())).collect();
    let added = changes.iter().filter(|changed| changed.change == How::Added);
    (before, added.map(|changed| changed.key.clone()).collect())
}

/// What was or would be done, in one line.
pub(super) fn line(differences: &[Difference], same_text: bool) -> String {
    match differences {
        [] if same_text => "is as it should be already".to_owned(),
        [] => "the same values, written differently".to_owned(),
        [one] => one.line(),
        several => {
            format!("{} keys: {}", several.len(), several.iter().map(Difference::line).collect::<Vec<_>>().join(", "))
        }
    }
}
