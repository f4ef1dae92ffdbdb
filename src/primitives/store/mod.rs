//! A store of backups in a directory, shared by the primitives that write and read backups.
//!
//! ```text
//! STORE/DATABASE/20261120T205609Z-3f09ac/manifest.json   what it is, with its digests; written last
//!                                        data.zst        the database file, compressed
//!                                        verified.json   when it was last restored and checked, if ever
//! STORE/DATABASE/.20261120T205609Z-3f09ac.partial/       one under way, or one that was interrupted
//! ```
//!
//! A backup is a directory with a valid manifest. It gets its name when everything in it is on the disk, so what an interruption leaves can
//! never be taken for a whole one.

mod archive;
mod faults;
mod layout;
mod manifest;
mod space;
mod stock;
#[cfg(test)]
pub(in crate::primitives) mod testing;
mod work;

pub(in crate::primitives) use crate::model::human_size as human;
pub(in crate::primitives) use archive::{Archive, compress, decompress};
pub(in crate::primitives) use faults::{code, copy_fault, disk_full, io_fault, no_store};
pub(in crate::primitives) use layout::Layout;
pub(in crate::primitives) use manifest::{Manifest, Verified};
pub(in crate::primitives) use space::free_near;
pub(in crate::primitives) use stock::{Stock, Stored};
pub(in crate::primitives) use work::{Removed, Stop, off_reactor};

#[cfg(test)]
mod tests {
    use crate::model::{CaseResult, Value};
    use crate::primitives::backup::Backup;
    use crate::primitives::backups::Backups;
    use crate::primitives::latest_backup::LatestBackup;
    use crate::primitives::restore::Restore;
    use crate::primitives::targets::SqliteDatabase;
    use crate::primitives::verify_backup::VerifyBackup;
    use crate::primitives::{ArgType, Registry};

    fn registry() -> Registry {
        Registry::empty()
            .driver::<Backup, SqliteDatabase>()
            .driver::<Restore, SqliteDatabase>()
            .driver::<VerifyBackup, SqliteDatabase>()
            .observer::<Backups, SqliteDatabase>()
            .observer::<LatestBackup, SqliteDatabase>()
    }

    #[test]
    fn every_case_gives_what_has_finitely_many_values() {
        let args = Value::encode(&serde_json::json!({ "target": "primary", "from": "latest" }));
        let target = Value::encode(&serde_json::json!({ "target": "primary" }));
        for signature in registry().signatures() {
            let args = if signature.arg("from").is_some() { &args } else { &target };
            for case in signature.cases(args).expect(signature.name) {
                let CaseResult::Returns(certain) = case.result else { continue };
                let finite = signature.fields.iter().filter(|field| field.kind.is_finite());
                for field in finite {
                    assert!(certain.get(&field.name).is_some(), "{}: {}: {}", signature.name, case.name, field.name);
                }
            }
        }
    }

    #[test]
    fn arguments_read_as_scripts_write_them() {
        let registry = registry();
        let arg = |primitive: &str, name: &str| {
            registry.signature(primitive).and_then(|s| s.arg(name).cloned()).expect("an argument")
        };
        assert_eq!((arg("verify_backup", "id").kind, arg("verify_backup", "id").required), (ArgType::String, false));
        assert_eq!((arg("restore", "from").kind, arg("restore", "from").required), (ArgType::String, true));
        assert_eq!(arg("restore", "keep").default, Some(true.into()));
        assert_eq!(arg("latest_backup", "older_than").kind, ArgType::Duration);
        assert_eq!(arg("backups", "limit").kind, ArgType::Int);
        assert_eq!(arg("verify_backup", "tables").kind, ArgType::List(Box::new(ArgType::String)));
    }
}
