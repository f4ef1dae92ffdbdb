//! Symbolic links: which release is live is one of them.

use std::io;
use std::path::{Path, PathBuf};

use super::{Act, Look, files};

impl Look {
    /// What a symbolic link says, as it stands there; an error for anything else.
    pub fn read_link(&self, link: &Path) -> io::Result<PathBuf> {
        std::fs::read_link(link)
    }

    /// Whether there is a directory, also through a link.
    pub fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }
}

impl Act {
    /// Lets the symbolic link `link` lead to `to`, whether it is there already or not. Who follows it finds the old or the new;
    /// never nothing. An error when something other than a link is there.
    pub fn link_atomic(&self, link: &Path, to: &Path) -> io::Result<()> {
        match link.symlink_metadata() {
            Ok(found) if !found.is_symlink() => {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something that is not a link"));
            }
            _ => {}
        }
        let directory = link.parent().unwrap_or(Path::new("/"));
        let name = link.file_name().unwrap_or_default().to_string_lossy();
        let temporary = directory.join(format!(".{name}.{}.partial", std::process::id()));
        // Left behind by a crash of a process that had our number.
        let _ = std::fs::remove_file(&temporary);
        std::os::unix::fs::symlink(to, &temporary)?;
        if let Err(error) = std::fs::rename(&temporary, link) {
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        files::sync_directory(directory)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    #[test]
    fn a_link_is_made_and_led_elsewhere_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        let link = dir.path().join("current");
        for to in ["releases/1", "releases/2"] {
            act.link_atomic(&link, Path::new(to)).expect("leads there");
            assert_eq!(act.read_link(&link).expect("a link"), Path::new(to));
        }
        assert_eq!(act.list(dir.path()).expect("lists").len(), 1);
    }

    #[test]
    fn what_is_not_a_link_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        let file = dir.path().join("current");
        std::fs::write(&file, "mine").expect("writes");
        assert!(act.link_atomic(&file, Path::new("releases/1")).is_err());
        assert_eq!(act.read_text(&file).expect("reads"), "mine");
        assert!(act.read_link(&file).is_err());
    }
}
