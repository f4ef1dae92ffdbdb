//! The files of a project as a script's modules and child runbooks.

use std::path::{Path, PathBuf};

use crate::script::Library;
use crate::system::read_source_within;

/// Modules lie beside the file that imports them; child runbooks are named from the project's directory.
pub(super) struct ProjectFiles {
    root: PathBuf,
}

impl ProjectFiles {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// How errors and the journal show a file: from the project's directory where it lies in it.
    pub(super) fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

impl Library for ProjectFiles {
    fn module(&self, from: &str, path: &str) -> Result<(String, String), String> {
        let folder = self.root.join(from).parent().map(Path::to_owned).unwrap_or_default();
        let file = format!("{path}.rhai");
        let text = read_source_within(&folder, &file)
            .map_err(|why| format!("the module `{path}` cannot be imported: {why}"))?;
        Ok((self.name(&folder.join(file)), text))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err(format!("`{path}`: a runbook is named from the project's directory, and lies in it"));
        }
        let path = path.trim_start_matches("./");
        Ok((path.to_owned(), read_source_within(&self.root, path)?))
    }
}
