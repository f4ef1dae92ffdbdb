//! A project in a repository, with a branch that is to be reviewed.

use std::path::Path;
use std::process::Command;

use crate::support::{Project, Run};

/// What every project of these tests is configured with.
pub(crate) const CONFIG: &str = r#"[environments.live]
protected = true

[environments.live.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"

[environments.live.databases.primary]
driver = "sqlite"
path = "primary.db"
store = "backups"

[environments.live.stores.backups]
driver = "directory"
path = "backups"

[environments.live.channels.incidents]
driver = "file"
path = "incidents.jsonl"

[environments.live.tools.turn]
driver = "command"
program = ["true"]
impact = "change"
"#;

/// A runbook that keeps every invariant.
pub(crate) const SAFE: &str = r#"//! Restore the database.
let before = maintenance("web");
step "Stop writes" {
    maintenance("web", "on");
} rollback {
    notify("incidents", "the restore is given up");
    maintenance("web", before);
}
let good = latest_backup("primary", #{ verified: true });
try {
    restore("primary", #{ from: good.id });
} catch (fault) {
    notify("incidents", `the restore failed: ${fault.message}`);
    throw fault;
}
maintenance("web", before);
"#;

/// Runs Git in a directory.
pub(crate) fn git(directory: &Path, args: &[&str]) {
    let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
    let done = Command::new("git").arg("-C").arg(directory).args(who).args(args).output().expect("git starts");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A branch that is still written.
pub(crate) struct Branch(pub(crate) Project);

impl Branch {
    /// `main` has these files, and `feature` is begun there.
    pub(crate) fn from(files: &[(&str, &str)]) -> Self {
        let project = Project::empty().file("lifeboat.toml", CONFIG);
        let project = files.iter().fold(project, |project, (name, text)| project.file(name, text));
        let root = project.path(".");
        git(&root, &["init", "-q", "-b", "main"]);
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "Begin"]);
        git(&root, &["switch", "-q", "-c", "feature"]);
        Self(project)
    }

    /// The branch changes a file.
    pub(crate) fn change(self, name: &str, text: &str) -> Self {
        Self(self.0.file(name, text))
    }

    /// The branch removes a file.
    pub(crate) fn remove(self, name: &str) -> Self {
        std::fs::remove_file(self.0.path(name)).expect("it is there");
        self
    }

    /// What was changed so far is committed.
    pub(crate) fn committed(self) -> Project {
        let root = self.0.path(".");
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "Change"]);
        self.0
    }

    /// What the review of the branch says.
    pub(crate) fn reviewed(self) -> Run {
        self.committed().run(["review", "main..feature"])
    }
}
