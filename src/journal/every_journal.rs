//! Runs each specification against every journal: in memory, in a file, at a server.

use std::sync::Arc;

use super::Journal;

/// Opens the journal under test once more: what was appended through one handle is there through the next.
pub(super) type Open<'a> = &'a dyn Fn() -> Arc<dyn Journal>;

macro_rules! every_journal {
    ($($specification:ident),* $(,)?) => {
        mod memory {
            $(#[test]
            fn $specification() {
                let journal = std::sync::Arc::new(crate::journal::MemoryJournal::new());
                super::$specification(&|| journal.clone());
            })*
        }

        #[cfg(feature = "journal-libsql")]
        mod libsql_file {
            $(#[test]
            fn $specification() {
                let dir = tempfile::tempdir().expect("a directory");
                let path = dir.path().join(".lifeboat/journal.db");
                super::$specification(&|| {
                    std::sync::Arc::new(crate::journal::LibsqlJournal::open(&path).expect("opens"))
                });
            })*
        }

        #[cfg(feature = "journal-libsql")]
        mod libsql_remote {
            $(#[test]
            fn $specification() {
                let Some(server) = crate::journal::server::Server::start() else { return };
                super::$specification(&|| std::sync::Arc::new(server.journal()));
            })*
        }
    };
}
