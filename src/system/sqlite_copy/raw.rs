//! SQLite's C interface, as far as copying, checking and changing a file need it. The only `unsafe` code of Lifeboat beside that
//! of `sqlite_session/raw.rs`, which carries out scripts on the connections that are opened here.
//!
//! The online backup interface has no safe wrapper in the `libsql` crate. All pointers stay in here: a [`Raw`] owns one connection,
//! a [`Stepper`] borrows the two connections that it works on, and neither can be sent to another thread.
#![expect(unsafe_code, reason = "sqlite3_backup_* and others have no safe wrapper; see the comment of each block")]

mod statement;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Once;

use libsql::ffi;

pub(in crate::system) use statement::Action;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) enum Open {
    /// Others read and write it: read only, with all of SQLite's locking, and without a checkpoint at the end.
    Live,
    /// Nobody writes it: read only, without locks, without looking at or making side files.
    Still,
    /// A new file of our own.
    Own,
    /// Others read and write it, and so do we: it must exist, and there is no checkpoint at the end.
    Shared,
}

/// An error of SQLite: its extended code and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::system) struct RawError {
    pub(in crate::system) code: i32,
    pub(in crate::system) message: String,
}

impl RawError {
    /// The code without its extension.
    pub(in crate::system) fn primary(&self) -> i32 {
        self.code & 0xff
    }
}

/// One connection.
#[derive(Debug)]
pub(in crate::system) struct Raw(*mut ffi::sqlite3);

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the handle came from sqlite3_open_v2 and is closed once, here; every Stepper and statement is gone by now.
        unsafe { ffi::sqlite3_close_v2(self.0) };
    }
}

/// `libsql` insists on setting SQLite's threading mode before anybody else calls it, and panics when it comes second.
#[expect(deprecated, reason = "the constructor that does not need an async runtime")]
pub(in crate::system) fn initialize() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| drop(libsql::Database::open_in_memory()));
}

/// The path as `file:` URI: every byte that means something in a URI is escaped.
fn uri(path: &Path, query: &str) -> Result<CString, RawError> {
    let bytes = path.as_os_str().as_bytes();
    let mut uri = Vec::from(if bytes.starts_with(b"/") { &b"file://"[..] } else { &b"file:"[..] });
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(*byte),
            _ => uri.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    uri.extend_from_slice(query.as_bytes());
    CString::new(uri).map_err(|_| RawError { code: ffi::SQLITE_MISUSE, message: "the path holds a NUL".to_owned() })
}

/// The path as text that `ATTACH` opens for reading only: one that others use (`live`), or one that nobody writes, beside which no files are
/// made.
pub(in crate::system) fn read_only(path: &Path, live: bool) -> Result<String, RawError> {
    let uri = uri(path, if live { "?mode=ro" } else { "?mode=ro&immutable=1" })?;
    // Every byte that is not plain was escaped.
    Ok(uri.to_string_lossy().into_owned())
}

impl Raw {
    pub(in crate::system) fn open(path: &Path, how: Open) -> Result<Self, RawError> {
        initialize();
        let (flags, query) = match how {
            Open::Live => (ffi::SQLITE_OPEN_READONLY, ""),
            Open::Still => (ffi::SQLITE_OPEN_READONLY, "?immutable=1"),
            Open::Own => (ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE, ""),
            Open::Shared => (ffi::SQLITE_OPEN_READWRITE, ""),
        };
        let name = uri(path, query)?;
        let flags = flags | ffi::SQLITE_OPEN_URI | ffi::SQLITE_OPEN_EXRESCODE | ffi::SQLITE_OPEN_FULLMUTEX;
        let mut db = ptr::null_mut();
        // SAFETY: the name is NUL-terminated and outlives the call; SQLite stores a handle even when it fails.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &raw mut db, flags, ptr::null()) };
        if db.is_null() {
            return Err(RawError { code, message: "out of memory".to_owned() });
        }
        let raw = Self(db);
        raw.checked(code)?;
        if matches!(how, Open::Live | Open::Shared) {
            // SAFETY: the variadic arguments of this verb are an int and a pointer that may be null.
            let code = unsafe {
                ffi::sqlite3_db_config(
                    raw.0,
                    ffi::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                    c_int::from(true),
                    ptr::null_mut::<c_int>(),
                )
            };
            raw.checked(code)?;
        }
        // SAFETY: the handle is open. A quarter of a second at a time, so that a request to stop is heard.
        let code = unsafe { ffi::sqlite3_busy_timeout(raw.0, 250) };
        raw.checked(code)?;
        Ok(raw)
    }

