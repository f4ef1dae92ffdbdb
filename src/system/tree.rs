//! Whole directories: copied, or unpacked from an archive, and on the disk when that is done.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{Act, files};

impl Act {
    /// Copies the directory `from` to the new directory `to`, all the way down, with permissions; links are copied as links.
    /// Ends with the kind `Interrupted` when the run is asked to stop. Sockets, pipes and devices are refused.
    pub fn copy_tree(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            self.unless_stopped()?;
            let entry = entry?;
            let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
            if kind.is_dir() {
                self.copy_tree(&entry.path(), &target)?;
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), &target)?;
                File::open(&target)?.sync_all()?;
            } else {
                let what = format!("{} is neither a file nor a directory nor a link", entry.path().display());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
            }
        }
        fs::set_permissions(to, from.metadata()?.permissions())?;
        files::sync_directory(to)
    }

    /// Unpacks a tar archive that is compressed with zstd into the new directory `to`. What would lie outside of it is an error,
    /// of the kind `InvalidData` like any other damage. Ends with the kind `Interrupted` when the run is asked to stop.
    pub fn unpack_tree(&self, archive: &Path, to: &Path) -> io::Result<()> {
        let mut archive = tar::Archive::new(zstd::Decoder::new(File::open(archive)?)?);
        archive.set_preserve_permissions(true);
        fs::create_dir(to)?;
        for entry in archive.entries()? {
            self.unless_stopped()?;
            let mut entry = entry?;
            let name = entry.path()?.display().to_string();
            if !entry.unpack_in(to)? {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("it holds `{name}`, which leads out of it"),
                ));
            }
        }
        sync_tree(to)
    }

    fn unless_stopped(&self) -> io::Result<()> {
        match self.cancel().requested() {
            Some(_) => Err(io::ErrorKind::Interrupted.into()),
            None => Ok(()),
        }
    }
}

fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    files::sync_directory(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::system::{Look, System};

    fn act(dir: &Path) -> Act {
        Act::grant(&Look::new(Arc::new(System::new(dir.join("scratch")))))
    }

    fn app(dir: &Path) -> std::path::PathBuf {
        let app = dir.join("app");
        fs::create_dir_all(app.join("bin")).expect("a directory");
        fs::write(app.join("bin/web"), "#!/bin/sh\n").expect("writes");
        fs::set_permissions(app.join("bin/web"), fs::Permissions::from_mode(0o755)).expect("may be executed");
        fs::write(app.join("release.toml"), "version = \"1\"\n").expect("writes");
        std::os::unix::fs::symlink("bin/web", app.join("start")).expect("links");
        app
    }

    fn is_app(copy: &Path) {
        assert_eq!(fs::read_to_string(copy.join("release.toml")).expect("reads"), "version = \"1\"\n");
        assert_eq!(copy.join("bin/web").metadata().expect("is there").permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(copy.join("start")).expect("a link"), Path::new("bin/web"));
    }

    #[test]
    fn a_copy_has_everything_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let (act, from, to) = (act(dir.path()), app(dir.path()), dir.path().join("copy"));
        act.copy_tree(&from, &to).expect("copies");
        is_app(&to);
        assert!(act.copy_tree(&from, &to).is_err(), "never over something");
    }

    #[test]
    fn an_archive_is_unpacked_and_a_damaged_one_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let (act, from) = (act(dir.path()), app(dir.path()));
        let mut builder = tar::Builder::new(Vec::new());
        builder.follow_symlinks(false);
        builder.append_dir_all(".", &from).expect("packs");
        let packed = zstd::encode_all(&builder.into_inner().expect("packed")[..], 3).expect("compresses");
        let archive = dir.path().join("1.tar.zst");
        fs::write(&archive, &packed).expect("writes");
        act.unpack_tree(&archive, &dir.path().join("copy")).expect("unpacks");
        is_app(&dir.path().join("copy"));
        fs::write(&archive, &packed[..packed.len() / 2]).expect("writes");
        assert!(act.unpack_tree(&archive, &dir.path().join("half")).is_err());
        fs::write(&archive, "no archive").expect("writes");
        assert!(act.unpack_tree(&archive, &dir.path().join("none")).is_err());
    }

    #[test]
    fn an_archive_cannot_reach_out_of_its_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..9].copy_from_slice(b"../outher");
        header.set_size(0);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, io::empty()).expect("packs");
        let packed = zstd::encode_all(&builder.into_inner().expect("packed")[..], 3).expect("compresses");
        fs::write(dir.path().join("1.tar.zst"), packed).expect("writes");
        let error = act(dir.path()).unpack_tree(&dir.path().join("1.tar.zst"), &dir.path().join("in")).expect_err("no");
        assert!(error.to_string().contains("leads out of it"), "{error}");
        assert!(!dir.path().join("outher").exists());
    }

    #[test]
    fn a_run_that_is_asked_to_stop_stops_copying() {
        let dir = tempfile::tempdir().expect("a directory");
        let act = act(dir.path());
        act.cancel().request();
        let error = act.copy_tree(&app(dir.path()), &dir.path().join("copy")).expect_err("stops");
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
