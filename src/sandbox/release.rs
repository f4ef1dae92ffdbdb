//! What the service runs: the `release.toml` of the release that a link leads to, read at the start and when it is told to.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use tokio::sync::Notify;

/// What a release is, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// Its version.
    pub(super) version: String,
    /// The status that everything is answered with, but `/health/live` and `/version`.
    #[serde(default)]
    pub(super) status: Option<u16>,
    /// How many of a hundred orders that are placed or asked for are answered with an error. `/health` does not notice.
    #[serde(default)]
    pub(super) fail_percent: u8,
    /// How long an order has to wait.
    #[serde(default)]
    pub(super) delay_ms: u64,
}

impl Release {
    fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("release.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let release: Self =
            toml::from_str(&text).map_err(|error| format!("{}: {}", path.display(), error.message()))?;
        if release.fail_percent > 100 || release.status.is_some_and(|status| StatusCode::from_u16(status).is_err()) {
            return Err(format!("{}: `fail_percent` is at most 100, and `status` an HTTP status", path.display()));
        }
        Ok(release)
    }
}

/// Tells a service to read its release again. Clones tell the same service.
#[derive(Clone, Debug, Default)]
pub struct Reload(Arc<Notify>);

impl Reload {
    /// Now.
    pub fn request(&self) {
        self.0.notify_one();
    }

    pub(super) async fn requested(&self) {
        self.0.notified().await;
    }
}

/// The release that a service runs; why it runs none.
pub(super) struct Installed {
    directory: Option<PathBuf>,
    release: RwLock<Result<Arc<Release>, String>>,
    orders: AtomicU64,
}

impl Installed {
    /// What `directory` holds; without one a release of this version without faults.
    pub(super) fn at(directory: Option<PathBuf>, version: String) -> Self {
        let built_in = Release { version, status: None, fail_percent: 0, delay_ms: 0 };
        let installed = Self { directory, release: RwLock::new(Ok(Arc::new(built_in))), orders: AtomicU64::new(0) };
        installed.read_again();
        installed
    }

    /// Reads the release again. One that cannot be read is served as an error: a service that goes on with the old one as if
    /// nothing had been asked would hide a broken deployment.
    pub(super) fn read_again(&self) {
        if let Some(directory) = &self.directory {
            *self.release.write().unwrap_or_else(PoisonError::into_inner) = Release::read(directory).map(Arc::new);
        }
    }

    pub(super) fn release(&self) -> Result<Arc<Release>, String> {
        self.release.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets an order wait and fail as the release has it; the error if it is one of those that fail.
    pub(super) async fn hamper(&self, release: &Release) -> Option<String> {
        if release.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(release.delay_ms)).await;
        }
        let percent = u64::from(release.fail_percent);
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        // Spread evenly, so that few requests show already how many fail.
        let fails = (number + 1) * percent / 100 > number * percent / 100;
        fails.then(|| format!("release {} fails {percent} of 100 orders", release.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_of_a_hundred_fail() {
        for percent in [0, 1, 30, 100] {
            let installed = Installed::at(None, "1".to_owned());
            let release = Release { version: "1".to_owned(), status: None, fail_percent: percent, delay_ms: 0 };
            let mut failed = 0;
            for _ in 0..200 {
                failed += u32::from(installed.hamper(&release).await.is_some());
            }
            assert_eq!(failed, u32::from(percent) * 2);
        }
    }

    #[test]
    fn a_release_that_makes_no_sense_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let read = |text: &str| {
            std::fs::write(dir.path().join("release.toml"), text).expect("writes");
            Release::read(dir.path())
        };
        assert!(read("version = \"1\"\nstatus = 500\nfail_percent = 3\ndelay_ms = 5").is_ok());
        for text in
            ["", "version = \"1\"\nfail_percent = 101", "version = \"1\"\nstatus = 42", "version = \"1\"\nfaults = 1"]
        {
            assert!(read(text).expect_err(text).contains("release.toml"), "{text}");
        }
    }
}
