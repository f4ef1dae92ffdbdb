//! The data of a backup: compressed with zstd, digests taken on the way.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::model::Fault;
use crate::system::{Act, Digest, Look, ReadFile, WriteFile};

use super::manifest::Manifest;
use super::{Stop, code, io_fault};

/// zstd's own default: faster levels save little time beside the disk, higher ones little space.
const LEVEL: i32 = 3;
const THREADS: u32 = 2;
const CHUNK: usize = 1 << 18;

/// What was compressed. Sizes in bytes, digests SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::primitives) struct Archive {
    pub raw_size: u64,
    pub stored_size: u64,
    pub sha256_raw: String,
    pub sha256_stored: String,
}

/// Passes bytes on, counting and digesting them.
struct Tee<T> {
    inner: T,
    digest: Digest,
    len: u64,
}

impl<T> Tee<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Digest::new(), len: 0 }
    }

    fn saw(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
    }
}

impl<T: Write> Write for Tee<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.saw(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Tee<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.saw(&buffer[..read]);
        Ok(read)
    }
}

/// Compresses the file `raw` into the new file `stored`, which is on the disk when this returns.
pub(in crate::primitives) fn compress(
    act: &Act,
    target: &str,
    raw: &Path,
    stored: &Path,
    stop: &Stop,
) -> Result<Archive, Fault> {
    let reading = |error| io_fault(code::BACKUP_FAILED, target, "read", raw, &error);
    let writing = |error| io_fault(code::BACKUP_FAILED, target, "write", stored, &error);
    let mut from = Tee::new(act.open(raw).map_err(reading)?);
    let len = from.inner.len().map_err(reading)?;
    let mut progress = act.copy_progress(&format!("compress {target}"), len);
    let to = Tee::new(act.create_private(stored).map_err(writing)?);
    let mut encoder = zstd::Encoder::new(to, LEVEL).map_err(writing)?;
    encoder.include_checksum(true).map_err(writing)?;
    encoder.set_pledged_src_size(Some(len)).map_err(writing)?;
    encoder.multithread(THREADS).map_err(writing)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        stop.check(target)?;
        let read = from.read(&mut buffer).map_err(reading)?;
        if read == 0 {
            break;
        }
        encoder.write_all(&buffer[..read]).map_err(writing)?;
        progress.at(from.len);
    }
    let to = encoder.finish().map_err(writing)?;
    to.inner.sync().map_err(writing)?;
    Ok(Archive {
        raw_size: from.len,
        stored_size: to.len,
        sha256_raw: from.digest.finish(),
        sha256_stored: to.digest.finish(),
    })
}

/// Unpacks the data of a backup into the file `to` at `path`, which is on the disk when this returns; `failed` is the code when it
/// cannot be written. Data that are not byte for byte what the manifest says are a fault: nothing that was written may be used then.
pub(in crate::primitives) fn decompress(
    act: &Act,
    manifest: &Manifest,
    data: &Path,
    (to, path, failed): (WriteFile, &Path, &str),
    stop: &Stop,
) -> Result<(), Fault> {
    let target = manifest.target.as_str();
    let corrupt = |why: &str| corrupt(manifest, data, why);
    let reading = |error: io::Error| match error.raw_os_error() {
        // The disk failed, not the data.
        Some(_) => io_fault(code::STORE_UNREADABLE, target, "read", data, &error),
        None => corrupt(&format!("it cannot be unpacked: {error}")),
    };
    let writing = |error| io_fault(failed, target, "write", path, &error);
    let file = act.open(data).map_err(|error| unreadable(manifest, data, &error))?;
    let mut decoder = zstd::Decoder::new(Tee::new(file)).map_err(reading)?;
    let mut progress = act.copy_progress(&format!("unpack {}", manifest.id), manifest.raw_size);
    let (mut raw, mut buffer) = (Tee::new(to), vec![0; CHUNK]);
    loop {
        stop.check(target)?;
        let read = decoder.read(&mut buffer).map_err(reading)?;
        if read == 0 {
            break;
        }
        // Never more than was announced: a damaged stream could go on until the disk is full.
        if raw.len + read as u64 > manifest.raw_size {
            return Err(corrupt("it holds more than its manifest says"));
        }
        raw.write_all(&buffer[..read]).map_err(writing)?;
        progress.at(raw.len);
    }
    let mut stored = decoder.finish().into_inner();
    io::copy(&mut stored, &mut io::sink()).map_err(reading)?;
    if stored.digest.finish() != manifest.sha256_stored {
        return Err(corrupt("its digest is not the one in its manifest"));
    }
    if raw.len != manifest.raw_size || raw.digest.finish() != manifest.sha256_raw {
        return Err(corrupt("what it unpacks to is not what its manifest says"));
    }
    raw.inner.sync().map_err(writing)
}

/// Why the data of a backup is not, byte for byte, what its manifest says; `None` when it is.
pub(super) fn damage(look: &Look, manifest: &Manifest, data: &Path, stop: &Stop) -> Result<Option<String>, Fault> {
    let reading = |error: io::Error| io_fault(code::STORE_UNREADABLE, &manifest.target, "read", data, &error);
    let mut file: Tee<ReadFile> = Tee::new(match look.open(data) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("data.zst is missing".to_owned())),
        Err(error) => return Err(reading(error)),
    });
    let mut buffer = vec![0; CHUNK];
    while file.read(&mut buffer).map_err(reading)? > 0 {
        stop.check(&manifest.target)?;
    }
    if file.len != manifest.stored_size {
        return Ok(Some(wrong_length(manifest, file.len)));
    }
    let digest = file.digest.finish();
    Ok((digest != manifest.sha256_stored).then(|| "the digest of data.zst is not the one in its manifest".to_owned()))
}

/// How a wrong length of `data.zst` is told.
pub(super) fn wrong_length(manifest: &Manifest, len: u64) -> String {
    format!("data.zst has {len} bytes, its manifest says {}", manifest.stored_size)
}

fn unreadable(manifest: &Manifest, data: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => corrupt(manifest, data, "it is missing"),
        _ => io_fault(code::STORE_UNREADABLE, &manifest.target, "read", data, error),
    }
}

fn corrupt(manifest: &Manifest, data: &Path, why: &str) -> Fault {
    Fault::new(code::BACKUP_CORRUPT, format!("the backup {} is damaged: {}: {why}", manifest.id, data.display()))
        .on(&manifest.target)
        .hint("use an older one: `latest_backup` passes over damaged backups")
}
