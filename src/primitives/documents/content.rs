//! A document as it was read, and a new text for it.

use std::io::Read as _;
use std::path::PathBuf;

use crate::model::{Fault, Value};
use crate::primitives::targets::Document;
use crate::system::{Look, hex};

use super::{KeyPath, Leaf};

/// Longer files are no configuration.
const LONGEST: u64 = 4 << 20;

/// A document as it was read.
#[derive(Clone, Debug)]
pub(in crate::primitives) struct Content {
    /// The file itself, without symbolic links.
    pub(in crate::primitives) file: PathBuf,
    /// What is in it.
    pub(in crate::primitives) text: String,
    /// Stands for this very state of the file, and says nothing of what is in it.
    pub(in crate::primitives) version: String,
    /// SHA-256 of the text. It is kept beside the file and nowhere else: what little is secret in a file could be guessed from it.
    pub(in crate::primitives) digest: String,
    /// Its values.
    pub(in crate::primitives) leaves: Vec<Leaf>,
}

impl Document {
    pub(in crate::primitives) fn unreadable(&self, why: impl std::fmt::Display) -> Fault {
        Fault::new("document-unreadable", format!("{} cannot be read: {why}", self.name)).on(&self.name).hint(format!(
            "see `path` of document {} in lifeboat.toml ({})",
            self.name,
            self.path.display()
        ))
    }

    /// Reads the file.
    pub(in crate::primitives) fn read(&self, look: &Look) -> Result<Content, Fault> {
        let shown = self.path.display();
        let failed = |error: std::io::Error| {
            let text = error.to_string().to_lowercase();
            self.unreadable(format!("{shown}: {}", text.split(" (os error").next().unwrap_or_default()))
        };
        let file = look.real_path(&self.path).map_err(failed)?;
        // Before the content: a write in between is then seen as one.
        let version = look.file_version(&file).map_err(failed)?;
        let mut bytes = Vec::new();
        look.open(&file).and_then(|open| open.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.unreadable(format!("{shown} is larger than {LONGEST} bytes")));
        }
        let digest = hex(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| self.unreadable(format!("{shown} is not text in UTF-8")))?;
        let leaves = self.leaves(&text)?;
        Ok(Content { file, text, version, digest, leaves })
    }

    /// The values in a text.
    pub(in crate::primitives) fn leaves(&self, text: &str) -> Result<Vec<Leaf>, Fault> {
        let document = self.format.parse(text).map_err(|why| {
            let (what, file) = (self.format.name(), self.path.display());
            self.unreadable(format!("{file} is no {what}: {why}"))
        })?;
        Ok(document.leaves())
    }

    /// `text` with these values and without these keys. What has its value already is left as it is written.
    pub(in crate::primitives) fn edited(
        &self,
        content: &Content,
        set: &[Leaf],
        unset: &[KeyPath],
    ) -> Result<String, Fault> {
        let mut document = self.format.parse(&content.text).map_err(|why| self.unreadable(why))?;
        let there = |path: &KeyPath| content.leaves.iter().find(|(found, _)| found == path).map(|(_, value)| value);
        let wrong = |path: &KeyPath, what: &str, why: String| {
            let message = format!("`{path}` of {} cannot be {what}: {why}", self.name);
            Fault::new("configure-misuse", message).on(&self.name)
        };
        for (path, value) in set {
            // In an env file everything is text.
            let same = |found: &Value| {
                found == value || (self.format == super::Format::EnvFile && found.to_string() == value.to_string())
            };
            if !there(path).is_some_and(same) {
                document.set(path, value).map_err(|why| wrong(path, "set", why))?;
            }
        }
        for path in unset {
            document.unset(path).map_err(|why| wrong(path, "unset", why))?;
        }
        let text = document.text();
        // What we cannot read ourselves is written by nobody.
        self.format.parse(&text).map_err(|why| {
            Fault::new("internal", format!("the edit of {} would spoil it: {why}", self.name)).on(&self.name)
        })?;
        Ok(text)
    }
}
