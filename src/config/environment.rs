//! What a configuration holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::{SecretSource, SecretStore, Span};

use super::{DriverSpec, Target};

/// A whole `lifeboat.toml`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The project's directory: where the file lies. Relative paths in it start here.
    pub root: PathBuf,
    /// The environment that is used when none is named.
    pub default_environment: Option<String>,
    /// The environments by name.
    pub environments: BTreeMap<String, Environment>,
    /// The drivers that are programs of their own, by name.
    pub drivers: BTreeMap<String, DriverSpec>,
    /// How state is kept.
    pub state: State,
    /// SHA-256 of the file, as hexadecimal digits.
    pub digest: String,
}

/// How the state of a project is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// For how long a lease holds that nobody renews: a run that was stopped for longer has lost its targets.
    pub lease: Span,
    /// The journal that a team shares, beside the one of each machine.
    pub shared: Option<SharedState>,
}

/// A journal at a libSQL server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedState {
    /// Its address: `http`, `https` or `libsql`.
    pub url: String,
    /// Where the token comes from with which it lets us in, if it needs one.
    pub token: Option<SecretSource>,
}

impl Default for State {
    fn default() -> Self {
        Self { lease: Span::from_secs(30), shared: None }
    }
}

/// One environment: a set of targets.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Whether changing it needs its name typed.
    pub protected: bool,
    /// Who must have approved what runs in it; none where nobody must.
    pub approvals: Option<Approvals>,
    /// Whether faults may be injected into it.
    pub drill: bool,
    /// The project's directory.
    pub root: PathBuf,
    /// Its targets by name.
    pub targets: BTreeMap<String, Target>,
    /// Pairs of targets of which neither can be changed by a change of the other.
    pub independent: Vec<(String, String)>,
    /// What a drill starts before it begins and stops when it is over.
    pub processes: Vec<ProcessSpec>,
    /// The documents of the other environments, by environment and name: what this one's can be compared with.
    pub documents_elsewhere: BTreeMap<String, BTreeMap<String, Target>>,
    /// Where the values of its secrets come from, by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// How those of its secrets that can be changed are changed, by name.
    pub secret_stores: BTreeMap<String, SecretStore>,
}

/// Who must have approved what runs in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// How many people other than the author, at least 1.
    pub needed: usize,
    /// The file that says whose signatures count, in OpenSSH's format ALLOWED SIGNERS.
    pub signers: PathBuf,
    /// For how long an approval counts at most.
    pub valid_for: Span,
}

impl Environment {
    /// The path `path` of the configuration, seen from the project's directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// Whether a change of the one target cannot change the other.
    pub fn are_independent(&self, one: &str, other: &str) -> bool {
        self.independent.iter().any(|(a, b)| (a == one && b == other) || (a == other && b == one))
    }
}

/// A process that a drill needs: the service to be rehearsed on, its load, a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSpec {
    /// Its name.
    pub name: String,
    /// The program and its arguments. `{lifeboat}` stands for this program.
    pub command: Vec<String>,
    /// The target that must pass its probe before the next process starts.
    pub ready: Option<String>,
}
