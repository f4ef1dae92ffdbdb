//! The moment of a restore: the old files go, the new one takes their place.
//!
//! Before the first name is taken away, all old files have second names in the directory that keeps them. Were they moved one by
//! one, a database would be without its write-ahead log for a moment, or a log without its database; a program that opened it just
//! then would throw away what the log holds. A log must not stay either: SQLite would apply it to the new file.

use std::io;
use std::path::Path;

use crate::model::{Applied, Fault};
use crate::primitives::store::{code, io_fault};
use crate::system::Act;

use super::place::{PARTS, Place};

/// Puts `temporary` in the place of the database, whose files go to `replaced`. A fault says whether the new file is in place.
pub(super) fn swap(
    act: &Act,
    target: &str,
    place: &Place,
    temporary: &Path,
    replaced: Option<&Path>,
) -> Result<(), Fault> {
    let moved = (|| {
        if let Some(replaced) = replaced {
            keep(act, place, replaced)?;
            take_away(act, place, replaced)?;
        }
        act.rename(temporary, &place.path)
    })();
    if let Err(error) = moved {
        let fault = io_fault(code::RESTORE_FAILED, target, "replace", &place.path, &error);
        return Err(match replaced {
            None => fault,
            Some(replaced) if put_back(act, place, replaced) => fault,
            Some(replaced) => fault
                .applied(Applied::Unknown)
                .hint(format!("what was there is in {}: move it back, or restore again", replaced.display())),
        });
    }
    act.sync_directory(&place.directory)
        .map_err(|error| io_fault(code::RESTORE_FAILED, target, "sync", &place.directory, &error).applied(Applied::Yes))
}

/// Gives every old file a second name in `replaced`, where the file system can.
pub(super) fn keep(act: &Act, place: &Place, replaced: &Path) -> io::Result<()> {
    act.create_private_dir(replaced)?;
    for part in PARTS {
        // Without a second name the file is moved later: that is as good, but for a moment between two moves.
        let _ = act.hard_link(&place.part(part), &place.replaced_part(replaced, part));
    }
    act.sync_directory(replaced)?;
    act.sync_directory(&place.directory)
}

/// Takes the old names away, that of the database first: what opens it now finds nothing rather than half.
pub(super) fn take_away(act: &Act, place: &Place, replaced: &Path) -> io::Result<()> {
    for part in PARTS {
        let (from, to) = (place.part(part), place.replaced_part(replaced, part));
        if !act.exists(&from) {
            continue;
        }
        if act.exists(&to) {
            act.remove_file(&from)?;
        } else {
            act.rename(&from, &to)?;
        }
    }
    Ok(())
}

/// Makes everything as it was before [`swap`], wherever that was cut short. Says whether the old files are all in their place.
pub(super) fn put_back(act: &Act, place: &Place, replaced: &Path) -> bool {
    if !act.exists(replaced) {
        return true;
    }
    let kept = |part: &str| place.replaced_part(replaced, part);
    let same = |part: &str| match (act.file_id(&place.part(part)), act.file_id(&kept(part))) {
        (Ok(here), Ok(there)) => here == there,
        _ => false,
    };
    // Another database has appeared since: the old files stay together where they are.
    if act.exists(&place.path) && act.exists(&kept("")) && !same("") {
        return false;
    }
    // The database comes last: it must not be found without its log.
    let back = PARTS.iter().rev().filter(|part| act.exists(&kept(part))).try_for_each(|part| {
        if same(part) {
            act.remove_file(&kept(part))
        } else if act.exists(&place.part(part)) {
            Err(io::Error::from(io::ErrorKind::AlreadyExists))
        } else {
            act.rename(&kept(part), &place.part(part))
        }
    });
    if back.is_err() {
        return false;
    }
    if act.list(replaced).is_ok_and(|left| left.is_empty()) {
        let _ = act.remove_dir_all(replaced);
    }
    act.sync_directory(&place.directory).is_ok()
}
