//! Files of a project as they stand at a commit, read by Git's plumbing: nothing is checked out, so no hook and no filter runs.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Larger files are not read from a commit, bytes.
const LARGEST: u64 = 16 << 20;

/// A file that two commits do not have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path from the project's directory; the new one where it was moved.
    pub path: String,
    /// Its path before, where it was moved.
    pub moved_from: Option<String>,
    /// What became of it.
    pub change: FileChange,
}

/// What became of a file between two commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added,
    /// It says something else, or is something else.
    Changed,
    /// It is gone.
    Removed,
}

/// The Git repository in which a project lies.
#[derive(Clone, Debug)]
pub struct Repository {
    project: PathBuf,
}

/// The files of a project at one commit.
#[derive(Clone, Debug)]
pub struct Revision {
    repository: Repository,
    /// The commit's full id.
    id: String,
    /// By path from the project's directory.
    files: BTreeMap<String, Blob>,
}

#[derive(Clone, Debug)]
struct Blob {
    mode: String,
    id: String,
    size: u64,
}

impl Repository {
    /// The repository in which the directory `project` lies.
    pub fn around(project: &Path) -> Result<Self, String> {
        let repository = Self { project: project.to_owned() };
        match repository.git(&["rev-parse", "--show-prefix"]) {
            Ok(_) => Ok(repository),
            Err(why) if why.contains("not a git repository") => {
                Err(format!("{} lies in no Git repository", project.display()))
            }
            Err(why) => Err(why),
        }
    }

    /// The commit that `name` means: a branch, a tag, an id, `HEAD~2`.
    pub fn commit(&self, name: &str) -> Result<String, String> {
        let commit = format!("{name}^{{commit}}");
        let found = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        match found {
            Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
            _ => Err(format!("`{name}` is no commit of this repository")),
        }
    }

    /// The newest commit that both have in their past.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, String> {
        match self.git(&["merge-base", one, other]) {
            Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
            _ => Err(format!("{one} and {other} have no commit in common here")),
        }
    }

    /// The files of the project that two commits do not have alike, by path.
    pub fn changed(&self, before: &str, after: &str) -> Result<Vec<ChangedFile>, String> {
        let listed = ["diff-tree", "-r", "-z", "-M", "--name-status", "--relative", "--end-of-options", before, after];
        changes(&self.git(&listed)?)
    }

    /// The files of the project at a commit, given by its id.
    pub fn at(&self, commit: &str) -> Result<Revision, String> {
        let listed = self.git(&["ls-tree", "-r", "-z", "-l", "--end-of-options", commit])?;
        let files = listed.split('\0').filter(|entry| !entry.is_empty()).map(entry).collect::<Option<_>>();
        let files = files.ok_or_else(|| format!("git lists the files of {commit} in a way that is not understood"))?;
        Ok(Revision { repository: self.clone(), id: commit.to_owned(), files })
    }

    fn git(&self, args: &[&str]) -> Result<String, String> {
        let bytes = self.git_bytes(args)?;
        String::from_utf8(bytes).map_err(|_| format!("git {}: a name is not UTF-8", args.first().unwrap_or(&"")))
    }

    fn git_bytes(&self, args: &[&str]) -> Result<Vec<u8>, String> {
        let mut command = Command::new("git");
        // Whatever stands in the environment of a hook that calls us is about another repository, or another index.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
        command.arg("-C").arg(&self.project).args(args).stdin(Stdio::null());
        let output = command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no git: install it".to_owned(),
            _ => format!("git cannot be started: {error}"),
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        Err(format!("git {}: {}", args.first().unwrap_or(&""), said.trim_start_matches("fatal: ")))
    }
}

impl Revision {
    /// The commit's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The first characters of the commit's id: what people compare.
    pub fn short(&self) -> &str {
        self.id.get(..10).unwrap_or(&self.id)
    }

