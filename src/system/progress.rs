//! How far a long copy has come.

/// Who is shown how far a copy has come.
pub trait Progress: Send + Sync {
    /// A copy of `total` bytes begins. It ends when the returned handle is dropped.
    fn copy(&self, label: &str, total: u64) -> Box<dyn Copy>;
}

/// One copy under way.
pub trait Copy: Send {
    /// So many bytes are done in all.
    fn at(&mut self, bytes: u64);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn copy(&self, _: &str, _: u64) -> Box<dyn Copy> {
        Box::new(NoProgress)
    }
}

impl Copy for NoProgress {
    fn at(&mut self, _: u64) {}
}