    /// The connection itself, for `sqlite_session/raw.rs`. It lives as long as `self`.
    pub(in crate::system) fn handle(&self) -> *mut ffi::sqlite3 {
        self.0
    }

    pub(in crate::system) fn checked(&self, code: c_int) -> Result<(), RawError> {
        match code {
            ffi::SQLITE_OK => Ok(()),
            _ => Err(self.error(code)),
        }
    }

    pub(in crate::system) fn error(&self, code: c_int) -> RawError {
        // SAFETY: the message belongs to the open handle and is copied before the next call.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0)) };
        RawError { code, message: message.to_string_lossy().into_owned() }
    }

    /// Runs one statement and returns its rows as text, NULL as an empty one. `stop` is asked now and then.
    pub(in crate::system) fn rows(&self, sql: &str, stop: &dyn Fn() -> bool) -> Result<Vec<Vec<String>>, RawError> {
        let sql = CString::new(sql)
            .map_err(|_| RawError { code: ffi::SQLITE_MISUSE, message: "the statement holds a NUL".to_owned() })?;
        self.stoppable(stop, || self.rows_of(&sql))
    }

    /// Does `work` on this connection; `stop` is asked now and then whether to interrupt it.
    pub(in crate::system) fn stoppable<T>(&self, stop: &dyn Fn() -> bool, work: impl FnOnce() -> T) -> T {
        struct Off<'a>(&'a Raw);
        impl Drop for Off<'_> {
            fn drop(&mut self) {
                // SAFETY: the handle is open; without a function the handler is removed.
                unsafe { ffi::sqlite3_progress_handler(self.0.0, 0, None, ptr::null_mut()) };
            }
        }
        let asked: *const &dyn Fn() -> bool = &raw const stop;
        // SAFETY: the handler gets a pointer to `stop`, which outlives it: it is taken off again before this function is left.
        unsafe { ffi::sqlite3_progress_handler(self.0, 10_000, Some(ask), asked.cast_mut().cast()) };
        let _off = Off(self);
        work()
    }

    fn rows_of(&self, sql: &CStr) -> Result<Vec<Vec<String>>, RawError> {
        let mut statement = ptr::null_mut();
        // SAFETY: the text is NUL-terminated; the statement is finalized below on every way out.
        let code = unsafe { ffi::sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &raw mut statement, ptr::null_mut()) };
        self.checked(code)?;
        let mut rows = Vec::new();
        let result = loop {
            // SAFETY: the statement was prepared above and is used by this thread alone.
            match unsafe { ffi::sqlite3_step(statement) } {
                ffi::SQLITE_ROW => {
                    // SAFETY: as above.
                    let columns = unsafe { ffi::sqlite3_column_count(statement) };
                    // SAFETY: the text is valid until the next call for this column and is copied at once.
                    rows.push((0..columns).map(|column| unsafe { text(statement, column) }).collect());
                }
                ffi::SQLITE_DONE => break Ok(rows),
                code => break Err(self.error(code)),
            }
        };
        // SAFETY: prepared above, finalized once.
        unsafe { ffi::sqlite3_finalize(statement) };
        result
    }

    /// The first 100 bytes and the length of the file. Takes no lock and touches no side file, yet goes through SQLite: closing a
    /// file handle of our own would drop the locks that SQLite holds on the same file elsewhere in this process.
    pub(super) fn header(&self) -> Result<([u8; 100], u64), RawError> {
        let (mut bytes, mut len) = ([0_u8; 100], 0_i64);
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: the verb stores a pointer to the file object of `main`, which lives as long as the connection.
        let code = unsafe {
            let into: *mut *mut ffi::sqlite3_file = &raw mut file;
            ffi::sqlite3_file_control(self.0, c"main".as_ptr(), ffi::SQLITE_FCNTL_FILE_POINTER, into.cast::<c_void>())
        };
        self.checked(code)?;
        // SAFETY: the pointer was stored by the call above; a file that is open has methods.
        let methods = unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) };
        let Some((read, size)) = methods.and_then(|methods| methods.xRead.zip(methods.xFileSize)) else {
            return Err(RawError { code: ffi::SQLITE_CANTOPEN, message: "the file is not open".to_owned() });
        };
        // SAFETY: the buffer is as long as said; the methods belong to this file.
        let codes = unsafe { (read(file, bytes.as_mut_ptr().cast(), 100, 0), size(file, &raw mut len)) };
        match codes.0 {
            ffi::SQLITE_OK | ffi::SQLITE_IOERR_SHORT_READ => self.checked(codes.1)?,
            code => self.checked(code)?,
        }
        Ok((bytes, u64::try_from(len).unwrap_or(0)))
    }
}

