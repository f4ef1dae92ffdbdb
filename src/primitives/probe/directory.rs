//! `probe` for `driver = "directory"`: whether the store's directory can be read, and how full its file system is.

use super::misuse::check;
use super::space::{LIMITS, Space, measure_space};
use super::{Args, Output, Probe};
use crate::model::Fault;
use crate::primitives::Observer;
use crate::primitives::targets::DirectoryStore;
use crate::system::Look;

impl Observer<Probe> for DirectoryStore {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a store of backups", &LIMITS)?;
        let path = self.path.clone();
        let measure = move |look: &Look| {
            // Measuring space succeeds for a plain file too, and without leave to read.
            look.list(&path)?;
            look.disk(&path).map(|disk| Space { total: disk.total, free: disk.free })
        };
        measure_space(args, look, "store", measure).await
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test prepares its own files")]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::primitives::probe::Status;
    use crate::system::System;

    async fn probe(path: PathBuf) -> Output {
        let args = Args { warn_percent: Some(99.9), fail_percent: Some(100.0), ..Args::of("backups") };
        let store = DirectoryStore { name: "backups".into(), path };
        Observer::<Probe>::observe(&store, &args, &Look::new(Arc::new(System::new(PathBuf::new()))))
            .await
            .expect("answers")
    }

    #[tokio::test]
    async fn a_directory_passes_and_anything_else_is_down() {
        let dir = tempfile::tempdir().expect("a directory");
        let output = probe(dir.path().to_owned()).await;
        assert!(output.ok && output.detail.starts_with("store "), "{}", output.detail);
        std::fs::write(dir.path().join("file"), "x").expect("writes");
        for name in ["file", "none"] {
            let output = probe(dir.path().join(name)).await;
            assert_eq!((output.status, output.down), (Status::Fail, true), "{name}");
        }
    }
}
