//! A project whose targets are programs that write down what they did.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::chance::Chance;
use crate::generate::{Generated, PAUSE_S, TARGETS};

/// What the language of the simulation is made of here. The programs and their faults do not depend on the moment.
const WORDS: &str = r#"
fn set(target, value) { exec(target, [target, value]) }
fn look(target) { exec("see-" + target).stdout.trim() }
"#;

/// Takes its time, does its work or refuses it, and takes its time again.
const WORK: &str = r#"#!/bin/sh
case "$2" in *7) exit 3 ;; esac
sleep 0.0$(($$ % 3))
echo "$LIFEBOAT_IDEMPOTENCY_KEY $2" >> "ledger/$1"
sleep 0.0$(($$ % 2))
case "$2" in *4) exit 5 ;; esac
"#;

const CHECK: &str = r#"#!/bin/sh
test -e "ledger/$1" && grep -q "^$LIFEBOAT_IDEMPOTENCY_KEY " "ledger/$1"
"#;

const SEE: &str = "#!/bin/sh\ntest -e \"ledger/$1\" && tail -n 1 \"ledger/$1\" | cut -d ' ' -f 2 || echo v0\n";

/// A project in a directory that is gone with it.
pub(crate) struct Project {
    directory: tempfile::TempDir,
    /// The targets whose program nobody can ask afterwards.
    pub(crate) blind: Vec<&'static str>,
}

impl Project {
    pub(crate) fn new(seed: u64, generated: &Generated) -> Self {
        let mut chance = Chance::new(seed ^ 0xb11d);
        let project = Self {
            directory: tempfile::tempdir().expect("a directory"),
            blind: TARGETS.into_iter().filter(|_| chance.happens(25)).collect(),
        };
        let mut config = "default = \"here\"\n[environments.here]\n".to_owned();
        for target in TARGETS {
            let check = if project.blind.contains(&target) { "" } else { "check = [\"./check\", \"{args}\"]\n" };
            let tool = format!("program = [\"./work\"]\nimpact = \"change\"\nunchanged_codes = [3]\n{check}");
            let _ = write!(config, "[environments.here.tools.{target}]\ndriver = \"command\"\n{tool}");
            let tool = format!("program = [\"./see\", \"{target}\"]\nimpact = \"look\"\n");
            let _ = write!(config, "[environments.here.tools.see-{target}]\ndriver = \"command\"\n{tool}");
        }
        project.write("lifeboat.toml", &config);
        for (name, text) in [("work", WORK), ("check", CHECK), ("see", SEE)] {
            project.program(name, text);
        }
        project.write("ledger/.keep", "");
        // Nobody waits here for as long as a runbook does.
        let hurried = |text: &str| {
            let text = text
                .replace(&format!("\"{PAUSE_S}s\""), "\"10ms\"")
                .replace("\"1m\"", "\"5ms\"")
                .replace("\"30s\"", "\"5ms\"");
            format!("{text}{WORDS}")
        };
        project.write("runbooks/it.rhai", &hurried(&generated.runbook));
        project.write("runbooks/child.rhai", &hurried(&generated.child));
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("makes the directory");
        std::fs::write(path, text).expect("writes");
    }

    fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).expect("is executable");
    }

    /// What was done: the target, the idempotency key, the value.
    pub(crate) fn ledger(&self) -> Vec<(String, String, String)> {
        let mut done = Vec::new();
        for target in TARGETS {
            let text = std::fs::read_to_string(self.path(&format!("ledger/{target}"))).unwrap_or_default();
            for line in text.lines() {
                let (key, value) = line.split_once(' ').expect("a key and a value");
                done.push((target.to_owned(), key.to_owned(), value.to_owned()));
            }
        }
        done
    }
}
