//! How fast paths are walked. One thread; the rate that divan prints is in paths.
//!
//! `cargo bench --bench explore`
//!
#![expect(clippy::disallowed_methods, reason = "a bench prepares its own project")]

use std::path::PathBuf;
use std::sync::Arc;

use divan::counter::ItemsCount;
use lifeboat::journal::MemoryJournal;
use lifeboat::runtime::{ExploreRequest, Lifeboat};

// As in the program: its rate is what is measured here.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const CONFIG: &str = r#"
default = "bench"
[environments.bench.services.web]
driver = "http"
url = "http://127.0.0.1:9/"
maintenance_file = "maintenance"
"#;

/// How many choices there are, each with two ways.
const CHOICES: u32 = 8;

/// Eight questions in steps of their own, of which each is answered with yes or no.
fn runbook() -> String {
    let steps = (0..CHOICES).map(|n| {
        format!("step \"Step {n}\" {{\n    try {{ confirm(\"Question {n}?\"); said += 1; }} catch {{ log(\"no\"); }}\n}} rollback {{\n    log(\"back\");\n}}\n")
    });
    format!("//! Eight choices.\nlet said = 0;\n{}\nlog(`${{said}} times yes`);\n", steps.collect::<String>())
}

struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("lifeboat.toml"), CONFIG).expect("a configuration");
        std::fs::write(dir.path().join("bench.rhai"), runbook()).expect("a runbook");
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

#[divan::bench]
fn explored(bencher: divan::Bencher) {
    walked(bencher, false);
}

/// With the tree of all paths, and what of their source they walk.
#[divan::bench]
fn explored_with_its_tree(bencher: divan::Bencher) {
    walked(bencher, true);
}

fn walked(bencher: divan::Bencher, tree: bool) {
    let project = Project::new();
    let builder = Lifeboat::builder(project.path("lifeboat.toml")).journal(Arc::new(MemoryJournal::new()));
    let lifeboat = builder.build().expect("it is configured");
    let request = ExploreRequest { faults: None, threads: 1, tree, ..ExploreRequest::new(project.path("bench.rhai")) };
    let paths = 2_u64.pow(CHOICES);
    bencher.counter(ItemsCount::new(paths)).bench(|| {
        let exploration = lifeboat.explore(&request).expect("it can be explored");
        assert_eq!((exploration.paths.all, exploration.tree.is_some()), (paths, tree));
        exploration
    });
}
