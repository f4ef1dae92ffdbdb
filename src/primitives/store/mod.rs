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
mod size;
mod space;
mod stock;
#[cfg(test)]
pub(in crate::primitives) mod testing;
mod work;

pub(in crate::primitives) use archive::{Archive, compress, decompress};
pub(in crate::primitives) use faults::{code, copy_fault, disk_full, io_fault, no_store};
pub(in crate::primitives) use layout::Layout;
pub(in crate::primitives) use manifest::{Manifest, Verified};
pub(in crate::primitives) use size::human;
pub(in crate::primitives) use space::free_near;
pub(in crate::primitives) use stock::{Stock, Stored};
pub(in crate::primitives) use work::{Removed, Stop, off_reactor};
