//! The files of a project as a script's runbook, modules and child runbooks: as they lie there, or as they stand at a commit.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::script::Library;
use crate::system::{Revision, absolute, read_source, read_source_within};

/// Modules lie beside the file that imports them; child runbooks are named from the project's directory.
pub(super) struct ProjectFiles {
    root: PathBuf,
    /// The commit from which they are read; none for those that lie in the project's directory.
    revision: Option<Arc<Revision>>,
    /// The names of the invariants that the team adds.
    invariants: Vec<String>,
}

impl ProjectFiles {
    pub(super) fn new(root: PathBuf, revision: Option<Arc<Revision>>, invariants: Vec<String>) -> Self {
        Self { root, revision, invariants }
    }

    /// How errors and the journal show a file: from the project's directory where it lies in it.
    pub(super) fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// The runbook that somebody names, from where they are or from the project's directory: where it lies, and its text.
    pub(super) fn named(&self, runbook: &Path) -> (PathBuf, Result<String, String>) {
        let here = absolute(runbook);
        let in_project = self.root.join(runbook);
        if let Some(revision) = &self.revision {
            let name = |path: &Path| path.strip_prefix(&self.root).map(|path| path.to_string_lossy().into_owned());
            let names = [name(&in_project), name(&here)];
            let found = names.iter().flatten().find(|name| revision.has(name)).or(names[0].as_ref().ok());
            let found = found.cloned().unwrap_or_else(|| runbook.to_string_lossy().into_owned());
            return (self.root.join(&found), revision.text(&found));
        }
        let path = if !here.is_file() && in_project.is_file() { in_project } else { here };
        let text = read_source(&path);
        (path, text)
    }

    /// Reads a file below a folder of the project.
    fn within(&self, folder: &Path, file: &str) -> Result<String, String> {
        match &self.revision {
            Some(revision) => revision.text(&plain(&self.name(&folder.join(file)))),
            None => read_source_within(folder, file),
        }
    }
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.extend(part.to_str()),
            _ => {}
        }
    }
    parts.join("/")
}

impl Library for ProjectFiles {
    fn module(&self, from: &str, path: &str) -> Result<(String, String), String> {
        let folder = self.root.join(from).parent().map(Path::to_owned).unwrap_or_default();
        let file = format!("{path}.rhai");
        let text =
            self.within(&folder, &file).map_err(|why| format!("the module `{path}` cannot be imported: {why}"))?;
        Ok((self.name(&folder.join(file)), text))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err(format!("`{path}`: a runbook is named from the project's directory, and lies in it"));
        }
        let path = path.trim_start_matches("./");
        Ok((path.to_owned(), self.within(&self.root, path)?))
    }

    fn invariants(&self) -> Vec<String> {
        self.invariants.clone()
    }
}
