//! The directory of migrations: which files are which migration, and which direction.

use std::path::{Path, PathBuf};

use crate::model::Fault;
use crate::primitives::store::io_fault;
use crate::primitives::targets::SqliteDatabase;
use crate::system::Look;

use super::faults::{code, fault};
use super::version::Version;

/// A file with its content.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// A migration: one file with both directions, or a file for each.
#[derive(Clone, Debug)]
pub(super) struct Migration {
    pub(super) version: Version,
    /// What stands between the version and the end of the file's name.
    pub(super) name: String,
    pub(super) up: SourceFile,
    /// The file of the way back, where it has one of its own.
    pub(super) down: Option<SourceFile>,
    /// Whether there is a file for each direction.
    pub(super) paired: bool,
}

/// What a file's name says.
#[derive(Clone, Debug, PartialEq)]
struct Named<'a> {
    version: Version,
    name: &'a str,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Up,
    Down,
    Plain,
}

impl<'a> Named<'a> {
    /// `None` for a name that is no migration's.
    fn parse(file: &'a str) -> Option<Self> {
        let stem = file.strip_suffix(".sql")?;
        let (stem, end) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
            (Some(stem), _) => (stem, End::Up),
            (_, Some(stem)) => (stem, End::Down),
            _ => (stem, End::Plain),
        };
        let digits = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
        let (version, rest) = stem.split_at(digits);
        let name = match rest.chars().next() {
            None => rest,
            Some('_' | '-' | '.') => &rest[1..],
            Some(_) => return None,
        };
        Some(Self { version: Version::parse(version)?, name, end })
    }
}

/// The migrations of a database, by version.
pub(super) fn read(look: &Look, database: &SqliteDatabase) -> Result<Vec<Migration>, Fault> {
    let target = database.name.as_str();
    let Some(directory) = &database.migrations else {
        let message = format!("no migrations are configured for {target}");
        let hint = format!("in lifeboat.toml, set `migrations = \"DIRECTORY\"` at the database {target}");
        return Err(fault(code::NO_MIGRATIONS, target, message).hint(hint));
    };
    let unreadable = |path: &Path, error: &std::io::Error| io_fault(code::NO_MIGRATIONS, target, "read", path, error);
    let entries = look.list(directory).map_err(|error| unreadable(directory, &error))?;
    let (mut ups, mut downs): (Vec<Migration>, Vec<(Version, SourceFile)>) = (Vec::new(), Vec::new());
    for entry in entries.into_iter().filter(|entry| !entry.directory) {
        if entry.name.starts_with('.') || !entry.name.to_ascii_lowercase().ends_with(".sql") {
            continue;
        }
        let Some(named) = Named::parse(&entry.name) else {
            let message = format!("{} does not begin with a version", entry.path.display());
            let hint = "call it `0001_name.sql`, or move it out of the directory of migrations";
            return Err(fault(code::FILE, target, message).hint(hint));
        };
        let bytes = look.read(&entry.path).map_err(|error| unreadable(&entry.path, &error))?;
        let file = SourceFile { path: entry.path, name: entry.name.clone(), bytes };
        let Named { version, name, end } = named;
        if end == End::Down {
            downs.push((version, file));
        } else {
            let paired = end == End::Up;
            ups.push(Migration { version, name: name.to_owned(), up: file, down: None, paired });
        }
    }
    ups.sort_by(|a, b| a.version.cmp(&b.version));
    if let Some(twice) = ups.windows(2).find(|pair| pair[0].version == pair[1].version) {
        return Err(duplicate(target, &twice[0].up, &twice[1].up));
    }
    for (version, file) in downs {
        pair(target, &mut ups, &version, file)?;
    }
    Ok(ups)
}

/// Gives a way back to its migration.
fn pair(target: &str, ups: &mut [Migration], version: &Version, file: SourceFile) -> Result<(), Fault> {
    let up = ups.iter_mut().find(|up| up.version == *version);
    match up {
        Some(up) if up.paired => {
            if let Some(other) = &up.down {
                return Err(duplicate(target, other, &file));
            }
            up.down = Some(file);
            Ok(())
        }
        found => {
            let message = format!("{} has no `.up.sql` beside it", file.path.display());
            let hint = match found {
                Some(up) => format!("call {} `….up.sql`", up.up.name),
                None => "add it, or remove the way back of a migration that is gone".to_owned(),
            };
            Err(fault(code::FILE, target, message).hint(hint))
        }
    }
}

fn duplicate(target: &str, one: &SourceFile, two: &SourceFile) -> Fault {
    let message = format!("{} and {} have the same version", one.path.display(), two.name);
    fault(code::FILE, target, message).hint("give the newer one a version of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_their_tools_write_them() {
        let named = |file: &str| Named::parse(file).map(|n| (n.version.text().to_owned(), n.name.to_owned(), n.end));
        let is = |version: &str, name: &str, end| Some((version.to_owned(), name.to_owned(), end));
        assert_eq!(named("0001_init.up.sql"), is("0001", "init", End::Up));
        assert_eq!(named("0001_init.down.sql"), is("0001", "init", End::Down));
        assert_eq!(named("20240131120000_add_users.sql"), is("20240131120000", "add_users", End::Plain));
        assert_eq!(named("7.sql"), is("7", "", End::Plain));
        assert_eq!(named("7-a.b.sql"), is("7", "a.b", End::Plain));
        for file in ["init.sql", "_1.sql", "1init.sql", ".sql", "v1_init.sql", "1_init.txt"] {
            assert_eq!(named(file), None, "{file}");
        }
    }
}