/// Asks the function behind `stop` whether to stop.
unsafe extern "C" fn ask(stop: *mut c_void) -> c_int {
    // SAFETY: `Raw::stoppable` registers this with a pointer to a `&dyn Fn() -> bool` that is alive while the work is done.
    let stop = unsafe { &*stop.cast::<&dyn Fn() -> bool>() };
    c_int::from(stop())
}

/// The text of a column of the current row.
unsafe fn text(statement: *mut ffi::sqlite3_stmt, column: c_int) -> String {
    // SAFETY: the caller has a row; SQLite returns null or a NUL-terminated text.
    unsafe {
        let text = ffi::sqlite3_column_text(statement, column);
        if text.is_null() {
            String::new()
        } else {
            CStr::from_ptr(text.cast::<c_char>()).to_string_lossy().into_owned()
        }
    }
}

/// What came of one step of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to copy.
    More,
    /// The copy is complete.
    Done,
    /// Somebody else holds a lock; try again.
    Busy,
}

/// A copy under way from one connection to another.
pub(super) struct Stepper<'a> {
    backup: *mut ffi::sqlite3_backup,
    to: &'a Raw,
    from: PhantomData<&'a Raw>,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(from: &'a Raw, to: &'a Raw) -> Result<Self, RawError> {
        let main = c"main".as_ptr();
        // SAFETY: both handles are open and, as they are borrowed, stay so until the copy is finished in `drop`.
        let backup = unsafe { ffi::sqlite3_backup_init(to.0, main, from.0, main) };
        if backup.is_null() {
            // SAFETY: the handle is open.
            return Err(to.error(unsafe { ffi::sqlite3_extended_errcode(to.0) }));
        }
        Ok(Self { backup, to, from: PhantomData })
    }

    /// Copies so many pages more.
    pub(super) fn step(&mut self, pages: i32) -> Result<Step, RawError> {
        // SAFETY: the copy was begun in `new` and is not finished before `drop`.
        match unsafe { ffi::sqlite3_backup_step(self.backup, pages) } {
            ffi::SQLITE_OK => Ok(Step::More),
            ffi::SQLITE_DONE => Ok(Step::Done),
            code if matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => Ok(Step::Busy),
            code => {
                // SAFETY: returns a constant text for any code. The error may lie in either connection, so neither's message is sure.
                let message = unsafe { CStr::from_ptr(ffi::sqlite3_errstr(code)) };
                Err(RawError { code, message: message.to_string_lossy().into_owned() })
            }
        }
    }

    /// How many pages are left, and how many there are; known after the first step.
    pub(super) fn left(&self) -> (u64, u64) {
        // SAFETY: as in `step`.
        let (left, all) =
            unsafe { (ffi::sqlite3_backup_remaining(self.backup), ffi::sqlite3_backup_pagecount(self.backup)) };
        (u64::try_from(left).unwrap_or(0), u64::try_from(all).unwrap_or(0))
    }

    /// Ends the copy; an error that a step had not reported yet comes out here.
    pub(super) fn finish(self) -> Result<(), RawError> {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: finished once: `drop` does not run for a value in ManuallyDrop.
        let code = unsafe { ffi::sqlite3_backup_finish(this.backup) };
        this.to.checked(code)
    }
}

impl Drop for Stepper<'_> {
    fn drop(&mut self) {
        // SAFETY: the copy was begun in `new` and is finished once: `finish` does not let this run.
        unsafe { ffi::sqlite3_backup_finish(self.backup) };
    }
}
