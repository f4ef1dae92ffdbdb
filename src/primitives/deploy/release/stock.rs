//! The releases that are there, those that could be, and those that are one too many.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::model::Fault;
use crate::primitives::deploy::name::{compare, refusal};
use crate::primitives::targets::Release;
use crate::system::{Act, Look};

use super::failed;

const ARCHIVE: &str = ".tar.zst";

/// Where a version comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is among the releases.
    Installed,
    /// A directory that has to be copied.
    Directory(PathBuf),
    /// An archive that has to be unpacked.
    Archive(PathBuf),
}

/// The version that the link leads to.
pub(super) fn current(target: &str, release: &Release, look: &Look) -> Result<Option<String>, Fault> {
    let link = release.current();
    let to = match look.read_link(&link) {
        Ok(to) => to,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let why =
                if error.kind() == ErrorKind::InvalidInput { "it is no link".to_owned() } else { error.to_string() };
            return Err(Fault::new("version-unknown", format!("{target}: cannot read {}: {why}", link.display()))
                .on(target)
                .hint("`current` must be a link to a directory in `releases`: see by hand what is live"));
        }
    };
    // A relative link is seen from where it lies.
    let from = release.path.join(&to);
    let version = from.file_name().and_then(|name| name.to_str());
    match version {
        Some(version) if from.parent() == Some(&release.releases()) && refusal(version).is_none() => {
            Ok(Some(version.to_owned()))
        }
        _ => {
            let message = format!("{target}: {} leads to {}, which is no release", link.display(), to.display());
            let hint = format!("let it lead to a directory in {}", release.releases().display());
            Err(Fault::new("version-unknown", message).on(target).hint(hint))
        }
    }
}

/// The versions among the releases.
pub(super) fn installed(release: &Release, look: &Look) -> io::Result<Vec<String>> {
    let entries = match look.list(&release.releases()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let versions = entries.into_iter().filter(|entry| entry.directory && refusal(&entry.name).is_none());
    Ok(versions.map(|entry| entry.name).collect())
}

/// All versions that can be deployed, in order.
pub(super) fn available(release: &Release, look: &Look) -> io::Result<Vec<String>> {
    let mut versions = installed(release, look)?;
    if let Some(artifacts) = &release.artifacts {
        let name = |entry: crate::system::Entry| {
            let archived = entry.name.strip_suffix(ARCHIVE).map(str::to_owned);
            if entry.directory { Some(entry.name) } else { archived }
        };
        versions.extend(look.list(artifacts)?.into_iter().filter_map(name).filter(|name| refusal(name).is_none()));
    }
    versions.sort_by(|a, b| compare(a, b));
    versions.dedup();
    Ok(versions)
}

/// Where `version` comes from, or the fault that it is nowhere.
pub(super) fn find(target: &str, release: &Release, version: &str, look: &Look) -> Result<Source, Fault> {
    if look.is_directory(&release.releases().join(version)) {
        return Ok(Source::Installed);
    }
    if let Some(artifacts) = &release.artifacts {
        let (directory, archive) = (artifacts.join(version), artifacts.join(format!("{version}{ARCHIVE}")));
        if look.is_directory(&directory) {
            return Ok(Source::Directory(directory));
        }
        if look.exists(&archive) {
            return Ok(Source::Archive(archive));
        }
    }
    let place = match &release.artifacts {
        Some(artifacts) => format!("{} nor in {}", release.releases().display(), artifacts.display()),
        None => release.releases().display().to_string(),
    };
    let neither = if release.artifacts.is_some() { "neither in " } else { "not in " };
    let message = format!("{target}: there is no version {version}, {neither}{place}");
    let known = available(release, look).unwrap_or_default();
    let newest = known.iter().rev().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let hint = match newest.as_str() {
        "" => "put the release there first".to_owned(),
        newest => format!("the newest that are there: {newest}"),
    };
    Err(Fault::new("no-such-version", message).on(target).hint(hint))
}

/// Puts `version` among the releases: whole, or not at all.
pub(super) fn install(target: &str, release: &Release, version: &str, source: &Source, act: &Act) -> Result<(), Fault> {
    let releases = release.releases();
    let partial = releases.join(format!(".{version}.partial"));
    let fails = |error: &io::Error| match error.kind() {
        ErrorKind::Interrupted => {
            Fault::new("interrupted", format!("{target}: {version} was not taken over: the run was asked to stop"))
                .on(target)
        }
        _ => failed(target, format!("{version} cannot be put into {}: {error}", releases.display())),
    };
    let place = || {
        act.create_dir_all(&releases)?;
        // What a crash left behind is not whole.
        if act.exists(&partial) {
            act.remove_dir_all(&partial)?;
        }
        match source {
            Source::Installed => return Ok(()),
            Source::Directory(from) => act.copy_tree(from, &partial)?,
            Source::Archive(from) => act.unpack_tree(from, &partial)?,
        }
        act.rename(&partial, &releases.join(version))?;
        act.sync_directory(&releases)
    };
    place().map_err(|error: io::Error| {
        let _ = act.remove_dir_all(&partial);
        fails(&error)
    })
}

/// The releases that are one too many once `live` and `previous` are kept: those that were put there first.
pub(super) fn superfluous(release: &Release, live: &str, previous: Option<&str>, look: &Look) -> Vec<String> {
    let mut others = installed(release, look).unwrap_or_default();
    others.retain(|version| version != live && Some(version.as_str()) != previous);
    let age = |version: &String| look.file_age(&release.releases().join(version)).unwrap_or_default();
    let mut others: Vec<_> = others.into_iter().map(|version| (age(&version), version)).collect();
    others.sort();
    let kept = release.keep.saturating_sub(usize::from(previous.is_some_and(|previous| previous != live)));
    others.into_iter().skip(kept).map(|(_, version)| version).collect()
}

/// Removes releases. What cannot be removed stays, and is tried again by the next deployment: it does no harm.
pub(super) fn remove(release: &Release, versions: &[String], act: &Act) {
    for version in versions {
        let (from, aside) = (release.releases().join(version), release.releases().join(format!(".{version}.partial")));
        // Renamed first: a release of which the half is gone must not look like one.
        if act.rename(&from, &aside).is_ok() {
            let _ = act.remove_dir_all(&aside);
        }
    }
}
