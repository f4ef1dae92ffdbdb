//! A document in a directory of its own, for tests of what is done to it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::model::{IdempotencyKey, Key, SecretSource, Segment};
use crate::primitives::FromTarget;
use crate::primitives::targets::{ConfigDocument, DocumentSyntax};
use crate::system::{Act, Cancel, Look, Secrets, System};

/// A document called `app`, and what acts on it.
pub(in crate::primitives) struct Bench {
    pub(in crate::primitives) dir: tempfile::TempDir,
    pub(in crate::primitives) file: PathBuf,
    pub(in crate::primitives) act: Act,
    pub(in crate::primitives) cancel: Cancel,
    /// More settings of the document, and more tables after them.
    pub(in crate::primitives) settings: String,
}

impl Bench {
    pub(in crate::primitives) fn new(name: &str, text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("writes");
        let system = System::new(dir.path().join("scratch"));
        let cancel = system.cancel.clone();
        Self { file, act: Act::grant(&Look::new(Arc::new(system))), cancel, settings: String::new(), dir }
    }

    pub(in crate::primitives) fn with(mut self, settings: &str) -> Self {
        self.settings.push_str(settings);
        self
    }

    /// A secret that is a file of the directory.
    pub(in crate::primitives) fn secret(mut self, name: &str, value: &str) -> Self {
        self.write(name, value);
        let file = self.dir.path().join(name);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("sets");
        let sources = [(name.to_owned(), SecretSource::File(file))].into();
        let secrets = Secrets::new(sources, self.dir.path().to_path_buf(), Arc::default());
        self.act = Act::grant(&(*self.act).clone().with_secrets(Arc::new(secrets)));
        self
    }

    pub(in crate::primitives) fn driver<S: DocumentSyntax>(&self) -> ConfigDocument<S> {
        let (name, settings) = (self.file.file_name().expect("a name").to_string_lossy(), &self.settings);
        let text =
            format!("[environments.test.documents.app]\ndriver = \"{}\"\npath = \"{name}\"\n{settings}\n", S::DRIVER);
        let config = Config::parse(&self.dir.path().join("lifeboat.toml"), text.into()).expect("it is TOML");
        let environment = &config.environments["test"];
        let target = &environment.targets["app"];
        ConfigDocument::from_target(target.settings().expect("settings"), target, environment)
            .expect("it is configured")
    }

    pub(in crate::primitives) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).expect("writes");
    }

    /// What a file of the directory holds; nothing when it is not there.
    pub(in crate::primitives) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    pub(in crate::primitives) fn text(&self) -> String {
        std::fs::read_to_string(&self.file).expect("reads")
    }

    /// The names in the directory, those of the scratch directory left out.
    pub(in crate::primitives) fn names(&self) -> Vec<String> {
        let list = |path: &Path| {
            let entries = std::fs::read_dir(path).expect("lists").map(|entry| entry.expect("an entry").file_name());
            entries.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let mut names: Vec<_> = list(self.dir.path()).into_iter().filter(|name| name != "scratch").collect();
        names.sort();
        names
    }
}

pub(in crate::primitives) fn key(call: u32) -> IdempotencyKey {
    IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
}