    /// The paths of its files, from the project's directory, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether it has such a file.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The text of a file. Links are not followed.
    pub fn text(&self, path: &str) -> Result<String, String> {
        let bytes = self.bytes(path)?;
        String::from_utf8(bytes).map_err(|_| format!("{path} is not text in UTF-8"))
    }

    /// What a file holds. Links are not followed.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        let blob = self.files.get(path).ok_or_else(|| format!("there is no file {path} at {}", self.short()))?;
        if !blob.mode.starts_with("100") {
            return Err(format!("{path} is no file of its own at {}, and links are not followed", self.short()));
        }
        if blob.size > LARGEST {
            return Err(format!("{path} is too large: {} bytes", blob.size));
        }
        self.repository.git_bytes(&["cat-file", "blob", &blob.id])
    }

    /// Writes all files into a directory of their own below `scratch`. Links and submodules are left out.
    pub fn export(&self, scratch: &Path) -> Result<ExportedFiles, String> {
        let made = std::fs::create_dir_all(scratch).and_then(|()| tempfile::tempdir_in(scratch));
        let directory = made.map_err(|error| format!("cannot write into {}: {error}", scratch.display()))?;
        for (path, blob) in self.files.iter().filter(|(_, blob)| blob.mode.starts_with("100") && blob.size <= LARGEST) {
            let written = self.write(path, blob, &directory.path().join(path));
            written.map_err(|error| format!("{path} cannot be written: {error}"))?;
        }
        Ok(ExportedFiles(directory))
    }

    fn write(&self, path: &str, blob: &Blob, to: &Path) -> io::Result<()> {
        std::fs::create_dir_all(to.parent().unwrap_or(to))?;
        std::fs::write(to, self.bytes(path).map_err(io::Error::other)?)?;
        if blob.mode == "100755" {
            std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}

/// The files of a commit in a directory, which goes with this.
#[derive(Debug)]
pub struct ExportedFiles(tempfile::TempDir);

impl ExportedFiles {
    /// The directory.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// `100644 blob 8f3b…      93\truntime.rhai`.
fn entry(text: &str) -> Option<(String, Blob)> {
    let (about, path) = text.split_once('\t')?;
    let mut words = about.split_whitespace();
    let (mode, _, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some((path.to_owned(), Blob { mode: mode.to_owned(), id: id.to_owned(), size: size.parse().unwrap_or(0) }))
}

/// `M NUL path NUL R086 NUL old NUL new NUL`.
fn changes(listed: &str) -> Result<Vec<ChangedFile>, String> {
    let mut words = listed.split('\0').filter(|word| !word.is_empty());
    let mut found = Vec::new();
    while let Some(status) = words.next() {
        let mut path = || words.next().map(str::to_owned).ok_or("git names a change and no file".to_owned());
        let first = path()?;
        found.push(match status.as_bytes().first() {
            Some(b'R') => ChangedFile { path: path()?, moved_from: Some(first), change: FileChange::Changed },
            Some(b'C') => ChangedFile { path: path()?, moved_from: None, change: FileChange::Added },
            Some(b'A') => ChangedFile { path: first, moved_from: None, change: FileChange::Added },
            Some(b'D') => ChangedFile { path: first, moved_from: None, change: FileChange::Removed },
            _ => ChangedFile { path: first, moved_from: None, change: FileChange::Changed },
        });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with a project in the directory `ops`.
    struct Fixture(tempfile::TempDir);

    impl Fixture {
        fn new() -> Self {
            let fixture = Self(tempfile::tempdir().expect("a directory"));
            fixture.git(&["init", "-q", "-b", "main"]);
            std::fs::create_dir(fixture.project()).expect("a directory");
            fixture
        }

        fn project(&self) -> PathBuf {
            self.0.path().join("ops")
        }

        fn git(&self, args: &[&str]) {
            let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
            let done = Command::new("git").arg("-C").arg(self.0.path()).args(who).args(args).status();
            assert!(done.expect("git starts").success(), "{args:?}");
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.project().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, text).expect("writes");
        }

        fn commit(&self) -> String {
            self.git(&["add", "-A"]);
            self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
            Repository::around(&self.project()).expect("a repository").commit("HEAD").expect("a commit")
        }
    }

    #[test]
    fn files_are_those_of_the_commit_whatever_lies_in_the_directory() {
        let fixture = Fixture::new();
        fixture.write("runbooks/a.rhai", "1\n");
        fixture.write("drivers/x.sh", "#!/bin/sh\n");
        fixture.git(&["add", "-A"]);
        fixture.git(&["update-index", "--chmod=+x", "ops/drivers/x.sh"]);
        std::fs::write(fixture.0.path().join("beside"), "").expect("writes");
        let commit = fixture.commit();
        fixture.write("runbooks/a.rhai", "2\n");
        let revision = Repository::around(&fixture.project()).expect("a repository").at(&commit).expect("it reads");
        assert_eq!(revision.paths().collect::<Vec<_>>(), ["drivers/x.sh", "runbooks/a.rhai"]);
        assert_eq!(revision.text("runbooks/a.rhai").expect("it is there"), "1\n");
        assert!(revision.text("runbooks/b.rhai").expect_err("not there").starts_with("there is no file"));
        let scratch = tempfile::tempdir().expect("a directory");
        let exported = revision.export(scratch.path()).expect("it is written");
        assert_eq!(std::fs::read_to_string(exported.path().join("runbooks/a.rhai")).expect("reads"), "1\n");
    }

    #[test]
    fn links_are_not_followed() {
        let fixture = Fixture::new();
        fixture.write("a.rhai", "1");
        std::os::unix::fs::symlink("/etc/passwd", fixture.project().join("b.rhai")).expect("links");
        let commit = fixture.commit();
        let revision = Repository::around(&fixture.project()).expect("a repository").at(&commit).expect("it reads");
        assert!(revision.text("b.rhai").expect_err("refused").contains("links are not followed"));
        let scratch = tempfile::tempdir().expect("a directory");
        let exported = revision.export(scratch.path()).expect("it is written");
        assert!(!exported.path().join("b.rhai").exists());
    }

    #[test]
    fn what_two_commits_do_not_have_alike_is_named() {
        let fixture = Fixture::new();
        let long = "let a = 1;\n".repeat(20);
        fixture.write("same", "1");
        fixture.write("gone", "1");
        fixture.write("moves", &long);
        fixture.write("changes", "1");
        let before = fixture.commit();
        std::fs::rename(fixture.project().join("moves"), fixture.project().join("a name\nof two lines"))
            .expect("moves");
        std::fs::remove_file(fixture.project().join("gone")).expect("it was there");
        fixture.write("changes", "2");
        fixture.write("new", "something else");
        let after = fixture.commit();
        let repository = Repository::around(&fixture.project()).expect("a repository");
        let found = repository.changed(&before, &after).expect("it compares");
        let told: Vec<_> =
            found.iter().map(|file| (file.path.as_str(), file.moved_from.as_deref(), file.change)).collect();
        let expected = [
            ("a name\nof two lines", Some("moves"), FileChange::Changed),
            ("changes", None, FileChange::Changed),
            ("gone", None, FileChange::Removed),
            ("new", None, FileChange::Added),
        ];
        assert_eq!(told, expected);
        assert_eq!(repository.merge_base(&before, &after).expect("it is there"), before);
    }

    #[test]
    fn what_is_no_commit_is_said() {
        let fixture = Fixture::new();
        fixture.commit();
        let repository = Repository::around(&fixture.project()).expect("a repository");
        assert_eq!(repository.commit("--all").expect_err("none"), "`--all` is no commit of this repository");
        assert_eq!(repository.commit("nowhere").expect_err("none"), "`nowhere` is no commit of this repository");
        let outside = tempfile::tempdir().expect("a directory");
        assert!(Repository::around(outside.path()).expect_err("none").contains("lies in no Git repository"));
    }
}
