//! Where the test files of a project lie.

use std::path::{Path, PathBuf};

use crate::model::did_you_mean;
use crate::script::TestFile;
use crate::system::absolute;

use super::{Error, Lifeboat, TestRequest};

/// Directories in which nobody looks for tests: what others have made.
const FOREIGN: [&str; 2] = ["target", "node_modules"];

impl Lifeboat {
    /// The test files that are meant, by path: those named, those in directories that are named, or all of the project's.
    pub(super) fn test_files(&self, named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        if named.is_empty() {
            self.collect_tests(&self.config.root, &mut found);
        }
        for name in named {
            let here = absolute(name);
            let path = if here.exists() { here } else { self.config.root.join(name) };
            if path.is_dir() {
                self.collect_tests(&path, &mut found);
            } else if is_test(&path) && path.is_file() {
                found.push(path);
            } else {
                return Err(self.no_test_file(name, &path));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// All below a directory; what belongs to another project, or is hidden, is left out.
    fn collect_tests(&self, directory: &Path, found: &mut Vec<PathBuf>) {
        let look = self.look();
        let mut folders = vec![directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in look.list(&folder).unwrap_or_default() {
                if entry.directory {
                    let other = entry.path.join("lifeboat.toml").is_file();
                    if !other && !entry.name.starts_with('.') && !FOREIGN.contains(&entry.name.as_str()) {
                        folders.push(entry.path);
                    }
                } else if is_test(&entry.path) {
                    found.push(entry.path);
                }
            }
        }
    }

    fn no_test_file(&self, given: &Path, path: &Path) -> Error {
        let shown = given.display().to_string();
        if path.is_file() {
            let why = format!("{shown} is no test file: the names of those end with {}", TestFile::ENDING);
            return Error::NoRunbook { why, help: TESTS.to_owned() };
        }
        let mut known = Vec::new();
        self.collect_tests(&self.config.root, &mut known);
        let known: Vec<String> = known.iter().map(|path| self.library().name(path)).collect();
        let help = did_you_mean(&shown, known.iter().map(String::as_str)).unwrap_or_else(|| match known.as_slice() {
            [] => TESTS.to_owned(),
            known => format!("the test files: {}", known[..known.len().min(8)].join(", ")),
        });
        Error::NoRunbook { why: format!("there is no file {shown}"), help }
    }
}

const TESTS: &str = "tests of runbooks/NAME.rhai stand in runbooks/NAME_test.rhai";

fn is_test(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(TestFile::ENDING))
}

/// A test file that cannot be read.
pub(super) fn unreadable(why: &str) -> Error {
    let help = "save it as text in UTF-8, and see that you may read it".to_owned();
    Error::NoRunbook { why: why.to_owned(), help }
}

/// There is nothing to run: whoever waits for a result must not take that for a good one.
pub(super) fn none(request: &TestRequest, files: usize) -> Error {
    let (why, help) = match (&request.filter, files) {
        (_, 0) => ("there are no test files".to_owned(), TESTS),
        (Some(filter), _) => {
            (format!("no test has `{filter}` in its file and title"), "`lifeboat test --list` names all of them")
        }
        (None, _) => ("the test files have no tests".to_owned(), "a test is `test \"title\" { … }`"),
    };
    Error::NoRunbook { why, help: help.to_owned() }
}
