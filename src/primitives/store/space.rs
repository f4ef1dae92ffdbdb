//! Whether a file system has room.

use std::path::Path;

use crate::model::Fault;
use crate::system::Look;

use super::{code, disk_full, io_fault};

/// A fault if fewer than `needed` bytes are free where `path` lies, or will lie: the nearest directory that exists counts.
pub(in crate::primitives) fn free_near(look: &Look, target: &str, path: &Path, needed: u64) -> Result<(), Fault> {
    let exists = path.ancestors().find(|ancestor| look.exists(ancestor));
    let at = exists.filter(|ancestor| !ancestor.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk =
        look.disk(at).map_err(|error| io_fault(code::STORE_UNREADABLE, target, "look at the disk of", at, &error))?;
    if disk.free < needed { Err(disk_full(target, at, needed, disk.free)) } else { Ok(()) }
}
