//! New files of a project, all of them or none; and ports for them to name.

use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::random_u32;

/// Where something already lies in `directory` under one of these names, or where a file stands in the way of a directory.
pub fn occupied(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    let in_the_way = |path: &Path| {
        let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
        above
            .take_while(|above| above.starts_with(directory) || *above == directory)
            .find(|a| a.exists() && !a.is_dir())
            .map(Path::to_owned)
    };
    names
        .iter()
        .map(|name| directory.join(name))
        .find_map(|path| if path.symlink_metadata().is_ok() { Some(path) } else { in_the_way(&path) })
}

/// Writes new files below `directory`, each as its name and its text, with the directories that they need. Never writes over
/// anything; after an error, what was made is gone again.
pub fn create_files(directory: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    let mut made = Made::default();
    for (name, text) in files {
        let path = directory.join(name);
        made.directories(path.parent().unwrap_or(directory))?;
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        made.files.push(path);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    made.keep();
    Ok(())
}

/// What was made so far: it goes when it is dropped.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl Made {
    fn directories(&mut self, path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        for directory in missing.into_iter().rev() {
            std::fs::create_dir(directory)?;
            self.directories.push(directory.to_owned());
        }
        Ok(())
    }

    fn keep(mut self) {
        self.files.clear();
        self.directories.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for directory in self.directories.iter().rev() {
            let _ = std::fs::remove_dir(directory);
        }
    }
}

/// Ports of this machine's loopback address on which nobody listens now: from 20000 to 27599. They lie below those that systems
/// give to outgoing connections, so that none is taken by accident before it is used, and are none of those that projects which
/// ship name (27600 and above): a port that replaces one of them must not be replaced as if it were the next.
pub fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    const FIRST: u16 = 20_000;
    const COUNT: u32 = 7_600;
    // Held until all are found, so that no port is found twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..200 {
        if held.len() == N {
            break;
        }
        let port = FIRST + u16::try_from(random_u32() % COUNT).unwrap_or_default();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                ports[held.len()] = port;
                held.push(listener);
            }
            Err(error) => last = error,
        }
    }
    if held.len() == N { Ok(ports) } else { Err(last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_made_or_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = dir.path().join("a/project");
        create_files(&project, &[("x/one", "1"), ("two", "2")]).expect("makes");
        assert_eq!(std::fs::read_to_string(project.join("x/one")).expect("reads"), "1");
        let other = dir.path().join("other");
        std::fs::create_dir(&other).expect("makes");
        std::fs::write(other.join("two"), "mine").expect("writes");
        create_files(&other, &[("x/one", "1"), ("two", "2")]).expect_err("refused");
        assert_eq!(std::fs::read_to_string(other.join("two")).expect("reads"), "mine");
        assert!(!other.join("x").exists());
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(occupied(dir.path(), &["a", "b/c"]), None);
        std::fs::write(dir.path().join("b"), "").expect("writes");
        assert_eq!(occupied(dir.path(), &["a", "b/c"]), Some(dir.path().join("b")));
        std::os::unix::fs::symlink("nowhere", dir.path().join("a")).expect("links");
        assert_eq!(occupied(dir.path(), &["a", "b/c"]), Some(dir.path().join("a")));
        let file = dir.path().join("b");
        assert_eq!(occupied(&file, &["a"]), Some(file));
    }

    #[test]
    fn free_ports_are_different_ones() {
        let [a, b] = free_ports().expect("found");
        assert_ne!(a, b);
        assert!([a, b].iter().all(|port| (20_000..27_600).contains(port)), "{a} {b}");
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, a)).expect("free"));
    }
}
